//! What the tokens of a prompt depend on, as hashes: its setting (the model, the system prompt, the tools and all else
//! beside the conversation) and its turns, one after the other. A request whose hashes begin like those of an earlier one
//! has a prompt that begins like its prompt, and what was added since is bounded here. Everything is taken from the body
//! as it is sent, so that nothing depends on how the request was translated. Cache points are left out: they say what
//! is kept, and are no part of the prompt (docs/bedrock.md §2.4).

use super::body::{Block, Body, ReasoningBlock, ToolEntry, Turn};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io;

/// The hash of a prompt up to some place.
pub type PromptHash = [u8; 32];

/// The prompt of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The hash of everything but the conversation.
    pub setting: PromptHash,
    pub turns: Vec<PromptTurn>,
    /// The most tokens of what the hashes leave out.
    pub unhashed: u64,
    /// How many tokens more these turns may have in a prompt that continues this one: reasoning that the service may have
    /// left out here. `None` when the assistant's turn is the last, because a longer prompt may continue that turn.
    pub more_when_continued: Option<u64>,
}

/// A turn of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptTurn {
    /// The hash of the prompt up to the end of the turn.
    pub until_here: PromptHash,
    /// The most tokens that the turn adds to a prompt. `None` for one with images or documents, whose tokens may depend
    /// on how many there are.
    pub added_at_most: Option<u64>,
    /// Whether the turn has the same tokens whatever follows it. Claude's service leaves out the reasoning of earlier turns.
    pub is_fixed: bool,
}

/// The prompt that the body of a `Converse` call asks a model with. `None` when it cannot be written.
pub(super) fn of_body(model: &str, body: &Body<'_>) -> Option<Prompt> {
    let Body {
        messages,
        system,
        // The sampling, the length and the price of the answer.
        inference_config: _,
        service_tier: _,
        // For the logs of the account.
        request_metadata: _,
        tool_config,
        output_config,
        additional_model_request_fields,
    } = body;
    let mut hash = Hasher::default();
    hash.add(model)?;
    system.iter().filter(|block| !matches!(block, Block::CachePoint(_))).try_for_each(|block| hash.add(block))?;
    // Words between the parts, so that none is taken for one of another part.
    hash.add("tools")?;
    hash.add(&tool_config.as_ref().and_then(|config| config.tool_choice.as_ref()))?;
    for entry in tool_config.iter().flat_map(|config| &config.tools) {
        if let ToolEntry::ToolSpec(tool) = entry {
            hash.add(tool)?;
        }
    }
    hash.add("fields")?;
    hash.add(output_config)?;
    hash.add(additional_model_request_fields)?;
    let mut writer = PromptWriter::new(hash.finish(), 0);
    for Turn { role, content } in messages {
        writer.begin_turn(role)?;
        for block in content.iter().filter(|block| !matches!(block, Block::CachePoint(_))) {
            writer.add(block, measure(block))?;
        }
    }
    Some(writer.finish())
}

/// What a turn and a block of one add besides their text, at most (tokens): marks of roles, names of tags.
pub(super) const FRAME: usize = 16;

/// What a block is to the tokens of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Text, a tool call, or anything else of at most so many tokens.
    Content(usize),
    /// The result of a tool, of at most so many tokens.
    ToolResult(usize),
    /// Reasoning of an earlier answer, of at most so many tokens.
    Reasoning(usize),
    /// Something whose tokens may depend on the rest of the prompt, such as an image.
    Dependent,
}

impl Measure {
    /// A tool call.
    pub(super) fn of_call(id: &str, name: &str, arguments: &str) -> Self {
        Self::Content(id.len() + 2 * name.len() + 2 * FRAME + arguments_tokens(arguments))
    }

    /// The result of a tool with this content.
    pub(super) fn of_result(id: &str, content: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = id.len() + FRAME;
        for part in content {
            match part {
                Self::Content(tokens) => sum += tokens + FRAME,
                Self::ToolResult(_) | Self::Reasoning(_) | Self::Dependent => return Self::Dependent,
            }
        }
        Self::ToolResult(sum)
    }

    fn tokens(self) -> Option<usize> {
        match self {
            Self::Content(tokens) | Self::ToolResult(tokens) | Self::Reasoning(tokens) => Some(tokens + FRAME),
            Self::Dependent => None,
        }
    }
}

/// The most tokens of a block: no tokenizer makes more of them than there are bytes.
fn measure(block: &Block<'_>) -> Measure {
    match block {
        Block::Text(text) => Measure::Content(text.len()),
        Block::ToolUse { tool_use_id, name, input } => Measure::of_call(tool_use_id, name, input.json()),
        Block::ToolResult { tool_use_id, content, status: _ } => {
            Measure::of_result(tool_use_id, content.iter().map(measure))
        }
        Block::CachePoint(_) => Measure::Content(0),
        Block::Image { .. } | Block::Document { .. } => Measure::Dependent,
        // The signature holds the reasoning itself, encrypted, of which the text may be a summary.
        Block::ReasoningContent(ReasoningBlock::ReasoningText { text, signature }) => {
            Measure::Reasoning(text.len() + signature.len())
        }
        Block::ReasoningContent(ReasoningBlock::RedactedContent(data)) => Measure::Reasoning(data.len()),
    }
}

