//! `chatrix chat`: a conversation in a terminal. Ctrl-C stops an answer and keeps what came of it;
//! the conversation is never lost to an error.

mod slash;

use crate::catalog::NanoDollars;
use crate::cli::Chat;
use crate::commands::{OFFLINE_NOTICE, ask, note, offline_pace, open, print};
use crate::config::Settings;
use crate::conversation::{Event, Message, Part, Request, StopReason};
use crate::engine::{AnswerMode, Call, Caller, Engine};
use crate::error::{Error, Kind};
use crate::ledger::SessionTotals;
use crate::terminal::editor::{Editor, Line};
use crate::terminal::footer::{Footer, stop_note};
use crate::terminal::sanitize::Sanitizer;
use crate::terminal::spinner::Spinner;
use crate::terminal::style;
use anyhow::Context;
use slash::Slash;
use std::collections::HashSet;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;

/// What a session's ceiling is called once some of it is spent.
const REST: &str = "what is left of --max-cost";

/// Talks until `/exit` or Ctrl-D.
pub(crate) async fn run(args: Chat, settings: Settings) -> anyhow::Result<u8> {
    let person_reads = std::io::stdout().is_terminal();
    let colour = style::colour(&std::io::stdout());
    let engine = open(&settings, offline_pace(person_reads)?, false).await?;
    let mut session = Session {
        model: settings.model.value.clone(),
        system: args.question.system.clone(),
        max_tokens: args.question.max_tokens,
        max_cost: args.max_cost,
        warned: HashSet::new(),
        messages: Vec::new(),
        tally: Arc::default(),
        calls: 0,
        verbose: args.verbose,
        person_reads,
        colour,
    };
    if settings.offline {
        note(&style::dim(OFFLINE_NOTICE, colour));
    }
    if std::io::stdin().is_terminal() {
        note(&style::dim(&format!("{} · /help lists the commands, Ctrl-D leaves", session.model), colour));
    }
    let mut editor = Editor::new(settings.history.clone()).context("the terminal cannot be set up")?;
    loop {
        // The runtime goes on meanwhile: connections are kept alive and closed in the background.
        match tokio::task::block_in_place(|| editor.read("> ")).context("the terminal is gone")? {
            Line::End => return Ok(0),
            Line::Garbled => note("that was not UTF-8 text, and was not sent"),
            Line::Interrupted => note(&style::dim("Ctrl-D or /exit leaves", colour)),
            Line::Text(line) if line.trim().is_empty() => {}
            Line::Text(line) => {
                editor.remember(&line);
                match Slash::parse(&line) {
                    Some(Slash::Exit) => return Ok(0),
                    Some(command) => session.obey(command, &engine),
                    None => {
                        if !session.turn(line, &engine).await? {
                            return Ok(0);
                        }
                    }
                }
            }
        }
    }
}

struct Session {
    model: String,
    system: Option<String>,
    max_tokens: Option<i64>,
    /// What the whole session may cost.
    max_cost: Option<NanoDollars>,
    /// The budgets of which it was said that they are nearly used up.
    warned: HashSet<String>,
    messages: Vec<Message>,
    /// What the calls came to, whatever became of each.
    tally: Arc<SessionTotals>,
    calls: u32,
    verbose: bool,
    person_reads: bool,
    colour: bool,
}

impl Session {
    /// One question and its answer. `false` when nobody reads any more.
    async fn turn(&mut self, text: String, engine: &Arc<Engine>) -> anyhow::Result<bool> {
        self.messages.push(Message::user(text));
        let mut shown = Shown { sanitizer: Sanitizer::default(), text: String::new(), in_reasoning: false, stop: None };
        let started = Instant::now();
        let mut spinner = std::io::stderr().is_terminal().then(|| Spinner::start(&self.model));
        let request = Request {
            model: self.model.clone(),
            system: self.system.clone().map(Part::Text).into_iter().collect(),
            messages: self.messages.clone(),
            max_tokens: self.max_tokens,
            ..Request::default()
        };
        let at_most = self.left().map(|left| (left, REST));
        let caller = Caller { command: "chat", key: None, at_most, tally: Some(Arc::clone(&self.tally)) };
        let mut call = tokio::select! {
            call = engine.ask(request, AnswerMode::Streamed, caller) => match call {
                Ok(call) => call,
                Err(mut error) => {
                    drop(spinner);
                    if error.kind == Kind::BudgetExceeded {
                        error = error.advise("/clear begins anew, /model NAME takes a cheaper model, /cost shows the sums");
                    }
                    self.take_back(&format!("error: {error}"));
                    return Ok(true);
                }
            },
            _ = tokio::signal::ctrl_c() => {
                drop(spinner);
                self.take_back("stopped");
                return Ok(true);
            }
        };
        if let Some(successor_notice) = call.successor_notice() {
            note(&style::dim(&successor_notice, self.colour));
        }
        for line in ask::explanation(&call, self.verbose) {
            spinner.take();
            note(&style::dim(&line, self.colour));
        }
        let ending = tokio::select! {
            ending = self.show(&mut call, &mut shown, &mut spinner) => ending,
            _ = tokio::signal::ctrl_c() => Ok(true),
        };
        drop(spinner);
        if shown.in_reasoning || (!shown.text.is_empty() && !shown.text.ends_with('\n')) {
            print("\n")?;
        }
        self.calls += 1;
        // Whatever it is now, it is over: an answer that was stopped is booked at its worst case.
        let (usage, cost, at_most) = (call.usage(), call.cost(), call.worst_case());
        let warnings = call.warnings();
        drop(call);
        let remark = match (&ending, &shown.stop) {
            (Ok(false), _) => return Ok(false),
            (Err(error), _) => Some(format!("error: {error}")),
            (Ok(true), Some(stop)) => stop_note(stop),
            (Ok(true), None) => Some("stopped".to_owned()),
        };
        if shown.text.trim().is_empty() {
            // An empty turn is refused upstream.
            self.take_back("no answer came");
        } else {
            self.messages.push(Message::assistant(shown.text));
        }
        for warning in warnings {
            if self.warned.insert(warning.about) {
                note(&style::dim(&warning.text, self.colour));
            }
        }
        self.footer(Footer { usage, cost, at_most, took: started.elapsed(), note: remark, ..Footer::default() });
        Ok(true)
    }

