//! Keeps half a tool call from being handed on. Some clients execute a call whose arguments were cut off: they complete
//! the JSON themselves, and write half a file. So a call that the end of an answer has cut is left out, or followed by
//! an error in place of the stop reason.

use crate::conversation::{Event, StopReason};
use serde_json::value::RawValue;
use std::collections::{HashMap, VecDeque};

/// Watches the events of one answer.
#[derive(Debug)]
pub(super) struct ToolCallGuard {
    /// Whether a call is held back until it is known to be whole. Otherwise its arguments are passed on as they come.
    hold: bool,
    /// How a call that the token limit may have cut is told from a whole one.
    wholeness: Wholeness,
    /// The call that the last block holds.
    last_call: Option<Call>,
    held: Vec<Event>,
    passed: Passed,
    /// Whether a call was left out.
    left_out: bool,
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
    pub(super) fn new(hold: bool, wholeness: Wholeness) -> Self {
        Self { hold, wholeness, last_call: None, held: Vec::new(), passed: Passed::Nothing, left_out: false }
    }

    /// Whether any text or tool call was passed on.
    pub(super) fn has_content(&self) -> bool {
        self.passed != Passed::Nothing
    }

    /// Takes the next event, and adds those that may be passed on.
    ///
    /// # Errors
    /// The call that was cut, when the client has seen a part of it, or when the answer has no other content.
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
            let was_held = !self.held.is_empty();
            self.held.clear();
            if !was_held || !self.has_content() {
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
                let already_passed = self.hold && self.held.is_empty();
                !(already_passed || self.wholeness.is_whole(call))
            }
        }
    }

    fn pass_part_of_call(&mut self, event: Event, passed: &mut VecDeque<Event>) {
        if self.hold {
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
mod tests {
    use super::*;

    const WHOLE: &str = "{\"path\": \"a.txt\"}";
    const HALF: &str = "{\"path\": \"a.t";

    fn text() -> Vec<Event> {
        vec![Event::Text("Look:".into()), Event::BlockEnd]
    }

    fn call(index: usize, arguments: &str) -> Vec<Event> {
        let mut events = vec![Event::ToolCall { index, id: format!("t{index}"), name: "write".into() }];
        events.extend(arguments.split_inclusive(' ').map(|json| Event::Arguments { index, json: json.into() }));
        events.push(Event::BlockEnd);
        events
    }

    /// What is passed on of these blocks and this stop, and the call that was cut.
    fn passed(hold: bool, verbatim: bool, blocks: &[Vec<Event>], stop: StopReason) -> (Vec<Event>, Option<CutCall>) {
        let required = HashMap::from([("write".to_owned(), vec!["path".to_owned(), "content".to_owned()])]);
        let wholeness = if verbatim { Wholeness::Json } else { Wholeness::Required(required) };
        let mut guard = ToolCallGuard::new(hold, wholeness);
        let mut passed = VecDeque::new();
        for event in blocks.concat() {
            assert_eq!(guard.pass(event, &mut passed), Ok(()));
        }
        let cut = guard.pass(Event::Stop(stop), &mut passed).err();
        (passed.into(), cut)
    }

    fn ended(blocks: &[Vec<Event>], stop: StopReason) -> (Vec<Event>, Option<CutCall>) {
        let mut events = blocks.concat();
        events.push(Event::Stop(stop));
        (events, None)
    }

    fn cut_after(blocks: &[Vec<Event>], reason: StopReason) -> (Vec<Event>, Option<CutCall>) {
        (blocks.concat(), Some(CutCall { tool: "write".into(), reason }))
    }

    #[test]
    fn a_cut_call_never_leaves_as_a_call() {
        for stop in [StopReason::MaxTokens, StopReason::ContextWindow, StopReason::ContentFiltered] {
            let half = [text(), call(0, HALF)];
            // Held back: what stands beside the call is kept, and without anything the answer fails.
            assert_eq!(passed(true, true, &half, stop.clone()), ended(&half[..1], stop.clone()));
            assert_eq!(passed(true, true, &half[1..], stop.clone()), cut_after(&[], stop.clone()));
            let second = [call(0, WHOLE), call(1, HALF)];
            assert_eq!(passed(true, true, &second, stop.clone()), ended(&second[..1], stop.clone()));
            // Passed on as it came: an error takes the place of the stop.
            assert_eq!(passed(false, true, &half, stop.clone()), cut_after(&half, stop.clone()));
            // A complete answer: Bedrock has closed the JSON itself, and has left out what was not finished.
            let closed = [text(), call(0, WHOLE)];
            assert_eq!(passed(true, false, &closed, stop.clone()), ended(&closed[..1], stop.clone()));
            // Before its first argument, a cut call looks like one without arguments.
            let empty = [text(), call(0, "{}")];
            assert_eq!(passed(true, true, &empty, stop.clone()), ended(&empty[..1], stop.clone()));
            assert_eq!(passed(false, true, &empty, stop.clone()), cut_after(&empty, stop));
        }
    }

    #[test]
    fn half_a_call_never_leaves_whatever_follows_it() {
        // The last call, with a stop that says that the answer is complete.
        for stop in [StopReason::EndTurn, StopReason::ToolUse, StopReason::StopSequence(None)] {
            let half = [text(), call(0, HALF)];
            assert_eq!(passed(true, true, &half, stop.clone()), ended(&half[..1], StopReason::MaxTokens));
            assert_eq!(passed(false, true, &half, stop.clone()), cut_after(&half, stop.clone()));
            let second = [call(0, WHOLE), call(1, HALF)];
            assert_eq!(passed(true, true, &second, stop.clone()), ended(&second[..1], StopReason::ToolUse));
            // The answer goes on after it.
            let inside = [call(0, HALF), text()];
            assert_eq!(passed(true, true, &inside, stop.clone()), ended(&inside[1..], StopReason::MaxTokens));
            let first = [call(0, HALF), call(1, WHOLE)];
            assert_eq!(passed(true, true, &first, stop), ended(&first[1..], StopReason::ToolUse));
        }
    }

    #[test]
    fn a_whole_call_leaves_as_a_call_whatever_the_stop_says() {
        let whole = [text(), call(0, WHOLE)];
        for stop in [StopReason::EndTurn, StopReason::ToolUse, StopReason::Unknown("new".into())] {
            for hold in [false, true] {
                assert_eq!(passed(hold, true, &whole, stop.clone()), ended(&whole, StopReason::ToolUse), "{stop:?}");
            }
        }
        let all_required = [text(), call(0, "{\"path\": \"a.txt\", \"content\": \"a\"}")];
        let text_after = [call(0, WHOLE), text()];
        for whole in [all_required, text_after] {
            assert_eq!(passed(true, false, &whole, StopReason::MaxTokens), ended(&whole, StopReason::MaxTokens));
        }
        for hold in [false, true] {
            assert_eq!(passed(hold, true, &whole, StopReason::MaxTokens), ended(&whole, StopReason::MaxTokens));
        }
        let without_arguments = [call(0, "{}")];
        for stop in [StopReason::EndTurn, StopReason::ToolUse] {
            assert_eq!(passed(true, true, &without_arguments, stop), ended(&without_arguments, StopReason::ToolUse));
        }
        assert_eq!(passed(true, true, &[text()], StopReason::MaxTokens), ended(&[text()], StopReason::MaxTokens));
    }

    #[test]
    fn nothing_of_a_held_call_is_passed_on_before_it_is_whole() {
        let mut guard = ToolCallGuard::new(true, Wholeness::Json);
        let mut passed = VecDeque::new();
        let events = call(0, WHOLE);
        for event in &events[..events.len() - 1] {
            assert_eq!(guard.pass(event.clone(), &mut passed), Ok(()));
            assert!(passed.is_empty(), "{event:?}");
        }
        assert_eq!(guard.pass(Event::BlockEnd, &mut passed), Ok(()));
        assert_eq!(Vec::from(passed), events);
    }
}
