//! What stands around a command in a shell: pipes that close, streams that are closed from the start, and too much input.

use crate::support::{Bedrock, Chatrix, Home, Reply};
use std::process::{Output, Stdio};

/// Runs a command line in a shell, in which `$chatrix` is the program, with a scripted Bedrock.
fn shell(line: &str, bedrock: &Bedrock) -> Output {
    let (mut chatrix, home) = Chatrix::command().bedrock(bedrock).env("CHATRIX_MODEL", "nova-micro").into_command();
    let mut shell = std::process::Command::new("bash");
    shell.env_clear().envs(chatrix.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("chatrix", chatrix.get_program()).env("HOME", home.path());
    chatrix.stdin(Stdio::null());
    shell.args(["-o", "pipefail", "-c", line]).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_shell_sees_the_right_exit_code_and_message() {
    let many = "line\n".repeat(100_000);
    let long = || Bedrock::script([Reply::text(&many)]);
    let short = || Bedrock::script([Reply::text("fine")]);
    let too_large = "error: what is on stdin is too large: at most 4718592 bytes can be attached\n";
    for (line, bedrock, code, stdout, stderr) in [
        ("\"$chatrix\" ask -q hi | head -1", long(), 0, "line\n", ""),
        ("\"$chatrix\" ask -q --no-stream hi | head -1", long(), 0, "line\n", ""),
        ("\"$chatrix\" ask -q --jsonl hi | head -c 1", long(), 0, "{", ""),
        ("\"$chatrix\" models -q | head -1 | wc -l", short(), 0, "1\n", ""),
        ("\"$chatrix\" --help | head -1 | wc -l", short(), 0, "1\n", ""),
        ("printf 'hi\\n' | \"$chatrix\" chat | head -c 1", long(), 0, "l", ""),
        ("\"$chatrix\" ask -q hi <&-", short(), 0, "fine\n", ""),
        ("\"$chatrix\" ask -q hi >&-", short(), 0, "", ""),
        ("\"$chatrix\" ask hi 2>&-", short(), 0, "fine\n", ""),
        ("\"$chatrix\" ask -q hi 2>&- >&- <&-", short(), 0, "", ""),
        (
            "\"$chatrix\" ask -q <&-",
            short(),
            2,
            "",
            "error: no question was given; run chatrix ask \"QUESTION\", or pipe text into it\n",
        ),
        ("\"$chatrix\" chat <&-", short(), 0, "", ""),
        ("head -c 10000000 /dev/zero | tr '\\0' a | \"$chatrix\" ask -q", short(), 2, "", too_large),
        ("head -c 10000000 /dev/zero | tr '\\0' a | \"$chatrix\" ask -q -f - hi", short(), 2, "", too_large),
        (
            "\"$chatrix\" models > /dev/full",
            short(),
            1,
            "",
            "error: stdout cannot be written: No space left on device (os error 28)\n",
        ),
        (
            "\"$chatrix\" usage > /dev/full",
            short(),
            1,
            "",
            "error: stdout cannot be written: No space left on device (os error 28)\n",
        ),
    ] {
        let output = shell(line, &bedrock);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let seen = (output.status.code(), text(output.stdout), text(output.stderr));
        assert_eq!(seen, (Some(code), stdout.to_owned(), stderr.to_owned()), "{line}");
    }
}

#[test]
fn a_line_of_10_mb_is_a_question_like_any_other() {
    let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two")]);
    let lines = format!("{}\nhi\n", "a".repeat(10_000_000));
    Chatrix::chat().home(&Home::new("")).bedrock(&bedrock).stdin(&lines).stdout("one\ntwo\n").code(0);
}
