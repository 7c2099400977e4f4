//! Claude signs its thoughts, and inside a tool loop wants them back with the call (cases.md R1). Clients that drop
//! them, Jan among them, would break the loop: so the thoughts of an answer that calls tools are kept for a while,
//! by the call's id, and put back when the client comes with the result. In memory only, bounded, never logged.

use crate::conversation::{Event, Message, Part, Reasoning, Role};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many answers are kept, and how many bytes of thoughts altogether.
const MOST: usize = 1000;
const MOST_BYTES: usize = 16 << 20;
/// For how long: a person may take a while to allow a tool.
const KEPT: Duration = Duration::from_hours(1);

/// The thoughts that are kept.
#[derive(Debug, Default)]
pub struct ReasoningCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// ReasoningCache by the id of a tool call; the calls of one answer share them.
    by_call: HashMap<String, Arc<Vec<Reasoning>>>,
    /// When each was kept, and its size in bytes, oldest first.
    ages: VecDeque<(Instant, String, usize)>,
    bytes: usize,
}

impl ReasoningCache {
    fn keep(&self, calls: &[String], reasoning: Vec<Reasoning>) {
        let size: usize = reasoning.iter().map(size).sum();
        let reasoning = Arc::new(reasoning);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            kept.by_call.insert(call.clone(), Arc::clone(&reasoning));
            kept.ages.push_back((Instant::now(), call.clone(), size));
            kept.bytes += size;
        }
        kept.forget();
    }

    /// Puts thoughts back where a client dropped them.
    pub fn restore(&self, messages: &mut [Message]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_call.is_empty() {
            return;
        }
        kept.forget();
        for message in messages.iter_mut().filter(|message| message.role == Role::Assistant) {
            if message.parts.iter().any(|part| matches!(part, Part::Reasoning(_))) {
                continue;
            }
            let thoughts = message.parts.iter().find_map(|part| match part {
                Part::ToolCall(call) => kept.by_call.get(&call.id),
                _ => None,
            });
            if let Some(thoughts) = thoughts {
                message.parts.splice(0..0, thoughts.iter().cloned().map(Part::Reasoning));
            }
        }
    }
}

impl Kept {
    fn forget(&mut self) {
        while let Some((since, _, _)) = self.ages.front() {
            if self.ages.len() <= MOST && self.bytes <= MOST_BYTES && since.elapsed() < KEPT {
                break;
            }
            if let Some((_, call, size)) = self.ages.pop_front() {
                self.bytes -= size;
                self.by_call.remove(&call);
            }
        }
    }
}

fn size(reasoning: &Reasoning) -> usize {
    match reasoning {
        Reasoning::Text { text, signature } => text.len() + signature.as_ref().map_or(0, String::len),
        Reasoning::Redacted(data) => data.len(),
    }
}

/// Follows one answer and keeps its thoughts if it ends in tool calls.
#[derive(Debug)]
pub struct ReasoningRecorder {
    thoughts: Arc<ReasoningCache>,
    reasoning: Vec<Reasoning>,
    calls: Vec<String>,
}

impl ReasoningRecorder {
    /// For one answer.
    pub fn new(thoughts: Arc<ReasoningCache>) -> Self {
        Self { thoughts, reasoning: Vec::new(), calls: Vec::new() }
    }

    /// Sees an event go by.
    pub fn follow(&mut self, event: &Event) {
        event.think(&mut self.reasoning);
        match event {
            Event::ToolCall { id, .. } => self.calls.push(id.clone()),
            Event::Stop(_) => {
                // Unsigned thoughts are nobody's to give back.
                self.reasoning.retain(|thought| !matches!(thought, Reasoning::Text { signature: None, .. }));
                if !self.calls.is_empty() && !self.reasoning.is_empty() {
                    self.thoughts.keep(&self.calls, std::mem::take(&mut self.reasoning));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{StopReason, ToolCall};

    fn message(id: &str) -> Vec<Message> {
        let call = ToolCall { id: id.into(), name: "look".into(), arguments: String::new() };
        vec![Message { role: Role::Assistant, parts: vec![Part::ToolCall(call)] }]
    }

    #[test]
    fn r1_thoughts_come_back_with_the_call_and_only_with_it() {
        let thoughts = Arc::new(ReasoningCache::default());
        let mut thread = ReasoningRecorder::new(Arc::clone(&thoughts));
        for event in [
            Event::Reasoning("let me ".into()),
            Event::Reasoning("look".into()),
            Event::Signature("sig".into()),
            Event::Redacted("ZW5j".into()),
            Event::ToolCall { index: 0, id: "a".into(), name: "look".into() },
            Event::Stop(StopReason::ToolUse),
        ] {
            thread.follow(&event);
        }
        let mut messages = message("a");
        thoughts.restore(&mut messages);
        let thought = Reasoning::Text { text: "let me look".into(), signature: Some("sig".into()) };
        assert_eq!(messages[0].parts[0], Part::Reasoning(thought));
        assert_eq!(messages[0].parts[1], Part::Reasoning(Reasoning::Redacted("ZW5j".into())));
        assert_eq!(messages[0].parts.len(), 3);
        let again = messages.clone();
        thoughts.restore(&mut messages);
        assert_eq!(messages, again, "what the client kept is left alone");
        let mut other = message("b");
        thoughts.restore(&mut other);
        assert_eq!(other, message("b"));
    }

    #[test]
    fn the_store_is_bounded() {
        let thoughts = ReasoningCache::default();
        let big = |n: usize| vec![Reasoning::Redacted("x".repeat(n))];
        for n in 0..2 * MOST {
            thoughts.keep(&[n.to_string()], big(1));
        }
        thoughts.keep(&["big".into()], big(MOST_BYTES - 10));
        thoughts.keep(&["last".into()], big(100));
        let kept = thoughts.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(kept.ages.len() <= MOST && kept.bytes <= MOST_BYTES && kept.by_call.len() == kept.ages.len());
        assert!(kept.by_call.contains_key("last") && !kept.by_call.contains_key("big"));
    }
}
