//! A model that is only instructed to answer in JSON sometimes puts it into a Markdown code fence.

/// Removes a code fence around an answer while the answer streams. Each byte is looked at once or twice, however small the
/// pieces are.
#[derive(Debug)]
pub(super) enum CodeFence {
    /// There is no fence to remove.
    Off,
    /// Whether there is a fence is not known yet. Holds all of the text so far.
    Start(Start),
    /// Inside a fence. Holds back the text that may be its end.
    Inside(String),
}

/// The start of an answer.
#[derive(Debug, Default)]
pub(super) struct Start {
    text: String,
    /// How many bytes of white space it begins with.
    blank: usize,
}

impl CodeFence {
    pub(super) fn new() -> Self {
        Self::Start(Start::default())
    }

    /// Takes the next piece of the answer, and gives what can be passed on.
    pub(super) fn strip(&mut self, text: &str) -> String {
        match self {
            Self::Off => text.to_owned(),
            Self::Start(held) => {
                let known = held.text.len();
                held.text.push_str(text);
                if held.blank == known {
                    held.blank = held.text.len() - held.text[known..].trim_start().len();
                }
                let start = &held.text[held.blank..];
                let is_fence = start.starts_with("```");
                if !is_fence && !"```".starts_with(start) {
                    let text = std::mem::take(&mut held.text);
                    *self = Self::Off;
                    return text;
                }
                if !is_fence || !held.text[known.max(held.blank)..].contains('\n') {
                    return String::new();
                }
                let body = start.split_once('\n').map_or_else(String::new, |(_, body)| body.to_owned());
                *self = Self::Inside(String::new());
                self.strip(&body)
            }
            Self::Inside(held) => {
                let kept = text.trim_end_matches(|c: char| c == '`' || c.is_whitespace()).len();
                if kept == 0 {
                    held.push_str(text);
                    return String::new();
                }
                let mut passed = std::mem::replace(held, text[kept..].to_owned());
                passed.push_str(&text[..kept]);
                passed
            }
        }
    }

    /// At the end of the answer: the text that was held back, without the end of the fence.
    pub(super) fn finish(&mut self) -> String {
        match std::mem::replace(self, Self::Off) {
            Self::Off => String::new(),
            Self::Start(held) => held.text,
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
                let mut fence = CodeFence::new();
                let pieces = answer.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap());
                let mut text: String = pieces.map(|piece| fence.strip(piece)).collect();
                text.push_str(&fence.finish());
                assert_eq!(text, expected, "in pieces of {size}");
            }
        }
    }
}
