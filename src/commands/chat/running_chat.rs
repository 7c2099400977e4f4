//! A chat while it runs: the conversation, where it is saved, what it has cost, and what the next question will be sent
//! with.

use super::recorder::{Recorder, now};
use crate::catalog::{Lifecycle, Model, NanoDollars};
use crate::cli::Chat;
use crate::commands::answer;
use crate::conversation::media::DocumentNames;
use crate::conversation::{Message, Part, ReasoningMode, ReasoningRequest, Request};
use crate::engine::{CallCeiling, Caller, Engine};
use crate::error::{Error, Kind, Result};
use crate::ledger::SessionTotals;
use crate::sessions::{Attached, Entry, Question, Session, Spent};
use crate::terminal::answer_view::{ReasoningOutput, Style};
use crate::terminal::footer::SessionCost;
use crate::terminal::output::{note, note_error};
use crate::terminal::printable::Printable;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::block_in_place;

/// What the ceiling of a chat is called in a refusal.
const CEILING: &str = "what is left of --max-cost";

pub(crate) struct RunningChat {
    pub(super) engine: Arc<Engine>,
    pub(super) style: Style,
    pub(super) verbose: bool,
    /// The longest answer that was asked for (tokens).
    pub(super) max_tokens: Option<i64>,
    /// What this chat may cost from its start on.
    pub(super) max_cost: Option<NanoDollars>,
    /// Whether reasoning is asked for and shown. `None` asks for none and shows what comes anyway.
    pub(super) reasoning: Option<bool>,
    pub(super) session: Session,
    pub(super) recorder: Recorder,
    /// The files for the next question.
    pub(super) pending: Vec<Attached>,
    pub(super) names: DocumentNames,
    /// What the calls of this chat have cost, failed ones included.
    pub(super) totals: Arc<SessionTotals>,
    /// What stands at the next prompt when it appears.
    pub(super) next_text: String,
    /// The last line that was refused, for `/edit`.
    pub(super) refused_text: String,
    /// The warnings about budgets that were shown, each of which is shown once.
    pub(super) warned: HashSet<String>,
    /// The exit code of the last failure; 0 without one.
    exit: u8,
}

impl RunningChat {
    pub(crate) fn new(args: &Chat, session: Session, recorder: Recorder, style: Style, engine: Arc<Engine>) -> Self {
        let mut chat = Self {
            engine,
            style,
            verbose: args.verbose,
            max_tokens: args.question.max_tokens,
            max_cost: args.max_cost,
            reasoning: None,
            session,
            recorder,
            pending: Vec::new(),
            names: DocumentNames::default(),
            totals: Arc::default(),
            next_text: String::new(),
            refused_text: String::new(),
            warned: HashSet::new(),
            exit: 0,
        };
        chat.take_files();
        chat
    }

    /// Goes on with another session.
    pub(super) fn take_up(&mut self, session: Session) {
        self.session = session;
        self.take_files();
    }

    /// Takes account of the files of the session. Those of a question without an answer are those of the next one.
    fn take_files(&mut self) {
        let session = &self.session;
        self.names = DocumentNames::default();
        let questions = session.exchanges().iter().map(|exchange| &exchange.question).chain(session.unanswered());
        for part in questions.flat_map(|question| &question.attachments) {
            if let Part::Document(_, name) = &part.part {
                self.names.distinct(name.clone());
            } else {
                self.names.distinct(part.file.clone());
            }
        }
        self.pending = session.unanswered().map(|question| question.attachments.clone()).unwrap_or_default();
    }

    /// Takes what the command line says for a session that was resumed.
    pub(crate) fn change(&mut self, model: Option<String>, system: Option<String>) {
        if let Some(name) = model {
            self.record(Entry::Model { name });
        }
        if let Some(text) = system {
            self.record(Entry::System { text: Some(text).filter(|text| !text.is_empty()) });
        }
    }

    /// Saves what has happened, and takes account of it.
    pub(super) fn record(&mut self, entry: Entry) {
        let saved = block_in_place(|| self.recorder.record(&self.session, &entry));
        if let Err(error) = saved {
            note_error(format_args!(
                "this chat is not saved any more: {error}; it goes on, and /save tries again to save all of it"
            ));
        }
        self.session.apply(entry);
    }

