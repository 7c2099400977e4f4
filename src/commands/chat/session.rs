//! One conversation: its messages, what it has cost, and what the typed commands change.

use super::slash::{HELP, Slash};
use crate::catalog::NanoDollars;
use crate::cli::Chat;
use crate::commands::answer::{self, Ending, unless_interrupted};
use crate::conversation::{Message, Part, Request};
use crate::engine::{AnswerMode, Call, CallCeiling, Caller, Engine};
use crate::error::{Error, Kind};
use crate::ledger::SessionTotals;
use crate::terminal::answer_view::{AnswerView, Style};
use crate::terminal::footer::{Footer, stop_note};
use crate::terminal::output::{note, stderr};
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
        }
    }

    /// Asks one question and shows its answer. `Ok(false)` means that the reader has closed stdout.
    ///
    /// # Errors
    /// Only when stdout cannot be written. A call that fails is reported, and the conversation goes on.
    pub(crate) async fn turn(&mut self, text: String) -> anyhow::Result<bool> {
        self.messages.push(Message::user(text));
        let started = Instant::now();
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
                self.take_back(refusal(error));
                return Ok(true);
            }
            None => {
                view.stop_spinner();
                self.take_back("stopped".into());
                return Ok(true);
            }
        };
        let notices = answer::notices(&call, self.verbose);
        if !notices.is_empty() {
            view.stop_spinner();
        }
        for notice in notices {
            self.say(notice);
        }
        let remark = match answer::show(&mut call, &mut view).await {
            Ok(Ending::PipeClosed) => return Ok(false),
            Ok(Ending::Complete) => view.stop().and_then(stop_note),
            Ok(Ending::Interrupted) => Some("stopped".into()),
            Err(error) => Some(Printable::error(error)),
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
            self.take_back("no answer was received".into());
        } else {
            self.messages.push(Message::assistant(answer));
        }
    }

    /// Takes the question out of the conversation; it stays in the editor's history.
    fn take_back(&mut self, why: Printable) {
        self.messages.pop();
        note(why);
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
        let footer = Footer { session: Some(self.totals.settled()), unsettled: self.totals.uncertain(), ..footer };
        self.say(footer.line());
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
            Slash::Model(Some(name)) => self.switch(name),
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
                Printable::error(format_args!("there is no command /{name}; /help lists the commands"))
            }
            Slash::Exit => return,
        };
        note(reply);
    }

    fn switch(&mut self, name: String) -> Printable {
        match self.engine.policy().catalog.resolve(&name) {
            Ok(model) => {
                self.model = name;
                Printable::line(format_args!(
                    "{} ({}) answers from now on; the conversation continues",
                    self.model, model.name
                ))
            }
            Err(error) => Printable::error(error),
        }
    }

    async fn cost(&self) -> Printable {
        let answers = if self.answers == 1 { "answer" } else { "answers" };
        let mut text = format!("{} {answers}, {}", self.answers, self.totals.settled());
        let uncertain = self.totals.uncertain();
        if uncertain > NanoDollars(0) {
            text.push_str(&format!(", and at most {uncertain} for answers whose cost is unknown"));
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

/// A call that was refused, with advice that fits a chat.
fn refusal(error: Error) -> Printable {
    let error = match error.kind {
        Kind::BudgetExceeded => error.advise(
            "/clear starts a new conversation, /model NAME switches to a cheaper model, /cost shows what was spent",
        ),
        _ => error,
    };
    Printable::error(error)
}
