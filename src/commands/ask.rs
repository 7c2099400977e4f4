//! `chatrix ask`: one question, for people and for scripts. stdout is the answer and nothing else;
//! spinner, reasoning, footer and notices go to stderr.

mod delivery;
mod destination;
mod events;
mod input;
mod preview;
mod question;

use crate::cli::Ask;
use crate::commands::answer::{self, Ending, unless_interrupted};
use crate::commands::setup::{OFFLINE_NOTICE, offline_pace, open};
use crate::config::Settings;
use crate::conversation::{Message, Part, Request, Role};
use crate::engine::{AnswerMode, Call, CallCeiling, Caller, Engine};
use crate::error::{Error, Kind};
use crate::ledger::SessionTotals;
use crate::telemetry::Telemetry;
use crate::terminal::answer_view::{AnswerView, ReasoningOutput, Style};
use crate::terminal::footer::SessionCost;
use crate::terminal::output::{note, stderr, stdout};
use crate::terminal::printable::Printable;
use delivery::Delivery;
use destination::Destination;
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
    let mut destination = Destination::new(args.output.as_deref())?;
    let answered = Box::pin(answer_to(request, &args, &settings, &screen, &mut destination));
    let Answered { text, result } = answered.await;
    if args.jsonl
        && let Some(failure) = events::failure(&result)
    {
        destination.json(failure)?;
    }
    let whole = matches!(result, Ok(0));
    if !whole && let Some(path) = args.output.as_deref().filter(|_| !destination.is_stdout()) {
        let rest = if text.is_empty() && !args.json && !args.jsonl { "" } else { "; what has come is on stdout" };
        screen.say(Printable::line(format_args!("{} was not written{rest}", path.display())));
    }
    destination.finish(&text, whole)?;
    result
}

/// How an answer ended.
struct Answered {
    /// What goes to the destination now; what has already gone there is not in it.
    text: String,
    result: anyhow::Result<u8>,
}

impl From<anyhow::Result<u8>> for Answered {
    fn from(result: anyhow::Result<u8>) -> Self {
        Self { text: String::new(), result }
    }
}

/// Asks, and delivers the answer in the form that was asked for.
async fn answer_to(
    request: Request,
    args: &Ask,
    settings: &Settings,
    screen: &Screen,
    destination: &mut Destination,
) -> Answered {
    let started = Instant::now();
    let mut view = AnswerView::new(screen.style);
    // The engine books the end of the call, so it must live longer.
    let (_engine, mut call) = match call(request, args, settings, screen, &mut view).await {
        Ok(Some(begun)) => begun,
        Ok(None) => return Ok(Kind::Interrupted.spec().exit).into(),
        Err(error) => return Err(error).into(),
    };
    if args.json {
        return object(&mut call, view, args, screen, destination).await.into();
    }
    let mut delivery = Delivery::new(args, destination, &mut view);
    let ending = delivery.receive(&mut call).await;
    let (text, failure) = delivery.finish();
    let result = ending.and_then(|ending| close(&call, ending, started, args, screen, failure));
    Answered { text, result }
}

/// Begins the call; `None` when Ctrl-C came first.
async fn call(
    request: Request,
    args: &Ask,
    settings: &Settings,
    screen: &Screen,
    view: &mut AnswerView,
) -> anyhow::Result<Option<(Arc<Engine>, Call)>> {
    let pace = offline_pace(stdout().is_terminal())?;
    let (engine, account) = open(settings, pace, false, &Telemetry::default()).await?;
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
    if screen.stderr_is_watched {
        view.start_spinner(&Printable::line(&settings.model.value));
    }
    let Some(call) = unless_interrupted(engine.ask(request, mode, caller)).await else {
        view.stop_spinner();
        screen.say(answer::stopped_early(SessionCost::default(), answer::session_cost(&totals)));
        return Ok(None);
    };
    let call = call?;
    let notices = answer::notices(&call, engine.policy(), args.verbose);
    if !notices.is_empty() {
        view.stop_spinner();
    }
    for notice in notices {
        screen.say(notice);
    }
    Ok(Some((engine, call)))
}

/// Delivers one JSON object once the answer is complete.
async fn object(
    call: &mut Call,
    mut view: AnswerView,
    args: &Ask,
    screen: &Screen,
    destination: &mut Destination,
) -> anyhow::Result<u8> {
    let answer = unless_interrupted(call.answer()).await;
    view.stop_spinner();
    let Some(answer) = answer else {
        screen.say(answer::stopped(call.reserved()));
        return Ok(Kind::Interrupted.spec().exit);
    };
    let answer = answer?;
    destination.json(events::object(call, &answer))?;
    screen.warn(call);
    let failure = answer::shortcoming(Some(&answer.stop), &answer.text(), args.schema.is_some());
    exit_code(failure, args.allow_cut && answer::is_cut(Some(&answer.stop), &answer.text()))
}

/// Says how the answer ended, and gives the exit code.
fn close(
    call: &Call,
    ending: Ending,
    started: Instant,
    args: &Ask,
    screen: &Screen,
    (failure, is_cut): (Option<Error>, bool),
) -> anyhow::Result<u8> {
    if ending == Ending::PipeClosed {
        return Ok(0);
    }
    screen.warn(call);
    let has_footer = screen.stderr_is_watched || args.verbose;
    if ending == Ending::Interrupted {
        screen.say(if has_footer {
            answer::footer(call, started, Some("stopped".into())).line()
        } else {
            answer::stopped(call.reserved())
        });
        return Ok(Kind::Interrupted.spec().exit);
    }
    if has_footer {
        screen.say(answer::footer(call, started, None).line());
    }
    exit_code(failure, args.allow_cut && is_cut)
}

/// A script must not take an answer that was cut off for a whole one: it is an error, which `-q` does not hide. It is
/// said also to those who do not mind.
fn exit_code(failure: Option<Error>, allowed: bool) -> anyhow::Result<u8> {
    match failure {
        Some(error) if allowed => {
            note(Printable::line(format_args!("warning: {}", error.message)));
            Ok(0)
        }
        Some(error) => Err(error.into()),
        None => Ok(0),
    }
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
            raw: args.question.raw,
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
