//! `InvokeModel` with the bodies of Titan's and Cohere's embedding models
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>).

use crate::api::json::{body_members, ignored_members, integer, into_string, invalid, missing, take};
use crate::api::openai::embeddings::{purpose, truncation};
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{EmbeddingRequest, Embeddings};
use crate::error::Result;
use serde_json::{Value, json};

/// The form of the answer, which is that of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddingForm {
    Titan,
    /// With the texts, which the answer repeats, and whether the vectors are asked for by their type.
    Cohere {
        texts: Vec<String>,
        by_type: bool,
    },
}

/// Parses a body. The path of a call names the model.
///
/// # Errors
/// `InvalidRequest` or `MissingParameter`, naming the member.
pub fn parse(model: &str, body: JsonBlocks) -> Result<(EmbeddingRequest, EmbeddingForm)> {
    let mut members = body_members(body)?;
    let mut member = |name: &str| take(&mut members, name);
    let types = [member("embeddingTypes"), member("embedding_types")];
    let by_type = !types[1].is_null();
    let (texts, form) = match (member("inputText"), member("texts")) {
        (Value::Null, Value::Array(items)) => {
            let items = items.into_iter().enumerate();
            let texts: Vec<String> =
                items.map(|(index, item)| into_string(item, &format!("texts.{index}"))).collect::<Result<_>>()?;
            (texts.clone(), EmbeddingForm::Cohere { texts, by_type })
        }
        (Value::Null, Value::Null) => return Err(missing("inputText")),
        (Value::Null, _) => return Err(invalid("texts", "must be an array of strings")),
        (text, _) => (vec![into_string(text, "inputText")?], EmbeddingForm::Titan),
    };
    for (types, words) in types.iter().zip(["embeddingTypes", "embedding_types"]) {
        if types.as_array().into_iter().flatten().any(|kind| kind != "float") {
            return Err(invalid(words, "must be [\"float\"], the only type of vector here"));
        }
    }
    if member("normalize") == json!(false) {
        return Err(invalid("normalize", "must be true, because vectors are normalized here"));
    }
    let (titan, cohere) = (member("dimensions"), member("output_dimension"));
    let (at, dimensions) = if titan.is_null() { ("output_dimension", cohere) } else { ("dimensions", titan) };
    let dimensions = match integer(&dimensions, at)? {
        None => None,
        Some(length) => {
            Some(u32::try_from(length).map_err(|_| invalid(at, &format!("is {length}, which is not a valid length")))?)
        }
    };
    let (purpose, truncation) = (purpose(&member("input_type"))?, truncation(&member("truncate"))?);
    let ignored = ignored_members(&members);
    Ok((EmbeddingRequest { model: model.to_owned(), texts, dimensions, purpose, truncation, ignored }, form))
}

/// The body of the response.
#[must_use]
pub fn response_body(form: EmbeddingForm, embeddings: &Embeddings) -> Value {
    match form {
        EmbeddingForm::Titan => {
            let vector = embeddings.vectors.first();
            json!({
                "embedding": vector,
                "embeddingsByType": {"float": vector},
                "inputTextTokenCount": embeddings.input_tokens.unwrap_or(0),
            })
        }
        EmbeddingForm::Cohere { texts, by_type: false } => {
            json!({"embeddings": embeddings.vectors, "response_type": "embeddings_floats", "texts": texts})
        }
        EmbeddingForm::Cohere { texts, by_type: true } => {
            json!({"embeddings": {"float": embeddings.vectors}, "response_type": "embeddings_by_type", "texts": texts})
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn each_family_gets_its_own_form_back() {
        let parsed = |body: Value| parse("m", body.to_string().as_bytes().into());
        let (request, form) = parsed(json!({"inputText": "a", "dimensions": 256, "normalize": true})).unwrap();
        assert_eq!((request.texts.as_slice(), request.dimensions), (&["a".to_owned()][..], Some(256)));
        let embeddings = Embeddings { vectors: vec![vec![0.5]], input_tokens: Some(3) };
        let body = response_body(form, &embeddings);
        assert_eq!(body, json!({"embedding": [0.5], "embeddingsByType": {"float": [0.5]}, "inputTextTokenCount": 3}));
        let (request, form) = parsed(json!({"texts": ["a", "b"], "input_type": "search_query"})).unwrap();
        assert_eq!(request.texts.len(), 2);
        let body = response_body(form, &embeddings);
        assert_eq!((&body["texts"], &body["embeddings"]), (&json!(["a", "b"]), &json!([[0.5]])));
        let (_, form) = parsed(json!({"texts": ["a"], "embedding_types": ["float"]})).unwrap();
        assert_eq!(response_body(form, &embeddings)["embeddings"], json!({"float": [[0.5]]}));
        for (body, words) in [
            (json!({}), "inputText"),
            (json!({"texts": ["a"], "embedding_types": ["int8"]}), "embedding_types"),
            (json!({"inputText": "a", "normalize": false}), "normalize"),
            (json!({"inputText": 5}), "inputText"),
        ] {
            let error = parsed(body.clone()).unwrap_err();
            assert!(error.message.contains(words), "{body}: {}", error.message);
        }
    }
}
