//! Claude signs its reasoning and, inside a tool loop, expects it back with the tool call (docs/cases.md, R1). Some
//! clients drop it, Jan among them, which would break the loop. So the reasoning of an answer that calls tools is
//! cached by the id of the call, and restored when the client sends the result. The cache is bounded, held only in
//! memory, and never logged.

use crate::conversation::{Event, Message, Part, Reasoning, Role, continue_reasoning};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most tool calls in the cache.
const MAX_CALLS: usize = 1000;
/// The most bytes of reasoning in the cache.
const MAX_BYTES: usize = 16 << 20;
/// How long a call stays in the cache. A person may take a while to allow a tool.
const MAX_AGE: Duration = Duration::from_hours(1);

#[derive(Debug, Default)]
pub(super) struct ReasoningCache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// The reasoning by the id of a tool call. The calls of one answer share it.
    by_call: HashMap<String, Arc<Vec<Reasoning>>>,
    /// The time, the id and the size in bytes of each entry, the oldest first.
    by_age: VecDeque<(Instant, String, usize)>,
    bytes: usize,
}

impl ReasoningCache {
    fn insert(&self, calls: &[String], reasoning: Vec<Reasoning>) {
        let size: usize = reasoning.iter().map(byte_size).sum();
        let reasoning = Arc::new(reasoning);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            entries.by_call.insert(call.clone(), Arc::clone(&reasoning));
            entries.by_age.push_back((Instant::now(), call.clone(), size));
            entries.bytes += size;
        }
        entries.evict();
    }

    /// Restores reasoning that a client dropped. Each is restored once: a client may repeat the id of one call in every
    /// message, and the request would grow with each.
    pub(super) fn restore(&self, messages: &mut [Message]) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.by_call.is_empty() {
            return;
        }
        entries.evict();
        let mut restored = HashSet::new();
        for message in messages.iter_mut().filter(|message| message.role == Role::Assistant) {
            if message.parts.iter().any(|part| matches!(part, Part::Reasoning(_))) {
                continue;
            }
            let reasoning = message.parts.iter().find_map(|part| match part {
                Part::ToolCall(call) => entries.by_call.get(&call.id),
                _ => None,
            });
            if let Some(reasoning) = reasoning
                && restored.insert(Arc::as_ptr(reasoning))
            {
                message.parts.splice(0..0, reasoning.iter().cloned().map(Part::Reasoning));
            }
        }
    }
}

impl Entries {
    /// Removes the oldest entries until the cache is within its bounds.
    fn evict(&mut self) {
        while let Some((inserted_at, _, _)) = self.by_age.front() {
            if self.by_age.len() <= MAX_CALLS && self.bytes <= MAX_BYTES && inserted_at.elapsed() < MAX_AGE {
                break;
            }
            if let Some((_, call, size)) = self.by_age.pop_front() {
                self.bytes -= size;
                self.by_call.remove(&call);
            }
        }
    }
}

fn byte_size(reasoning: &Reasoning) -> usize {
    match reasoning {
        Reasoning::Text { text, signature } => text.len() + signature.as_ref().map_or(0, String::len),
        Reasoning::Redacted(data) => data.len(),
    }
}

/// Records the reasoning of one answer, and caches it if the answer ends in tool calls.
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

    pub(super) fn record(&mut self, event: &Event) {
        match event {
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => {
                let open_block = if self.open { self.reasoning.last_mut() } else { None };
                if let Some(reasoning) = continue_reasoning(open_block, event) {
                    self.reasoning.push(reasoning);
                }
                self.open = true;
            }
            Event::ToolCall { id, .. } => self.calls.push(id.clone()),
            Event::BlockEnd => self.open = false,
            Event::Stop(_) => {
                // Claude accepts reasoning back only with its signature.
                self.reasoning.retain(|block| !matches!(block, Reasoning::Text { signature: None, .. }));
                if !self.calls.is_empty() && !self.reasoning.is_empty() {
                    self.cache.insert(&self.calls, std::mem::take(&mut self.reasoning));
                }
            }
            Event::Text(_) | Event::Citation(_) | Event::Arguments { .. } | Event::Usage(_) | Event::Native(_) => {}
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
    fn r1_reasoning_is_restored_to_its_own_call_only() {
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
        assert_eq!(messages, again, "reasoning that the client kept is not restored again");
        let mut repeated = [message("a"), message("a")].concat();
        cache.restore(&mut repeated);
        assert_eq!((repeated[0].parts.len(), repeated[1].parts.len()), (3, 1), "restored once");
        let mut other = message("b");
        cache.restore(&mut other);
        assert_eq!(other, message("b"));
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = ReasoningCache::default();
        let reasoning = |bytes: usize| vec![Reasoning::Redacted("x".repeat(bytes))];
        for n in 0..2 * MAX_CALLS {
            cache.insert(&[n.to_string()], reasoning(1));
        }
        cache.insert(&["big".into()], reasoning(MAX_BYTES - 10));
        cache.insert(&["last".into()], reasoning(100));
        let entries = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(entries.by_age.len() <= MAX_CALLS && entries.bytes <= MAX_BYTES);
        assert_eq!(entries.by_call.len(), entries.by_age.len());
        assert!(entries.by_call.contains_key("last") && !entries.by_call.contains_key("big"));
    }
}
