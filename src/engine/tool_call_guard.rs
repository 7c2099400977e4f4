//! Keeps half a tool call from being handed on. Some clients execute a call whose arguments were cut off: they complete
//! the JSON themselves, and write half a file. So a call that the end of an answer has cut is left out, or followed by
//! an error in place of the stop reason.

use crate::conversation::{CutCalls, Event, StopReason};
use serde_json::value::RawValue;
use std::collections::{HashMap, VecDeque};

/// Watches the events of one answer.
#[derive(Debug)]
pub(super) struct ToolCallGuard {
    holding: Holding,
    /// How a call that the token limit may have cut is told from a whole one.
    wholeness: Wholeness,
    /// The call that the last block holds.
    last_call: Option<Call>,
    held: Vec<Event>,
    passed: Passed,
    /// Whether a call was left out.
    left_out: bool,
    /// Whether the end of the answer has cut its last call.
    has_cut_call: bool,
}

/// How calls are passed on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding {
    /// Whether a call is held back until it is known to be whole. Otherwise its arguments are passed on as they come.
    pub(super) held: bool,
    /// What becomes of an answer of which nothing is left without the call that was cut.
    pub(super) cut_calls: CutCalls,
}

/// What shows that a call is whole.
#[derive(Debug)]
pub(super) enum Wholeness {
    /// The arguments are as the model wrote them, so those of a call that was cut are no JSON.
    Json,
    /// Bedrock has closed the JSON of a complete answer itself, and has left out what was not finished. A call is whole if
    /// it holds all that its tool requires: the names of the required arguments, by tool. One of a tool that requires
    /// nothing cannot be told.
    Required(HashMap<String, Vec<String>>),
}

/// What was passed on so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Passed {
    Nothing,
    Text,
    /// A tool call, whatever else.
    Calls,
}

#[derive(Debug)]
struct Call {
    name: String,
    arguments: String,
}

/// The end of an answer that was cut inside a tool call, where nothing else can end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CutCall {
    pub(super) tool: String,
    pub(super) reason: StopReason,
}

impl ToolCallGuard {
    pub(super) fn new(holding: Holding, wholeness: Wholeness) -> Self {
        let (held, passed) = (Vec::new(), Passed::Nothing);
        Self { holding, wholeness, last_call: None, held, passed, left_out: false, has_cut_call: false }
    }

    /// Whether the answer has ended inside a tool call.
    pub(super) fn has_cut_call(&self) -> bool {
        self.has_cut_call
    }

    /// Whether any text or tool call was passed on.
    pub(super) fn has_content(&self) -> bool {
        self.passed != Passed::Nothing
    }

    /// Takes the next event, and adds those that may be passed on.
    ///
    /// # Errors
    /// The call that was cut, when the client has seen a part of it, or when the answer has no other content and may not be
    /// empty.
    pub(super) fn pass(&mut self, event: Event, passed: &mut VecDeque<Event>) -> Result<(), CutCall> {
        match event {
            Event::Stop(reason) => return self.stop(reason, passed),
            Event::ToolCall { ref name, .. } => {
                self.end_call(passed)?;
                self.last_call = Some(Call { name: name.clone(), arguments: String::new() });
                self.pass_part_of_call(event, passed);
            }
            Event::Arguments { ref json, .. } => {
                if let Some(call) = &mut self.last_call {
                    call.arguments.push_str(json);
                }
                self.pass_part_of_call(event, passed);
            }
            // The end of a call's block. A call without arguments looks the same as one that was cut before them.
            Event::BlockEnd if self.last_call.is_some() => {
                self.pass_part_of_call(event, passed);
                let is_verbatim = matches!(self.wholeness, Wholeness::Json);
                if is_verbatim && self.last_call.as_ref().is_some_and(|call| self.wholeness.is_whole(call)) {
                    self.release(passed);
                }
            }
            // The service's own words leave with what they say, or not at all.
            Event::Native(_) if !self.held.is_empty() => self.held.push(event),
            Event::BlockEnd | Event::Usage(_) | Event::Native(_) => passed.push_back(event),
            Event::Text(_) | Event::Citation(_) | Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => {
                self.end_call(passed)?;
                self.last_call = None;
                if matches!(event, Event::Text(_)) && self.passed == Passed::Nothing {
                    self.passed = Passed::Text;
                }
                passed.push_back(event);
            }
        }
        Ok(())
    }

