//! What the prompts of earlier calls had for tokens. A conversation that goes on sends its earlier turns again, so the
//! tokens of the last call, which Bedrock has reported, and a bound of what was added since are a bound for the next one:
//! a far lower one than the bytes of the whole.
//!
//! The rule: a prompt has at most the tokens of an earlier prompt that it begins with, or that begins like it, and the
//! bound of its turns behind that beginning. It holds for beginnings that have the same tokens in both
//! ([`PromptTurn::is_fixed`], [`Prompt::more_when_continued`]), after which a new turn begins, so that no token reaches across;
//! and only where everything beside the conversation is the same ([`Prompt::setting`]).

use crate::bedrock::{Prompt, PromptHash, PromptTurn};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is added to a bound, although the tokens of the beginning are known (tokens): the mark where the answer begins.
const MARGIN: u64 = 64;
/// The most beginnings in one of the two generations. Each takes less than 100 bytes.
const MAX_BEGINNINGS: usize = 16_384;
/// How many beginnings of one prompt are remembered besides the whole and the setting: agents change their last turns.
const LAST_TURNS: usize = 8;

/// The tokens of prompts, in memory only, by hashes that say nothing about their text.
#[derive(Debug, Default)]
pub(super) struct KnownPrompts(Mutex<Beginnings>);

/// The most tokens that a prompt has up to some place. When the recent ones are too many they become the older ones, and
/// the older ones are forgotten.
#[derive(Debug, Default)]
struct Beginnings {
    recent: HashMap<PromptHash, u64>,
    older: HashMap<PromptHash, u64>,
}

impl KnownPrompts {
    /// A bound of a prompt's tokens. `None` when nothing is known about how it begins.
    pub(super) fn bound(&self, prompt: &Prompt) -> Option<u64> {
        let mut beginnings = self.beginnings();
        let mut lowest: Option<u64> = None;
        let mut added = prompt.unhashed;
        let mut consider = |hash: &PromptHash, added: u64| {
            let bound = beginnings.get(hash)?.saturating_add(added).saturating_add(MARGIN);
            lowest = Some(lowest.map_or(bound, |lowest| lowest.min(bound)));
            lowest
        };
        for PromptTurn { until_here, added_at_most, is_fixed: _ } in prompt.turns.iter().rev() {
            consider(until_here, added);
            let Some(tokens) = added_at_most else { return lowest };
            added = added.saturating_add(*tokens);
        }
        consider(&prompt.setting, added);
        lowest
    }

    /// Remembers the tokens of a prompt, which Bedrock has reported.
    pub(super) fn record(&self, prompt: &Prompt, tokens: u64) {
        // A guardrail that blocks an input reports no tokens.
        if tokens == 0 {
            return;
        }
        let Prompt { setting, turns, unhashed: _, more_when_continued } = prompt;
        let mut beginnings = self.beginnings();
        beginnings.insert(*setting, tokens);
        let fixed = turns.iter().take_while(|turn| turn.is_fixed).count().min(turns.len().saturating_sub(1));
        for turn in turns.iter().take(fixed).skip(turns.len().saturating_sub(LAST_TURNS)) {
            beginnings.insert(turn.until_here, tokens);
        }
        if let (Some(last), Some(more)) = (turns.last(), more_when_continued) {
            beginnings.insert(last.until_here, tokens.saturating_add(*more));
        }
    }

    fn beginnings(&self) -> MutexGuard<'_, Beginnings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beginnings {
    /// The known tokens. What is asked for stays among the recent ones.
    fn get(&mut self, hash: &PromptHash) -> Option<u64> {
        if let Some(tokens) = self.recent.get(hash) {
            return Some(*tokens);
        }
        let tokens = self.older.get(hash).copied()?;
        self.insert(*hash, tokens);
        Some(tokens)
    }

    /// Each of several calls with the same beginning bounds it, so the lowest counts.
    fn insert(&mut self, hash: PromptHash, tokens: u64) {
        if self.recent.len() >= MAX_BEGINNINGS && !self.recent.contains_key(&hash) {
            self.older = std::mem::take(&mut self.recent);
        }
        let known = self.recent.get(&hash).or_else(|| self.older.get(&hash)).copied();
        self.recent.insert(hash, known.map_or(tokens, |known| known.min(tokens)));
    }
}

