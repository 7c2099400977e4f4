//! Decodes the answers of `InvokeModel` for Claude, which are in the words of Anthropic's Messages
//! (<https://docs.anthropic.com/en/api/messages-streaming>), into events. Each of the service's own events follows what was
//! read from it, for clients that speak the same API. One meter reads usage and stop reason here and for Converse.

use super::messages_body::{Block, Chunk, Delta, Message, Metrics, ServiceError, StreamEvent, Tokens};
use super::stop_reason::stop_reason;
use crate::conversation::{Event, NativeEvent, Usage, json_text};
use crate::error::{Error, Kind, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::VecDeque;

/// Decodes one answer.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct MessagesDecoder {
    /// The number of tool calls so far.
    calls: usize,
    /// The call whose block is open, and whether it has arguments.
    open_call: Option<OpenCall>,
    usage: Usage,
    /// Whether the output of the whole answer was counted. What a stream begins with is only its first tokens.
    has_output: bool,
    /// Whether a stop reason has come, so that the usage is whole.
    stopped: bool,
    /// Whether the usage was handed on.
    settled: bool,
}

#[derive(Debug, Clone, Copy)]
struct OpenCall {
    index: usize,
    is_empty: bool,
}

impl MessagesDecoder {
    /// Adds the events of a complete answer.
    ///
    /// # Errors
    /// `InvalidUpstreamResponse` when the body is not the JSON that is expected.
    pub(super) fn complete(&mut self, body: &Bytes, events: &mut VecDeque<Event>) -> Result<()> {
        let message: Message = parse(body)?;
        events.push_back(Event::Native(NativeEvent { kind: String::new(), json: body.clone() }));
        for block in &message.content {
            self.start_block(block, events)?;
            self.end_block(events);
        }
        self.has_output = message.usage.as_ref().is_some_and(|usage| usage.output.is_some());
        self.count(message.usage);
        if let Some(reason) = &message.stop_reason {
            events.push_back(Event::Stop(stop_reason(reason, &json!({"stop_sequence": message.stop_sequence}))));
            self.stopped = true;
        }
        self.finish(events);
        Ok(())
    }

    /// Adds the events of one frame of a stream. Returns whether the frame holds a part of the answer.
    ///
    /// # Errors
    /// `InvalidUpstreamResponse` when the payload is not the JSON that is expected; what the service reports instead of an
    /// event.
    pub(super) fn event(&mut self, kind: &str, payload: &[u8], events: &mut VecDeque<Event>) -> Result<bool> {
        if kind != "chunk" {
            return Ok(false);
        }
        let chunk: Chunk = parse(payload)?;
        let bytes = STANDARD.decode(chunk.bytes.as_bytes()).map_err(|error| unreadable(&error))?;
        let json = Bytes::from(bytes);
        let event: StreamEvent = parse(&json)?;
        let StreamEvent { r#type: kind, message, content_block, delta, usage, error, metrics } = event;
        if let Some(error) = error {
            return Err(service_error(&error));
        }
        if let Some(message) = message {
            self.count(message.usage);
        }
        if let Some(block) = content_block {
            self.start_block(&block, events)?;
        }
        self.has_output |= usage.as_ref().is_some_and(|usage| usage.output.is_some()) || metrics.is_some();
        self.count(usage);
        let has_content = kind != "ping" && kind != "content_block_stop";
        if kind == "content_block_stop" {
            self.end_block(events);
        }
        if let Some(delta) = delta {
            self.delta(delta, events);
        }
        if let Some(metrics) = metrics {
            self.raise(&metrics);
        }
        let is_last = kind == "message_stop";
        events.push_back(Event::Native(NativeEvent { kind, json }));
        if is_last {
            self.finish(events);
        }
        Ok(has_content)
    }

    /// Adds the usage, when the answer has ended and it was not added before. An answer whose output nothing counts has
    /// none, so that it is not taken for a cheap one.
    pub(super) fn finish(&mut self, events: &mut VecDeque<Event>) {
        if self.stopped && self.has_output && !std::mem::replace(&mut self.settled, true) {
            events.push_back(Event::Usage(self.usage));
        }
    }

    fn start_block(&mut self, block: &RawValue, events: &mut VecDeque<Event>) -> Result<()> {
        let block: Block = parse(block.get().as_bytes())?;
        let mut add = |text: String, event: fn(String) -> Event| {
            if !text.is_empty() {
                events.push_back(event(text));
            }
        };
        match block.r#type.as_str() {
            "text" => add(block.text, Event::Text),
            "thinking" => {
                add(block.thinking, Event::Reasoning);
                add(block.signature, Event::Signature);
            }
            "redacted_thinking" => add(block.data, Event::Redacted),
            "tool_use" => {
                let index = self.calls;
                self.calls += 1;
                self.open_call = Some(OpenCall { index, is_empty: true });
                events.push_back(Event::ToolCall { index, id: block.id, name: block.name });
                // A stream begins with an empty object, and a complete answer gives the arguments here.
                let input = block.input.filter(|input| input.get() != "{}");
                self.arguments(input.map_or_else(String::new, |input| input.get().to_owned()), events);
            }
            // Blocks of tools that the service runs, and those that this build does not know.
            _ => {}
        }
        let citations = block.citations.into_iter().flatten();
        events.extend(citations.map(|citation| Event::Citation(citation.into())));
        Ok(())
    }

