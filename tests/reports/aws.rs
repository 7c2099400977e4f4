//! Whose credentials are used, in which region, and what is booked when a call fails before it is sent
//! (docs/credentials.md).

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, eventually, signal};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const WORK: &str = "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = dummy\n";
const SSO: &str = "[profile sso]\nsso_session = my\nsso_account_id = 123456789012\nsso_role_name = dev\n\
                   [sso-session my]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n\
                   sso_registration_scopes = sso:account:access\n";
const FOREIGN_ARN: &str = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

/// A question to a scripted Bedrock, without credentials.
fn ask(bedrock: &Bedrock) -> Chatrix {
    Chatrix::ask().args(["-m", "claude-haiku-4-5", "hello"]).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url)
}

fn other_keys(chatrix: Chatrix) -> Chatrix {
    chatrix.env("AWS_ACCESS_KEY_ID", "AKIDOTHER").env("AWS_SECRET_ACCESS_KEY", "other")
}

fn authorization(bedrock: &Bedrock) -> String {
    bedrock.calls().last().unwrap().headers["authorization"].clone()
}

/// Lets each connection be served by `serve`, and notes the first line that it brings.
fn listen(serve: fn(TcpStream)) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            let mut line = Vec::new();
            let _ = BufReader::new(&socket).read_until(b'\n', &mut line);
            seen.lock().unwrap().push(String::from_utf8_lossy(&line).trim().to_owned());
            serve(socket);
        }
    });
    (address, lines)
}

/// A person who gives up while a credential helper still works owes nothing.
#[test]
fn nothing_is_booked_when_it_is_interrupted_before_it_is_sent() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::text("never")]);
    let slow = "[default]\ncredential_process = /bin/sleep 20\n";
    std::fs::create_dir_all(home.path(".aws")).unwrap();
    std::fs::write(home.path(".aws/config"), slow).unwrap();
    let ask = Chatrix::ask().home(&home).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url).args(["-q", "hi"]);
    let (mut child, _home) = ask.spawn();
    eventually("the call is reserved", || home.booked().1 > 0);
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!((home.at_rest(), bedrock.calls().len()), ((0, 0, 0), 0));
}

#[test]
fn report_14_profile_loses_to_env_keys() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let work = || other_keys(ask(&bedrock)).file(".aws/credentials", WORK);
    let signed_by = |name: &str| assert!(authorization(&bedrock).contains(&format!("Credential={name}/")), "{name}");
    let remark = "AWS_ACCESS_KEY_ID is set but not used, because a profile is named";

    let named = work().args(["--profile", "work", "-v"]).stdout("ok\n").code(0);
    named.stderr_has("AWS credentials: the profile \"work\" (keys); region us-west-2; ").stderr_has(remark);
    signed_by("AKIDWORK");
    work().config("profile = \"work\"").arg("-v").stdout("ok\n").code(0).stderr_has(remark);
    signed_by("AKIDWORK");
    let token = work().args(["--profile", "work"]).env("AWS_BEARER_TOKEN_BEDROCK", "example-token");
    token.stdout("ok\n").code(0);
    signed_by("AKIDWORK");

    // AWS_PROFILE alone has the rank that it has in AWS's own tools.
    let variable = work().env("AWS_PROFILE", "work").arg("-v").stdout("ok\n").code(0);
    variable.stderr_has("AWS credentials: the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; ");
    signed_by("AKIDOTHER");
    // In place of the config file's profile it names the one that pays.
    work().config("profile = \"nobody\"").env("AWS_PROFILE", "work").stdout("ok\n").code(0);
    signed_by("AKIDWORK");
    work().env("AWS_PROFILE", "").stdout("ok\n").code(0);
    signed_by("AKIDOTHER");
}

#[test]
fn an_unknown_profile_is_an_error_of_every_command_at_its_start() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let expected = "error: there is no AWS profile \"nope\": ~/.aws/config (which does not exist) and ~/.aws/credentials \
                    define \"work\"; correct the name, or run: aws configure --profile NAME\n";
    let ways: [fn(Chatrix) -> Chatrix; 3] = [
        |chatrix| chatrix.args(["--profile", "nope"]),
        |chatrix| chatrix.env("AWS_PROFILE", "nope"),
        |chatrix| chatrix.config("profile = \"nope\""),
    ];
    for name in ways {
        let setup = |chatrix: Chatrix| name(other_keys(chatrix).file(".aws/credentials", WORK));
        setup(ask(&bedrock)).stdout("").code(4).stderr(expected);
        setup(Chatrix::chat()).stdin("hello\n").stdout("").code(4).stderr(expected);
        setup(Chatrix::serve().args(["--port", "0"])).stdout("").code(4).stderr(expected);
    }
    assert!(bedrock.calls().is_empty());
    let many: String = (0..20).map(|n| format!("[p{n:02}]\nregion = us-east-1\n")).collect();
    let listed = ask(&bedrock).file(".aws/credentials", &many).args(["--profile", "nope"]).run().code(4);
    listed.stderr_has("\"p08\", \"p09\", 10 more;");
    let folder = ask(&bedrock).file(".aws/config/x", "").args(["--profile", "nope"]).run().code(4);
    folder.stderr_has("~/.aws/config (which is a directory)");
    let broken = ask(&bedrock).file(".aws/config", "[profile nope\n").args(["--profile", "nope"]).run().code(4);
    broken.stderr_has("the AWS profile \"nope\" cannot be read: ").stderr_has("on line 1");
}