    /// Takes the question and the files that wait for it into the session.
    pub(super) fn record_question(&mut self, text: String) {
        let attachments = std::mem::take(&mut self.pending);
        self.record(Entry::Question(Question { at: now(), text, attachments }));
    }

    /// What is asked with these messages, of this model or else of the session's.
    pub(super) fn request(&self, messages: Vec<Message>, model: Option<&str>) -> Request {
        let mode = if self.reasoning == Some(true) { ReasoningMode::On } else { ReasoningMode::Unspecified };
        Request {
            model: model.unwrap_or(&self.session.model).to_owned(),
            system: self.session.system.clone().map(Part::Text).into_iter().collect(),
            messages,
            max_tokens: self.max_tokens,
            reasoning: ReasoningRequest { mode, ..ReasoningRequest::default() },
            ..Request::default()
        }
    }

    pub(super) fn caller(&self) -> Caller {
        let ceiling = self.left().map(|left| CallCeiling::new(left, CEILING));
        let session_totals = Some(Arc::clone(&self.totals));
        Caller { command: "chat", ceiling, session_totals, ..Caller::default() }
    }

    /// How the next answer is shown.
    pub(super) fn answer_style(&self) -> Style {
        let reasoning = if self.reasoning == Some(false) { ReasoningOutput::Hidden } else { self.style.reasoning };
        Style { reasoning, ..self.style }
    }

    /// What this chat has cost since its start.
    pub(super) fn spent(&self) -> Spent {
        let SessionCost { settled, uncertain, unpriced } = answer::session_cost(&self.totals);
        Spent::new(settled, uncertain, unpriced)
    }

    /// What it may still spend; `None` without a ceiling.
    pub(super) fn left(&self) -> Option<NanoDollars> {
        Some(self.max_cost? - self.totals.settled() - self.totals.uncertain())
    }

    /// The model of the next question.
    ///
    /// # Errors
    /// `ModelNotFound`, where the config file no longer knows the model of a resumed session.
    pub(super) fn model(&self) -> Result<Arc<Model>> {
        self.engine.policy().catalog.resolve(&self.session.model)
    }

    /// Notes a failure for the exit code.
    pub(super) fn fail(&mut self, kind: Kind) {
        self.exit = kind.spec().exit;
    }

    /// Says why something was not done, which is a failure too.
    pub(crate) fn refuse(&mut self, error: &anyhow::Error) {
        self.fail(error.downcast_ref::<Error>().map_or(Kind::Io, |error| error.kind));
        note_error(error);
    }

    /// Says why a line was not sent and how to send it, and offers it again at the next prompt, where it can be changed.
    pub(crate) fn refuse_line(&mut self, line: String, why: &str, can_be_changed: bool) {
        self.refuse(&Error::new(Kind::InvalidRequest, format!("{why}; nothing was sent")).into());
        self.say("a line that begins with a blank is always a question".into());
        self.refused_text.clone_from(&line);
        if can_be_changed {
            self.next_text = line;
        }
    }

    /// The text with which the next prompt begins.
    pub(crate) fn take_next_text(&mut self) -> String {
        std::mem::take(&mut self.next_text)
    }

    /// The exit code of the last failure; 0 without one.
    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    pub(super) fn say(&self, line: Printable) {
        note(line.dim(self.style.colour));
    }
}

pub(super) fn session_cost(spent: Spent) -> SessionCost {
    SessionCost { settled: spent.settled(), uncertain: spent.uncertain(), unpriced: spent.unpriced }
}

/// The first words of a text, for a line about it.
pub(super) fn first_words(text: &str) -> String {
    const LONGEST: usize = 50;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

/// The error for what cannot be done at this moment.
pub(super) fn refused(message: &str) -> anyhow::Error {
    Error::new(Kind::InvalidRequest, message).into()
}

/// What a person should know before asking a model.
pub(super) fn remarks(model: &Model, follow_successor: bool) -> Vec<String> {
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
