//! The offline model: a few simple answers, which are the same every time.

use super::answer::{Answer, Block, tokenize};
use super::tools;
use serde_json::Value;

/// Answers a Converse body that has passed the rules.
pub(super) fn answer(body: &Value) -> Answer {
    let config = |name: &str| body.get("inferenceConfig").and_then(|config| config.get(name));
    let turns = turns(body);
    let mut blocks = Vec::new();
    if reasoning_is_requested(body) {
        blocks.push(Block::Reasoning("The question is clear. A short answer will do.".to_owned()));
    }
    let calls = tools::calls(body, &turns);
    let max_tokens = config("maxTokens").and_then(Value::as_u64).and_then(|max| usize::try_from(max).ok());
    if !calls.is_empty() {
        let stop = if cut_calls(&mut blocks, calls, max_tokens) { "max_tokens" } else { "tool_use" };
        return Answer { blocks, stop, stop_sequence: None, input_tokens: input_tokens(body), fails: false };
    }
    let schema = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema").and_then(Value::as_str);
    let schema = schema.and_then(|schema| serde_json::from_str::<Value>(schema).ok());
    let mut text = match schema {
        Some(schema) => tools::sample_value(&schema).to_string(),
        None => tools::describe_input(body).unwrap_or_else(|| reply(&turns)),
    };
    let mut stop = "end_turn";
    // Cut first, so that the stop sequences are looked for in a short text only.
    let mut tokens = tokenize(&text);
    if let Some(max_tokens) = max_tokens.filter(|max| tokens.len() > *max) {
        tokens.truncate(max_tokens);
        text.truncate(tokens.iter().map(String::len).sum());
        stop = "max_tokens";
    }
    let stops = config("stopSequences").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut stop_sequence = None;
    if let Some((end, met)) = stops.filter_map(|stop| Some((text.find(stop)?, stop.to_owned()))).min() {
        text.truncate(end);
        tokens = tokenize(&text);
        stop = "stop_sequence";
        stop_sequence = Some(met);
    }
    blocks.push(Block::Text(tokens));
    let fails = turns.last().is_some_and(|(_, text)| text.trim().eq_ignore_ascii_case("break off"));
    Answer { blocks, stop, stop_sequence, input_tokens: input_tokens(body), fails }
}

/// Adds tool calls to an answer, up to its token limit. Returns whether the limit has cut one.
fn cut_calls(blocks: &mut Vec<Block>, calls: Vec<Block>, max_tokens: Option<usize>) -> bool {
    let mut left = max_tokens.unwrap_or(usize::MAX);
    for call in calls {
        let Block::ToolUse(id, name, arguments) = call else { continue };
        let tokens = tokenize(&arguments);
        let is_cut = tokens.len() > left;
        let arguments = tokens[..tokens.len().min(left)].concat();
        left -= tokens.len().min(left);
        blocks.push(Block::ToolUse(id, name, arguments));
        if is_cut {
            return true;
        }
    }
    false
}

/// Whether the request asks for reasoning. The policy sends effort `low` when it wants as little as possible.
fn reasoning_is_requested(body: &Value) -> bool {
    let field = |path: &str| body.pointer(&format!("/additionalModelRequestFields/{path}")).and_then(Value::as_str);
    match field("thinking/type") {
        Some("enabled") => true,
        Some("adaptive") => field("output_config/effort") != Some("low"),
        _ => false,
    }
}

/// The tokens of a Converse body: those of its texts and tools, and three for each message and for the system prompt.
pub(super) fn input_tokens(body: &Value) -> usize {
    let system = body.get("system").and_then(Value::as_array).into_iter().flatten();
    let system = system.filter_map(|block| block.get("text")?.as_str()).map(|text| tokenize(text).len() + 3);
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    let turns = messages.map(|message| texts(message).map(|text| tokenize(text).len()).sum::<usize>() + 3);
    let tools = body.pointer("/toolConfig/tools").map_or(0, |tools| tokenize(&tools.to_string()).len());
    system.chain(turns).sum::<usize>() + tools + 3
}

/// The messages of a Converse body: whether each is the user's, and its text without what the client has added to it.
fn turns(body: &Value) -> Vec<(bool, String)> {
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    messages
        .map(|message| {
            let user = message.get("role").and_then(Value::as_str) == Some("user");
            let said: Vec<_> = texts(message).filter(|text| !user || !is_added_by_client(text)).collect();
            (user, said.join("\n"))
        })
        .collect()
}