#[test]
fn report_15_aws_login_profile() {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let profile = "[default]\nlogin_session = arn:aws:iam::123456789012:user/ann\nregion = us-west-2\n";
    let home = Home::new("");
    home.write(".aws/config", profile);
    ask(&bedrock)
        .home(&home)
        .stdout("")
        .code(4)
        .stderr("error: there is no valid login session for the AWS profile \"default\"; run: aws login\n");
    assert_eq!(home.booked(), (0, 0, 0));
}

#[test]
fn report_16a_bearer_token_trailing_newline() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    ask(&bedrock).env("AWS_BEARER_TOKEN_BEDROCK", "example-token\n").stdout("ok\n").code(0);
    assert_eq!(authorization(&bedrock), "Bearer example-token");
}

#[test]
fn report_17_access_key_trailing_newline() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    for end in ["\n", "\r\n", "\r", " \n"] {
        let keys = |chatrix: Chatrix| {
            let chatrix = chatrix.env("AWS_ACCESS_KEY_ID", &format!("AKIDEXAMPLE{end}"));
            chatrix.env("AWS_SECRET_ACCESS_KEY", &format!("wJalrXUtnFEMI/K7MDENG{end}"))
        };
        keys(ask(&bedrock)).stdout("ok\n").code(0);
        assert!(authorization(&bedrock).contains("Credential=AKIDEXAMPLE/"));
        let serve = Chatrix::serve().env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &format!("{}{end}", bedrock.url));
        let server = Server::run(keys(serve));
        let answer = server.chat(&json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]}));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKID\nEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a\rb"),
        ("AWS_SESSION_TOKEN", "a b"),
        ("AWS_BEARER_TOKEN_BEDROCK", "Bearer\ntoken"),
    ] {
        let home = Home::new("");
        let refused = ask(&bedrock).home(&home).credentials().env(name, value).stdout("").code(4);
        refused.stderr_has(&format!("error: {name} contains a blank, a line end or another character"));
        assert_eq!(home.booked(), (0, 0, 0), "{name}");
    }
    let half = ask(&bedrock).env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").file(".aws/credentials", WORK);
    half.stdout("").code(4).stderr_has("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
}

#[test]
fn report_16b_bearer_token_trailing_newline() {
    let home = Home::new("");
    for (url, piece) in [
        ("127.0.0.1:9", "is \"127.0.0.1:9\": http:// or https:// is missing"),
        ("notaurl", "is \"notaurl\": http:// or https:// is missing"),
        ("http://", "is \"http://\", which is not a URL"),
    ] {
        for name in ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"] {
            let ask = Chatrix::ask().arg("hello").home(&home).credentials().env(name, url);
            ask.stdout("").code(2).stderr_has(&format!("error: {name} {piece}"));
        }
        home.write(".aws/config", &format!("[default]\nendpoint_url = {url}\n"));
        let ask = Chatrix::ask().arg("hello").home(&home).credentials();
        ask.stdout("").code(2).stderr_has(&format!("error: endpoint_url of the AWS profile \"default\" {piece}"));
        home.write(".aws/config", "");
    }
    assert_eq!(home.booked(), (0, 0, 0));
}

#[test]
fn an_endpoint_of_the_services_section_is_used() {
    for service in ["bedrock_runtime", "bedrock-runtime"] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let url = &bedrock.url;
        let config = format!("[default]\nservices = local\n[services local]\n{service} =\n  endpoint_url = {url}\n");
        Chatrix::ask().args(["-q", "hi"]).credentials().file(".aws/config", &config).stdout("ok\n").code(0);
    }
}

