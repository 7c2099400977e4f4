//! The report as a person sees it: 80 columns, colours only on a terminal, and no words of AWS's that a terminal obeys.

use super::{bedrock, doctor};
use crate::support::{Bedrock, Chatrix, Home, Terminal};
use serde_json::json;

/// What a terminal would obey, and what hides text.
const HOSTILE: &str = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}evil\u{2066}\r\nok       credentials   fine";

/// A Bedrock whose every word is hostile, where HTTP lets it be.
fn hostile() -> Bedrock {
    let bedrock = bedrock();
    let availability = json!({"agreementAvailability": {"status": "ERROR", "errorMessage": HOSTILE}});
    bedrock.control().availability.insert("", availability);
    // XML knows fewer characters.
    bedrock.control().identity = ("123456789012\u{9b}31m", "arn:\u{202e}\u{9d}0;title\u{9c}evil");
    bedrock
}

#[test]
fn words_of_others_are_only_words() {
    let bedrock = hostile();
    let printed = doctor(&bedrock).run().code(0).stdout;
    let obeyed = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2066}\u{9b}\u{9d}".contains(c);
    assert!(!printed.contains(obeyed), "{printed:?}");
    assert!(printed.contains("evil"), "{printed}");
    let forged = printed.lines().filter(|line| line.starts_with("ok       credentials")).count();
    assert_eq!(forged, 1, "no line of AWS's looks like one of ours: {printed}");
    let (model, region) = ("us.\u{1b}[31mfoo.bar", "\u{1b}]0;x\u{7}");
    for chatrix in [
        doctor(&bedrock).args(["-m", model]),
        doctor(&bedrock).args(["--region", region]),
        doctor(&bedrock).args(["--profile", model]),
        doctor(&bedrock).config(&format!("default_model = \"{}\"\n", "\\u001b[31m")),
    ] {
        let printed = chatrix.run().stdout;
        assert!(!printed.contains(obeyed), "{printed:?}");
    }
}

#[test]
fn every_line_fits_80_columns() {
    let bedrock = hostile();
    let long = "x".repeat(300);
    let unreachable = || doctor(&bedrock).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    for chatrix in [
        doctor(&bedrock),
        Chatrix::doctor().env("CHATRIX_PORT", "0").env("AWS_ENDPOINT_URL", &bedrock.url),
        unreachable().args(["--profile", &long]),
        unreachable().args(["-m", &format!("us.foo.{long}")]),
        unreachable().env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &format!("https://{}.example/", &long[..60])),
        doctor(&bedrock).args(["--config", &format!("/nowhere/{}", &long[..200])]),
        doctor(&bedrock).config("[budget]\nrequest_usd = 1\nday_usd = 5\nweek_usd = 10\nmonth_usd = 20\n"),
        doctor(&bedrock).args(["--help"]),
    ] {
        let printed = chatrix.run().stdout;
        for line in printed.lines().filter(|line| !line.contains("--")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(printed.lines().count() > 3, "{printed}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let (bedrock, home) = (bedrock(), Home::new(""));
    bedrock.control().clock_ahead = 90;
    let start = |columns, setup: fn(Chatrix) -> Chatrix| {
        let doctor = doctor(&bedrock).home(&home).args(["-m", "us.foo.bar"]);
        let mut terminal = Terminal::start(setup(doctor), columns, 80);
        assert_eq!(terminal.exit_code(), Some(0));
        terminal
    };
    let plain = start(80, |chatrix| chatrix.env("NO_COLOR", "1"));
    assert!(!plain.written().contains('\u{1b}'), "{}", plain.written());
    let coloured = start(80, |chatrix| chatrix);
    for word in ["\u{1b}[32mok\u{1b}[0m", "\u{1b}[35mwarning\u{1b}[0m", "\u{1b}[1mChecks\u{1b}[0m"] {
        assert!(coloured.written().contains(word), "{word:?}: {}", coloured.written());
    }
    let without_times = |screen: String| {
        screen.lines().filter(|line| !line.contains(" ms") && !line.contains("clock is")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_times(coloured.screen()), without_times(plain.screen()), "colours change nothing else");
    // A narrow terminal gets shorter lines.
    let narrow = start(40, |chatrix| chatrix.env("NO_COLOR", "1"));
    assert!(narrow.written().lines().all(|line| line.trim_end().chars().count() <= 40), "{}", narrow.written());
}
