//! What a model refuses in messages and tools although Converse allows it (docs/bedrock.md §2.6, §2.7). The values are
//! in the tables `rules` of `families.toml`; what a table does not name has the default of this file.

use serde::Deserialize;

/// The form that a model wants for the ids of tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolIds {
    /// 1 to 64 letters, digits, `_` and `-`.
    #[default]
    Word,
    /// As `Word`, and `.` and `:` besides. Kimi makes its ids with them.
    Dotted,
    /// Exactly nine letters and digits.
    Nine,
}

/// The form that a model wants for names of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolNameForm {
    /// 1 to 64 letters, digits, `_` and `-`.
    #[default]
    Word,
    /// As `Word` but without `-`, and not beginning with a digit.
    Identifier,
}

/// The tags between which a model writes its reasoning into the text of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningTags {
    /// `<think>`.
    Think,
    /// `<thinking>`.
    Thinking,
    /// `<think>` or `<thinking>`.
    Either,
    /// `<reasoning>`.
    Reasoning,
}

impl ReasoningTags {
    /// The names of the tags.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Think => &["think"],
            Self::Thinking => &["thinking"],
            Self::Either => &["think", "thinking"],
            Self::Reasoning => &["reasoning"],
        }
    }
}

/// What a model refuses, and how much it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent yes-or-no facts, not states")]
pub struct FamilyRules {
    /// Whether the model takes a system prompt.
    pub system: bool,
    /// Whether a turn with tool results must hold nothing else.
    pub results_alone: bool,
    /// Whether a tool result may say that the tool succeeded or failed.
    pub result_status: bool,
    /// Whether the model takes its own signed reasoning back.
    pub reasoning_history: bool,
    /// Whether the properties in a tool's schema must have names of 1 to 64 letters, digits, `_`, `.` and `-`.
    pub plain_properties: bool,
    pub tool_ids: ToolIds,
    pub tool_names: ToolNameForm,
    /// The most stop sequences; Converse itself takes 2,500.
    pub stop_sequences: usize,
    /// Whether a stop sequence may be white space.
    pub blank_stops: bool,
    /// The most images in one turn.
    pub images_per_turn: usize,
    /// The most images in one request; `None` when only those of a turn are limited.
    pub images_per_request: Option<usize>,
    /// The most documents in one turn.
    pub documents_per_turn: usize,
    /// `None` for a model whose text holds no reasoning.
    pub reasoning_tags: Option<ReasoningTags>,
}

impl Default for FamilyRules {
    fn default() -> Self {
        Self {
            system: true,
            results_alone: false,
            result_status: true,
            reasoning_history: false,
            plain_properties: false,
            tool_ids: ToolIds::default(),
            tool_names: ToolNameForm::default(),
            stop_sequences: 2500,
            blank_stops: true,
            images_per_turn: 20,
            images_per_request: None,
            documents_per_turn: 5,
            reasoning_tags: None,
        }
    }
}
