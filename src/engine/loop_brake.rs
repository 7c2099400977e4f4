//! Ends a loop that an agent does not end itself: it calls a tool with more than `max_tokens` allows, is cut, and tries
//! the same again, each time at the price of the whole conversation. After a few cuts in a row, further requests of the
//! conversation are refused with what to change.

use super::caller::Caller;
use crate::conversation::Request;
use crate::error::{Error, Field, Kind, Result};
use crate::ledger::KeyId;
use crate::policy::{Admitted, TokenLimit};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// After so many cuts in a row a conversation is refused.
const MAX_CUTS: u32 = 3;
/// How long a conversation is refused after its last cut. Then one request may show whether a person has changed what
/// the agent does; if it is cut too, the conversation is refused again.
const REFUSED_FOR: Duration = Duration::from_mins(1);
/// How long cuts are remembered.
const MAX_AGE: Duration = Duration::from_hours(1);
/// The most conversations that are remembered, those that were cut last.
const MAX_CONVERSATIONS: usize = 4096;

/// The hash that stands for a conversation. Nothing that a client has sent is kept.
type Conversation = [u8; 32];

/// The conversations whose last answers were cut inside a tool call.
#[derive(Debug, Default)]
pub(super) struct LoopBrake(Mutex<HashMap<Conversation, Row>>);

/// Cuts in a row.
#[derive(Debug, Clone)]
struct Row {
    cuts: u32,
    last: Instant,
    /// The `max_tokens` that the policy allowed, before a budget shortened the answer.
    allowed: u32,
    /// Where the last answer was cut.
    limit: TokenLimit,
}

/// Tells the brake how an answer ended.
#[derive(Debug)]
pub(super) struct Brake {
    rows: Arc<LoopBrake>,
    conversation: Conversation,
    allowed: u32,
}

impl LoopBrake {
    /// Lets a request pass. `None` where it cannot call tools, and so has no part in a loop.
    ///
    /// # Errors
    /// `ToolCallCut` for a conversation whose last answers were all cut inside a tool call.
    pub(super) fn check(self: &Arc<Self>, admitted: &Admitted, caller: &Caller) -> Result<Option<Brake>> {
        if !admitted.may_call_tools() {
            return Ok(None);
        }
        let conversation =
            conversation(admitted.request(), &admitted.model().id, caller.key.as_ref().map(|key| key.id));
        let allowed = admitted.max_tokens();
        self.check_at(conversation, allowed, Instant::now())?;
        Ok(Some(Brake { rows: Arc::clone(self), conversation, allowed }))
    }

    fn check_at(&self, conversation: Conversation, allowed: u32, now: Instant) -> Result<()> {
        let mut rows = self.rows();
        let Some(row) = rows.get(&conversation) else { return Ok(()) };
        // A person has raised the limit, or it was long ago.
        if allowed > row.allowed || now.duration_since(row.last) >= MAX_AGE {
            rows.remove(&conversation);
            return Ok(());
        }
        if row.cuts < MAX_CUTS || now.duration_since(row.last) >= REFUSED_FOR {
            return Ok(());
        }
        let (limit, cuts) = (row.limit.describe(), row.cuts);
        let message = format!("the answer was cut at {limit}, {cuts} times in a row inside a tool call");
        Err(Error::new(Kind::ToolCallCut, message).at(Field::MaxTokens).advise(row.limit.remedy()))
    }

