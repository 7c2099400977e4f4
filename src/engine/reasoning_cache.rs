//! Claude signs its reasoning, and inside a tool loop wants it back with the call (docs/cases.md, R1). Clients that drop
//! it, Jan among them, would break the loop. So the reasoning of an answer that calls tools is kept for a while, by the
//! call's id, and put back when the client comes with the result. In memory only, bounded, never logged.

use crate::conversation::{Event, Message, Part, Reasoning, Role, continue_reasoning};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many calls are remembered, and how many bytes of reasoning altogether.
const MOST_CALLS: usize = 1000;
const MOST_BYTES: usize = 16 << 20;
/// How long a call is remembered: a person may take a while to allow a tool.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// Reasoning that clients may have dropped.
#[derive(Debug, Default)]
pub(super) struct ReasoningCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Reasoning by the id of a tool call; the calls of one answer share it.
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

    /// Puts reasoning back where a client dropped it.
    pub(super) fn restore(&self, messages: &mut [Message]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_call.is_empty() {
            return;
        }
        kept.forget();
        for message in messages.iter_mut().filter(|message| message.role == Role::Assistant) {
            if message.parts.iter().any(|part| matches!(part, Part::Reasoning(_))) {
                continue;
            }
            let reasoning = message.parts.iter().find_map(|part| match part {
                Part::ToolCall(call) => kept.by_call.get(&call.id),
                _ => None,
            });
            if let Some(reasoning) = reasoning {
                message.parts.splice(0..0, reasoning.iter().cloned().map(Part::Reasoning));
            }
        }
    }
}

impl Kept {
    fn forget(&mut self) {
        while let Some((since, _, _)) = self.ages.front() {
            if self.ages.len() <= MOST_CALLS && self.bytes <= MOST_BYTES && since.elapsed() < KEPT_FOR {
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

/// Follows one answer and keeps its reasoning if it ends in tool calls.
#[derive(Debug)]
pub(super) struct ReasoningRecorder {
    cache: Arc<ReasoningCache>,
    reasoning: Vec<Reasoning>,
    /// Whether the last block of reasoning may still grow.
    open: bool,
    calls: Vec<String>,
}

impl ReasoningRecorder {
    pub(super) fn new(cache: Arc<ReasoningCache>) -> Self {
        Self { cache, reasoning: Vec::new(), open: false, calls: Vec::new() }
    }

    /// Takes note of an event.
    pub(super) fn record(&mut self, event: &Event) {
        match event {
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => {
                let last = self.reasoning.last_mut().filter(|_| self.open);
                if let Some(reasoning) = continue_reasoning(last, event) {
                    self.reasoning.push(reasoning);
                }
                self.open = true;
            }
            Event::ToolCall { id, .. } => self.calls.push(id.clone()),
            Event::BlockEnd => self.open = false,
            Event::Stop(_) => {
                // Reasoning without a signature cannot be given back.
                self.reasoning.retain(|block| !matches!(block, Reasoning::Text { signature: None, .. }));
                if !self.calls.is_empty() && !self.reasoning.is_empty() {
                    self.cache.keep(&self.calls, std::mem::take(&mut self.reasoning));
                }
            }
            Event::Text(_) | Event::Citation(_) | Event::Arguments { .. } | Event::Usage(_) => {}
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
    fn r1_reasoning_comes_back_with_the_call_and_only_with_it() {
        let cache = Arc::new(ReasoningCache::default());
        let mut recorder = ReasoningRecorder::new(Arc::clone(&cache));
        for event in [
            Event::Reasoning("let me ".into()),
            Event::Reasoning("look".into()),
            Event::Signature("sig".into()),
            Event::BlockEnd,
            Event::Redacted("ZW5j".into()),
            Event::BlockEnd,
            Event::ToolCall { index: 0, id: "a".into(), name: "look".into() },
            Event::Stop(StopReason::ToolUse),
        ] {
            recorder.record(&event);
        }
        let mut messages = message("a");
        cache.restore(&mut messages);
        let reasoning = Reasoning::Text { text: "let me look".into(), signature: Some("sig".into()) };
        assert_eq!(messages[0].parts[0], Part::Reasoning(reasoning));
        assert_eq!(messages[0].parts[1], Part::Reasoning(Reasoning::Redacted("ZW5j".into())));
        assert_eq!(messages[0].parts.len(), 3);
        let again = messages.clone();
        cache.restore(&mut messages);
        assert_eq!(messages, again, "what the client kept is left alone");
        let mut other = message("b");
        cache.restore(&mut other);
        assert_eq!(other, message("b"));
    }

    #[test]
    fn the_store_is_bounded() {
        let cache = ReasoningCache::default();
        let big = |n: usize| vec![Reasoning::Redacted("x".repeat(n))];
        for n in 0..2 * MOST_CALLS {
            cache.keep(&[n.to_string()], big(1));
        }
        cache.keep(&["big".into()], big(MOST_BYTES - 10));
        cache.keep(&["last".into()], big(100));
        let kept = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(kept.ages.len() <= MOST_CALLS && kept.bytes <= MOST_BYTES && kept.by_call.len() == kept.ages.len());
        assert!(kept.by_call.contains_key("last") && !kept.by_call.contains_key("big"));
    }
}
