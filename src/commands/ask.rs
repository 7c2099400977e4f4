//! `chatrix ask`: one question, for people and for scripts. stdout is the answer and nothing else;
//! spinner, reasoning, footer and notices go to stderr, and only where a person reads it.

mod preview;
mod question;

use crate::catalog::NanoDollars;
use crate::cli::Ask;
use crate::commands::{OFFLINE_NOTICE, note, offline_pace, open, print};
use crate::config::Settings;
use crate::conversation::{Answer, Event, Message, Part, Request, Role, StopReason};
use crate::engine::{AnswerMode, Call, Caller};
use crate::error::{Error, Kind};
use crate::terminal::footer::{Footer, stop_note};
use crate::terminal::sanitize::Sanitizer;
use crate::terminal::spinner::Spinner;
use crate::terminal::style;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::time::Instant;

/// Asks, prints, exits with the table's code.
pub(crate) async fn run(args: Ask, settings: Settings) -> anyhow::Result<u8> {
    let parts = question::parts(&args).await?;
    let format = question::format(args.schema.as_deref())?;
    let person_reads = std::io::stdout().is_terminal();
    let person_watches = std::io::stderr().is_terminal() && !args.quiet;
    let colour = style::colour(&std::io::stderr());
    if settings.offline && !args.quiet {
        note(&style::dim(OFFLINE_NOTICE, colour));
    }
    let request = Request {
        model: settings.model.value.clone(),
        system: args.question.system.clone().map(Part::Text).into_iter().collect(),
        messages: vec![Message { role: Role::User, parts }],
        format,
        max_tokens: args.question.max_tokens,
        ..Request::default()
    };
    if args.dry_run {
        return preview::run(request, &settings, args.max_cost);
    }
    let engine = open(&settings, offline_pace(person_reads)?, false).await?;
    let caller =
        Caller { command: "ask", at_most: args.max_cost.map(|most| (most, "--max-cost")), ..Caller::default() };
    let delivery = if args.no_stream || args.json { AnswerMode::Complete } else { AnswerMode::Streamed };

    let started = Instant::now();
    let mut spinner = person_watches.then(|| Spinner::start(&settings.model.value));
    let mut call = tokio::select! {
        call = engine.ask(request, delivery, caller) => call?,
        _ = tokio::signal::ctrl_c() => return Ok(Kind::Interrupted.spec().exit),
    };
    if let Some(successor_notice) = call.successor_notice().filter(|_| !args.quiet) {
        note(&style::dim(&successor_notice, colour));
    }
    for line in explanation(&call, args.verbose).iter().filter(|_| !args.quiet) {
        spinner.take();
        note(&style::dim(line, colour));
    }
    if args.json {
        let answer = tokio::select! {
            answer = call.answer() => answer?,
            _ = tokio::signal::ctrl_c() => return Ok(Kind::Interrupted.spec().exit),
        };
        drop(spinner);
        print(&format!("{}\n", object(&call, &answer)))?;
        warn(&call, args.quiet, colour);
        return Ok(0);
    }
    let mut screen = Screen { person_reads, person_watches, colour, ..Screen::default() };
    let ending = tokio::select! {
        ending = screen.show(&mut call, &mut spinner) => ending,
        _ = tokio::signal::ctrl_c() => Ok(Ending::Interrupted),
    };
    drop(spinner);
    let closed = screen.close();
    let (exit, remark) = match ending? {
        Ending::Complete(stop) => (0, stop_note(&stop)),
        Ending::PipeClosed => return Ok(0),
        Ending::Interrupted => (Kind::Interrupted.spec().exit, Some("stopped".to_owned())),
    };
    closed?;
    warn(&call, args.quiet, colour);
    if person_watches || args.verbose {
        let footer = Footer {
            usage: call.usage(),
            cost: call.cost(),
            at_most: call.worst_case(),
            took: started.elapsed(),
            note: remark,
            ..Footer::default()
        };
        note(&style::dim(&footer.line(), colour));
    }
    Ok(exit)
}