    fn add_cut(&self, conversation: Conversation, allowed: u32, limit: TokenLimit, now: Instant) {
        let mut rows = self.rows();
        if rows.len() >= MAX_CONVERSATIONS && !rows.contains_key(&conversation) {
            rows.retain(|_, row| now.duration_since(row.last) < MAX_AGE);
            let oldest = rows.iter().min_by_key(|(_, row)| row.last).map(|(conversation, _)| *conversation);
            if let Some(oldest) = oldest.filter(|_| rows.len() >= MAX_CONVERSATIONS) {
                rows.remove(&oldest);
            }
        }
        let before = rows.get(&conversation).filter(|row| now.duration_since(row.last) < MAX_AGE);
        let cuts = before.map_or(0, |row| row.cuts).saturating_add(1);
        rows.insert(conversation, Row { cuts, last: now, allowed, limit });
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<Conversation, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Brake {
    /// The answer was cut inside a tool call.
    pub(super) fn cut(&self, limit: TokenLimit) {
        self.rows.add_cut(self.conversation, self.allowed, limit, Instant::now());
    }

    /// The answer is whole, so the conversation is not in a loop.
    pub(super) fn whole(&self) {
        self.rows.rows().remove(&self.conversation);
    }
}

/// The conversation of a request: the client's own id for it, or where there is none, all requests of a key to a model.
fn conversation(request: &Request, model: &str, key: Option<KeyId>) -> Conversation {
    let (kind, name) = match &request.conversation {
        Some(id) => ("conversation", id.as_str()),
        None => ("model", model),
    };
    let mut hash = Sha256::new();
    hash.update(format!("{key:?} {kind} "));
    hash.update(name);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::policy::LimitSource;

    fn limit(tokens: u32) -> TokenLimit {
        TokenLimit { tokens, source: LimitSource::Limit, requested: Some(32_000), table: "[limits]".into() }
    }

    /// What happens in a conversation.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Cut,
        Whole,
        /// So much time passes.
        Pass(Duration),
        /// A request with this `max_tokens` passes, or not.
        Ask(u32, bool),
    }

    #[test]
    fn three_cuts_in_a_row_end_a_loop_and_a_person_can_go_on() {
        use Step::{Ask, Cut, Pass, Whole};
        let (minute, hour) = (REFUSED_FOR, MAX_AGE);
        let short = Duration::from_secs(30);
        for steps in [
            &[Ask(1024, true), Cut, Ask(1024, true), Cut, Ask(1024, true), Cut, Ask(1024, false), Ask(1024, false)][..],
            &[Cut, Cut, Whole, Cut, Cut, Ask(1024, true), Cut, Ask(1024, false)],
            // A raised limit resets it; a lower one does not.
            &[Cut, Cut, Cut, Ask(1023, false), Ask(1025, true), Ask(1024, true), Cut, Ask(1024, true)],
            // A person has changed something, and it helped, or it did not.
            &[Cut, Cut, Cut, Pass(short), Ask(1024, false), Pass(short), Ask(1024, true), Whole, Cut, Ask(1024, true)],
            &[Cut, Cut, Cut, Pass(minute), Ask(1024, true), Cut, Ask(1024, false)],
            // Cuts of another time.
            &[Cut, Cut, Pass(hour), Cut, Ask(1024, true)],
            &[Cut, Cut, Cut, Pass(hour), Ask(1024, true), Cut, Cut, Ask(1024, true)],
        ] {
            let brake = Arc::new(LoopBrake::default());
            let conversation = [7; 32];
            let mut now = Instant::now();
            for (index, step) in steps.iter().enumerate() {
                match *step {
                    Cut => brake.add_cut(conversation, 1024, limit(1024), now),
                    Whole => Brake { rows: Arc::clone(&brake), conversation, allowed: 1024 }.whole(),
                    Pass(time) => now += time,
                    Ask(allowed, passes) => {
                        assert_eq!(
                            brake.check_at(conversation, allowed, now).is_ok(),
                            passes,
                            "step {index} of {steps:?}"
                        );
                        assert!(brake.check_at([8; 32], allowed, now).is_ok(), "another conversation goes on");
                    }
                }
            }
        }
    }

    #[test]
    fn the_refusal_says_what_to_change() {
        let brake = LoopBrake::default();
        let now = Instant::now();
        (0..3).for_each(|_| brake.add_cut([7; 32], 16_000, limit(1024), now));
        let error = brake.check_at([7; 32], 16_000, now).unwrap_err();
        assert_eq!((error.kind, error.at.clone()), (Kind::ToolCallCut, Some(Field::MaxTokens)));
        assert_eq!(
            error.to_string(),
            "the answer was cut at 1024 tokens, the operator's limit (the request asked for 32000), 3 times in a row \
             inside a tool call; set max_tokens_limit = 32000 under [limits] in the config file, or run chatrix serve \
             --max-tokens-limit 32000"
        );
    }

    #[test]
    fn a_conversation_is_told_by_the_clients_id_or_by_key_and_model() {
        let of = |id: Option<&str>, model, key| {
            let request = Request { conversation: id.map(ToOwned::to_owned), ..Request::default() };
            conversation(&request, model, key)
        };
        let (one, two) = (Some(KeyId(1)), Some(KeyId(2)));
        assert_eq!(of(Some("a"), "m", one), of(Some("a"), "n", one), "a conversation may change its model");
        let others = [of(Some("b"), "m", one), of(Some("a"), "m", two), of(Some("a"), "m", None), of(None, "a", one)];
        assert!(others.iter().all(|other| *other != of(Some("a"), "m", one)));
        assert_eq!(of(None, "m", one), of(None, "m", one));
        assert!([of(None, "n", one), of(None, "m", two)].iter().all(|other| *other != of(None, "m", one)));
    }

    #[test]
    fn only_so_many_conversations_are_remembered() {
        let brake = LoopBrake::default();
        let began = Instant::now();
        for n in 0..MAX_CONVERSATIONS + 5 {
            let mut conversation = [0; 32];
            conversation[..8].copy_from_slice(&n.to_le_bytes());
            brake.add_cut(conversation, 1024, limit(1024), began + Duration::from_millis(u64::try_from(n).unwrap()));
        }
        let rows = brake.rows();
        assert_eq!(rows.len(), MAX_CONVERSATIONS);
        assert!(!rows.contains_key(&[0; 32]), "the oldest was forgotten");
    }
}
