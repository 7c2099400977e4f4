//! An admitted request as Converse's JSON body. Pure, and the same request gives the same bytes:
//! the SDK's own documents are hash maps in random order (`bedrock.md` trap 7), so the body is written here
//! and put into the SDK's request before it is signed.
//!
//! Bedrock refuses what OpenAI takes; §2.6 of `bedrock.md` is followed here: same roles are merged,
//! blank text is dropped, a conversation begins with the user.

use super::dialect;
use crate::conversation::{Message, Part, Role};
use crate::error::{Error, Kind, Result};
use crate::policy::Admitted;
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    inference_config: Inference<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_request_fields: Option<Map<String, Value>>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Block<'a> {
    Text(&'a str),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inference<'a> {
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
}

/// The body of a Converse or `ConverseStream` call.
///
/// # Errors
/// `InvalidRequest` when nothing but blank text was said.
pub fn body(admitted: &Admitted) -> Result<Vec<u8>> {
    let request = admitted.request();
    let body = Body {
        messages: turns(&request.messages)?,
        system: request.system.iter().filter(|text| !text.trim().is_empty()).map(|text| Block::Text(text)).collect(),
        inference_config: Inference {
            max_tokens: admitted.max_tokens(),
            temperature: admitted.temperature(),
            top_p: admitted.top_p(),
            stop_sequences: admitted.stop(),
        },
        additional_model_request_fields: dialect::additional_fields(admitted.model().capabilities.off),
    };
    serde_json::to_vec(&body).map_err(|error| Error::new(Kind::Internal, error.to_string()))
}

fn turns(messages: &[Message]) -> Result<Vec<Turn<'_>>> {
    let mut turns: Vec<Turn<'_>> = Vec::with_capacity(messages.len());
    for message in messages {
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        // Blank text is a 400 upstream, in any block (§2.6.3).
        let blocks = message.parts.iter().filter_map(|Part::Text(text)| {
            let blank = text.trim().is_empty();
            (!blank).then_some(Block::Text(text))
        });
        let blocks: Vec<_> = blocks.collect();
        if blocks.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => turns.push(Turn { role, content: blocks }),
        }
    }
    match turns.first() {
        None => {
            return Err(Error::new(Kind::InvalidRequest, "the conversation holds no text").at("messages"));
        }
        // A conversation starts with the user (§2.6.1); not with white space, which is refused.
        Some(first) if first.role == "assistant" => {
            turns.insert(0, Turn { role: "user", content: vec![Block::Text(".")] });
        }
        Some(_) => {}
    }
    // "final assistant content cannot end with trailing whitespace" (§2.6.4).
    if let Some(Turn { role: "assistant", content }) = turns.last_mut()
        && let Some(Block::Text(text)) = content.last_mut()
    {
        *text = text.trim_end();
    }
    Ok(turns)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::catalog::Catalog;
    use crate::conversation::Request;
    use crate::policy::{Limits, Policy};
    use std::collections::HashMap;
    use std::sync::Arc;

    fn encoded(request: Request) -> Result<String> {
        let policy = Policy {
            catalog: Arc::new(Catalog::load(&[]).unwrap()),
            default_model: "claude-haiku".into(),
            limits: Limits::default(),
            overrides: HashMap::new(),
            follow_successor: true,
        };
        body(&policy.admit(request).unwrap()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    fn said(messages: Vec<Message>) -> Request {
        Request { model: "nova-micro".into(), messages, ..Request::default() }
    }

    #[test]
    fn the_same_request_gives_these_bytes() {
        let request = Request {
            model: "claude-opus".into(),
            system: vec!["Be brief.".into(), "  ".into()],
            stop: vec!["END".into()],
            ..said(vec![Message::user("hi")])
        };
        let expected = concat!(
            r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"Be brief."}],"#,
            r#""inferenceConfig":{"maxTokens":512,"stopSequences":["END"]},"#,
            r#""additionalModelRequestFields":{"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}}"#,
        );
        assert_eq!(encoded(Request { model: "claude-opus".into(), ..request }).unwrap(), expected);
    }

    #[test]
    fn m1_m2_m3_roles_alternate_and_no_text_is_blank() {
        let messages = vec![
            Message::assistant("first"),
            Message::user("a"),
            Message::user(" \n"),
            Message::user("b"),
            Message::assistant("c  \n"),
        ];
        let expected = concat!(
            r#"{"messages":[{"role":"user","content":[{"text":"."}]},{"role":"assistant","content":[{"text":"first"}]},"#,
            r#"{"role":"user","content":[{"text":"a"},{"text":"b"}]},{"role":"assistant","content":[{"text":"c"}]}],"#,
            r#""inferenceConfig":{"maxTokens":512,"temperature":0.3,"topP":0.3}}"#,
        );
        assert_eq!(encoded(said(messages)).unwrap(), expected);
    }

    #[test]
    fn nothing_said_is_refused_here() {
        assert_eq!(encoded(said(vec![Message::user(" ")])).unwrap_err().kind, Kind::InvalidRequest);
    }
}