/// Remembers the tokens of one call's prompt, once they are known.
#[derive(Debug)]
pub(super) struct PromptRecorder {
    known: Arc<KnownPrompts>,
    prompt: Prompt,
}

impl PromptRecorder {
    pub(super) fn new(known: Arc<KnownPrompts>, prompt: Prompt) -> Self {
        Self { known, prompt }
    }

    pub(super) fn record(&self, tokens: u64) {
        self.known.record(&self.prompt, tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(name: &str) -> PromptHash {
        let mut hash = [0; 32];
        hash[..name.len()].copy_from_slice(name.as_bytes());
        hash
    }

    /// A prompt whose turns are the letters of a word. Each adds at most 100 tokens; an upper-case one has reasoning, and `i`
    /// is an image.
    fn prompt(word: &str) -> Prompt {
        let turns = word.char_indices().map(|(index, letter)| PromptTurn {
            until_here: hash(&word[..=index]),
            added_at_most: (letter != 'i').then_some(100),
            is_fixed: letter.is_lowercase() && letter != 'i',
        });
        Prompt { setting: hash("."), turns: turns.collect(), unhashed: 0, more_when_continued: Some(0) }
    }

    #[test]
    fn a_prompt_is_bounded_by_those_that_begin_like_it() {
        for (earlier, tokens, later, bound) in [
            ("a", 1000, "abc", Some(1000 + 200)),
            ("abc", 1000, "abc", Some(1000)),
            ("abc", 1000, "ab", Some(1000)),
            // The end was changed, the whole was, or nothing is the same but the setting.
            ("abc", 1000, "abd", Some(1000 + 100)),
            ("abc", 1000, "xy", Some(1000 + 200)),
            ("a", 0, "ab", None),
            // Reasoning in what both have, and in what one of them has.
            ("aBc", 1000, "aBcde", Some(1000 + 200)),
            ("aBc", 1000, "aBd", Some(1000 + 200)),
            ("aBcd", 1000, "aBc", Some(1000 + 200)),
            // Images: known where the whole is, and never bounded where they are added.
            ("aic", 1000, "aicde", Some(1000 + 200)),
            ("aicd", 1000, "aice", None),
            ("a", 1000, "aib", None),
        ] {
            let known = KnownPrompts::default();
            known.record(&prompt(earlier), tokens);
            assert_eq!(known.bound(&prompt(later)), bound.map(|bound| bound + MARGIN), "{earlier} {later}");
            let elsewhere = Prompt { setting: hash("other"), ..prompt("") };
            assert_eq!(known.bound(&elsewhere), None);
        }
    }

    #[test]
    fn what_a_longer_prompt_may_have_more_is_added() {
        for (more_when_continued, bound) in [(Some(0), 1100), (Some(50), 1150), (None, 1300)] {
            let known = KnownPrompts::default();
            known.record(&Prompt { more_when_continued, ..prompt("aBc") }, 1000);
            assert_eq!(known.bound(&prompt("aBcd")), Some(bound + MARGIN));
            assert_eq!(known.bound(&Prompt { unhashed: 7, ..prompt("aBcd") }), Some(bound + 7 + MARGIN));
        }
    }

    #[test]
    fn of_several_bounds_the_lowest_counts() {
        let known = KnownPrompts::default();
        known.record(&prompt("abc"), 5000);
        known.record(&prompt("a"), 1000);
        known.record(&prompt("ab"), 1100);
        known.record(&prompt("abcd"), 9000);
        assert_eq!(known.bound(&prompt("abx")), Some(1100 + 100 + MARGIN));
        assert_eq!(known.bound(&prompt("x")), Some(1000 + 100 + MARGIN));
    }

    #[test]
    fn only_so_many_beginnings_are_remembered_and_those_in_use_stay() {
        let known = KnownPrompts::default();
        known.record(&prompt("a"), 1000);
        for n in 0..4 * MAX_BEGINNINGS {
            let mut setting = hash("other");
            setting[24..].copy_from_slice(&n.to_le_bytes());
            known.record(&Prompt { setting, ..prompt("") }, 1000);
            assert!(known.bound(&prompt("ab")).is_some(), "{n}");
        }
        let beginnings = known.beginnings();
        assert!(beginnings.recent.len() <= MAX_BEGINNINGS && beginnings.older.len() <= MAX_BEGINNINGS);
        assert!(!beginnings.recent.contains_key(&hash("other")) && !beginnings.older.contains_key(&hash("other")));
    }
}
