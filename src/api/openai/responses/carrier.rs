//! Carries the model's reasoning through the client. Claude takes its reasoning back only with its signature, and a client
//! returns summaries but no signatures. It returns `encrypted_content` unchanged, so everything that is needed stands in
//! there (docs/openai.md §5.5): a mark, and base64 of JSON. It is the client's own conversation, so it is no secret from
//! the client; a forged signature is refused by the model.

use crate::conversation::Reasoning;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

/// What every carrier of this build begins with. Anything else comes from OpenAI or another gateway.
const MARK: &str = "chatrix-reasoning-1:";

#[derive(Serialize, Deserialize)]
struct Carried {
    /// The model that reasoned, as the client named it.
    model: String,
    blocks: Vec<CarriedBlock>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CarriedBlock {
    Signed { text: String, signature: String },
    Redacted(String),
}

/// The carrier of a block of reasoning. Reasoning without a signature is left out, because no model takes it back.
pub(super) fn carrier(model: &str, reasoning: &Reasoning) -> String {
    let block = match reasoning {
        Reasoning::Text { text, signature: Some(signature) } => {
            Some(CarriedBlock::Signed { text: text.clone(), signature: signature.clone() })
        }
        Reasoning::Text { signature: None, .. } => None,
        Reasoning::Redacted(data) => Some(CarriedBlock::Redacted(data.clone())),
    };
    let carried = Carried { model: model.to_owned(), blocks: block.into_iter().collect() };
    // These are strings, which always serialize.
    let json = serde_json::to_vec(&carried).unwrap_or_default();
    let mut text = MARK.to_owned();
    STANDARD_NO_PAD.encode_string(json, &mut text);
    text
}

/// The reasoning in a carrier. `None` for one that is foreign or damaged.
pub(super) fn carried(text: &str) -> Option<Vec<Reasoning>> {
    let json = STANDARD_NO_PAD.decode(text.strip_prefix(MARK)?).ok()?;
    let Carried { model: _, blocks } = serde_json::from_slice(&json).ok()?;
    let blocks = blocks.into_iter().map(|block| match block {
        CarriedBlock::Signed { text, signature } => Reasoning::Text { text, signature: Some(signature) },
        CarriedBlock::Redacted(data) => Reasoning::Redacted(data),
    });
    Some(blocks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_very_bytes_of_a_signature_come_back() {
        let signed =
            |text: &str, signature: &str| Reasoning::Text { text: text.into(), signature: Some(signature.into()) };
        for reasoning in [
            signed("I should run ls.", "EqQBCkYIBxgCKkD+/=="),
            // Reasoning whose text is not shown is signed too (docs/cases.md, R3).
            signed("", "sig"),
            signed("ä \u{1f9e0}\n\"", "s\u{0}\u{7f}"),
            Reasoning::Redacted("AAEC/w==".into()),
        ] {
            let text = carrier("claude-sonnet-4-6", &reasoning);
            assert_eq!(carried(&text), Some(vec![reasoning]), "{text}");
        }
        let unsigned = Reasoning::Text { text: "hm".into(), signature: None };
        assert_eq!(carried(&carrier("deepseek", &unsigned)), Some(Vec::new()));
    }

    #[test]
    fn foreign_and_damaged_carriers_are_not_read() {
        let whole = carrier("m", &Reasoning::Redacted("data".into()));
        let json = |json: &str| format!("{MARK}{}", STANDARD_NO_PAD.encode(json));
        for text in [
            "",
            "ENC-OPAQUE-1",
            "gAAAAABo",
            MARK,
            "chatrix-reasoning-2:AAAA",
            &whole[..whole.len() - 2],
            &whole.replace("reasoning-1:", "reasoning-1:*"),
            &json("[]"),
            &json(r#"{"model":"m","blocks":[{"signed":{"text":"a"}}]}"#),
        ] {
            assert_eq!(carried(text), None, "{text}");
        }
        assert!(carried(&whole).is_some());
    }
}