fn texts(message: &Value) -> impl Iterator<Item = &str> {
    let blocks = message.get("content").and_then(Value::as_array).into_iter().flatten();
    blocks.filter_map(|block| block.get("text")?.as_str())
}

/// Agents put what their user has not typed into tags, such as `<system-reminder>` or `<environment_context>`.
fn is_added_by_client(text: &str) -> bool {
    let inside = text.trim().strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let tag = inside.and_then(|inside| inside.split_once('>')).map(|(tag, _)| tag);
    tag.is_some_and(|tag| inside.is_some_and(|inside| inside.ends_with(&format!("</{tag}"))))
}

fn reply(turns: &[(bool, String)]) -> String {
    let questions: Vec<&str> = turns.iter().filter(|(user, _)| *user).map(|(_, text)| text.trim()).collect();
    let Some((&question, earlier)) = questions.split_last() else {
        return "Hello?".into();
    };
    let lower = question.to_lowercase();
    let mentions_any = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if lower.starts_with("echo ")
        && let Some(text) = question.get(5..)
    {
        return text.to_owned();
    }
    if let Some(rest) = lower.strip_prefix("count to ")
        && let Some(word) = rest.split_whitespace().next()
        && let Ok(number) = word.parse::<u32>()
    {
        return (1..=number.min(100_000)).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    }
    if mentions_any(&["my name?", "what is my name", "what's my name", "who am i"]) {
        return match earlier.iter().rev().find_map(|text| name_in(text)) {
            Some(name) => format!("Your name is {name}. You told me earlier in this conversation."),
            None => "You have not told me your name yet.".into(),
        };
    }
    if let Some(name) = name_in(question) {
        return format!("Nice to meet you, {name}! I will remember that for as long as this conversation lasts.");
    }
    if mentions_any(&["what did i say", "what did i ask", "remember"]) {
        return match earlier.last() {
            Some(text) => format!("Before this you said: “{text}”."),
            None => "This is the first thing you have said to me.".into(),
        };
    }
    if mentions_any(&["markdown", "code"]) {
        return "Here is a little of everything:\n\n# A heading\n\n- **bold**, *emphasis* and `code`\n- a [link](https://example.com)\n\n```rust\nfn main() {\n    println!(\"hello\");\n}\n```\n".into();
    }
    if mentions_any(&["hello", "hi ", "hi!", "good morning", "good evening"]) || lower == "hi" {
        return "Hello! I am Chatrix's offline model: I run inside this program, cost nothing and know very little. Ask me to echo something, or tell me your name.".into();
    }
    let words = question.split_whitespace().count();
    let word = if words == 1 { "word" } else { "words" };
    let start: String = question.chars().take(60).collect();
    let more = if start.len() < question.len() { "…" } else { "" };
    format!(
        "I am Chatrix's offline model, so I cannot really answer that, but your {words} {word} arrived safely: “{start}{more}”. \
         Leave out --offline to ask a model on AWS Bedrock."
    )
}

fn name_in(text: &str) -> Option<&str> {
    const PHRASE: &str = "my name is ";
    // to_ascii_lowercase keeps the byte positions, so that the name can be taken from the original text.
    let start = text.to_ascii_lowercase().find(PHRASE)? + PHRASE.len();
    let name = text.get(start..)?.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '\'')).next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(texts: &[&str], config: &Value) -> (String, &'static str) {
        let messages = texts.iter().enumerate().map(|(index, text)| {
            json!({"role": if index % 2 == 0 { "user" } else { "assistant" }, "content": [{"text": text}]})
        });
        let answer = answer(&json!({"messages": messages.collect::<Vec<_>>(), "inferenceConfig": config}));
        let text = answer.blocks.iter().map(|block| match block {
            Block::Text(tokens) => tokens.concat(),
            Block::Reasoning(_) | Block::ToolUse(..) => String::new(),
        });
        (text.collect(), answer.stop)
    }

    #[test]
    fn it_echoes_remembers_and_stops() {
        let none = json!({});
        assert_eq!(ask(&["echo Grüße, 世界!"], &none), ("Grüße, 世界!".into(), "end_turn"));
        assert!(ask(&["My name is Ada.", "ok", "What is my name?"], &none).0.contains("Ada"));
        assert!(ask(&["why?"], &none).0.contains("offline model"));
        assert_eq!(ask(&["count to 9"], &json!({"maxTokens": 3})), ("1 2 3".into(), "max_tokens"));
        assert_eq!(ask(&["count to 9"], &json!({"stopSequences": ["7", " 4"]})), ("1 2 3".into(), "stop_sequence"));
    }
}