#[test]
fn report_22_arn_of_another_region() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::start(&bedrock);
    let question = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    for stream in [false, true] {
        let mut body = question(FOREIGN_ARN);
        body["stream"] = Value::Bool(stream);
        assert_eq!(server.chat(&body).status, 200);
        assert!(authorization(&bedrock).contains("/us-east-1/bedrock/aws4_request"));
    }
    assert_eq!(server.chat(&question("nova-micro")).status, 200);
    assert!(authorization(&bedrock).contains("/us-west-2/bedrock/aws4_request"));
    let junk = server.chat(&question("arn:aws:bedrock:us-east-1.evil.example:1:inference-profile/x"));
    assert_eq!((junk.status, junk.json()["error"]["param"].as_str()), (400, Some("model")), "{}", junk.body);

    let config = format!("[models.team]\nid = \"{FOREIGN_ARN}\"\nlike = \"claude-haiku-4-5\"\n");
    Chatrix::ask().args(["-q", "-m", "team", "hi"]).bedrock(&bedrock).config(&config).stdout("ok\n").code(0);
    assert!(authorization(&bedrock).contains("/us-east-1/bedrock/aws4_request"));
}

#[test]
fn report_22_arn_of_another_region_host() {
    let (proxy, lines) = listen(|_| {});
    for (model, region) in [(FOREIGN_ARN, "us-east-1"), ("nova-micro", "eu-west-3")] {
        let ask = Chatrix::ask().args(["-m", model, "--region", "eu-west-3", "hi"]).credentials();
        let failed = ask.env("HTTPS_PROXY", &format!("http://{proxy}")).stdout("").code(5);
        failed.stderr_has(&format!("cannot connect to Bedrock in {region}: "));
        let expected = format!("CONNECT bedrock-runtime.{region}.amazonaws.com:443 HTTP/1.1");
        assert_eq!(std::mem::take(&mut *lines.lock().unwrap()), vec![expected; 3]);
    }
}

#[test]
fn a_region_that_cannot_be_one_is_refused() {
    let profile = |region: &str| format!("[default]\nregion = {region}\n");
    for region in ["x", "us-east-1.evil.example", "https://us-east-1", "us east 1", "US-EAST-1"] {
        let refused = |chatrix: Chatrix, source: &str| {
            let message =
                format!("error: the AWS region from {source} is {region:?}, which is not the name of a region");
            chatrix.credentials().stdout("").code(2).stderr_has(&message);
        };
        let hello = || Chatrix::ask().arg("hello");
        refused(hello().args(["--region", region]), "the command line");
        refused(hello().env("AWS_REGION", region), "the environment variable AWS_REGION");
        refused(hello().file(".aws/config", &profile(region)), "the profile \"default\"");
    }
    Chatrix::ask().args(["--region", "", "hello"]).stdout("").code(2).stderr_has("the command line is \"\"");
}

/// What happens to a call whose request is never written, and to one whose request is.
#[test]
fn only_a_request_that_was_written_is_booked() {
    let (plain, connections) = listen(|_| {});
    let (silent, requests) = listen(|_| {});
    let process = "[profile bad]\ncredential_process = printf '{\"Version\":1,\"AccessKeyId\":\"A\\\\nB\",\"SecretAccessKey\":\"s\"}'\n";
    for mode in ["--no-stream", "-q"] {
        for (setting, value, code, piece) in [
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9".to_owned(), 5, "cannot connect to Bedrock"),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://host.invalid".to_owned(), 5, "cannot connect to Bedrock"),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("https://{plain}"), 5, "cannot connect to Bedrock"),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "127.0.0.1:9".to_owned(), 2, "http:// or https:// is missing"),
            ("AWS_PROFILE", "bad".to_owned(), 4, "cannot be used: the access key id is not one"),
            ("AWS_PROFILE", "none".to_owned(), 4, "there is no AWS profile"),
        ] {
            let home = Home::new("");
            home.write(".aws/config", process);
            let ask = Chatrix::ask().args([mode, "hello"]).home(&home);
            let ask = if setting == "AWS_PROFILE" { ask } else { ask.credentials() };
            ask.env(setting, &value).stdout("").code(code).stderr_has(piece);
            assert_eq!(home.booked(), (0, 0, 0), "{value}");
            Chatrix::usage().arg("--uncertain").home(&home).run().code(0).stderr_lacks("may have been billed");
        }
        assert_eq!(std::mem::take(&mut *connections.lock().unwrap()).len(), 3, "a TLS handshake is tried three times");

        let home = Home::new("");
        let ask = Chatrix::ask().args([mode, "-m", "nova-micro", "hello"]).home(&home).credentials();
        let lost = ask.env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &format!("http://{silent}")).stdout("").code(5);
        lost.stderr_has("the connection to Bedrock was lost");
        assert_eq!(std::mem::take(&mut *requests.lock().unwrap()).len(), 1, "what was written is not sent again");
        assert!(home.booked().2 > 0, "what was written may have been billed");
    }
}

