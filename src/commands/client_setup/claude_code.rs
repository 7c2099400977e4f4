//! The environment variables of Claude Code (<https://code.claude.com/docs/en/env-vars>).

use super::address::url;
use super::agent::{Agent, NamedModel, context_window};
use crate::catalog::Family;
use crate::cli::SetupClaudeCode;
use crate::config::Settings;
use crate::terminal::output::{note, print_data};

pub(super) fn run(args: &SetupClaudeCode, settings: &Settings) -> anyhow::Result<u8> {
    let SetupClaudeCode { server, agent: asked, small_model } = args;
    let agent = Agent::new(asked, settings)?;
    let main = agent.main_model(asked.model.as_deref())?;
    let small = agent.small_model(small_model.as_deref(), &main)?;
    let tokens = agent.answer_tokens(&main.model);
    agent.explain_key(&server.key_env, "claude-code");
    note("then paste this into the shell in which you start claude, or into its start-up file:");
    print_data(&variables(&url(server, settings), &server.key_env, &main, &small, tokens))?;
    agent.warn_of_short_answers(&main, tokens);
    Ok(0)
}

fn variables(url: &str, key_env: &str, main: &NamedModel, small: &NamedModel, tokens: u32) -> String {
    // Claude Code takes a model that it does not know to have a context of a million tokens.
    let is_known = main.model.capabilities.family == Family::Claude;
    let context = (!is_known).then(|| ("CLAUDE_CODE_MAX_CONTEXT_TOKENS", context_window(&main.model).to_string()));
    let variables = [
        ("ANTHROPIC_BASE_URL", quoted(url)),
        ("ANTHROPIC_AUTH_TOKEN", format!("\"${key_env}\"")),
        ("ANTHROPIC_MODEL", quoted(&main.name)),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", quoted(&small.name)),
        ("CLAUDE_CODE_MAX_OUTPUT_TOKENS", tokens.to_string()),
        // Every try is paid for, and so is the second request, without streaming, after an error in a stream.
        ("CLAUDE_CODE_MAX_RETRIES", "2".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1".to_owned()),
    ];
    variables.into_iter().chain(context).map(|(name, value)| format!("export {name}={value}\n")).collect()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_leaves_its_quotes() {
        for (word, expected) in [
            ("claude-sonnet-4-6", "claude-sonnet-4-6"),
            ("http://[::1]:3000", "'http://[::1]:3000'"),
            ("a b", "'a b'"),
            ("$(id)", "'$(id)'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
