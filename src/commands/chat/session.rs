//! One conversation: its messages, what it has cost, and what the typed commands change.

use super::slash::{HELP, Slash};
use crate::catalog::{Lifecycle, Model, NanoDollars, TypedName};
use crate::cli::Chat;
use crate::commands::answer::{self, Ending, unless_interrupted};
use crate::conversation::{Message, Part, Request};
use crate::engine::{AnswerMode, Call, CallCeiling, Caller, Engine};
use crate::error::{Error, Kind};
use crate::ledger::SessionTotals;
use crate::terminal::answer_view::{AnswerView, Style};
use crate::terminal::footer::{Footer, SessionCost};
use crate::terminal::output::{note, note_error, stderr};
use crate::terminal::printable::Printable;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

/// What the ceiling of a session is called in a refusal.
const CEILING: &str = "what is left of --max-cost";

pub(crate) struct Session {
    engine: Arc<Engine>,
    model: String,
    system: Option<String>,
    max_tokens: Option<i64>,
    /// What the whole session may cost.
    max_cost: Option<NanoDollars>,
    verbose: bool,
    style: Style,
    messages: Vec<Message>,
    /// What all calls of the session have cost, failed ones included.
    totals: Arc<SessionTotals>,
    /// Answers that have begun.
    answers: u32,
    /// The warnings about budgets that were shown, each of which is shown once.
    warned: HashSet<String>,
    /// The exit code of the last failure; 0 without one.
    exit: u8,
}

impl Session {
    pub(crate) fn new(args: Chat, model: String, style: Style, engine: Arc<Engine>) -> Self {
        Self {
            engine,
            model,
            system: args.question.system,
            max_tokens: args.question.max_tokens,
            max_cost: args.max_cost,
            verbose: args.verbose,
            style,
            messages: Vec::new(),
            totals: Arc::default(),
            answers: 0,
            warned: HashSet::new(),
            exit: 0,
        }
    }

    /// Asks one question and shows its answer. `Ok(false)` means that the reader has closed stdout.
    ///
    /// # Errors
    /// Only when stdout cannot be written. A call that fails is reported, and the conversation goes on.
    pub(crate) async fn turn(&mut self, text: String) -> anyhow::Result<bool> {
        self.messages.push(Message::user(text));
        let started = Instant::now();
        let before = answer::session_cost(&self.totals);
        let mut view = AnswerView::new(self.style);
        if stderr().is_terminal() {
            view.start_spinner(&Printable::line(&self.model));
        }
        let ceiling = self.left().map(|left| CallCeiling::new(left, CEILING));
        let session_totals = Some(Arc::clone(&self.totals));
        let caller = Caller { command: "chat", ceiling, session_totals, ..Caller::default() };
        let call = unless_interrupted(self.engine.ask(self.request(), AnswerMode::Streamed, caller)).await;
        let mut call = match call {
            Some(Ok(call)) => call,
            Some(Err(error)) => {
                view.stop_spinner();
                self.fail(error.kind);
                note(refusal(error));
                self.take_back();
                return Ok(true);
            }
            None => {
                view.stop_spinner();
                self.fail(Kind::Interrupted);
                note(answer::stopped_early(before, answer::session_cost(&self.totals)));
                self.take_back();
                return Ok(true);
            }
        };
        let notices = answer::notices(&call, self.engine.policy(), self.verbose);
        if !notices.is_empty() {
            view.stop_spinner();
        }
        for notice in notices {
            self.say(notice);
        }
        let remark = match answer::show(&mut call, &mut view).await {
            Ok(Ending::PipeClosed) => return Ok(false),
            Ok(Ending::Complete) => answer::shortcoming(view.stop(), view.text(), false).map(|error| {
                self.fail(error.kind);
                Printable::line(error)
            }),
            Ok(Ending::Interrupted) => {
                self.fail(Kind::Interrupted);
                Some("stopped".into())
            }
            Err(error) => {
                self.fail(error.downcast_ref::<Error>().map_or(Kind::Io, |error| error.kind));
                note_error(error);
                None
            }
        };
        self.answers += 1;
        self.keep(view.text());
        self.close(call, started, remark);
        Ok(true)
    }

    fn request(&self) -> Request {
        Request {
            model: self.model.clone(),
            system: self.system.clone().map(Part::Text).into_iter().collect(),
            messages: self.messages.clone(),
            max_tokens: self.max_tokens,
            ..Request::default()
        }
    }

    /// Keeps the answer in the conversation, whatever ended it.
    fn keep(&mut self, answer: &str) {
        if answer.trim().is_empty() {
            // Bedrock refuses a conversation with an empty turn.
            self.take_back();
        } else {
            self.messages.push(Message::assistant(answer));
        }
    }

    /// Takes the question out of the conversation; it stays in the editor's history.
    fn take_back(&mut self) {
        self.messages.pop();
        self.say("the question was dropped from the conversation; press the up arrow to bring it back".into());
    }

