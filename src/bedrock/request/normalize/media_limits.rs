//! How many images and documents a model takes (docs/bedrock.md §2.7). A conversation may hold more than that, because
//! screenshots gather in it or because it began with another model. The oldest are then replaced by a note, so that the
//! conversation can go on; only a last message that alone has too many is refused.

use super::super::body::{Block, Source, Turn};
use crate::catalog::FamilyRules;
use crate::conversation::{Media, Message, Part, Role};
use crate::error::{Error, Field, Kind, Result};
use std::borrow::Cow;

/// With more images than this in one request, each must be small (docs/bedrock.md §2.7).
const MANY_IMAGES: usize = 20;
/// The longest side of an image among many (pixels).
const MAX_SIDE_AMONG_MANY: usize = 2000;

/// Refuses a last message that alone has more images or documents than the model takes. Tool results do not count here:
/// the client cannot send them in another way.
///
/// # Errors
/// `InvalidRequest`, naming the message.
pub(super) fn check_last(messages: &[Message], family: FamilyRules) -> Result<()> {
    let Some((index, last)) = messages.iter().enumerate().next_back().filter(|(_, last)| last.role == Role::User)
    else {
        return Ok(());
    };
    let images = last.parts.iter().filter(|part| matches!(part, Part::Image(_))).count();
    let documents = last.parts.iter().filter(|part| matches!(part, Part::Document(..))).count();
    for (count, limit, what) in
        [(images, family.images_per_turn, "images"), (documents, family.documents_per_turn, "documents")]
    {
        if count > limit {
            let message = format!("the message has {count} {what}; the model takes at most {limit}");
            return Err(Error::new(Kind::InvalidRequest, message).at(Field::Message(index)));
        }
    }
    Ok(())
}

/// Replaces the oldest images and documents by notes, until each turn and the request have no more than the model takes.
pub(super) fn replace_oldest(turns: &mut [Turn<'_>], family: FamilyRules) {
    for turn in turns.iter_mut() {
        let documents = media(&turn.content).filter(|block| matches!(block, Block::Document { .. })).count();
        let mut too_many = documents.saturating_sub(family.documents_per_turn);
        replace(&mut turn.content, &mut too_many, document_note);
        let mut too_many = images(&turn.content).count().saturating_sub(family.images_per_turn);
        replace(&mut turn.content, &mut too_many, image_note);
    }
    let Some(limit) = family.images_per_request else { return };
    let all: usize = turns.iter().map(|turn| images(&turn.content).count()).sum();
    let large = all > MANY_IMAGES && turns.iter().any(|turn| images(&turn.content).any(is_large));
    let mut too_many = all.saturating_sub(if large { MANY_IMAGES } else { limit });
    for turn in turns {
        replace(&mut turn.content, &mut too_many, image_note);
    }
}

/// The images and documents of a turn, those in tool results included.
fn media<'t, 'a>(content: &'t [Block<'a>]) -> impl Iterator<Item = &'t Block<'a>> {
    content.iter().flat_map(|block| match block {
        Block::ToolResult { content, .. } => content.as_slice(),
        _ => std::slice::from_ref(block),
    })
}

fn images<'t, 'a>(content: &'t [Block<'a>]) -> impl Iterator<Item = &'t Block<'a>> {
    media(content).filter(|block| matches!(block, Block::Image { .. }))
}

fn is_large(image: &Block<'_>) -> bool {
    match image {
        Block::Image { source: Source { bytes }, .. } => {
            Media::longest_side(bytes).is_some_and(|side| side > MAX_SIDE_AMONG_MANY)
        }
        _ => false,
    }
}

fn image_note(block: &Block<'_>) -> Option<String> {
    matches!(block, Block::Image { .. }).then(|| "[an earlier image was left out: too many for this model]".to_owned())
}

fn document_note(block: &Block<'_>) -> Option<String> {
    match block {
        Block::Document { name, .. } => {
            Some(format!("[the earlier document {name:?} was left out: too many for this model]"))
        }
        _ => None,
    }
}

/// Replaces blocks by their notes, from the front, while there are too many.
fn replace(content: &mut [Block<'_>], too_many: &mut usize, note: fn(&Block<'_>) -> Option<String>) {
    for block in content {
        if *too_many == 0 {
            return;
        }
        if let Block::ToolResult { content, .. } = block {
            replace(content, too_many, note);
        } else if let Some(text) = note(block) {
            *block = Block::Text(Cow::Owned(text));
            *too_many -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Block<'static> {
        Block::Image { format: "png", source: Source { bytes: "iVBORw0KGgo=" } }
    }

    fn kept(turns: &[Turn<'_>]) -> Vec<usize> {
        turns.iter().map(|turn| images(&turn.content).count()).collect()
    }

    #[test]
    fn the_oldest_images_are_replaced_by_notes() {
        let turns = || -> Vec<Turn<'static>> {
            (0..3)
                .map(|_| {
                    let inside =
                        Block::ToolResult { tool_use_id: "1".into(), content: vec![image(), image()], status: None };
                    Turn { role: "user", content: vec![inside, image(), image()] }
                })
                .collect()
        };
        for (per_turn, per_request, expected) in [
            (20, None, [4, 4, 4]),
            (3, None, [3, 3, 3]),
            (1, None, [1, 1, 1]),
            (20, Some(100), [4, 4, 4]),
            (20, Some(6), [0, 2, 4]),
            (3, Some(4), [0, 1, 3]),
        ] {
            let family =
                FamilyRules { images_per_turn: per_turn, images_per_request: per_request, ..FamilyRules::default() };
            let mut limited = turns();
            replace_oldest(&mut limited, family);
            assert_eq!(kept(&limited), expected, "{per_turn} {per_request:?}");
            assert!(limited.iter().all(|turn| turn.content.len() == 3), "a note takes the place of an image");
        }
    }
}
