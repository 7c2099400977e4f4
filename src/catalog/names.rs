//! The names that other programs have for models. They put a provider before the name (`anthropic/claude-sonnet-4.6`,
//! `bedrock/us.anthropic.…`), use Anthropic's dated names (`claude-sonnet-4-20250514`), or leave out parts of an id.

use super::id::{is_bedrock_id, without_geography};

/// The name without the providers before it, and without the mark behind it with which Claude Code asks for the context
/// window of a million tokens (docs/anthropic.md §3). An ARN contains slashes of its own.
pub(super) fn without_route(name: &str) -> &str {
    let name = name.strip_suffix("[1m]").unwrap_or(name);
    match name.find("arn:") {
        Some(at) => &name[at..],
        None => name.rsplit('/').next().unwrap_or(name),
    }
}

/// What all spellings of a model's name have in common: `claude-sonnet-4` for `us.anthropic.claude-sonnet-4-20250514-v1:0`
/// and for `Claude-Sonnet-4@20250514`.
pub(super) fn key(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = if is_bedrock_id(&name) {
        without_geography(&name).split_once('.').map_or("", |(_, model)| model)
    } else {
        &name
    };
    let mut key: String = name.chars().map(|c| if "@_ .".contains(c) { '-' } else { c }).collect();
    key.truncate(without_version(&key).len());
    let date = key.len().saturating_sub(9);
    let is_dated = key.get(date..).is_some_and(|end| {
        end.strip_prefix('-')
            .is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    });
    if is_dated {
        key.truncate(date);
    }
    if let Some(bare) = key.strip_suffix("-latest") {
        key.truncate(bare.len());
    }
    // Anthropic calls the first model of a version `claude-sonnet-4-0`.
    if let Some(bare) = key.strip_suffix("-0")
        && bare.ends_with(|c: char| c.is_ascii_digit())
    {
        key.truncate(bare.len());
    }
    key
}

/// The key with the provider before it, for models whose own name is short: `deepseek-r1`.
pub(super) fn key_with_provider(id: &str) -> String {
    let provider = without_geography(id).split_once('.').map_or("", |(provider, _)| provider);
    format!("{provider}-{}", key(id))
}

/// The name without its version: `-v1:0`, `-v1`, `-1:0`.
fn without_version(name: &str) -> &str {
    let (bare, minor) = name.rsplit_once(':').map_or((name, None), |(bare, minor)| (bare, Some(minor)));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if minor.is_some_and(|minor| !is_number(minor)) {
        return name;
    }
    match bare.rsplit_once('-') {
        Some((stem, version)) if version.strip_prefix('v').is_some_and(is_number) => stem,
        Some((stem, version)) if minor.is_some() && is_number(version) => stem,
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_name_have_one_key() {
        for (name, expected) in [
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4"),
            ("Claude-Sonnet-4@20250514", "claude-sonnet-4"),
            ("claude-3.7-sonnet", "claude-3-7-sonnet"),
            ("claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
            ("claude-sonnet-4-0", "claude-sonnet-4"),
            ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
            ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
            ("amazon.nova-pro-v1:0", "nova-pro"),
            ("mistral.mistral-large-2402-v1:0", "mistral-large-2402"),
            ("deepseek.v3.2", "v3-2"),
            ("", ""),
            ("-v1", ""),
            ("é-20250514", "é"),
        ] {
            assert_eq!(key(name), expected, "{name}");
        }
        assert_eq!(key_with_provider("us.deepseek.r1-v1:0"), "deepseek-r1");
        for (name, expected) in [
            ("anthropic/claude-haiku", "claude-haiku"),
            ("bedrock/converse/us.x.y", "us.x.y"),
            (
                "bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.x.y",
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.x.y",
            ),
            ("claude-haiku", "claude-haiku"),
            ("us.anthropic.claude-opus-5-5[1m]", "us.anthropic.claude-opus-5-5"),
        ] {
            assert_eq!(without_route(name), expected);
        }
    }
}
