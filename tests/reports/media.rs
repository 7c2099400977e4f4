//! Images, documents and files.

use crate::support::{Bedrock, Chatrix, Outcome, Reply, Server};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==";
const XLSX: &str = "UEsDBBQAAAAAAAAAIVzcDHwDUAAAAFAAAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbDx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+UEsDBBQAAAAAAAAAIVzcDHwDUAAAAFAAAAAPAAAAeGwvd29ya2Jvb2sueG1sPHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz5QSwECFAMUAAAAAAAAACFc3Ax8A1AAAABQAAAAEwAAAAAAAAAAAAAAgAEAAAAAW0NvbnRlbnRfVHlwZXNdLnhtbFBLAQIUAxQAAAAAAAAAIVzcDHwDUAAAAFAAAAAPAAAAAAAAAAAAAACAAYEAAAB4bC93b3JrYm9vay54bWxQSwUGAAAAAAIAAgB+AAAA/gAAAAAA";
const DOCX: &str = "UEsDBBQAAAAAAAAAIVzcDHwDUAAAAFAAAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbDx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+UEsDBBQAAAAAAAAAIVzcDHwDUAAAAFAAAAARAAAAd29yZC9kb2N1bWVudC54bWw8eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPjx4Lz48eC8+PHgvPlBLAQIUAxQAAAAAAAAAIVzcDHwDUAAAAFAAAAATAAAAAAAAAAAAAACAAQAAAABbQ29udGVudF9UeXBlc10ueG1sUEsBAhQDFAAAAAAAAAAhXNwMfANQAAAAUAAAABEAAAAAAAAAAAAAAIABgQAAAHdvcmQvZG9jdW1lbnQueG1sUEsFBgAAAAACAAIAgAAAAAABAAAAAA==";

fn image() -> Value {
    json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}})
}

fn file(filename: Option<&str>, media_type: &str, base64: &str) -> Value {
    let mut file = json!({"file_data": format!("data:{media_type};base64,{base64}")});
    if let Some(filename) = filename {
        file["filename"] = filename.into();
    }
    json!({"type": "file", "file": file})
}

