//! Help pages, and what `chatrix` alone shows.

use crate::support::{Chatrix, Terminal};
use unicode_width::UnicodeWidthStr;

/// The pages of all commands, with the arguments that print them. The commands are found in the pages themselves.
fn pages(flag: &str) -> Vec<(Vec<String>, String)> {
    let mut pages = Vec::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let page = path.iter().chain([&flag.to_owned()]).fold(Chatrix::command(), |chatrix, arg| chatrix.arg(arg));
        let page = page.run().code(0).stderr("").stdout;
        for name in commands(&page) {
            open.push(path.iter().cloned().chain([name]).collect());
        }
        pages.push((path, page));
    }
    pages
}

/// The names in the groups of commands.
fn commands(page: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut in_group = false;
    for line in page.lines() {
        if ["Use:", "Operate:", "Commands:"].contains(&line) {
            in_group = true;
        } else if line.is_empty() {
            in_group = false;
        } else if in_group {
            // What is indented further goes on with the line above.
            let name =
                line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')).and_then(|rest| rest.split(' ').next());
            names.extend(name.filter(|name| *name != "help").map(ToOwned::to_owned));
        }
    }
    names
}

#[test]
fn every_page_fits_80_columns() {
    for flag in ["--help", "-h"] {
        let pages = pages(flag);
        assert!(pages.len() >= 22, "all commands are found: {}", pages.len());
        for (path, page) in pages {
            for line in page.lines() {
                assert!(line.width() <= 80, "chatrix {} {flag}: {line}", path.join(" "));
            }
        }
    }
}

#[test]
fn global_options_stand_apart_and_only_where_they_mean_something() {
    for (path, page) in pages("--help") {
        let name = path.first().map_or("", String::as_str);
        let after_heading = page.split_once("Global options:").map_or("", |(_, rest)| rest);
        let wanted: &[&str] = match name {
            "" => continue,
            "completions" | "man" => &[],
            "usage" | "keys" | "groups" | "ledger" | "setup" => &["--offline", "--config"],
            _ => &["--offline", "--config", "--profile", "--region"],
        };
        for option in ["--offline", "--config", "--profile", "--region"] {
            let shown = page.lines().filter(|line| line.trim_start().starts_with(option)).count();
            assert_eq!(shown, usize::from(wanted.contains(&option)), "{path:?} {option}");
            assert_eq!(after_heading.contains(option), wanted.contains(&option), "{path:?} {option}");
        }
    }
    // What is not shown can still be given: options may stand anywhere.
    Chatrix::completions().args(["bash", "--offline"]).run().code(0).stderr("");
    Chatrix::keys().args(["list", "--region", "us-east-1"]).run().code(0);
    Chatrix::keys()
        .args(["add", "a", "--profile", "work", "--for", "agents"])
        .run()
        .code(0)
        .stderr_has("a is for agents");
}

#[test]
fn short_help_leaves_out_what_all_commands_share() {
    for (path, page) in pages("-h") {
        assert!(!page.contains("--region <REGION>") && !page.contains("Exit codes:"), "{path:?}");
        assert!(page.ends_with("--help shows more.\n"), "{path:?}");
    }
    for command in [&["--help"][..], &["ask", "--help"], &["help"]] {
        let page = command.iter().fold(Chatrix::command(), |chatrix, arg| chatrix.arg(arg)).run().code(0).stdout;
        assert!(page.contains("\n  6    the answer is incomplete"), "{command:?}");
    }
    assert!(!Chatrix::models().arg("--help").run().stdout.contains("Exit codes:"));
}

#[test]
fn the_bare_name_says_what_this_is_and_how_to_begin() {
    let page = Chatrix::command().run().code(0).stderr("").stdout;
    for example in ["chatrix ask \"", "chatrix chat", "chatrix serve", "--offline", "chatrix help COMMAND"] {
        assert!(page.contains(example), "{example}");
    }
    let row = |label: &str| page.lines().find_map(|line| line.strip_prefix(label)).unwrap().trim().to_owned();
    let all = Chatrix::command().arg("--help").run().stdout;
    let mut named: Vec<String> = [row("use "), row("operate ")]
        .iter()
        .flat_map(|row| row.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>())
        .collect();
    let mut known = commands(&all);
    named.sort();
    known.sort();
    assert_eq!(named, known, "each command is named once");
    for columns in [40, 80, 200] {
        let mut terminal = Terminal::start(Chatrix::command(), columns, 40);
        assert_eq!(terminal.exit_code(), Some(0));
        let screen = terminal.wait_for("COMMAND");
        let first = screen.lines().next().unwrap();
        assert!(first.starts_with("Chatrix: AWS Bedrock"), "{screen}");
        terminal.assert_nothing_wraps();
    }
    // Something that is no command is a mistake.
    let outcome = Chatrix::command().arg("--offline").stdout("").code(2);
    outcome.stderr_has("requires a subcommand").stderr_lacks("complete");
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    for (columns, wide) in [(40, false), (80, false), (200, true)] {
        let mut terminal = Terminal::start(Chatrix::ask().arg("--help"), columns, 120);
        assert_eq!(terminal.exit_code(), Some(0));
        let screen = terminal.wait_for("Global options:");
        assert_eq!(screen.lines().any(|line| line.width() > 80), wide, "{screen}");
        terminal.assert_nothing_wraps();
    }
}

#[test]
fn near_misses_are_suggested() {
    for (args, tip) in [
        (&["aks"][..], "'ask'"),
        (&["modles"], "'models'"),
        (&["chta"], "'chat'"),
        (&["keys", "revok", "x"], "'revoke'"),
        (&["--offline", "keys", "lsit"], "'list'"),
        (&["usage", "--by", "dya"], "'day'"),
        (&["usage", "settel", "1"], "'settle'"),
        (&["ask", "--modle", "x"], "'--model'"),
        (&["completions", "bsah"], "'bash'"),
        (&["man", "aks"], "did you mean ask?"),
        (&["models", "sonet"], "did you mean claude-sonnet?"),
        (&["ask", "-m", "claude-sonet-4", "hi"], "did you mean claude-sonnet-4?"),
    ] {
        let outcome = args.iter().fold(Chatrix::command(), |chatrix, arg| chatrix.arg(arg)).run();
        assert!(outcome.stderr.contains(tip), "{args:?}: {}", outcome.stderr);
        assert_ne!(outcome.code, Some(0));
    }
    Chatrix::command().arg("frob").run().code(2).stderr_lacks("similar");
}

#[test]
fn man_pages_are_printed_and_written() {
    let page = Chatrix::command().arg("man").run().code(0).stderr("").stdout;
    assert!(page.contains(".TH chatrix 1") && page.contains("Exit codes:"), "{page}");
    let page = Chatrix::command().args(["man", "keys", "add"]).run().code(0).stdout;
    assert!(page.contains(".TH chatrix-keys-add 1") && page.contains("\\-\\-day\\-usd"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("man1");
    Chatrix::command().args(["man", "--to", path.to_str().unwrap()]).stdout("").code(0);
    let mut files: Vec<String> =
        std::fs::read_dir(&path).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let mut wanted: Vec<String> = pages("--help")
        .iter()
        .map(|(path, _)| {
            format!("{}.1", ["chatrix".to_owned()].iter().chain(path).cloned().collect::<Vec<_>>().join("-"))
        })
        .collect();
    wanted.sort();
    assert_eq!(files, wanted, "a page for each command that people see");
}