    async fn show(&self, call: &mut Call, shown: &mut Shown, spinner: &mut Option<Spinner>) -> anyhow::Result<bool> {
        while let Some(event) = call.next().await? {
            let (piece, reasoning) = match event {
                Event::Text(text) => (text, false),
                Event::Reasoning(text) => (text, true),
                Event::Stop(stop) => {
                    shown.stop = Some(stop);
                    continue;
                }
                // No tool was offered and nothing is handed back: there is nothing else to show.
                Event::Usage(_) | Event::Signature(_) | Event::Redacted(_) | Event::Citation(_) => continue,
                Event::ToolCall { .. } | Event::Arguments { .. } => continue,
            };
            spinner.take();
            let mut text = if self.person_reads { shown.sanitizer.clean(&piece) } else { piece.clone() };
            if reasoning {
                text = style::dim(&text, self.colour);
            } else {
                shown.text.push_str(&piece);
            }
            if std::mem::replace(&mut shown.in_reasoning, reasoning) && !reasoning {
                text.insert_str(0, "\n\n");
            }
            if !print(&text)? {
                return Ok(false);
            }
        }
        match shown.stop {
            Some(_) => Ok(true),
            None => Err(Error::new(Kind::Truncated, "the answer has no stop reason").into()),
        }
    }

    /// What the session may still spend.
    fn left(&self) -> Option<NanoDollars> {
        Some(self.max_cost? - self.tally.settled() - self.tally.uncertain())
    }

    /// Forgets a question that got no answer; it is in the editor's history.
    fn take_back(&mut self, why: &str) {
        self.messages.pop();
        note(why);
        note(&style::dim("the question was not kept; arrow up brings it back", self.colour));
    }

    fn footer(&self, footer: Footer) {
        let (session, unsettled) = (Some(self.tally.settled()), self.tally.uncertain());
        note(&style::dim(&Footer { session, unsettled, ..footer }.line(), self.colour));
    }

    fn obey(&mut self, command: Slash, engine: &Engine) {
        let said = match command {
            Slash::Help => slash::HELP.to_owned(),
            Slash::Model(None) => {
                format!("the model is {}; /model NAME takes another, `chatrix models` lists them", self.model)
            }
            Slash::Model(Some(name)) => match engine.policy().catalog.resolve(&name) {
                Ok(model) => {
                    self.model = name;
                    format!("{} ({}) answers from here on; the conversation goes on", self.model, model.name)
                }
                Err(error) => format!("error: {error}"),
            },
            Slash::System(None) => match &self.system {
                Some(text) => format!("system prompt: {text}"),
                None => "there is no system prompt; /system TEXT sets one".to_owned(),
            },
            Slash::System(Some(text)) => {
                self.system = (text != "none").then_some(text);
                self.system.as_ref().map_or("system prompt removed", |_| "system prompt set").to_owned()
            }
            Slash::Clear => {
                self.messages.clear();
                "the conversation begins anew; model, system prompt and cost stay".to_owned()
            }
            Slash::Cost => self.cost(engine),
            Slash::Unknown(name) => format!("error: there is no command /{name}; /help lists them"),
            Slash::Exit => return,
        };
        note(&said);
    }

    fn cost(&self, engine: &Engine) -> String {
        let answers = if self.calls == 1 { "answer" } else { "answers" };
        let mut text = format!("{} {answers}, {}", self.calls, self.tally.settled());
        let uncertain = self.tally.uncertain();
        if uncertain > NanoDollars(0) {
            text.push_str(&format!(", and at most {uncertain} for answers that were cut off"));
        }
        if let (Some(left), Some(most)) = (self.left(), self.max_cost) {
            text.push_str(&format!("; --max-cost leaves {left} of {most}"));
        }
        for status in engine.budgeted().statuses() {
            text.push_str(&format!("\n{} left of the {status}", status.left()));
        }
        text
    }
}

/// What the screen has of an answer.
struct Shown {
    sanitizer: Sanitizer,
    text: String,
    in_reasoning: bool,
    stop: Option<StopReason>,
}
