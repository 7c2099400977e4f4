//! A model that is only instructed to answer in JSON sometimes puts it into a Markdown code fence.

/// Removes a code fence around an answer while the answer streams.
#[derive(Debug)]
pub(super) enum CodeFence {
    /// There is no fence to remove.
    Off,
    /// Whether there is a fence is not known yet. Holds all of the text so far.
    Start(String),
    /// Inside a fence. Holds back the text that may be its end.
    Inside(String),
}

impl CodeFence {
    /// Takes the next piece of the answer, and gives what can be passed on.
    pub(super) fn strip(&mut self, text: &str) -> String {
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
                    self.strip(&body)
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

    /// At the end of the answer: the text that was held back, without the end of the fence.
    pub(super) fn finish(&mut self) -> String {
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
    fn a_code_fence_is_removed_wherever_the_stream_is_split() {
        for (answer, expected) in [
            ("```json\n{\"a\": 1}\n```", "{\"a\": 1}"),
            ("  ```\n[\n1 ]\n```\n", "[\n1 ]"),
            ("{\"a\": \"```\"}", "{\"a\": \"```\"}"),
            ("{}", "{}"),
            ("``", "``"),
            ("```json\n{\"a\"", "{\"a\""),
        ] {
            for size in 1..=answer.len() {
                let mut fence = CodeFence::Start(String::new());
                let pieces = answer.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap());
                let mut text: String = pieces.map(|piece| fence.strip(piece)).collect();
                text.push_str(&fence.finish());
                assert_eq!(text, expected, "in pieces of {size}");
            }
        }
    }
}