    /// Says what the answer took, and which budgets are nearly used up.
    fn close(&mut self, call: Call, started: Instant, remark: Option<Printable>) {
        let footer = answer::footer(&call, started, remark);
        let warnings = call.warnings();
        // An answer that was stopped is booked at its worst case now, which the totals then include.
        drop(call);
        for warning in warnings {
            if self.warned.insert(warning.about) {
                self.say(Printable::line(warning.text));
            }
        }
        let footer = Footer { session: Some(answer::session_cost(&self.totals)), ..footer };
        self.say(footer.line());
    }

    /// Notes a failure for the exit code.
    fn fail(&mut self, kind: Kind) {
        self.exit = kind.spec().exit;
    }

    /// Says that a line was not understood, which is a failure too.
    pub(crate) fn refuse(&mut self, why: Printable) {
        self.fail(Kind::InvalidRequest);
        note(why);
    }

    /// The exit code of the last failure; 0 without one.
    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    /// What the session may still spend; `None` without a ceiling.
    fn left(&self) -> Option<NanoDollars> {
        Some(self.max_cost? - self.totals.settled() - self.totals.uncertain())
    }

    fn say(&self, line: Printable) {
        note(line.dim(self.style.colour));
    }

    /// Carries out a typed command.
    pub(crate) async fn obey(&mut self, command: Slash) {
        let reply = match command {
            Slash::Help => HELP.into(),
            Slash::Model(None) => Printable::line(format_args!(
                "the model is {}; /model NAME switches to another one of `chatrix models`",
                self.model
            )),
            Slash::Model(Some(name)) => self.switch(&name),
            Slash::System(None) => match &self.system {
                Some(text) => Printable::join(["system prompt: ".into(), Printable::lines(text)], ""),
                None => "there is no system prompt; /system TEXT sets one".into(),
            },
            Slash::System(Some(text)) if text == "none" => {
                self.system = None;
                "system prompt removed".into()
            }
            Slash::System(Some(text)) => {
                self.system = Some(text);
                "system prompt set".into()
            }
            Slash::Clear => {
                self.messages.clear();
                "started a new conversation; the model, the system prompt and the session's cost are kept".into()
            }
            Slash::Cost => self.cost().await,
            Slash::Unknown(name) => {
                self.fail(Kind::InvalidRequest);
                Printable::error(
                    format_args!("there is no command /{name}; /help lists the commands"),
                    stderr().colour(),
                )
            }
            Slash::Exit => return,
        };
        note(reply);
    }

    fn switch(&mut self, typed: &str) -> Printable {
        match self.engine.policy().catalog.resolve_typed(typed) {
            Ok(TypedName { name, model }) => {
                self.model = name;
                let known_as = if model.name == self.model { String::new() } else { format!(" ({})", model.name) };
                let mut text = format!("{}{known_as} answers from now on; the conversation continues", self.model);
                for remark in remarks(&model, self.engine.policy().follow_successor) {
                    text.push_str(&format!("; {remark}"));
                }
                Printable::line(text)
            }
            Err(error) => {
                self.fail(error.kind);
                Printable::error(error, stderr().colour())
            }
        }
    }

    async fn cost(&self) -> Printable {
        let answers = if self.answers == 1 { "answer" } else { "answers" };
        let SessionCost { settled, uncertain, unpriced } = answer::session_cost(&self.totals);
        let mut text = format!("{} {answers}", self.answers);
        if settled > NanoDollars(0) || unpriced == 0 {
            text.push_str(&format!(", {settled}"));
        }
        if uncertain > NanoDollars(0) {
            text.push_str(&format!(", and at most {uncertain} for answers whose cost is unknown"));
        }
        if unpriced > 0 {
            text.push_str(&format!(", and {unpriced} at an unknown price"));
        }
        if let (Some(left), Some(most)) = (self.left(), self.max_cost) {
            text.push_str(&format!("; --max-cost leaves {left} of {most}"));
        }
        for status in self.engine.guard().statuses().await {
            text.push_str(&format!("\n{} left of the {status}", status.left()));
        }
        Printable::lines(text)
    }
}

/// What a person should know before asking a model.
fn remarks(model: &Model, follow_successor: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    if model.lifecycle == Lifecycle::EndOfLife {
        let date = model.end_of_life.as_ref().map(|date| format!(" on {date}")).unwrap_or_default();
        remarks.push(match &model.successor {
            Some(successor) if follow_successor => format!("AWS retired it{date}, and {successor} answers instead"),
            _ => format!("AWS retired it{date}, so it may not answer"),
        });
    }
    if model.prices.is_none() {
        remarks.push("its price is unknown, and so is what it will cost; the config file can set one".to_owned());
    }
    remarks
}

/// A call that was refused, with advice that fits a chat.
fn refusal(error: Error) -> Printable {
    let error = match error.kind {
        Kind::BudgetExceeded => error.advise(
            "/clear starts a new conversation, /model NAME switches to a cheaper model, /cost shows what was spent",
        ),
        _ => error,
    };
    Printable::error(error, stderr().colour())
}
