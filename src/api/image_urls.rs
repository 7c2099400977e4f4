//! Images that are given by their URL.

use crate::conversation::{Message, Part};

/// The most images of one request that are fetched. No model takes more (docs/bedrock.md §2.7).
const MAX_FETCHED_IMAGES: usize = 100;

/// Replaces the oldest images that would have to be fetched by a note, when there are too many of them.
pub(super) fn leave_out_oldest_urls(messages: &mut [Message]) {
    let is_url = |part: &Part| matches!(part, Part::ImageUrl(_));
    let count = messages.iter().flat_map(Message::parts_with_results).filter(|part| is_url(part)).count();
    let mut too_many = count.saturating_sub(MAX_FETCHED_IMAGES);
    let mut leave_out = |part: &mut Part| {
        if too_many > 0 && is_url(part) {
            *part = Part::Text("[an earlier image was left out: too many]".to_owned());
            too_many -= 1;
        }
    };
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        match part {
            Part::ToolResult(result) => result.parts.iter_mut().for_each(&mut leave_out),
            part => leave_out(part),
        }
    }
}
