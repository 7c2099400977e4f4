//! `chatrix ask`: one question, for people and for scripts. stdout is the answer and nothing else;
//! spinner, reasoning, footer and notices go to stderr.

mod preview;
mod question;

use crate::catalog::NanoDollars;
use crate::cli::Ask;
use crate::commands::answer::{self, Ending, unless_interrupted};
use crate::commands::screen::{note, print};
use crate::commands::setup::{OFFLINE_NOTICE, offline_pace, open};
use crate::config::Settings;
use crate::conversation::{Answer, Message, Part, Request, Role};
use crate::engine::{AnswerMode, Call, CallCeiling, Caller};
use crate::error::Kind;
use crate::telemetry::Telemetry;
use crate::terminal::answer_view::{AnswerView, ReasoningOutput, Style};
use crate::terminal::footer::stop_note;
use crate::terminal::style;
use serde_json::{Value, json};
use std::io::{self, IsTerminal};
use std::time::Instant;

pub(crate) async fn run(args: Ask, settings: Settings) -> anyhow::Result<u8> {
    let request = request(&args, &settings).await?;
    let screen = Screen::new(&args);
    if settings.offline {
        screen.say(OFFLINE_NOTICE);
    }
    if args.dry_run {
        return preview::run(request, &settings, args.max_cost);
    }
    let pace = offline_pace(screen.style.stdout_is_terminal)?;
    let (engine, account) = open(&settings, pace, false, &Telemetry::default()).await?;
    if args.verbose && !settings.offline {
        screen.say(account.summary());
    }
    let caller = Caller {
        command: "ask",
        ceiling: args.max_cost.map(|amount| CallCeiling::new(amount, "--max-cost")),
        ..Caller::default()
    };
    let mode = if args.no_stream || args.json { AnswerMode::Complete } else { AnswerMode::Streamed };

    let started = Instant::now();
    let mut view = AnswerView::new(screen.style);
    if screen.stderr_is_watched {
        view.start_spinner(&settings.model.value);
    }
    let Some(call) = unless_interrupted(engine.ask(request, mode, caller)).await else {
        return Ok(Kind::Interrupted.spec().exit);
    };
    let mut call = call?;
    let notices = answer::notices(&call, args.verbose);
    if !notices.is_empty() {
        view.stop_spinner();
    }
    for notice in notices {
        screen.say(&notice);
    }
    if args.json {
        let Some(answer) = unless_interrupted(call.answer()).await else {
            return Ok(Kind::Interrupted.spec().exit);
        };
        view.stop_spinner();
        print(&format!("{}\n", object(&call, &answer?)))?;
        screen.warn(&call);
        return Ok(0);
    }
    let (exit, remark) = match answer::show(&mut call, &mut view).await? {
        Ending::Complete => (0, view.stop().and_then(stop_note)),
        Ending::PipeClosed => return Ok(0),
        Ending::Interrupted => (Kind::Interrupted.spec().exit, Some("stopped".to_owned())),
    };
    screen.warn(&call);
    if screen.stderr_is_watched || args.verbose {
        screen.say(&answer::footer(&call, started, remark).line());
    } else if let Some(remark) = remark {
        // A script must not take an answer that was cut off for a whole one without a word.
        screen.say(&remark);
    }
    Ok(exit)
}

async fn request(args: &Ask, settings: &Settings) -> anyhow::Result<Request> {
    let parts = question::parts(args).await?;
    Ok(Request {
        model: settings.model.value.clone(),
        system: args.question.system.clone().map(Part::Text).into_iter().collect(),
        messages: vec![Message { role: Role::User, parts }],
        format: question::format(args.schema.as_deref())?,
        max_tokens: args.question.max_tokens,
        ..Request::default()
    })
}

/// Where the answer and the notices go.
struct Screen {
    style: Style,
    quiet: bool,
    /// Whether a person sees stderr and wants to.
    stderr_is_watched: bool,
}

impl Screen {
    fn new(args: &Ask) -> Self {
        let stderr_is_watched = io::stderr().is_terminal() && !args.quiet;
        let style = Style {
            stdout_is_terminal: io::stdout().is_terminal(),
            reasoning: if stderr_is_watched { ReasoningOutput::Stderr } else { ReasoningOutput::Hidden },
            colour: style::colour(&io::stderr()),
        };
        Self { style, quiet: args.quiet, stderr_is_watched }
    }

    /// A line on stderr, unless `-q` forbids it.
    fn say(&self, line: &str) {
        if !self.quiet {
            note(&style::dim(line, self.style.colour));
        }
    }

    /// Says which budgets are nearly used up.
    fn warn(&self, call: &Call) {
        for warning in call.warnings() {
            self.say(&warning.text);
        }
    }
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
        "text": answer.text(),
        "reasoning": Some(answer.reasoning_text()).filter(|text| !text.is_empty()),
        "model": call.model().id,
        "usage": usage,
        "cost_usd": call.cost().map(NanoDollars::number),
        "stop_reason": answer.stop.as_str(),
        "edits": call.edits().iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
