//! What a model answers, as a grammar: `(Text | Reasoning)* Stop Usage`.
//! Bedrock sends usage after the stop reason (`bedrock.md` §1.4), so a reader that ends on
//! [`Event::Stop`] never learns the cost. A stream that ends before its stop is an error, never success.

/// Why the model stopped (`bedrock.md` §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The answer is complete.
    EndTurn,
    /// One of the request's stop texts came up.
    StopSequence,
    /// The limit on the answer was reached.
    MaxTokens,
    /// The model's context window was full.
    ContextWindow,
    /// The model wants a tool called.
    ToolUse,
    /// A guardrail of the account stepped in.
    Guardrail,
    /// The service filtered the answer.
    ContentFiltered,
    /// The model produced something that is not an answer, or not a tool call.
    Malformed(String),
    /// A reason newer than this build, in Bedrock's word.
    Unknown(String),
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens, without cached ones (Bedrock's meaning, `bedrock.md` trap 9).
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the prompt cache for five minutes.
    pub cache_write_5m: u64,
    /// Input tokens written to the prompt cache for one hour.
    pub cache_write_1h: u64,
}

impl Usage {
    /// All input tokens, cached ones included (OpenAI's `prompt_tokens`).
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write())
    }

    /// All tokens written to the cache.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m.saturating_add(self.cache_write_1h)
    }
}

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// More of the answer.
    Text(String),
    /// More of what the model thought before it answered.
    Reasoning(String),
    /// The answer is over.
    Stop(StopReason),
    /// What it took. Comes once, after the stop.
    Usage(Usage),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// What the model thought, when it says so.
    pub reasoning: String,
    /// Why it stopped.
    pub stop: StopReason,
    /// What it took; `None` when Bedrock never said.
    pub usage: Option<Usage>,
}
