//! Questions and their answers: the first answer, one more to the same question, and the rest of one that was cut.

use super::recorder::now;
use super::running_chat::{RunningChat, session_cost};
use crate::commands::answer::{self, Ending, unless_interrupted};
use crate::conversation::{Message, Role, StopReason, Usage, is_blank};
use crate::engine::{AnswerMode, Call};
use crate::error::{Error, Kind};
use crate::sessions::{Answer, End, Entry, Question, Spent};
use crate::terminal::answer_view::AnswerView;
use crate::terminal::footer::Footer;
use crate::terminal::output::{note, note_error, stderr};
use crate::terminal::printable::Printable;
use std::time::Instant;

/// What a call is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To answer the question that has no answer.
    Answer,
    /// To answer the last question again. The new answer takes the place of the old one.
    Replace,
    /// To go on with the last answer.
    Continue,
}

impl Purpose {
    /// Whether the text of an answer that ended so is kept. A piece takes the place of no whole answer.
    fn keeps(self, end: &End) -> bool {
        self != Self::Replace || (*end != End::stopped() && *end != End::failed())
    }
}

/// What a call was made for, and when.
#[derive(Clone, Copy)]
struct Asked {
    started: Instant,
    /// What the chat had cost before.
    before: Spent,
    purpose: Purpose,
}

/// An answer while it comes. If the chat is ended meanwhile, such as by a closed window, what has come is saved.
struct Coming<'a> {
    chat: &'a mut RunningChat,
    /// `None` once it has ended.
    call: Option<Call>,
    view: AnswerView,
    asked: Asked,
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        let model = call.model().id.clone();
        drop(call);
        self.chat.keep(self.view.text(), End::stopped(), model, None, self.asked);
    }
}

/// How a call ended.
struct Ended {
    text: String,
    end: End,
    /// The id of the model that answered.
    model: String,
    /// What was wrong with the answer, for a line of its own.
    remark: Option<Error>,
    /// Whether nobody reads what is written any more.
    unread: bool,
    footer: Footer,
}

impl RunningChat {
    /// Asks one question and shows its answer. `Ok(false)` means that the reader has closed stdout.
    ///
    /// # Errors
    /// Only when stdout cannot be written. A call that fails is reported, and the conversation goes on.
    pub(crate) async fn ask(&mut self, text: String) -> anyhow::Result<bool> {
        self.record_question(text);
        self.call(Purpose::Answer, None).await
    }

    /// Asks the last question again, once of another model if one is named.
    pub(super) async fn retry(&mut self, typed: Option<String>) -> anyhow::Result<bool> {
        let named = typed.map(|typed| self.engine.policy().catalog.resolve_typed(&typed)).transpose();
        let model = match named {
            Ok(named) => named.map(|named| named.name),
            Err(error) => {
                self.refuse(&error.into());
                return Ok(true);
            }
        };
        if let Some(question) = self.session.unanswered() {
            let text = question.text.clone();
            self.record_question(text);
            return self.call(Purpose::Answer, model).await;
        }
        if self.session.last().is_none() {
            self.refuse(&Error::new(Kind::InvalidRequest, "there is no question to ask again").into());
            return Ok(true);
        }
        if let Some(name) = &model {
            self.say(Printable::line(format_args!("{name} answers this once; /model NAME switches for all questions")));
        }
        self.call(Purpose::Replace, model).await
    }

    /// Goes on with an answer that was cut or stopped.
    pub(super) async fn go_on(&mut self) -> anyhow::Result<bool> {
        let refusal = match self.session.last() {
            _ if self.session.unanswered().is_some() => {
                Some("the last question has no answer to go on with; /retry asks it again")
            }
            None => Some("there is no answer to go on with"),
            Some(last) if last.answer.end.is_complete() => {
                Some("the last answer is complete; ask for more in words of your own")
            }
            Some(_) => None,
        };
        if let Some(why) = refusal {
            self.refuse(&Error::new(Kind::InvalidRequest, why).into());
            return Ok(true);
        }
        self.call(Purpose::Continue, None).await
    }

