//! Reads lines without a line editor: from a pipe or a file, and on a terminal that has none of what a line editor needs.

use super::block;
use super::line::Line;
use crate::terminal::mode::PlainRead;
use crate::terminal::output;
use crate::terminal::printable::Printable;
use std::io::{self, BufRead, IsTerminal};

/// Reads a line, or a block of several. A terminal is shown the prompt and what stands on the line already.
pub(super) fn read(prompt: &str, initial: &str) -> io::Result<Line> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        output::prompt(&Printable::lines(format_args!("{prompt}{initial}")));
    }
    let _running = PlainRead::start();
    next(&mut stdin.lock(), initial)
}

fn next(input: &mut impl BufRead, initial: &str) -> io::Result<Line> {
    let mut text = initial.as_bytes().to_vec();
    loop {
        let length = text.len();
        if input.read_until(b'\n', &mut text)? == 0 {
            return Ok(if block::is_open(&text) { Line::OpenBlock } else { Line::End });
        }
        for end in [b'\n', b'\r'] {
            if text.len() > length && text.last() == Some(&end) {
                text.pop();
            }
        }
        if !block::is_open(&text) {
            return Ok(line(text));
        }
        text.push(b'\n');
    }
}

fn line(text: Vec<u8>) -> Line {
    String::from_utf8(text).map_or(Line::NotText, block::line)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn lines(mut input: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            lines.push(next(&mut input, "").unwrap());
            if matches!(lines.last(), Some(Line::End | Line::OpenBlock)) {
                return lines;
            }
        }
    }

    #[test]
    fn a_pipe_is_read_line_by_line_and_block_by_block() {
        let text = |text: &str| Line::Text(text.to_owned());
        let block = |text: &str| Line::Block(text.to_owned());
        for (input, expected) in [
            (&b""[..], vec![Line::End]),
            (b"one\r\ntwo\n\nthree", vec![text("one"), text("two"), text(""), text("three"), Line::End]),
            (b"\xff\nafter\n", vec![Line::NotText, text("after"), Line::End]),
            (b"\"\"\"\none\n\n/clear\n\"\"\"\nafter\n", vec![block("one\n\n/clear"), text("after"), Line::End]),
            (b"\"\"\"one\r\ntwo\"\"\"\r\n", vec![block("one\ntwo"), Line::End]),
            (b"\"\"\"a\xff\nb\"\"\"\nafter\n", vec![Line::NotText, text("after"), Line::End]),
            (b"before\n\"\"\"\nopen\n", vec![text("before"), Line::OpenBlock]),
        ] {
            assert_eq!(lines(input), expected, "{:?}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn what_stands_on_the_line_already_is_part_of_it() {
        assert_eq!(next(&mut &b" world\n"[..], "hello").unwrap(), Line::Text("hello world".to_owned()));
        assert_eq!(next(&mut &b""[..], "hello").unwrap(), Line::End, "only Enter sends");
    }
}