/// The most tokens of a call's arguments. The service may write each value as an element with a name, and characters that
/// are not ASCII as escapes, which are at most three times as long.
fn arguments_tokens(json: &str) -> usize {
    let (mut values, mut other, mut in_string, mut escaped) = (0, 0, false, false);
    for byte in json.bytes() {
        other += usize::from(!byte.is_ascii());
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b':' | b',' | b'[' | b'{' if !in_string => values += 1,
            _ => {}
        }
    }
    json.len() + 2 * other + FRAME * values
}

/// Writes the turns of a prompt, one block after the other.
pub(super) struct PromptWriter {
    prompt: Prompt,
    /// The turn that is being written.
    turn: Option<OpenTurn>,
    /// The tokens of all reasoning so far, and of the reasoning before the last turn that may have ended a tool loop.
    reasoning: usize,
    doubtful: usize,
}

struct OpenTurn {
    role: String,
    hash: Hasher,
    tokens: Option<usize>,
    is_fixed: bool,
    has_results: bool,
    has_content: bool,
}

impl PromptWriter {
    /// `unhashed`: the most tokens of what the hash of the setting leaves out.
    pub(super) fn new(setting: PromptHash, unhashed: usize) -> Self {
        let unhashed = u64::try_from(unhashed).unwrap_or(u64::MAX);
        let prompt = Prompt { setting, turns: Vec::new(), unhashed, more_when_continued: None };
        Self { prompt, turn: None, reasoning: 0, doubtful: 0 }
    }

    /// Begins a turn. The service makes one turn of several with the same role.
    pub(super) fn begin_turn(&mut self, role: &str) -> Option<()> {
        if self.turn.as_ref().is_some_and(|turn| turn.role == role) {
            return Some(());
        }
        self.end_turn();
        let mut hash = Hasher::default();
        hash.add(self.prompt.turns.last().map_or(&self.prompt.setting, |turn| &turn.until_here))?;
        hash.add(role)?;
        let (role, tokens) = (role.to_owned(), Some(FRAME));
        self.turn = Some(OpenTurn { role, hash, tokens, is_fixed: true, has_results: false, has_content: false });
        Some(())
    }

    /// Adds a block to the turn, as it is hashed.
    pub(super) fn add(&mut self, block: &impl Serialize, measure: Measure) -> Option<()> {
        let turn = self.turn.as_mut()?;
        turn.hash.add(block)?;
        turn.tokens = turn.tokens.and_then(|sum| Some(sum.saturating_add(measure.tokens()?)));
        match measure {
            Measure::Content(_) => turn.has_content = true,
            Measure::ToolResult(_) => turn.has_results = true,
            Measure::Reasoning(tokens) => {
                turn.is_fixed = false;
                self.reasoning = self.reasoning.saturating_add(tokens + FRAME);
            }
            Measure::Dependent => {
                turn.is_fixed = false;
                turn.has_content = true;
                // It may be a result, such as a screenshot.
                turn.has_results = true;
            }
        }
        Some(())
    }

    fn end_turn(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        // Beside the results of tools, other content may end the loop in which the service keeps reasoning, or not; so
        // may a message of the system.
        let is_mixed = turn.has_results && turn.has_content;
        if turn.role == "system" || (turn.role == "user" && is_mixed) {
            self.doubtful = self.reasoning;
        }
        let added_at_most = turn.tokens.and_then(|tokens| u64::try_from(tokens).ok());
        let until_here = turn.hash.finish();
        self.prompt.turns.push(PromptTurn { until_here, added_at_most, is_fixed: turn.is_fixed });
    }

    pub(super) fn finish(mut self) -> Prompt {
        let ends_with_assistant = self.turn.as_ref().is_none_or(|turn| turn.role == "assistant");
        self.end_turn();
        if !ends_with_assistant {
            self.prompt.more_when_continued = u64::try_from(self.doubtful).ok();
        }
        self.prompt
    }
}

/// A hash of values, each written as JSON, which shows where it ends.
#[derive(Default)]
pub(super) struct Hasher(Sha256);

impl Hasher {
    pub(super) fn add(&mut self, value: &(impl Serialize + ?Sized)) -> Option<()> {
        serde_json::to_writer(&mut *self, value).ok()?;
        self.0.update(b"\n");
        Some(())
    }

    pub(super) fn finish(self) -> PromptHash {
        self.0.finalize().into()
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