    fn delta(&mut self, delta: Delta, events: &mut VecDeque<Event>) {
        let Delta { text, thinking, signature, partial_json, citation, stop_reason: reason, stop_sequence } = delta;
        let not_empty = |text: &String| !text.is_empty();
        events.extend(text.filter(not_empty).map(Event::Text));
        events.extend(thinking.filter(not_empty).map(Event::Reasoning));
        events.extend(signature.filter(not_empty).map(Event::Signature));
        events.extend(citation.map(|citation| Event::Citation(citation.into())));
        self.arguments(partial_json.unwrap_or_default(), events);
        if let Some(reason) = reason {
            self.stopped = true;
            let reason = stop_reason(&reason, &json!({"stop_sequence": stop_sequence}));
            events.push_back(Event::Stop(reason));
        }
    }

    fn arguments(&mut self, json: String, events: &mut VecDeque<Event>) {
        if let (Some(call), false) = (&mut self.open_call, json.is_empty()) {
            call.is_empty = false;
            events.push_back(Event::Arguments { index: call.index, json });
        }
    }

    fn end_block(&mut self, events: &mut VecDeque<Event>) {
        // A call without arguments streams none, and an empty string is not JSON (docs/cases.md, T9).
        if let Some(OpenCall { index, is_empty: true }) = self.open_call.take() {
            events.push_back(Event::Arguments { index, json: "{}".to_owned() });
        }
        events.push_back(Event::BlockEnd);
    }

    /// The counts of a stream are sums, so a lower one that comes later is no news.
    fn count(&mut self, tokens: Option<Tokens>) {
        let Some(Tokens { input, output, cache_read, cache_creation, by_ttl }) = tokens else { return };
        let usage = &mut self.usage;
        usage.input = usage.input.max(input.unwrap_or_default());
        usage.output = usage.output.max(output.unwrap_or_default());
        usage.cache_read = usage.cache_read.max(cache_read.unwrap_or_default());
        let written = usage.cache_write().max(cache_creation.unwrap_or_default());
        let one_hour = by_ttl.map_or(0, |by_ttl| by_ttl.one_hour);
        usage.cache_write_1h = usage.cache_write_1h.max(one_hour).min(written);
        usage.cache_write_5m = written - usage.cache_write_1h;
    }

    fn raise(&mut self, metrics: &Metrics) {
        let usage = &mut self.usage;
        usage.input = usage.input.max(metrics.input);
        usage.output = usage.output.max(metrics.output);
        usage.cache_read = usage.cache_read.max(metrics.cache_read);
        let written = usage.cache_write().max(metrics.cache_write);
        usage.cache_write_5m = written - usage.cache_write_1h;
    }
}

fn parse<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T> {
    json_text::from_slice(json).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::InvalidUpstreamResponse, format!("Bedrock's answer cannot be read: {error}"))
}

