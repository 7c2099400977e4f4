//! Parses the system prompt and the messages. A system message between the turns keeps its place, as text of a user turn
//! that is marked as what it is: moved to the front it would change the beginning of the prompt at every step, so that no
//! prompt cache could keep it (docs/cases.md, M5).

use super::content::{ContentParser, Place};
use crate::api::image_urls::leave_out_oldest_urls;
use crate::api::json::{cache_lifetime, check_messages, invalid, required_string};
use crate::conversation::{Message, Part, Role, is_blank};
use crate::error::Result;
use serde_json::Value;

/// What the first system block of Claude Code begins with. It is a note for Anthropic's accounting, and no instruction
/// (docs/anthropic.md §2).
const BILLING_NOTE: &str = "x-anthropic-billing-header:";

/// The system prompt and the messages of a request.
#[derive(Default)]
pub(super) struct Turns {
    pub(super) system: Vec<Part>,
    pub(super) messages: Vec<Message>,
    /// The index of each message in the client's list.
    pub(super) positions: Vec<usize>,
}

/// Parses the system prompt and the messages. `cache` is the request's own `cache_control`, which is one at the end of the
/// last user turn.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub(super) fn parse(system: &Value, messages: &Value, cache: &Value, content: &mut ContentParser<'_>) -> Result<Turns> {
    let mut turns = Turns::default();
    if !system.is_null() {
        turns.system = content.parts(system, "system", Place::System)?;
        turns.system.retain(|part| !matches!(part, Part::Text(text) if text.starts_with(BILLING_NOTE)));
    }
    check_messages(messages)?;
    for (index, message) in messages.as_array().into_iter().flatten().enumerate() {
        turns.add(message, index, content)?;
        turns.positions.resize(turns.messages.len(), index);
    }
    if let Some(ttl) = cache_lifetime(cache)
        && let Some(last) = turns.messages.iter_mut().rfind(|message| message.role == Role::User)
    {
        last.parts.push(Part::CachePoint(ttl));
    }
    leave_out_oldest_urls(&mut turns.messages);
    Ok(turns)
}

impl Turns {
    fn add(&mut self, message: &Value, index: usize, content: &mut ContentParser<'_>) -> Result<()> {
        let at = |member: &str| format!("messages.{index}.{member}");
        let (role, place) = match required_string(&message["role"], &at("role"))? {
            "user" => (Role::User, Place::User),
            "assistant" => (Role::Assistant, Place::Assistant),
            "system" => (Role::User, Place::System),
            other => return Err(invalid(&at("role"), &format!("is {other:?}; use user, assistant or system"))),
        };
        let mut parts = content.parts(&message["content"], &at("content"), place)?;
        if place == Place::System && self.messages.is_empty() {
            self.system.append(&mut parts);
            return Ok(());
        }
        if place == Place::System {
            parts.iter_mut().for_each(mark);
        }
        self.messages.push(Message { role, parts });
        Ok(())
    }
}

/// Marks a text as part of a system message. The mark is the one that Claude Code itself uses where a model takes no such
/// message; text that ends it is written so that it does not.
fn mark(part: &mut Part) {
    if let Part::Text(text) = part
        && !is_blank(text)
    {
        let inside = text.replace("</system-reminder", "&lt;/system-reminder");
        *text = format!("<system-reminder>\n{inside}\n</system-reminder>");
    }
}
