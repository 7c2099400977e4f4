//! Delivers an answer in one of the forms of `ask`: as it comes, as events, or once it has ended.

use super::destination::Destination;
use super::events;
use crate::cli::Ask;
use crate::commands::answer::{self, Ending};
use crate::conversation::{Event, StopReason};
use crate::engine::Call;
use crate::error::{Error, Kind};
use crate::terminal::answer_view::AnswerView;
use crate::terminal::markdown::code_blocks::code_blocks;
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use std::io;

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Its text, on stdout as it comes.
    Stream,
    /// Its text, at the end.
    Text,
    /// Its first code block, at the end.
    Code,
    /// Its events, as they come.
    Events,
}

pub(super) struct Delivery<'a> {
    form: Form,
    destination: &'a mut Destination,
    view: &'a mut AnswerView,
    must_be_json: bool,
    text: String,
    stop: Option<StopReason>,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(args: &Ask, destination: &'a mut Destination, view: &'a mut AnswerView) -> Self {
        let form = if args.jsonl {
            Form::Events
        } else if args.code {
            Form::Code
        } else if destination.is_stdout() {
            Form::Stream
        } else {
            Form::Text
        };
        Self { form, destination, view, must_be_json: args.schema.is_some(), text: String::new(), stop: None }
    }

    /// Takes the answer as it comes.
    ///
    /// # Errors
    /// What broke the answer off, or kept it from being written.
    pub(super) async fn receive(&mut self, call: &mut Call) -> anyhow::Result<Ending> {
        if self.form == Form::Events && !self.destination.json(events::start(call))? {
            return Ok(Ending::PipeClosed);
        }
        let ending = answer::read(call, |event| self.take(event)).await;
        if self.form == Form::Stream && matches!(ending, Ok(Ending::Interrupted)) {
            self.view.interrupt();
        }
        let finished = self.view.finish();
        let ending = ending?;
        finished?;
        if self.form == Form::Events
            && ending == Ending::Complete
            && let Some(stop) = &self.stop
        {
            self.destination.json(events::end(call, stop.as_str()))?;
        }
        Ok(ending)
    }

    fn take(&mut self, event: &Event) -> io::Result<bool> {
        match event {
            Event::Text(text) => self.text.push_str(text),
            Event::Stop(stop) => self.stop = Some(stop.clone()),
            _ => {}
        }
        match (self.form, event) {
            (Form::Stream, _) | (Form::Text | Form::Code, Event::Reasoning(_)) => self.view.show(event),
            (Form::Events, _) => events::piece(event).map_or(Ok(true), |piece| {
                self.view.stop_spinner();
                self.destination.json(piece)
            }),
            _ => Ok(true),
        }
    }

    /// What is left to be delivered, why the answer is not the one that was asked for, and whether that is because it is
    /// cut.
    pub(super) fn finish(self) -> (String, (Option<Error>, bool)) {
        let failure = answer::shortcoming(self.stop.as_ref(), &self.text, self.must_be_json);
        let is_cut = answer::is_cut(self.stop.as_ref(), &self.text);
        match self.form {
            Form::Stream | Form::Events => (String::new(), (failure, is_cut)),
            Form::Text => (ended(self.text), (failure, is_cut)),
            Form::Code => match code_blocks(&self.text).into_iter().next() {
                Some(block) => (ended(block.code), (failure, is_cut)),
                None => (String::new(), (Some(without_code(&self.text, failure)), false)),
            },
        }
    }
}

/// Shows an answer without code: it was paid for, and must not be taken for code. `failure`: what else it lacks.
fn without_code(text: &str, failure: Option<Error>) -> Error {
    if text.trim().is_empty() {
        return failure.unwrap_or_else(|| Error::new(Kind::IncompleteAnswer, "the answer is empty"));
    }
    note(Printable::lines(text).trim_end());
    let error = Error::new(Kind::IncompleteAnswer, "the answer above has no code block");
    match failure {
        Some(failure) => error.advise(format!("besides, {failure}")),
        None => error.advise("ask for one in the question"),
    }
}

/// The text with a newline at its end.
fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
