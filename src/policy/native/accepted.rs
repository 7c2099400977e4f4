//! What Bedrock is known to take of a Messages request (docs/anthropic.md).

use crate::conversation::IgnoredMember;
use serde_json::Value;

/// The members of a request that Bedrock takes. Any other is left out, also because it might change the price.
pub(super) const MEMBERS: [&str; 11] = [
    "messages",
    "system",
    "tools",
    "tool_choice",
    "stop_sequences",
    "max_tokens",
    "temperature",
    "top_p",
    "thinking",
    "output_config",
    "context_management",
];

/// Members that are left out without a word: they say what this server does anyway, or are nobody else's business.
pub(super) const SILENTLY_LEFT_OUT: [&str; 8] = [
    "model",
    "stream",
    "anthropic_version",
    "anthropic_beta",
    "metadata",
    "safeguards",
    "service_tier",
    "cache_control",
];

/// The members of `output_config` that Bedrock takes.
pub(super) const OUTPUT_MEMBERS: [&str; 2] = ["effort", "format"];

/// The members of a tool that Bedrock takes, for tools whose schema the client gives.
pub(super) const TOOL_MEMBERS: [&str; 8] =
    ["name", "description", "input_schema", "type", "cache_control", "strict", "defer_loading", "input_examples"];

/// How the types of tools begin that Claude knows itself and that the client runs. Tools that the service runs are left
/// out: each of their rounds reads the whole prompt again, and no limit holds their number.
pub(super) const KNOWN_TOOLS: [&str; 4] = ["bash_", "text_editor_", "computer_", "memory_"];

/// The edits of the context that Bedrock takes and that make no call of their own, which would be billed beside the limit.
pub(super) const CONTEXT_EDITS: [&str; 1] = ["clear_tool_uses_20250919"];

/// What the service does anyway.
pub(super) const NEEDLESS_EDIT: &str = "clear_thinking_20251015";

/// Blocks of a system message that change the tools, for which Bedrock has no beta.
pub(super) const TOOL_CHANGES: [&str; 2] = ["tool_addition", "tool_removal"];

/// The beta features that are passed on.
pub(super) const BETAS: [&str; 10] = [
    "interleaved-thinking-2025-05-14",
    "context-1m-2025-08-07",
    "effort-2025-11-24",
    "thinking-token-count-2026-05-13",
    "thinking-display-updates-2026-08-18",
    "structured-outputs-2025-12-15",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "fine-grained-tool-streaming-2025-05-14",
    "token-efficient-tools-2025-02-19",
];

/// The beta features that a part of the request needs, whatever the client has named.
pub(super) const NEEDED_BETAS: [(NeedsBeta, &str); 3] = [
    (NeedsBeta::DeferredTools, "tool-search-tool-2025-10-19"),
    (NeedsBeta::ToolExamples, "tool-examples-2025-10-29"),
    (NeedsBeta::ContextEdits, "context-management-2025-06-27"),
];

/// A part of a request that a beta feature allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NeedsBeta {
    DeferredTools,
    ToolExamples,
    ContextEdits,
}

/// A member that is left out, as the client is told of it.
pub(super) fn left_out(name: String, value: &Value) -> IgnoredMember {
    let value = (value.is_number() || value.is_boolean()).then(|| value.to_string());
    IgnoredMember { name, value }
}
