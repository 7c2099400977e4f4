//! What the words of a command line may become. The values of models come from this build's catalog.
use super::*;

fn completed(line: &str) -> Option<Vec<String>> {
    let mut before: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
    let last = before.pop().unwrap_or_default();
    let values = Values::new(&before);
    match complete(&command(), &Words { before, last, kept_by_shell: String::new() }, &values) {
        Completion::Files => None,
        Completion::Candidates(candidates) => Some(candidates.into_iter().map(|candidate| candidate.text).collect()),
    }
}

#[test]
fn words_become_commands_options_and_values() {
    for (line, expected) in [
        ("mod", &["models"][..]),
        ("keys r", &["revoke", "rotate"]),
        ("groups s", &["set"]),
        ("keys move x --no", &["--no-group"]),
        ("usage --by g", &["group"]),
        ("keys add --for ", &["agents"]),
        ("ask --max-c", &["--max-cost"]),
        ("ask --offline --dry", &["--dry-run"]),
        ("completions ", &["bash", "zsh", "fish", "powershell"]),
        ("run c", &["claude", "codex"]),
        ("usage --by m", &["model"]),
        ("usage --by=m", &["--by=model"]),
        // Models, in each of the ways to give a value.
        ("ask -m claude-ha", &["claude-haiku", "claude-haiku-4-5"]),
        ("ask -qm claude-ha", &["claude-haiku", "claude-haiku-4-5"]),
        ("ask --model claude-ha", &["claude-haiku", "claude-haiku-4-5"]),
        ("ask --model=claude-haiku-", &["--model=claude-haiku-4-5"]),
        ("keys add x --models nova-micro,nova-p", &["nova-micro,nova-pro"]),
        ("setup claude-code --small-model ki", &["kimi"]),
        ("models nova-", &["nova-micro", "nova-lite", "nova-2-lite", "nova-pro"]),
        ("models th", &["think"]),
        // Nothing to offer.
        ("ask hello wor", &[]),
        ("ask --frob=x", &[]),
        ("ask -- --mod", &[]),
        ("complete ba", &["bash"]),
        ("comple", &["completions"]),
    ] {
        let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        let mut seen = completed(line).unwrap_or_else(|| vec!["files".to_owned()]);
        if line == "keys r" {
            seen.sort();
        }
        assert_eq!(seen, expected, "{line}");
    }
}

#[test]
fn files_are_left_to_the_shell() {
    for line in ["ask -f ", "ask --file x", "ask --file=x", "ask -o x", "chat --config ", "man --to "] {
        assert_eq!(completed(line), None, "{line}");
    }
}

#[test]
fn every_argument_that_names_a_file_or_a_model_can_be_completed() {
    fn walk(command: &Command, path: &str) {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let names = arg.get_value_names().unwrap_or_default();
            let is_one_of = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
            let is_path = matches!(arg.get_value_hint(), ValueHint::FilePath | ValueHint::DirPath);
            assert_eq!(is_one_of(&["FILE", "DIR", "FROM"]), is_path, "{path} {}", arg.get_id());
            let kind = Kind::of(command.get_name(), arg.get_id().as_str());
            assert!(!is_one_of(&["MODEL"]) || kind == Some(Kind::Model), "{path} {}", arg.get_id());
        }
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()));
        }
    }
    walk(&command(), "chatrix");
}
