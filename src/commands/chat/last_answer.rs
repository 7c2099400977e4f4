//! `/copy` and `/code`: the last answer, or one code block of it, for the clipboard or for stdout.

use super::running_chat::{RunningChat, refused};
use crate::terminal::markdown::code_blocks::code_blocks;
use crate::terminal::output::{clipboard, print_data};
use crate::terminal::printable::Printable;

/// The most bytes that are copied: 100,000 as base64, which is what terminals take
/// (<https://github.com/ojroques/vim-oscyank>).
const MOST_BYTES: usize = 74_994;

/// Copies to the clipboard of the person's terminal, wherever that is.
pub(super) fn copy(chat: &RunningChat, number: Option<u32>) -> anyhow::Result<Printable> {
    let (text, what) = match number {
        Some(number) => {
            let (code, count) = block(chat, number)?;
            (code, format!("code block {number} of {count}"))
        }
        None => (last_answer(chat)?.to_owned(), "the last answer".to_owned()),
    };
    if text.len() > MOST_BYTES {
        let message = format!(
            "{what} has {} bytes, and a terminal's clipboard takes at most {MOST_BYTES}; /export FILE.md writes a file",
            text.len()
        );
        return Err(refused(&message));
    }
    if !clipboard(&text)? {
        return Err(refused("/copy needs a terminal; /export FILE.md writes a file"));
    }
    Ok(Printable::line(format_args!(
        "copied {what} ({} characters), if your terminal lets programs copy (OSC 52)",
        text.chars().count()
    )))
}

/// Prints a code block, or the first one.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn print(chat: &mut RunningChat, number: Option<u32>) -> anyhow::Result<bool> {
    let shown = number.unwrap_or(1);
    let (code, count) = match block(chat, shown) {
        Ok(block) => block,
        Err(error) => {
            chat.refuse(&error);
            return Ok(true);
        }
    };
    let newline = if code.ends_with('\n') { "" } else { "\n" };
    let somebody_reads = print_data(&format!("{code}{newline}"))?;
    if number.is_none() && count > 1 {
        chat.say(Printable::line(format_args!("code block 1 of {count}; /code 2 prints the next one")));
    }
    Ok(somebody_reads)
}

fn last_answer(chat: &RunningChat) -> anyhow::Result<&str> {
    let last = chat.session.last().ok_or_else(|| refused("there is no answer yet"))?;
    Ok(&last.answer.text)
}

/// The code of a block of the last answer, counted from 1, and how many there are.
fn block(chat: &RunningChat, number: u32) -> anyhow::Result<(String, usize)> {
    let mut blocks = code_blocks(last_answer(chat)?);
    let count = blocks.len();
    let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    if index >= count {
        return Err(refused(&match count {
            0 => "the last answer has no code block".to_owned(),
            1 => "the last answer has only one code block".to_owned(),
            more => format!("the last answer has only {more} code blocks"),
        }));
    }
    Ok((blocks.swap_remove(index).code, count))
}