/// The first message that Bedrock is sent for these parts.
fn first_message(server: &Server, bedrock: &Bedrock, parts: &Value) -> Value {
    let answer = server.chat(&json!({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": parts}]}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    bedrock.calls().last().unwrap().body["messages"][0]["content"].clone()
}

/// A conversation of so many steps, each with so many images.
fn steps(count: usize, images: usize) -> Vec<Value> {
    let mut messages = Vec::new();
    for step in 0..count {
        let mut content = vec![json!({"type": "text", "text": format!("step {step}")})];
        content.extend((0..images).map(|_| image()));
        messages.push(json!({"role": "user", "content": content}));
        messages.push(json!({"role": "assistant", "content": "ok"}));
    }
    messages.pop();
    messages
}

/// How many images each turn has, and how many notes there are.
fn images_in(body: &Value) -> (Vec<usize>, usize) {
    let turns = body["messages"].as_array().unwrap().iter().filter(|turn| turn["role"] == "user");
    let counts = turns.map(|turn| turn.to_string().matches("\"image\":").count());
    (counts.collect(), body.to_string().matches("was left out").count())
}

#[test]
fn report_07_more_than_20_images() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let ask = |model: &str, messages: Vec<Value>| server.chat(&json!({"model": model, "messages": messages}));
    for (model, messages, expected, notes) in [
        ("claude-haiku-4-5", steps(23, 1), vec![1; 23], 0),
        ("claude-haiku-4-5", steps(1, 100), vec![100], 0),
        ("claude-haiku-4-5", steps(3, 40), vec![20, 40, 40], 20),
        ("nova-pro", steps(23, 1), vec![1; 23], 0),
        ("nova-pro", steps(1, 20), vec![20], 0),
    ] {
        let answer = ask(model, messages);
        assert_eq!(answer.status, 200, "{model}: {}", answer.body);
        assert_eq!(images_in(&bedrock.calls().last().unwrap().body), (expected, notes), "{model}");
    }
    let asked = bedrock.calls().len();
    for (model, messages, place) in
        [("nova-pro", steps(1, 21), 0), ("claude-haiku-4-5", steps(2, 101), 2), ("nova-pro", steps(3, 21), 4)]
    {
        let answer = ask(model, messages);
        assert_eq!((answer.status, bedrock.calls().len()), (400, asked), "{model}");
        assert_eq!(answer.json()["error"]["param"], format!("messages[{place}].content"));
    }
    // The same message as part of the history does not end the conversation.
    let mut messages = steps(1, 21);
    messages.extend([json!({"role": "assistant", "content": "ok"}), json!({"role": "user", "content": "go on"})]);
    assert_eq!(ask("nova-pro", messages).status, 200);
    assert_eq!(images_in(&bedrock.calls().last().unwrap().body), (vec![20, 0], 1));
}

#[test]
fn images_in_the_results_of_tools_never_end_a_conversation() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let calls: Vec<Value> = (0..30)
        .map(|id| json!({"id": format!("c{id}"), "type": "function", "function": {"name": "look", "arguments": "{}"}}))
        .collect();
    let mut messages =
        vec![json!({"role": "user", "content": "go"}), json!({"role": "assistant", "tool_calls": calls})];
    messages.extend((0..30).map(|id| json!({"role": "tool", "tool_call_id": format!("c{id}"), "content": [image()]})));
    let tool = json!({"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}});
    let answer = server.chat(&json!({"model": "nova-pro", "messages": messages, "tools": [tool]}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(images_in(&bedrock.calls()[0].body), (vec![0, 20], 10));
}

#[test]
fn among_many_images_none_may_be_large() {
    // The header says 3000 × 10 pixels.
    let mut large = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    large.extend([0, 0, 0x0b, 0xb8, 0, 0, 0, 10, 8, 2, 0, 0, 0, 0, 0, 0, 0]);
    let mut messages = steps(23, 1);
    let last = messages.last_mut().unwrap();
    last["content"][1]["image_url"]["url"] = format!("data:image/png;base64,{}", STANDARD.encode(large)).into();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let answer = Server::start(&bedrock).chat(&json!({"model": "claude-haiku-4-5", "messages": messages}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (counts, notes) = images_in(&bedrock.calls()[0].body);
    assert_eq!((counts.iter().sum::<usize>(), counts[2], counts[3], notes), (20, 0, 1, 3));
}

#[test]
fn documents_of_earlier_turns_do_not_count() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let pdf = || file(Some("a.pdf"), "application/pdf", "JVBERi0xLjQ=");
    let message = |count: usize| json!({"role": "user", "content": (0..count).map(|_| pdf()).collect::<Vec<_>>()});
    let ok = json!({"role": "assistant", "content": "ok"});
    let ask = |messages: Value| server.chat(&json!({"model": "claude-haiku-4-5", "messages": messages}));
    assert_eq!(ask(json!([message(5), ok, message(5)])).status, 200);
    let body = bedrock.calls()[0].body.to_string();
    assert_eq!((body.matches("\"document\":").count(), body.contains("a 10")), (10, true), "each has its own name");
    let answer = ask(json!([message(1), ok, message(6)]));
    assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!("messages[2].content")));
    assert_eq!(ask(json!([message(6), ok, message(1)])).status, 200);
    let body = bedrock.calls()[1].body.to_string();
    assert_eq!(body.matches("\"document\":").count(), 6);
    assert!(body.contains(r#"the earlier document \"a\" was left out"#), "{body}");
}

/// The format of the document that is sent for a part.
fn format_of(part: &Value) -> Value {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let content = first_message(&server, &bedrock, &json!([{"type": "text", "text": "read it"}, part]));
    content[1]["document"]["format"].clone()
}

#[test]
fn report_08a_office_file_without_extension() {
    assert_eq!(format_of(&file(Some("Q3 report"), SHEET, XLSX)), "xlsx");
}

#[test]
fn report_08b_office_file_without_extension() {
    assert_eq!(format_of(&file(None, "text/csv", "YSxiCjEsMgo=")), "csv");
}

#[test]
fn report_09_pdf_header_not_at_byte_0() {
    assert_eq!(format_of(&file(Some("a.pdf"), "application/pdf", "DQolUERGLTEuNAri48/TIGJvZHk=")), "pdf");
}

#[test]
fn files_are_recognized_by_what_is_known() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    for (part, format) in [
        (file(Some("Q3 report"), SHEET, XLSX), "xlsx"),
        (file(None, SHEET, XLSX), "xlsx"),
        (file(None, "application/octet-stream", XLSX), "xlsx"),
        (file(Some("a"), "application/octet-stream", DOCX), "docx"),
        (file(None, "text/csv", "YSxiCjEsMgo="), "csv"),
        (file(Some("a.pdf"), "application/pdf", "DQolUERGLTEuNAri48/TIGJvZHk="), "pdf"),
        (json!({"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERi0xLjQ="}}), "pdf"),
        (json!({"type": "image_url", "image_url": {"url": format!("data:{SHEET};base64,{XLSX}")}}), "xlsx"),
    ] {
        let content = first_message(&server, &bedrock, &json!([{"type": "text", "text": "read it"}, part]));
        assert_eq!(content[1]["document"]["format"], format, "{part}");
    }
    let content = first_message(
        &server,
        &bedrock,
        &json!([file(Some("a.pdf"), "application/pdf", "DQolUERGLTEuNAri48/TIGJvZHk=")]),
    );
    assert_eq!(content[0]["document"]["source"]["bytes"], "DQolUERGLTEuNAri48/TIGJvZHk=", "as given");
    for part in [file(Some("x"), "application/octet-stream", PNG), file(Some("x.pdf"), "image/png", PNG)] {
        let content = first_message(&server, &bedrock, &json!([part]));
        assert_eq!(content[0]["image"]["format"], "png");
    }
    // UTF-16 with a byte order mark is sent as UTF-8.
    let content = first_message(
        &server,
        &bedrock,
        &json!([file(Some("a.txt"), "text/plain", &STANDARD.encode(b"\xff\xfeh\0i\0"))]),
    );
    assert_eq!(content[0]["document"]["source"]["bytes"], "aGk=");
}

/// `ask` with this file attached. Gives the parts that Bedrock is sent, without the question.
fn attach(name: &str, bytes: &[u8]) -> Value {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let ask = Chatrix::ask().args(["-q", "-m", "claude-haiku-4-5", "sum up"]).bedrock(&bedrock).file(name, "");
    let path = ask.path(name);
    std::fs::write(&path, bytes).unwrap();
    ask.args(["-f", &path]).stdout("ok\n").code(0);
    bedrock.call().body["messages"][0]["content"].clone()
}

#[test]
fn report_08c_office_file_without_extension() {
    let content = attach("minutes", &STANDARD.decode(DOCX).unwrap());
    assert_eq!(
        (&content[0]["document"]["format"], &content[0]["document"]["name"]),
        (&json!("docx"), &json!("minutes"))
    );
    let content = attach("a.pdf", b"\xef\xbb\xbf%PDF-1.4");
    assert_eq!(content[0]["document"]["format"], "pdf");
    for (bytes, text) in [(&b"\xef\xbb\xbfhi"[..], "hi"), (b"\xff\xfeh\0i\0", "hi"), (b"caf\xe9", "caf\u{e9}")] {
        assert_eq!(attach("a.txt", bytes)[0]["text"], format!("<file name=\"a.txt\">\n{text}\n</file>"));
    }
}

/// `ask` with these arguments, which must be refused at once.
fn refused(args: &[&str]) -> Outcome {
    let started = std::time::Instant::now();
    let mut ask = Chatrix::ask().args(["--offline", "--no-stdin"]);
    for arg in args {
        ask = ask.arg(arg);
    }
    let outcome = ask.stdout("");
    assert!(started.elapsed().as_secs() < 10, "{args:?}");
    outcome
}

#[test]
fn newcomer_a_device_a_pipe_or_a_large_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (large, pipe, missing) = (path("large"), path("pipe"), path("missing"));
    std::fs::File::create(&large).unwrap().set_len(3 << 30).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let device = "is a device or a pipe, and only files can be attached; `-f -` attaches what is on stdin";
    for name in ["/dev/zero", "/dev/null", &pipe] {
        refused(&["-f", name, "hi"]).code(2).stderr(&format!("error: {name} {device}\n"));
    }
    let folder = folder.path().to_str().unwrap();
    refused(&["-f", folder, "hi"])
        .code(2)
        .stderr(&format!("error: {folder} is a directory, and only files can be attached\n"));
    let limit = "is too large: at most 4718592 bytes can be attached";
    refused(&["-f", &large, "hi"]).code(2).stderr(&format!("error: {large} {limit}\n"));
    refused(&["--schema", &large, "hi"]).code(2).stderr(&format!("error: {large} {limit}\n"));
    refused(&["--schema", "/dev/zero", "hi"]).code(2).stderr(&format!("error: /dev/zero {limit}\n"));
    refused(&["-f", &missing, "hi"]).code(1).stderr(&format!("error: cannot read {missing}: there is no such file\n"));
    refused(&["-f", "-", "hi"]).code(2).stderr_has("--no-stdin");
}

#[test]
fn newcomer_stdin_is_the_prompt_or_a_file() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let ask = || Chatrix::ask().args(["-q", "-m", "claude-haiku-4-5"]).bedrock(&bedrock);
    let sent = || bedrock.calls().last().unwrap().body["messages"][0]["content"].clone();
    ask().arg("-").stdin("hello").stdout("ok\n").code(0);
    assert_eq!(sent(), json!([{"text": "hello"}]));
    ask().args(["-f", "-", "what is it?"]).stdin_bytes(&STANDARD.decode(PNG).unwrap()).stdout("ok\n").code(0);
    assert_eq!((&sent()[0]["image"]["format"], &sent()[1]), (&json!("png"), &json!({"text": "what is it?"})));
    ask().args(["-f", "-"]).stdin("a\n").stdout("ok\n").code(0);
    assert_eq!(sent(), json!([{"text": "<file name=\"stdin\">\na\n</file>"}]));
    for args in [["-f", "-", "-"].as_slice(), &["-f", "-", "-f", "-", "hi"]] {
        let asked = args.iter().fold(ask().stdin("x"), |ask, arg| ask.arg(arg));
        asked
            .stdout("")
            .code(2)
            .stderr("error: stdin can be read only once: either as the prompt (`-`) or as one file (`-f -`)\n");
    }
    let zeros = vec![b'x'; 5 << 20];
    ask().stdin_bytes(&zeros).stdout("").code(2).stderr_has("what is on stdin is too large");
}

#[test]
fn newcomer_two_files_of_one_name_get_two_names() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let ask = Chatrix::ask().args(["-q", "-m", "claude-haiku-4-5", "compare"]).bedrock(&bedrock);
    let ask = ask.file("a.pdf", "%PDF-1.4").file("b/a.pdf", "%PDF-1.5").file("n.txt", "one").file("b/n.txt", "two");
    let paths = ["a.pdf", "b/a.pdf", "n.txt", "b/n.txt"].map(|name| ask.path(name));
    paths.iter().fold(ask, |ask, path| ask.args(["-f", path])).stdout("ok\n").code(0);
    let content = bedrock.call().body["messages"][0]["content"].clone();
    assert_eq!((&content[0]["document"]["name"], &content[1]["document"]["name"]), (&json!("a"), &json!("a 2")));
    assert_eq!(content[2]["text"], "<file name=\"n.txt\">\none\n</file>");
    assert_eq!(content[3]["text"], "<file name=\"n.txt 2\">\ntwo\n</file>");
}

#[test]
fn report_21_bom_in_schema_and_body() {
    for bytes in [&b"\xef\xbb\xbf{\"type\":\"object\"}"[..], b"\xff\xfe{\0}\0", b"\xfe\xff\0{\0}"] {
        let bedrock = Bedrock::script([Reply::text("{}")]);
        let ask = Chatrix::ask().args(["-q", "-m", "claude-haiku-4-5", "hello"]).bedrock(&bedrock).file("s.json", "");
        let path = ask.path("s.json");
        std::fs::write(&path, bytes).unwrap();
        ask.args(["--schema", &path]).stdout("{}\n").code(0);
        assert!(bedrock.call().body.get("outputConfig").is_some());
    }
}