    async fn call(&mut self, purpose: Purpose, model: Option<String>) -> anyhow::Result<bool> {
        let asked = Asked { started: Instant::now(), before: self.spent(), purpose };
        let mut view = AnswerView::new(self.answer_style());
        if stderr().is_terminal() {
            view.start_spinner(&Printable::line(model.as_deref().unwrap_or(&self.session.model)));
        }
        let request = self.request(self.messages(purpose), model.as_deref());
        let call = unless_interrupted(self.engine.ask(request, AnswerMode::Streamed, self.caller())).await;
        let call = match call {
            Some(Ok(call)) => call,
            failed => {
                view.stop_spinner();
                self.no_answer(failed.and_then(Result::err), asked);
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
        self.show(call, view, asked).await
    }

    /// Shows an answer, keeps it, and says what it took.
    async fn show(&mut self, call: Call, view: AnswerView, asked: Asked) -> anyhow::Result<bool> {
        let mut coming = Coming { chat: self, call: Some(call), view, asked };
        let Some(call) = coming.call.as_mut() else { return Ok(true) };
        let ending = answer::show(call, &mut coming.view).await;
        let Some(call) = coming.call.take() else { return Ok(true) };
        let ended = coming.chat.ended(ending, &call, &coming.view, asked);
        let somebody_reads = !ended.unread;
        let warnings = call.warnings();
        // An answer that was stopped is booked at its worst case now, which the totals then include.
        drop(call);
        coming.chat.conclude(ended, asked);
        for warning in warnings.into_iter().filter(|_| somebody_reads) {
            if coming.chat.warned.insert(warning.about) {
                coming.chat.say(Printable::line(warning.text));
            }
        }
        Ok(somebody_reads)
    }

    /// The conversation as it is sent for a purpose. An unfinished answer as the last turn is what a model goes on with;
    /// where a model does not take one, it is asked to go on (docs/cases.md, M4).
    fn messages(&self, purpose: Purpose) -> Vec<Message> {
        let mut messages = self.session.messages();
        match purpose {
            Purpose::Answer => messages.extend(self.session.unanswered().map(Question::message)),
            Purpose::Replace => _ = messages.pop_if(|last| last.role == Role::Assistant),
            Purpose::Continue => {}
        }
        messages
    }

    /// A call that was refused, has failed or was stopped before its answer began.
    fn no_answer(&mut self, error: Option<Error>, asked: Asked) {
        let cost = self.spent().since(asked.before);
        let end = if let Some(error) = error {
            self.fail(error.kind);
            note_error(with_advice(error));
            End::failed()
        } else {
            self.fail(Kind::Interrupted);
            note(answer::stopped_early(session_cost(asked.before), session_cost(self.spent())));
            End::stopped()
        };
        if cost != Spent::default() {
            let model = self.session.model.clone();
            self.keep("", end, model, None, asked);
        }
        self.without_answer(asked.purpose);
    }

    /// Says what has become of a question that got no answer.
    fn without_answer(&mut self, purpose: Purpose) {
        match (purpose, self.session.unanswered()) {
            (Purpose::Answer, Some(question)) => {
                self.pending.clone_from(&question.attachments);
                let files = if self.pending.is_empty() { "" } else { "; its files go with the next question" };
                self.say(Printable::line(format_args!(
                    "the question was dropped from the conversation{files}; /retry asks it again"
                )));
            }
            _ => self.say("the last answer stays as it was".into()),
        }
    }

    fn ended(&self, ending: anyhow::Result<Ending>, call: &Call, view: &AnswerView, asked: Asked) -> Ended {
        let Asked { started, purpose, .. } = asked;
        let unread = matches!(ending, Ok(Ending::PipeClosed));
        let (end, remark) = match ending {
            Ok(Ending::Complete) => {
                let end = view.stop().map_or_else(End::failed, End::of);
                (end, self.shortcoming(call, view))
            }
            Ok(Ending::Interrupted | Ending::PipeClosed) => (End::stopped(), None),
            Err(error) => {
                let error = error.downcast::<Error>();
                let error = error.unwrap_or_else(|other| Error::new(Kind::Io, format!("{other:#}")));
                let advice = error.advice().to_owned();
                let separator = if advice.is_empty() { "" } else { "; " };
                let error = if is_blank(view.text()) || purpose == Purpose::Replace {
                    error
                } else {
                    error.advise(format!("{advice}{separator}/continue goes on"))
                };
                (End::failed(), Some(error))
            }
        };
        Ended {
            text: view.text().to_owned(),
            end,
            model: call.model().id.clone(),
            remark,
            unread,
            footer: answer::footer(call, started, None),
        }
    }

    /// What an answer lacks that has arrived, and what to type next.
    fn shortcoming(&self, call: &Call, view: &AnswerView) -> Option<Error> {
        let error = answer::shortcoming(view.stop(), view.text(), false)?;
        let advice = match view.stop() {
            Some(StopReason::MaxTokens) => {
                let longest = self.engine.policy().longest_answer(call.model(), None);
                let tokens = call.token_limit().tokens;
                let longer = if tokens < longest {
                    format!(", and /max-tokens N allows longer answers, up to {longest} tokens")
                } else {
                    String::new()
                };
                format!("/continue goes on{longer}")
            }
            Some(StopReason::ContextWindow) => FULL_WINDOW.to_owned(),
            _ => "/retry asks again".to_owned(),
        };
        Some(error.advise(advice))
    }

    /// Keeps what came of a call, whatever has ended it. Gives what the call has cost.
    fn keep(&mut self, text: &str, end: End, model: String, usage: Option<Usage>, asked: Asked) -> Spent {
        let Asked { before, purpose, .. } = asked;
        let cost = self.spent().since(before);
        let text = match purpose {
            // An empty answer takes the place of no other, and its cost counts.
            _ if !purpose.keeps(&end) => String::new(),
            Purpose::Continue if !is_blank(text) => self.continued(text),
            _ => text.to_owned(),
        };
        let (usage, replaces) = (usage.map(Into::into), purpose != Purpose::Answer);
        self.record(Entry::Answer(Answer { at: now(), text, end, model, usage, cost, replaces }));
        cost
    }

    /// Keeps an answer, and says how it ended and what it took.
    fn conclude(&mut self, ended: Ended, asked: Asked) {
        let Ended { text, end, model, remark, unread, footer } = ended;
        let stopped = end == End::stopped();
        let is_kept = !is_blank(&text) && asked.purpose.keeps(&end);
        let cost = self.keep(&text, end, model, footer.usage, asked);
        if unread {
            return;
        }
        if stopped {
            self.fail(Kind::Interrupted);
            note(answer::stopped(Some(cost.uncertain()).filter(|_| cost.unpriced == 0)));
            if is_kept {
                self.say("/continue goes on with the answer".into());
            }
        }
        if let Some(error) = remark {
            self.fail(error.kind);
            note_error(&error);
        }
        if !is_kept {
            self.without_answer(asked.purpose);
        }
        let at_most = footer.at_most.map(|_| cost.uncertain());
        let session = Some(session_cost(self.session.spent()));
        self.say(Footer { at_most, session, ..footer }.line());
    }

    /// The last answer with its continuation. What a model is given to go on with has no blanks at its end
    /// (docs/bedrock.md §2.6.4), so it begins with those that belong there.
    fn continued(&self, more: &str) -> String {
        let so_far = self.session.last().map(|last| last.answer.text.as_str()).unwrap_or_default();
        let so_far = if more.starts_with(char::is_whitespace) { so_far.trim_end() } else { so_far };
        format!("{so_far}{more}")
    }
}

/// What to type when the conversation has become too long.
const FULL_WINDOW: &str = "/undo takes back the last exchange, /clear begins a new conversation, and /model NAME switches to a model with a larger window";

/// An error with what to type next in a chat.
fn with_advice(error: Error) -> Error {
    match error.kind {
        Kind::BudgetExceeded => error.advise(
            "/clear starts a new conversation, /model NAME switches to a cheaper model, /cost shows what was spent",
        ),
        Kind::ContextLength => error.advise(FULL_WINDOW),
        _ => error,
    }
}