/// An error that the model's service reports within the stream. The answer has begun, so it may be billed.
fn service_error(error: &ServiceError) -> Error {
    let ServiceError { r#type, message } = error;
    Error::new(Kind::ModelFailed, format!("Bedrock: the answer was cut short: {message} ({type})"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::conversation::{Citation, StopReason};
    use serde_json::Value;

    fn chunk(event: &Value) -> Vec<u8> {
        json!({"bytes": STANDARD.encode(event.to_string()), "p": "abc"}).to_string().into_bytes()
    }

    /// The neutral events of a stream, and the kinds of its native ones.
    fn decoded(stream: &[Value]) -> (Vec<Event>, Vec<String>) {
        let (mut decoder, mut events) = (MessagesDecoder::default(), VecDeque::new());
        for event in stream {
            decoder.event("chunk", &chunk(event), &mut events).unwrap();
        }
        let mut kinds = Vec::new();
        events.retain(|event| match event {
            Event::Native(native) => {
                kinds.push(native.kind.clone());
                false
            }
            _ => true,
        });
        (events.into(), kinds)
    }

    #[test]
    fn a_stream_gives_neutral_events_and_its_own() {
        let stream = [
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 4, "output_tokens": 1,
                "cache_creation_input_tokens": 30, "cache_read_input_tokens": 2,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}}}),
            json!({"type": "content_block_start", "index": 0, "content_block":
                {"type": "thinking", "thinking": "", "signature": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s=="}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1, "content_block":
                {"type": "tool_use", "id": "t", "name": "look", "input": {}}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "content_block_start", "index": 2, "content_block": {"type": "made_up", "x": 1}}),
            json!({"type": "content_block_stop", "index": 2}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
                "usage": {"output_tokens": 9}}),
            json!({"type": "message_stop", "amazon-bedrock-invocationMetrics":
                {"inputTokenCount": 4, "outputTokenCount": 12, "cacheWriteInputTokenCount": 31}}),
        ];
        let usage = Usage { input: 4, output: 12, cache_read: 2, cache_write_5m: 11, cache_write_1h: 20 };
        let (events, kinds) = decoded(&stream);
        assert_eq!(
            events,
            [
                Event::Reasoning("hm".into()),
                Event::Signature("s==".into()),
                Event::BlockEnd,
                Event::ToolCall { index: 0, id: "t".into(), name: "look".into() },
                Event::Arguments { index: 0, json: "{}".into() },
                Event::BlockEnd,
                Event::BlockEnd,
                Event::Stop(StopReason::ToolUse),
                Event::Usage(usage),
            ]
        );
        assert_eq!(kinds, stream.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    }

    #[test]
    fn a_complete_answer_is_read_like_a_stream() {
        let body = json!({"content": [{"type": "text", "text": "a", "citations": [{"document_title": "d", "cited_text": "q"}]},
            {"type": "tool_use", "id": "t", "name": "n", "input": {"b": "LONG"}}],
            "stop_reason": "stop_sequence", "stop_sequence": "END", "usage": {"input_tokens": 1, "output_tokens": 2}});
        let body = body.to_string().replace("\"LONG\"", "12345678901234567890123");
        let (mut decoder, mut events) = (MessagesDecoder::default(), VecDeque::new());
        decoder.complete(&body.clone().into(), &mut events).unwrap();
        let citation = Citation { title: "d".into(), quote: "q".into(), ..Citation::default() };
        assert_eq!(
            Vec::from(events),
            [
                Event::Native(NativeEvent { kind: String::new(), json: body.into() }),
                Event::Text("a".into()),
                Event::Citation(citation),
                Event::BlockEnd,
                Event::ToolCall { index: 0, id: "t".into(), name: "n".into() },
                Event::Arguments { index: 0, json: r#"{"b":12345678901234567890123}"#.into() },
                Event::BlockEnd,
                Event::Stop(StopReason::StopSequence(Some("END".into()))),
                Event::Usage(Usage { input: 1, output: 2, ..Usage::default() }),
            ]
        );
    }

    #[test]
    fn counts_never_fall_and_missing_ones_are_not_taken_for_none() {
        let start = |usage: Value| json!({"type": "message_start", "message": {"usage": usage}});
        let delta = |usage: Value| json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": usage});
        let first = json!({"input_tokens": 12, "output_tokens": 1, "cache_read_input_tokens": 7});
        let whole = Usage { input: 12, output: 5, cache_read: 7, ..Usage::default() };
        let stop = json!({"type": "message_stop"});
        let metrics = json!({"type": "message_stop",
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": 12, "outputTokenCount": 5}});
        for (start, delta, stop, usage) in [
            (start(first.clone()), delta(json!({"output_tokens": 5})), &stop, Some(whole)),
            (
                start(first.clone()),
                delta(json!({"input_tokens": 0, "output_tokens": 5, "cache_read_input_tokens": 0})),
                &stop,
                Some(whole),
            ),
            (start(first.clone()), delta(Value::Null), &metrics, Some(whole)),
            (start(first), delta(Value::Null), &stop, None),
            (start(Value::Null), delta(Value::Null), &stop, None),
        ] {
            let (events, _) = decoded(&[start, delta.clone(), stop.clone()]);
            let counted =
                events.iter().find_map(|event| if let Event::Usage(usage) = event { Some(*usage) } else { None });
            assert_eq!(counted, usage, "{delta} {stop}");
        }
    }

    #[test]
    fn an_error_within_the_stream_may_be_billed() {
        let event = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
        let error = MessagesDecoder::default().event("chunk", &chunk(&event), &mut VecDeque::new()).unwrap_err();
        assert!(error.may_be_billed() && error.message.contains("Overloaded"), "{error}");
    }
}
