//! `chatrix ask`: one question, for people and for scripts. stdout is the answer and nothing else;
//! spinner, reasoning, footer and notices go to stderr.

mod input;
mod preview;
mod question;

use crate::catalog::NanoDollars;
use crate::cli::Ask;
use crate::commands::answer::{self, Ending, unless_interrupted};
use crate::commands::setup::{OFFLINE_NOTICE, offline_pace, open};
use crate::config::Settings;
use crate::conversation::{Answer, Message, Part, Request, Role};
use crate::engine::{AnswerMode, Call, CallCeiling, Caller};
use crate::error::{Error, Kind};
use crate::ledger::SessionTotals;
use crate::telemetry::Telemetry;
use crate::terminal::answer_view::{AnswerView, ReasoningOutput, Style};
use crate::terminal::footer::SessionCost;
use crate::terminal::output::{note, print_json, stderr, stdout};
use crate::terminal::printable::Printable;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

pub(crate) async fn run(args: Ask, settings: Settings) -> anyhow::Result<u8> {
    let request = request(&args, &settings).await?;
    let screen = Screen::new(&args);
    if settings.offline {
        screen.say(OFFLINE_NOTICE.into());
    }
    if args.dry_run {
        return preview::run(request, &settings, args.max_cost);
    }
    let pace = offline_pace(stdout().is_terminal())?;
    let (engine, account) = open(&settings, pace, false, &Telemetry::default()).await?;
    if args.verbose && !settings.offline {
        screen.say(Printable::line(account.summary()));
    }
    let totals = Arc::new(SessionTotals::default());
    let caller = Caller {
        command: "ask",
        ceiling: args.max_cost.map(|amount| CallCeiling::new(amount, "--max-cost")),
        session_totals: Some(Arc::clone(&totals)),
        ..Caller::default()
    };
    let mode = if args.no_stream || args.json { AnswerMode::Complete } else { AnswerMode::Streamed };

    let started = Instant::now();
    let mut view = AnswerView::new(screen.style);
    if screen.stderr_is_watched {
        view.start_spinner(&Printable::line(&settings.model.value));
    }
    let Some(call) = unless_interrupted(engine.ask(request, mode, caller)).await else {
        view.stop_spinner();
        screen.say(answer::stopped_early(SessionCost::default(), answer::session_cost(&totals)));
        return Ok(Kind::Interrupted.spec().exit);
    };
    let call = call?;
    let notices = answer::notices(&call, engine.policy(), args.verbose);
    if !notices.is_empty() {
        view.stop_spinner();
    }
    for notice in notices {
        screen.say(notice);
    }
    if args.json {
        print_object(call, view, &args, &screen).await
    } else {
        show(call, view, started, &args, &screen).await
    }
}

/// Prints one JSON object once the answer is complete.
async fn print_object(mut call: Call, mut view: AnswerView, args: &Ask, screen: &Screen) -> anyhow::Result<u8> {
    let answer = unless_interrupted(call.answer()).await;
    view.stop_spinner();
    let Some(answer) = answer else {
        screen.say(answer::stopped(call.reserved()));
        return Ok(Kind::Interrupted.spec().exit);
    };
    let answer = answer?;
    print_json(object(&call, &answer))?;
    screen.warn(&call);
    exit_code(answer::shortcoming(Some(&answer.stop), &answer.text(), args.schema.is_some()))
}

/// Prints the answer as it comes.
async fn show(
    mut call: Call,
    mut view: AnswerView,
    started: Instant,
    args: &Ask,
    screen: &Screen,
) -> anyhow::Result<u8> {
    let ending = answer::show(&mut call, &mut view).await?;
    if ending == Ending::PipeClosed {
        return Ok(0);
    }
    screen.warn(&call);
    let has_footer = screen.stderr_is_watched || args.verbose;
    if ending == Ending::Interrupted {
        screen.say(if has_footer {
            answer::footer(&call, started, Some("stopped".into())).line()
        } else {
            answer::stopped(call.reserved())
        });
        return Ok(Kind::Interrupted.spec().exit);
    }
    if has_footer {
        screen.say(answer::footer(&call, started, None).line());
    }
    exit_code(answer::shortcoming(view.stop(), view.text(), args.schema.is_some()))
}

/// A script must not take an answer that was cut off for a whole one: it is an error, which `-q` does not hide.
fn exit_code(shortcoming: Option<Error>) -> anyhow::Result<u8> {
    shortcoming.map_or(Ok(0), |error| Err(error.into()))
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
        let stderr_is_watched = stderr().is_terminal() && !args.quiet;
        let style = Style {
            reasoning: if stderr_is_watched { ReasoningOutput::Stderr } else { ReasoningOutput::Hidden },
            colour: stderr().colour(),
        };
        Self { style, quiet: args.quiet, stderr_is_watched }
    }

    /// A line on stderr, unless `-q` forbids it.
    fn say(&self, line: Printable) {
        if !self.quiet {
            note(line.dim(self.style.colour));
        }
    }

    /// Says which budgets are nearly used up.
    fn warn(&self, call: &Call) {
        for warning in call.warnings() {
            self.say(Printable::line(warning.text));
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
