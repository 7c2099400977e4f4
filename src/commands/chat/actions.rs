//! Carries out the commands.

use super::command::Action;
use super::recorder::Recorder;
use super::running_chat::{RunningChat, first_words, refused, remarks};
use super::{costs, export, help, last_answer, resumption};
use crate::catalog::Thinking;
use crate::error::{Error, Kind};
use crate::policy::{ROOM_FOR_LOW_EFFORT, ReasoningGrant};
use crate::sessions::{Entry, Session};
use crate::terminal::editor::external::edit_externally;
use crate::terminal::output::{note, stdout};
use crate::terminal::printable::Printable;
use anyhow::Context;
use std::io::{self, IsTerminal};
use tokio::task::block_in_place;

impl RunningChat {
    /// Carries out a command. `Ok(false)` means that the reader has closed stdout.
    ///
    /// # Errors
    /// Only when stdout cannot be written.
    pub(crate) async fn obey(&mut self, action: Action) -> anyhow::Result<bool> {
        let reply = match action {
            Action::Retry(model) => return self.retry(model).await,
            Action::Continue => return self.go_on().await,
            Action::Code(number) => return last_answer::print(self, number),
            Action::Help => Ok(help::text()),
            Action::Undo => self.undo(),
            Action::Clear => Ok(self.clear()),
            Action::Attach(paths) if paths.is_empty() => Ok(self.list_attachments()),
            Action::Attach(paths) => self.attach(&paths),
            Action::Detach => Ok(self.detach()),
            Action::Edit => self.edit(),
            Action::System(text) => Ok(self.system(text)),
            Action::Model(None) => Ok(self.show_model()),
            Action::Model(Some(name)) => self.switch(&name),
            Action::MaxTokens(tokens) => self.set_max_tokens(tokens),
            Action::Reasoning(on) => self.set_reasoning(on),
            Action::Raw => Ok(self.toggle_raw()),
            Action::Copy(number) => last_answer::copy(self, number),
            Action::Save(name) => self.save(name),
            Action::Export { path, overwrite } => block_in_place(|| export::write(&self.session, &path, overwrite)),
            Action::Resume(id) => resumption::switch(self, &id),
            Action::Cost => Ok(costs::cost(self).await),
            Action::Context => block_in_place(|| costs::context(self)),
            Action::Exit => return Ok(true),
        };
        match reply {
            Ok(reply) => note(reply),
            Err(error) => self.refuse(&error),
        }
        Ok(true)
    }

    fn undo(&mut self) -> anyhow::Result<Printable> {
        let (what, question) = match (self.session.unanswered(), self.session.last()) {
            (Some(question), _) => ("the question without an answer", question),
            (None, Some(last)) => ("the last question and its answer", &last.question),
            (None, None) => return Err(refused("there is nothing to take back")),
        };
        let words = first_words(&question.text);
        self.record(Entry::Undo);
        let left = match self.session.exchanges().len() {
            0 => "the conversation is empty".to_owned(),
            1 => "1 exchange is left".to_owned(),
            more => format!("{more} exchanges are left"),
        };
        Ok(Printable::line(format_args!("took back {what}: {words:?}; {left}")))
    }

    fn clear(&mut self) -> Printable {
        let left = self.recorder.id();
        let Session { offline, model, system, .. } = &self.session;
        self.session = Session::new(*offline, model.clone(), system.clone());
        self.recorder.begin_anew(io::stdin().is_terminal());
        let way_back = left.map(|id| format!("\n/resume {id} goes back to the last one")).unwrap_or_default();
        Printable::lines(format_args!("started a new conversation; the model and the system prompt are kept{way_back}"))
    }

    fn save(&mut self, name: Option<String>) -> anyhow::Result<Printable> {
        if let Recorder::Never(why) = self.recorder {
            return Err(refused(&format!("{why}, so the session cannot be saved")));
        }
        if let Some(text) = name {
            self.record(Entry::Title { text });
        }
        let is_empty = self.session.exchanges().is_empty() && self.session.unanswered().is_none();
        if is_empty {
            self.recorder.expect_question();
            return Ok("the session will be saved with its first question".into());
        }
        block_in_place(|| self.recorder.begin(&self.session)).context("the session cannot be saved")?;
        let id = self.recorder.id().map(|id| id.to_string()).unwrap_or_default();
        let title = first_words(self.session.title().unwrap_or_default());
        Ok(Printable::line(format_args!("saved as {id}: {title}; `chatrix chat -r {id}` goes on with it")))
    }

    /// Lets the person write the last refused text, or a new one, in an editor of their own.
    fn edit(&mut self) -> anyhow::Result<Printable> {
        if !io::stdin().is_terminal() {
            return Err(refused("/edit needs a terminal"));
        }
        let edited = block_in_place(|| edit_externally(&self.refused_text))?;
        self.refused_text.clear();
        if edited.trim().is_empty() {
            return Ok("the text is empty; nothing was sent".into());
        }
        self.next_text = edited;
        Ok("Enter sends the text".into())
    }

