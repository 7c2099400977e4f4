//! Citations of documents (<https://platform.claude.com/docs/en/build-with-claude/citations>).

use crate::conversation::{Citation, Passage, PassageUnit};
use serde_json::{Value, json};

/// A citation as this API writes it; `None` for a source that is no document of the request. Its form for pages of the web
/// holds a token of Anthropic's own search.
pub(super) fn citation_object(citation: &Citation) -> Option<Value> {
    let Passage { document, unit, start, end } = citation.passage?;
    let (kind, first, last) = match unit {
        PassageUnit::Character => ("char_location", "start_char_index", "end_char_index"),
        PassageUnit::Page => ("page_location", "start_page_number", "end_page_number"),
        PassageUnit::Piece => ("content_block_location", "start_block_index", "end_block_index"),
    };
    let title = Some(&citation.title).filter(|title| !title.is_empty());
    let mut object = json!({
        "type": kind, "cited_text": citation.quote, "document_index": document, "document_title": title,
    });
    object[first] = start.into();
    object[last] = end.into();
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_named_in_its_own_unit() {
        let citation = |unit| Citation {
            title: "Report".into(),
            quote: "so".into(),
            passage: Some(Passage { document: 1, unit, start: 3, end: 5 }),
            ..Citation::default()
        };
        for (unit, kind, first, last) in [
            (PassageUnit::Character, "char_location", "start_char_index", "end_char_index"),
            (PassageUnit::Page, "page_location", "start_page_number", "end_page_number"),
            (PassageUnit::Piece, "content_block_location", "start_block_index", "end_block_index"),
        ] {
            let mut expected =
                json!({"type": kind, "cited_text": "so", "document_index": 1, "document_title": "Report"});
            expected[first] = 3.into();
            expected[last] = 5.into();
            assert_eq!(citation_object(&citation(unit)), Some(expected));
        }
        let page = Citation { url: "https://a.example".into(), ..Citation::default() };
        assert_eq!(citation_object(&page), None);
    }
}
