//! `chatrix usage` as people see it. What is booked is tested in tests/budget.rs.

use crate::support::{Bedrock, Chatrix, Home, Reply, Terminal};

/// Asks a model, which answers with this usage.
fn ask(home: &Home, model: &str, tokens: (u64, u64)) {
    let bedrock = Bedrock::script([Reply::Text(vec!["fine".to_owned()], "end_turn", tokens)]);
    Chatrix::ask().args(["-q", "--no-stdin", "hi", "-m", model]).home(home).bedrock(&bedrock).run().code(0);
}

/// A home in which three models were asked, one of them with an answer that never ended.
fn used() -> Home {
    let home = Home::new("[budget]\nday_usd = 0.5\nmonth_usd = 2\n");
    ask(&home, "claude-haiku-4-5", (1800, 420));
    ask(&home, "nova-micro", (3200, 512));
    ask(&home, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", (90_000, 300));
    let lost = Bedrock::script([Reply::Frames(vec![crate::support::delta("half")])]);
    Chatrix::ask().args(["-q", "--no-stdin", "hi", "-m", "nova-pro"]).home(&home).bedrock(&lost).run().code(5);
    home
}

fn usage(home: &Home, args: &[&str]) -> Chatrix {
    args.iter().fold(Chatrix::usage().home(home), |usage, arg| usage.arg(arg))
}

#[test]
fn nothing_wraps_and_bars_take_the_room_that_is_left() {
    let home = used();
    for columns in [40, 80, 200] {
        for args in [&[][..], &["--by", "model"], &["--by", "key"], &["--by", "command"], &["--uncertain"]] {
            let mut terminal = Terminal::start(usage(&home, args), columns, 60);
            assert_eq!(terminal.exit_code(), Some(0));
            terminal.wait_for(if args == ["--uncertain"] { "AT MOST" } else { "resets" });
            terminal.assert_nothing_wraps();
            let screen = terminal.screen();
            // At 40 columns there is room for some.
            let bars = args != ["--uncertain"];
            assert!(columns == 40 || screen.contains('█') == bars, "{columns} {args:?}\n{screen}");
            if args == ["--by", "model"] {
                // People know the models by their short names.
                assert!(screen.contains("\nclaude-sonnet-4-5 ") && screen.contains("\nnova-pro "), "{screen}");
                assert!(screen.contains("93200") || screen.contains("90000"), "{screen}");
            }
        }
    }
    let bar = |columns| {
        let mut terminal = Terminal::start(usage(&home, &["--by", "model"]), columns, 60);
        terminal.exit_code();
        let screen = terminal.wait_for("resets");
        screen.lines().nth(1).unwrap().matches('█').count()
    };
    assert!(bar(80) < bar(200), "{} {}", bar(80), bar(200));
}

#[test]
fn a_pipe_gets_no_bars_and_one_line_for_each_row() {
    let home = used();
    let table = usage(&home, &["--by", "model"]).run().code(0).stderr("").stdout;
    assert!(!table.contains(['█', '▏', '\u{1b}']), "{table}");
    let rows: Vec<&str> = table.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), 6, "{table}");
    assert!(rows[0].starts_with("MODEL") && rows[5].starts_with("total"), "{table}");
    assert_eq!(usage(&home, &["--by", "model"]).env("COLUMNS", "30").run().stdout, table);
}

#[test]
fn the_figures_agree_with_the_warning_under_an_answer() {
    let home = Home::new("[budget]\nday_usd = 0.01\n");
    let bedrock = Bedrock::script([Reply::Text(vec!["fine".to_owned()], "end_turn", (6_000, 600))]);
    let ask = Chatrix::ask().args(["--no-stdin", "hi", "-m", "claude-haiku-4-5", "-v"]).home(&home).bedrock(&bedrock);
    let warning = ask.run().code(0).stderr;
    let warning = warning.lines().find(|line| line.contains("% is used")).unwrap_or_else(|| panic!("{warning}"));
    let spent = warning.split(": ").nth(1).unwrap().split(' ').next().unwrap();
    let report = usage(&home, &[]).run().code(0).stdout;
    assert!(report.contains(&format!("{spent} of $0.01 spent")), "{warning}\n{report}");
    let total = report.lines().find(|line| line.starts_with("total")).unwrap();
    assert!(total.ends_with(spent), "{warning}\n{total}");
}

#[test]
fn a_call_that_never_left_is_no_call() {
    let home = Home::new("");
    Chatrix::ask().args(["--no-stdin", "hi"]).home(&home).run().code(4);
    usage(&home, &[])
        .stdout("no calls yet; `chatrix ask \"hello\"` makes one, and with --offline one that costs nothing\n");
}

#[test]
fn an_empty_period_is_no_empty_ledger() {
    let home = Home::new("");
    ask(&home, "nova-micro", (10, 5));
    usage(&home, &["--since", "2999-01-01"]).stdout("no calls since 2999-01-01; --since all shows older ones\n");
}

#[test]
fn a_watch_is_drawn_again_and_leaves_the_screen_as_it_was() {
    for end in ["\x03", "TERM", "HUP"] {
        let home = Home::new("[budget]\nday_usd = 0.5\n");
        ask(&home, "nova-micro", (10, 5));
        let mut terminal = Terminal::start(usage(&home, &["--watch", "--by", "model"]), 80, 24);
        let screen = terminal.wait_for("every 2 seconds; Ctrl-C ends it");
        assert!(screen.starts_with("MODEL") && screen.contains("nova-micro      1"), "{screen}");
        ask(&home, "nova-micro", (10, 5));
        terminal.wait_for("nova-micro      2");
        terminal.resize(40, 8);
        terminal.wait_until("it fits the smaller window", |screen| screen.contains(" more lines"));
        terminal.resize(80, 24);
        terminal.wait_for("of $0.50 spent");
        if end == "\x03" {
            terminal.keys(end);
            assert_eq!(terminal.exit_code(), Some(0));
        } else {
            crate::support::signal(terminal.pid(), end);
            assert_eq!(terminal.exit_code(), Some(if end == "TERM" { 143 } else { 129 }));
        }
        terminal.wait_until("the screen is as it was", |screen| !screen.contains("nova-micro"));
        assert!(terminal.is_restored());
        let written = terminal.written();
        assert!(written.contains("\x1b[?1049h") && written.ends_with("\x1b[?25h\x1b[?1049l"), "{end}: {written:?}");
    }
}

#[test]
fn a_watch_needs_a_terminal() {
    let home = Home::new("");
    usage(&home, &["--watch"])
        .stdout("")
        .code(2)
        .stderr("error: --watch draws on a terminal, and stdout is none; leave it out\n");
    usage(&home, &["--watch", "--json"]).stdout("").code(2);
}