    fn system(&mut self, text: Option<String>) -> Printable {
        match text {
            None => match &self.session.system {
                Some(text) => Printable::join(["system prompt: ".into(), Printable::lines(text)], ""),
                None => "there is no system prompt; /system TEXT sets one".into(),
            },
            Some(text) => {
                let text = Some(text).filter(|text| !text.is_empty());
                let reply = if text.is_some() { "system prompt set" } else { "system prompt removed" };
                self.record(Entry::System { text });
                reply.into()
            }
        }
    }

    fn show_model(&self) -> Printable {
        let mut text =
            format!("the model is {}; /model NAME switches to another one of `chatrix models`", self.session.model);
        for remark in self.model().iter().flat_map(|model| remarks(model, self.engine.policy().follow_successor)) {
            text.push_str(&format!("; {remark}"));
        }
        Printable::line(text)
    }

    fn switch(&mut self, typed: &str) -> anyhow::Result<Printable> {
        let policy = self.engine.policy();
        let meant = policy.catalog.resolve_typed(typed)?;
        let (name, model) = (meant.name, meant.model);
        let known_as = if model.name == name { String::new() } else { format!(" ({})", model.name) };
        let mut text = format!("{name}{known_as} answers from now on; the conversation continues");
        for remark in remarks(&model, policy.follow_successor) {
            text.push_str(&format!("; {remark}"));
        }
        self.record(Entry::Model { name });
        Ok(Printable::line(text))
    }

    fn set_max_tokens(&mut self, tokens: Option<u32>) -> anyhow::Result<Printable> {
        let policy = self.engine.policy();
        let model = self.model()?;
        let longest = policy.longest_answer(&model, None);
        if let Some(tokens) = tokens {
            if tokens > longest {
                let message = format!("answers of {} have at most {longest} tokens", model.display_name());
                let advice = format!("/max-tokens {longest} allows the longest; the limits are in the config file");
                return Err(Error::new(Kind::RefusedByPolicy, message).advise(advice).into());
            }
            self.max_tokens = Some(tokens.into());
        }
        let (tokens, whose) = match self.max_tokens {
            Some(tokens) => (tokens.min(longest.into()), "as you asked"),
            None => (policy.usual_answer(&model, None).into(), "the default"),
        };
        Ok(Printable::line(format_args!(
            "answers have at most {tokens} tokens, {whose}; {} allows up to {longest}",
            model.display_name()
        )))
    }

    fn set_reasoning(&mut self, on: Option<bool>) -> anyhow::Result<Printable> {
        if on.is_some() {
            self.reasoning = on;
        }
        let text = match self.reasoning {
            None => "reasoning is not asked for, and shown where a model reasons anyway; /reasoning on asks for it",
            Some(false) => "reasoning is neither asked for nor shown; a model that reasons anyway is billed for it",
            Some(true) => return self.reasoning_granted(),
        };
        Ok(text.into())
    }

    /// What comes of asking for reasoning: the policy grants it only where it fits the length of an answer.
    fn reasoning_granted(&self) -> anyhow::Result<Printable> {
        let request = self.request(vec![crate::conversation::Message::user("?")], None);
        let admitted = self.engine.policy().admit(request, None)?;
        let (name, tokens) = (admitted.model().display_name(), admitted.max_tokens());
        Ok(Printable::line(match admitted.reasoning() {
            ReasoningGrant::Off if admitted.model().capabilities.thinking == Thinking::None => format!(
                "reasoning is asked for and shown, but {name} has none; `chatrix models think` lists the models that have"
            ),
            ReasoningGrant::Off => {
                let longest = self.engine.policy().longest_answer(admitted.model(), None);
                let way = if longest < ROOM_FOR_LOW_EFFORT {
                    format!("raise max_tokens_limit in the config file, which is {longest}")
                } else {
                    format!("/max-tokens {ROOM_FOR_LOW_EFFORT} makes room")
                };
                format!(
                    "reasoning is asked for and shown, but it needs answers of about {ROOM_FOR_LOW_EFFORT} tokens, and \
                     those of {name} have at most {tokens}; {way}"
                )
            }
            ReasoningGrant::Effort(_) | ReasoningGrant::Budget(_) => format!(
                "reasoning is asked for and shown; it is billed as a part of the answer, and both together have at most \
                 {tokens} tokens"
            ),
        }))
    }

    fn toggle_raw(&mut self) -> Printable {
        if !stdout().is_terminal() {
            return "into a pipe or a file, answers always go as the model writes them".into();
        }
        self.style.raw = !self.style.raw;
        if self.style.raw {
            "answers are shown as the model writes them; /raw renders them again".into()
        } else {
            "answers are rendered; /raw shows them as the model writes them".into()
        }
    }
}
