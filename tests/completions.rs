//! Completion, in real shells: a test presses Tab.

use crate::support::{Chatrix, Home, Terminal};
use std::path::{Path, PathBuf};

const SCRIPTS: [(&str, &str); 4] =
    [("bash", "chatrix.bash"), ("zsh", "_chatrix"), ("fish", "chatrix.fish"), ("powershell", "_chatrix.ps1")];

fn script(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file)
}

#[test]
fn the_files_are_what_is_printed() {
    for (shell, file) in SCRIPTS {
        let printed = Chatrix::completions().arg(shell).run().code(0).stderr("").stdout;
        assert!(printed.contains(&format!("complete {shell} --")), "{shell} asks the program");
        assert_eq!(printed, std::fs::read_to_string(script(file)).unwrap(), "{file}");
    }
}

/// A shell in a terminal that has read its completion script; `None` where it is not installed.
fn shell(name: &str, home: &Home) -> Option<Terminal> {
    let path = std::env::var("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    let Some(program) = found else {
        println!("skipped: {name} is not installed");
        return None;
    };
    let folder = Path::new(env!("CARGO_BIN_EXE_chatrix")).parent().unwrap().to_owned();
    let script = |file| script(file).to_str().unwrap().to_owned();
    let (args, setup) = match name {
        "bash" => (&["--norc", "--noprofile"][..], format!(". {}; PS1='ready> '", script("chatrix.bash"))),
        "zsh" => {
            let setup = format!("autoload -U compinit; compinit -u -D; . {}; PS1='ready> '", script("_chatrix"));
            (&["-f"][..], setup)
        }
        _ => {
            let setup = format!("source {}; function fish_prompt; echo -n 'ready> '; end", script("chatrix.fish"));
            (&["--no-config"][..], setup)
        }
    };
    let shell = args.iter().fold(Chatrix::program(program.to_str().unwrap()), |shell, arg| shell.arg(arg));
    let shell = shell.env("PATH", &format!("{}:{path}", folder.display())).home(home);
    let mut terminal = Terminal::start(shell, 120, 40);
    terminal.wait_until("the shell has a prompt", |screen| !screen.is_empty());
    terminal.keys(&format!("{setup}\r"));
    terminal.wait_until("the shell is ready", |screen| {
        screen.lines().last().is_some_and(|line| line.starts_with("ready>"))
    });
    Some(terminal)
}

/// A home with two keys, and with files in its folder.
fn home() -> Home {
    let home = Home::new("");
    for name in ["laptop", "phone"] {
        Chatrix::keys().args(["add", name]).home(&home).run().code(0);
    }
    home.write("notes/one day.txt", "x");
    home
}

#[test]
fn a_tab_completes_in_bash_zsh_and_fish() {
    let home = home();
    let notes = home.path("notes").to_str().unwrap().to_owned();
    let file = format!("chatrix ask -f {notes}/on");
    let long = format!("chatrix ask --file={notes}/on");
    for name in ["bash", "zsh", "fish"] {
        let Some(mut terminal) = shell(name, &home) else { continue };
        for (typed, completed) in [
            ("chatrix mod", "chatrix models"),
            ("chatrix keys rev", "chatrix keys revoke"),
            ("chatrix keys revoke la", "chatrix keys revoke laptop"),
            ("chatrix keys rotate ph", "chatrix keys rotate phone"),
            ("chatrix setup codex --key ph", "chatrix setup codex --key phone"),
            ("chatrix ask -m nova-mi", "chatrix ask -m nova-micro"),
            ("chatrix ask --model=nova-p", "chatrix ask --model=nova-pro"),
            ("chatrix ask --max-t", "chatrix ask --max-tokens"),
            ("chatrix keys add x --models kimi,nova-p", "chatrix keys add x --models kimi,nova-pro"),
            ("chatrix usage --by ke", "chatrix usage --by key"),
            (file.as_str(), r"one\ day.txt"),
            (long.as_str(), r"one\ day.txt"),
        ] {
            terminal.keys(typed);
            terminal.wait_for(typed);
            terminal.keys("\t");
            terminal.wait_until(&format!("{name} completes {typed:?}"), |screen| screen.contains(completed));
            // Ctrl-U and Ctrl-L leave an empty line on an empty screen.
            terminal.keys("\x15");
            terminal.wait_until("the line is empty", |screen| {
                screen.lines().last().is_some_and(|line| line.trim() == "ready>")
            });
            terminal.keys("\x0c");
            terminal.wait_until("the screen is empty", |screen| screen.trim() == "ready>");
        }
    }
}

#[test]
fn candidates_come_with_their_prices_cheapest_first() {
    let complete = |shell: &str, words: &[&str]| {
        let command = Chatrix::command().args(["complete", shell, "--"]);
        words.iter().fold(command, |command, word| command.arg(word)).run().code(0).stderr("").stdout
    };
    let nova = "nova-micro\t$0.035 in, $0.14 out\nnova-lite\t$0.06 in, $0.24 out\nnova-2-lite\t$0.33 in, $2.75 out\n\
                nova-pro\t$0.80 in, $3.20 out\n";
    for shell in ["zsh", "fish"] {
        assert_eq!(complete(shell, &["ask", "-m", "nova"]), nova);
    }
    assert_eq!(complete("powershell", &["ask", "-m", "nova_"]), nova);
    assert_eq!(complete("bash", &["ask", "--model", "=", "nova-"]), "nova-micro\nnova-lite\nnova-2-lite\nnova-pro\n");
    let own = Chatrix::command()
        .config("[models.team]\nid = \"us.acme.x-v1:0\"\nlike = \"nova-micro\"\n")
        .args(["complete", "zsh", "--", "ask", "-m", "tea"]);
    own.stdout("team\t$0.035 in, $0.14 out\n").code(0);
}

/// A Tab must neither print an error nor change anything.
#[test]
fn a_tab_is_silent_when_something_is_wrong() {
    for config in ["", "nonsense", "default_model = \"nope\"\n"] {
        let home = Home::new(config);
        for words in [&["keys", "revoke", ""][..], &["chat", "--resume", ""], &["ask", "--frob", ""], &["frob", ""]] {
            let command = Chatrix::command().home(&home).args(["complete", "zsh", "--"]);
            let command = words.iter().fold(command, |command, word| command.arg(word));
            command.stdout("").code(0).stderr("");
        }
        assert!(!home.ledger().exists(), "a Tab makes no ledger");
    }
    // Where the name of a file is wanted, the shell is asked to complete it.
    Chatrix::command().args(["complete", "zsh", "--", "ask", "-f", "x"]).stdout("").code(1).stderr("");
}