/// A stand-in for STS that refuses everything.
fn refusing_sts() -> String {
    let (address, _) = listen(|mut socket| {
        let body =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>You may not.</Message></Error></ErrorResponse>";
        let head =
            format!("HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = socket.write_all(format!("{head}{body}").as_bytes());
        let _ = socket.shutdown(Shutdown::Write);
        let _ = socket.read_to_end(&mut Vec::new());
    });
    format!("http://{address}")
}

/// Runs a question with this profile file and these variables, and expects exit code 4, the sentence, and nothing
/// booked.
#[track_caller]
fn no_credentials(config: &str, variables: &[(&str, &str)], sentence: &str) {
    let bedrock = Bedrock::script([Reply::text("never")]);
    let home = Home::new("");
    home.write(".aws/config", config);
    let ask = variables.iter().fold(ask(&bedrock).home(&home), |ask, (name, value)| ask.env(name, value));
    ask.stdout("").code(4).stderr_has(sentence).stderr_lacks("billed").stderr_lacks("feature");
    assert_eq!(home.booked(), (0, 0, 0));
    assert!(bedrock.calls().is_empty());
}

#[test]
fn profiles_without_usable_credentials_are_never_booked() {
    let tool = |command: &str, sentence: &str| {
        let config = format!("[profile tool]\ncredential_process = {command}\n");
        let sentence = format!("the credential_process of the AWS profile \"tool\" gives no credentials: {sentence}");
        no_credentials(&config, &[("AWS_PROFILE", "tool")], &sentence);
    };
    tool("echo boom >&2; exit 3", "it exited with status 3: boom;");
    tool("/nowhere/tool", "it exited with status 127");
    tool("echo garbage", "could not parse response");

    let sentence = "there is no valid SSO session for the AWS profile \"sso\"; run: aws sso login --profile sso";
    no_credentials(SSO, &[("AWS_PROFILE", "sso")], sentence);
    let role = "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n\
                [profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = dummy\n";
    let variables = [("AWS_PROFILE", "role"), ("AWS_ENDPOINT_URL_STS", &refusing_sts())];
    let sentence = "the role of the AWS profile \"role\" cannot be assumed: AccessDenied: You may not;";
    no_credentials(role, &variables, sentence);
    let bare = "[profile bare]\nregion = us-east-1\n";
    let sentence = "the AWS profile \"bare\" holds no credentials; run: aws configure --profile bare";
    no_credentials(bare, &[("AWS_PROFILE", "bare")], sentence);
    let broken = "[default]\naws_access_key_id = A\u{1}B\naws_secret_access_key = x\n";
    no_credentials(broken, &[], "aws_access_key_id of the AWS profile \"default\" contains a character");
}

#[test]
fn an_environment_without_usable_credentials_is_never_booked() {
    let none = "no AWS credentials were found; run `aws configure` or `aws sso login`";
    for (variables, sentence) in [
        (&[][..], none),
        (
            &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x")],
            "the web identity in AWS_WEB_IDENTITY_TOKEN_FILE gives no credentials: No such file",
        ),
        (
            &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/x")],
            "the container gives no AWS credentials: Connection refused",
        ),
        (&[("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")], none),
    ] {
        no_credentials("", variables, sentence);
    }
}

#[test]
fn missing_credentials_are_found_before_the_first_question() {
    let hint = "no AWS credentials were found; run `aws configure` or `aws sso login`";
    Chatrix::chat().stdin("hello\n").stdout("").code(4).stderr_has(hint).stderr_lacks("/help");
    let lines = |serve: Chatrix| {
        let (mut child, _home) = serve.args(["--port", "0"]).spawn();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let first: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("listening on ")).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        // The lines about credentials come before those about budgets.
        let of_credentials = first.into_iter().skip_while(|line| !line.starts_with("AWS credentials: "));
        of_credentials.take_while(|line| !line.starts_with("budgets: ")).collect::<Vec<_>>()
    };
    let missing = lines(Chatrix::serve());
    assert_eq!(missing[0], "AWS credentials: none; region us-west-2");
    assert!(missing[1].starts_with(&format!("warning: every call will fail: {hint}")), "{missing:?}");
    let sso = lines(Chatrix::serve().file(".aws/config", SSO).args(["--profile", "sso"]));
    assert_eq!(
        sso,
        [
            "AWS credentials: the profile \"sso\" (SSO); region us-west-2",
            "warning: every call will fail: there is no valid SSO session for the AWS profile \"sso\"; run: aws sso login --profile sso",
        ]
    );
    let good = lines(Chatrix::serve().credentials().args(["--region", "eu-west-1"]));
    assert_eq!(good, ["AWS credentials: the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; region eu-west-1"]);
}
