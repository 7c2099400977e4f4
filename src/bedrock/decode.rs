//! What Bedrock answers, as events. Pure. Written for what was recorded: usage after the stop,
//! no block starts for text, empty deltas, citations instead of text (`recordings/README.md`).

use crate::conversation::{Event, StopReason, Usage};
use crate::error::{Error, Kind, Result};
use aws_sdk_bedrockruntime::operation::converse::ConverseOutput as Complete;
use aws_sdk_bedrockruntime::types::{
    CacheTtl, CitationGeneratedContent, ContentBlock, ContentBlockDelta, ConverseOutput, ConverseStreamOutput,
    ReasoningContentBlock, ReasoningContentBlockDelta, StopReason as Stop, TokenUsage,
};

/// The events of a complete answer.
///
/// # Errors
/// `BadAnswer` when there is no message, or a part this version cannot pass on.
pub fn complete(answer: &Complete) -> Result<Vec<Event>> {
    let Some(ConverseOutput::Message(message)) = &answer.output else {
        return Err(Error::new(Kind::BadAnswer, "Bedrock's answer holds no message"));
    };
    let mut events = Vec::with_capacity(message.content.len() + 2);
    for block in &message.content {
        match block {
            ContentBlock::Text(text) => push(&mut events, Event::Text, text),
            ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(reasoning)) => {
                push(&mut events, Event::Reasoning, &reasoning.text);
            }
            // Encrypted: nobody here can read it.
            ContentBlock::ReasoningContent(_) => {}
            ContentBlock::CitationsContent(cited) => {
                for content in cited.content() {
                    if let CitationGeneratedContent::Text(text) = content {
                        push(&mut events, Event::Text, text);
                    }
                }
            }
            other => return Err(unreadable(other_block(other))),
        }
    }
    events.push(Event::Stop(stop(&answer.stop_reason)));
    events.extend(answer.usage.as_ref().map(|tokens| Event::Usage(usage(tokens))));
    Ok(events)
}

/// The event of one frame of a stream, if it says anything.
///
/// # Errors
/// `BadAnswer` for a part this version cannot pass on.
pub fn frame(frame: ConverseStreamOutput) -> Result<Option<Event>> {
    Ok(match frame {
        ConverseStreamOutput::ContentBlockDelta(event) => match event.delta {
            Some(ContentBlockDelta::Text(text)) => Some(Event::Text(text)),
            Some(ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text))) => {
                Some(Event::Reasoning(text))
            }
            // Signatures and encrypted reasoning, the sources of a citation: nothing to read.
            Some(ContentBlockDelta::ReasoningContent(_) | ContentBlockDelta::Citation(_)) | None => None,
            Some(other) => return Err(unreadable(other_delta(&other))),
        }
        .filter(|event| !matches!(event, Event::Text(text) | Event::Reasoning(text) if text.is_empty())),
        ConverseStreamOutput::MessageStop(event) => Some(Event::Stop(stop(&event.stop_reason))),
        ConverseStreamOutput::Metadata(event) => event.usage.as_ref().map(|tokens| Event::Usage(usage(tokens))),
        // Starts and stops of blocks carry nothing; an event newer than this build is not ours to judge.
        _ => None,
    })
}

fn push(events: &mut Vec<Event>, event: fn(String) -> Event, text: &str) {
    if !text.is_empty() {
        events.push(event(text.to_owned()));
    }
}

fn stop(reason: &Stop) -> StopReason {
    match reason {
        Stop::EndTurn => StopReason::EndTurn,
        Stop::StopSequence => StopReason::StopSequence,
        Stop::MaxTokens => StopReason::MaxTokens,
        Stop::ModelContextWindowExceeded => StopReason::ContextWindow,
        Stop::ToolUse => StopReason::ToolUse,
        Stop::GuardrailIntervened => StopReason::Guardrail,
        Stop::ContentFiltered => StopReason::ContentFiltered,
        Stop::MalformedModelOutput | Stop::MalformedToolUse => StopReason::Malformed(reason.as_str().to_owned()),
        other => StopReason::Unknown(other.as_str().to_owned()),
    }
}

fn usage(tokens: &TokenUsage) -> Usage {
    let count = |tokens: i32| u64::try_from(tokens).unwrap_or(0);
    let written = count(tokens.cache_write_input_tokens.unwrap_or(0));
    let one_hour = tokens.cache_details().iter().filter(|detail| detail.ttl == CacheTtl::OneHour);
    // Only the part written for an hour is dearer (cases.md C3); the details say how much that is.
    let one_hour = one_hour.map(|detail| count(detail.input_tokens)).sum::<u64>().min(written);
    Usage {
        input: count(tokens.input_tokens),
        output: count(tokens.output_tokens),
        cache_read: count(tokens.cache_read_input_tokens.unwrap_or(0)),
        cache_write_5m: written - one_hour,
        cache_write_1h: one_hour,
    }
}

fn unreadable(part: &str) -> Error {
    Error::new(Kind::BadAnswer, format!("the answer holds a part that was not asked for: {part}"))
}

fn other_block(block: &ContentBlock) -> &'static str {
    match block {
        ContentBlock::ToolUse(_) | ContentBlock::ToolResult(_) => "a tool call",
        ContentBlock::Image(_) => "an image",
        ContentBlock::Document(_) => "a document",
        ContentBlock::Audio(_) | ContentBlock::Video(_) => "audio or video",
        _ => "one newer than this version",
    }
}

fn other_delta(delta: &ContentBlockDelta) -> &'static str {
    match delta {
        ContentBlockDelta::ToolUse(_) | ContentBlockDelta::ToolResult(_) => "a tool call",
        ContentBlockDelta::Image(_) => "an image",
        _ => "one newer than this version",
    }
}
