//! What AWS's messages mean where one error code stands for many failures. AWS documents none of these texts, and changes
//! them, so each is recognised by a few words that its known wordings have in common (docs/bedrock.md §1.5).

use crate::error::Kind;

/// Words of a message, in lower case, that together show that the account is not ready for the model, and what to do.
const ACCOUNT_STATES: [(&[&str], &str); 16] = [
    // Fable and Mythos require this setting (docs/cases.md, E8).
    (&["data retention"], DATA_RETENTION),
    (&["data-retention"], DATA_RETENTION),
    (&["use case details"], USE_CASE),
    (&["use case form"], USE_CASE),
    (&["aws-marketplace:"], MARKETPLACE),
    (&["marketplace subscription"], MARKETPLACE),
    (&["model access is denied"], MODEL_ACCESS),
    (&["don't have access to the model"], MODEL_ACCESS),
    (&["not have access to the model"], MODEL_ACCESS),
    (&["agreement"], "accept the model's agreement in the Bedrock console of this region"),
    (&["payment"], "add a valid payment method to the AWS account, and try again after a few minutes"),
    (&["account", "verif"], "AWS is still verifying the account; this takes up to a day, after which the call works"),
    (&["account", "not authorized to invoke"], NOT_OPEN),
    (&["account", "blocked"], NOT_OPEN),
    (&["operation not allowed"], NOT_OPEN),
    (&["not available for this account"], NOT_OPEN),
];
const DATA_RETENTION: &str = "set the account's data retention mode for this model in the Bedrock console";
const USE_CASE: &str =
    "fill in Anthropic's use case form in the Bedrock console, under Model catalog, and try again after 15 minutes";
const MARKETPLACE: &str = "let someone with the permissions aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions \
    call the model once, or accept it in the Bedrock console";
const MODEL_ACCESS: &str = "request access to the model in the Bedrock console of this region, under Model access";
const NOT_OPEN: &str =
    "AWS has not opened Bedrock for this account; open a case with AWS Support, or use another account";

/// What to do about an account that is not ready for a model; `None` for any other refusal. `text` is the message in
/// lower case with straight apostrophes.
pub(super) fn account_advice(text: &str) -> Option<&'static str> {
    // A policy of the account's own names its action; that is a matter of permissions.
    if text.contains("is not authorized to perform: bedrock:") {
        return None;
    }
    let state = ACCOUNT_STATES.iter().find(|(words, _)| words.iter().all(|word| text.contains(word)));
    state.map(|(_, advice)| *advice)
}

/// Whether the message is one that quotes names or values of the request. `text` is in lower case.
pub(super) fn quotes_the_request(text: &str) -> bool {
    ["the model returned the following errors", "malformed input request", "validation error", "failed to satisfy"]
        .iter()
        .any(|words| text.contains(words))
}

/// Whether the message says that the region does not offer the model. `text` is in lower case with straight
/// apostrophes.
pub(super) fn is_not_in_region(text: &str) -> bool {
    let is_missing =
        ["not supported", "isn't supported", "not available", "isn't available", "unsupported", "doesn't support"];
    text.contains("region") && is_missing.iter().any(|piece| text.contains(piece))
}

/// Phrases that only a prompt which does not fit brings.
const OVERFLOW: [&str; 18] = [
    "context limit",
    "context length",
    "context window",
    "total text bytes",
    "too many input tokens",
    "prompt has too many tokens",
    "too many tokens: total",
    "input tokens exceeded",
    "exceeds maximum length",
    "exceed max model len",
    "max input tokens",
    "maximum input tokens",
    "maximum number of input tokens",
    "maximum number of tokens allowed",
    "maximum model length",
    "maximum allowed input length",
    "token limit exceeded",
    "exceeds the maximum number of tokens",
];

/// Whether the message of an invalid request says that the prompt does not fit the model. `text` is in lower case.
pub(super) fn is_overflow(text: &str) -> bool {
    if OVERFLOW.iter().any(|phrase| text.contains(phrase)) {
        return true;
    }
    let is_about_the_prompt = ["input", "prompt", "conversation", "messages", "request"];
    let too_long = text.contains("too long") || text.contains("too large for the model");
    if too_long && is_about_the_prompt.iter().any(|word| text.contains(word)) {
        return true;
    }
    // A schema's limit on one long text, not the one on a short name.
    let limit = text.split_once("expected maxlength:").and_then(|(_, rest)| {
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    });
    limit.is_some_and(|limit| limit >= 1000)
}

/// The service's sentence, without what Bedrock puts before the words of a model.
pub(super) fn sentence(message: &str) -> &str {
    let message = message.trim();
    message.strip_prefix("The model returned the following errors:").unwrap_or(message).trim()
}

/// The sentence for a prompt that does not fit, in the words of Anthropic's API, whose clients read the numbers in it. Where
/// the service's own words have none, they are those of the model and of the prompt, if both are known.
pub(super) fn overflow_sentence(words: &str, context_window: Option<u64>, input_bound: Option<u64>) -> String {
    if words.starts_with("prompt is too long") || words.contains("exceed context limit:") {
        return words.to_owned();
    }
    let numbers = match (input_bound, context_window) {
        (Some(tokens), Some(maximum)) if tokens > maximum => format!(": {tokens} tokens > {maximum} maximum"),
        _ => String::new(),
    };
    match words {
        "" => format!("prompt is too long{numbers}"),
        words => format!("prompt is too long{numbers} ({})", words.trim_end_matches('.')),
    }
}

/// The message of an error, with Bedrock's own words. `code` and `status` stand in for words that are missing.
pub(super) fn upstream_message(kind: Kind, code: &str, message: &str, status: u16) -> String {
    let words = message.trim().trim_end_matches('.');
    let name = code.split(':').next().unwrap_or_default();
    let words = match (words, name) {
        ("", "") => format!("HTTP {status} without a message"),
        ("", name) => name.to_owned(),
        (words, _) => words.to_owned(),
    };
    // Coding agents take "too many tokens" for a prompt that is too long, unless the message says "rate limit".
    match kind {
        Kind::Throttled | Kind::QuotaExhausted => format!("rate limit at Bedrock: {words}"),
        _ => format!("Bedrock: {words}"),
    }
}
