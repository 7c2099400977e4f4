//! The fenced code of an answer, for those who want nothing else of it.

use super::blocks::{Blocks, Kind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeBlock {
    /// As the fence names it.
    pub(crate) language: Option<String>,
    /// Each line ends with a line break.
    pub(crate) code: String,
}

/// The fenced code of a whole answer in its order, without the indentation of the lists and the marks of the quotes that
/// it is in. Code whose fence never closes counts, too: the answer may have been cut.
pub(crate) fn code_blocks(text: &str) -> Vec<CodeBlock> {
    let mut blocks = Blocks::default();
    let mut found: Vec<CodeBlock> = Vec::new();
    for line in text.lines() {
        match blocks.start(line, true).map(|start| start.kind) {
            Some(Kind::FenceStart(fence)) => {
                found.push(CodeBlock { language: fence.language, code: String::new() });
            }
            Some(Kind::Code(line)) => {
                if let Some(block) = found.last_mut() {
                    block.code.push_str(&line);
                    block.code.push('\n');
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_what_stands_between_fences() {
        for (text, expected) in [
            ("no code, `inline` only", &[][..]),
            ("```rust\nfn main() {}\n```\n", &[(Some("rust"), "fn main() {}\n")]),
            ("```\na\n\n  b\n```", &[(None, "a\n\n  b\n")]),
            ("~~~ python title=\"x\"\n```\n~~~", &[(Some("python"), "```\n")]),
            ("````md\n```\n````\n", &[(Some("md"), "```\n")]),
            ("a\n```js\n1\n```\nb\n```rust,no_run\n2\n```", &[(Some("js"), "1\n"), (Some("rust"), "2\n")]),
            ("```{.python}\n1\n```", &[(Some("python"), "1\n")]),
            ("```sh\ncut", &[(Some("sh"), "cut\n")]),
            ("```sh", &[(Some("sh"), "")]),
            ("```sh\r\na\r\n```\r\n", &[(Some("sh"), "a\n")]),
            ("```a`b``` is inline", &[]),
            (
                "1. Install:\n\n   ```sh\n   cargo build\n     --release\n   ```\n",
                &[(Some("sh"), "cargo build\n  --release\n")],
            ),
            ("1. Wrongly:\n   ```sh\ncargo build\n   ```\ntext", &[(Some("sh"), "cargo build\n")]),
            ("- deep\n\n      ```sh\n      x\n      ```\n", &[(Some("sh"), "x\n")]),
            ("- a\n  - b\n    ```\n    c\n    ```\n- d", &[(None, "c\n")]),
            ("> ```\n> quoted\n> ```\n", &[(None, "quoted\n")]),
            ("> ```\n> quoted\nnot any more", &[(None, "quoted\n")]),
            ("\t```\n\tindented code\n", &[]),
            ("- a\n\n\t```\n\ttabs\n\t\tmore\n\t```", &[(None, "tabs\n\tmore\n")]),
            ("```\n    ```\n```\n", &[(None, "    ```\n")]),
            ("```\na\n``` no end\n```", &[(None, "a\n``` no end\n")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(language, code)| CodeBlock { language: language.map(str::to_owned), code: (*code).to_owned() })
                .collect();
            assert_eq!(code_blocks(text), expected, "{text:?}");
        }
    }
}