/// What `--json` prints.
fn object(call: &Call, answer: &Answer) -> Value {
    let usage = answer.usage.map(|usage| {
        json!({
            "input_tokens": usage.input, "output_tokens": usage.output, "cache_read_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write(),
        })
    });
    json!({
        "text": answer.text,
        "reasoning": Some(answer.reasoning_text()).filter(|text| !text.is_empty()),
        "model": call.model().id,
        "usage": usage,
        "cost_usd": call.cost().map(NanoDollars::number),
        "stop_reason": answer.stop.as_ref().map(StopReason::as_str),
        "edits": call.edits().iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

enum Ending {
    Complete(StopReason),
    PipeClosed,
    Interrupted,
}

/// Where an answer goes, and what state the screen is in.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "three facts of the terminal and one of the answer")]
struct Screen {
    person_reads: bool,
    person_watches: bool,
    colour: bool,
    sanitizer: Sanitizer,
    reasoning: Sanitizer,
    /// The last character written to stdout.
    last: Option<char>,
    in_reasoning: bool,
}

impl Screen {
    async fn show(&mut self, call: &mut Call, spinner: &mut Option<Spinner>) -> anyhow::Result<Ending> {
        let mut stop = None;
        while let Some(event) = call.next().await? {
            match event {
                Event::Text(text) => {
                    spinner.take();
                    self.leave_reasoning();
                    let text = if self.person_reads { self.sanitizer.clean(&text) } else { text };
                    self.last = text.chars().last().or(self.last);
                    if !print(&text)? {
                        return Ok(Ending::PipeClosed);
                    }
                }
                Event::Reasoning(text) if self.person_watches => {
                    spinner.take();
                    self.in_reasoning = true;
                    let text = self.reasoning.clean(&text);
                    // Not a line of its own: reasoning streams too.
                    let _ =
                        std::io::Write::write_all(&mut std::io::stderr(), style::dim(&text, self.colour).as_bytes());
                }
                // No tool was offered and nothing is handed back: there is nothing else to show.
                Event::Reasoning(_)
                | Event::Signature(_)
                | Event::Redacted(_)
                | Event::Citation(_)
                | Event::Usage(_) => {}
                Event::ToolCall { .. } | Event::Arguments { .. } => {}
                // Usage comes after the stop: read on.
                Event::Stop(reason) => stop = Some(reason),
            }
        }
        let stop = stop.ok_or_else(|| Error::new(Kind::Truncated, "the answer has no stop reason"))?;
        Ok(Ending::Complete(stop))
    }

    fn leave_reasoning(&mut self) {
        if std::mem::take(&mut self.in_reasoning) {
            note("\n");
        }
    }

    /// Ends the answer with a newline, whatever ended it: the shell's prompt or an error comes next.
    fn close(&mut self) -> anyhow::Result<()> {
        self.leave_reasoning();
        if self.last.is_some_and(|last| last != '\n') {
            print("\n")?;
        }
        Ok(())
    }
}

/// Says what whoever pays should know.
fn warn(call: &Call, quiet: bool, colour: bool) {
    for warning in call.warnings().iter().filter(|_| !quiet) {
        note(&style::dim(&warning.text, colour));
    }
}

/// What is said before the answer: with `-v` everything, and otherwise that a budget has shortened it.
pub(crate) fn explanation(call: &Call, verbose: bool) -> Vec<String> {
    if !verbose {
        let shortened = call.edits().iter().filter(|edit| edit.is_for_a_budget());
        return shortened.map(|edit| format!("policy: {edit}")).collect();
    }
    let mut lines = vec![format!("model: {}", call.model().id)];
    lines.extend(call.edits().iter().map(|edit| format!("policy: {edit}")));
    lines.push(match call.worst_case() {
        Some(cost) => format!("worst case: {cost}"),
        None => "worst case: unknown, this model has no price; set one in the config file".to_owned(),
    });
    lines
}
