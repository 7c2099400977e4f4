//! JSON asked for in words comes in a code fence now and then (`format`). It is taken off while it streams.

/// Takes a code fence off JSON that was asked for bare, while it streams.
#[derive(Debug)]
pub(super) enum CodeFence {
    /// Nothing to take off.
    Off,
    /// Not known yet.
    Start(String),
    /// Inside one: what may be its end is held back.
    Inside(String),
}

impl CodeFence {
    /// The next piece of the text.
    pub(super) fn pass(&mut self, text: &str) -> String {
        match self {
            Self::Off => text.to_owned(),
            Self::Start(held) => {
                held.push_str(text);
                let start = held.trim_start();
                if "```".starts_with(start.get(..3).unwrap_or(start))
                    && !(start.starts_with("```") && start.contains('\n'))
                {
                    return String::new();
                }
                if let Some((_, body)) = start.strip_prefix("```").and_then(|fenced| fenced.split_once('\n')) {
                    let body = body.to_owned();
                    *self = Self::Inside(String::new());
                    self.pass(&body)
                } else {
                    let text = std::mem::take(held);
                    *self = Self::Off;
                    text
                }
            }
            Self::Inside(held) => {
                held.push_str(text);
                let kept = held.trim_end_matches(|c: char| c == '`' || c.is_whitespace()).len();
                let tail = held.split_off(kept);
                std::mem::replace(held, tail)
            }
        }
    }

    /// What was held back, at the end.
    pub(super) fn rest(&mut self) -> String {
        match std::mem::replace(self, Self::Off) {
            Self::Off => String::new(),
            Self::Start(held) => held,
            Self::Inside(tail) => {
                if tail.contains("```") {
                    String::new()
                } else {
                    tail
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_code_fence_is_taken_off_however_it_is_cut() {
        for (said, expected) in [
            ("```json\n{\"a\": 1}\n```", "{\"a\": 1}"),
            ("  ```\n[\n1 ]\n```\n", "[\n1 ]"),
            ("{\"a\": \"```\"}", "{\"a\": \"```\"}"),
            ("{}", "{}"),
            ("``", "``"),
            ("```json\n{\"a\"", "{\"a\""),
        ] {
            for size in 1..=said.len() {
                let mut fence = CodeFence::Start(String::new());
                let pieces = said.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap());
                let mut text: String = pieces.map(|piece| fence.pass(piece)).collect();
                text.push_str(&fence.rest());
                assert_eq!(text, expected, "in pieces of {size}");
            }
        }
    }
}
