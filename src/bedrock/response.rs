//! Decodes Bedrock's answers into events, whichever of its APIs they come from: `converse` for all models, and `messages`
//! for Claude's own API.

mod body;
mod code_fence;
mod converse;
mod messages;
mod messages_body;
mod reasoning_tags;
mod stop_reason;
#[cfg(test)]
mod tests;

use super::request::{AnswerForm, ResponseOptions};
use crate::conversation::{Event, NativeEvent};
use crate::error::Result;
use bytes::Bytes;
use converse::Decoder;
use messages::MessagesDecoder;
use std::collections::VecDeque;

/// Decodes one answer.
#[derive(Debug)]
pub(super) enum AnswerDecoder {
    Converse(Box<Decoder>),
    /// The same, with the service's own events beside what is read from them.
    NativeConverse(Box<Decoder>),
    Messages(MessagesDecoder),
}

impl AnswerDecoder {
    pub(super) fn new(answer: AnswerForm) -> Self {
        match answer {
            AnswerForm::Converse(options) => Self::Converse(Box::new(Decoder::new(options))),
            AnswerForm::NativeConverse => Self::NativeConverse(Box::new(Decoder::new(ResponseOptions::default()))),
            AnswerForm::Messages => Self::Messages(MessagesDecoder::default()),
        }
    }

    /// Adds the events of a complete answer.
    ///
    /// # Errors
    /// Those of the decoder.
    pub(super) fn complete(&mut self, body: &Bytes, events: &mut VecDeque<Event>) -> Result<()> {
        match self {
            Self::Converse(decoder) => decoder.complete(body, events),
            Self::NativeConverse(decoder) => {
                events.push_back(Event::Native(NativeEvent { kind: String::new(), json: body.clone() }));
                decoder.complete(body, events)
            }
            Self::Messages(decoder) => decoder.complete(body, events),
        }
    }

    /// Adds the events of one frame of a stream. Returns whether the frame holds a part of the answer.
    ///
    /// # Errors
    /// Those of the decoder.
    pub(super) fn event(&mut self, kind: &str, payload: &[u8], events: &mut VecDeque<Event>) -> Result<bool> {
        match self {
            Self::Converse(decoder) => decoder.event(kind, payload, events),
            Self::NativeConverse(decoder) => {
                let has_content = decoder.event(kind, payload, events)?;
                let json = Bytes::copy_from_slice(payload);
                events.push_back(Event::Native(NativeEvent { kind: kind.to_owned(), json }));
                Ok(has_content)
            }
            Self::Messages(decoder) => decoder.event(kind, payload, events),
        }
    }

    /// Adds what is known only at the end of the stream.
    pub(super) fn finish(&mut self, events: &mut VecDeque<Event>) {
        match self {
            Self::Converse(_) | Self::NativeConverse(_) => {}
            Self::Messages(decoder) => decoder.finish(events),
        }
    }
}