    fn stop(&mut self, reason: StopReason, passed: &mut VecDeque<Event>) -> Result<(), CutCall> {
        if let Some(call) = &self.last_call
            && self.is_cut(call, &reason)
        {
            self.has_cut_call = true;
            let was_held = !self.held.is_empty();
            self.held.clear();
            let may_be_empty = self.holding.cut_calls == CutCalls::LeaveOut;
            if !was_held || !(self.has_content() || may_be_empty) {
                return Err(CutCall { tool: call.name.clone(), reason });
            }
            self.left_out = true;
        } else {
            self.release(passed);
        }
        passed.push_back(Event::Stop(self.reason_to_report(reason)));
        Ok(())
    }

    /// Some models report another reason beside their calls (docs/cases.md, T12). An answer that the limit has cut may have
    /// lost further calls, and one that has lost a call is never reported as complete.
    fn reason_to_report(&self, reason: StopReason) -> StopReason {
        match reason {
            StopReason::MaxTokens | StopReason::ContextWindow => reason,
            StopReason::Guardrail | StopReason::ContentFiltered if self.left_out => reason,
            StopReason::Malformed(_) if !self.left_out => reason,
            _ if self.passed == Passed::Calls => StopReason::ToolUse,
            _ if self.left_out => StopReason::MaxTokens,
            _ => reason,
        }
    }

    /// The answer goes on after a call: it is passed on, unless it is no JSON.
    ///
    /// # Errors
    /// The call, when the client has seen a part of it already.
    fn end_call(&mut self, passed: &mut VecDeque<Event>) -> Result<(), CutCall> {
        if let Some(call) = &self.last_call
            && !call.is_object_or_empty()
        {
            if self.held.is_empty() {
                return Err(CutCall { tool: call.name.clone(), reason: StopReason::ToolUse });
            }
            self.held.clear();
            self.left_out = true;
        }
        self.release(passed);
        Ok(())
    }

    /// Whether the end of the answer has cut its last call.
    fn is_cut(&self, call: &Call, reason: &StopReason) -> bool {
        match reason {
            StopReason::EndTurn | StopReason::ToolUse => !call.is_object_or_empty(),
            StopReason::Unknown(_) => !call.is_object(),
            StopReason::MaxTokens
            | StopReason::ContextWindow
            | StopReason::StopSequence(_)
            | StopReason::Guardrail
            | StopReason::ContentFiltered
            | StopReason::Malformed(_) => {
                // An answer that goes on after a call, or whose call was already released, has not cut it.
                let already_passed = self.holding.held && self.held.is_empty();
                !(already_passed || self.wholeness.is_whole(call))
            }
        }
    }

    fn pass_part_of_call(&mut self, event: Event, passed: &mut VecDeque<Event>) {
        if self.holding.held {
            self.held.push(event);
        } else {
            self.passed = Passed::Calls;
            passed.push_back(event);
        }
    }

    /// Passes on the call that was held back.
    fn release(&mut self, passed: &mut VecDeque<Event>) {
        if !self.held.is_empty() {
            self.passed = Passed::Calls;
            passed.extend(self.held.drain(..));
        }
    }
}

impl Wholeness {
    fn is_whole(&self, call: &Call) -> bool {
        let Some(arguments) = call.arguments() else { return false };
        match self {
            Self::Json => !arguments.is_empty(),
            Self::Required(tools) => match tools.get(&call.name) {
                Some(names) => !names.is_empty() && names.iter().all(|name| arguments.contains_key(name)),
                // The client has not offered the tool, so it will not execute the call.
                None => !arguments.is_empty(),
            },
        }
    }
}

impl Call {
    /// The names of the arguments; `None` when they are no JSON object. Values are not parsed: a number may be of any size.
    fn arguments(&self) -> Option<HashMap<String, &RawValue>> {
        serde_json::from_str(&self.arguments).ok()
    }

    /// A tool without arguments may be called with none at all.
    fn is_object_or_empty(&self) -> bool {
        self.arguments.is_empty() || self.is_object()
    }

    fn is_object(&self) -> bool {
        self.arguments().is_some()
    }
}

#[cfg(test)]
mod tests;
