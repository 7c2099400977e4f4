//! The environment variables of Claude Code (<https://code.claude.com/docs/en/env-vars>).

use super::address::url;
use super::agent::{Agent, NamedModel, context_window};
use crate::catalog::Family;
use crate::cli::{AgentModel, SetupClaudeCode};
use crate::config::Settings;
use crate::terminal::output::{note, print_data};

/// The variable whose value is the token of the API key.
const TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";

pub(super) fn run(args: &SetupClaudeCode, settings: &Settings) -> anyhow::Result<u8> {
    let SetupClaudeCode { server, agent: asked, small_model } = args;
    let agent = Agent::new(asked, settings)?;
    let main = agent.main_model(asked.model.as_deref())?;
    let small = agent.small_model(small_model.as_deref(), &main)?;
    let tokens = agent.answer_tokens(&main.model);
    agent.explain_key(&server.key_env, "claude-code");
    note("then paste this into the shell in which you start claude, or into its start-up file:");
    let token = format!("\"${}\"", server.key_env);
    let variables = variables(&url(server, settings), &token, &main, &small, tokens).into_iter();
    let value = |name, value: String| if name == TOKEN { value } else { quoted(&value) };
    let lines: String = variables.map(|(name, text)| format!("export {name}={}\n", value(name, text))).collect();
    print_data(&lines)?;
    agent.warn_of_short_answers(&main, tokens);
    Ok(0)
}

/// The variables with which it uses a server and a key. It warns of answers that are too short for it.
///
/// # Errors
/// For a key or a model that cannot be used.
pub(crate) fn environment(
    asked: &AgentModel,
    settings: &Settings,
    url: &str,
    token: &str,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let agent = Agent::new(asked, settings)?;
    let main = agent.main_model(asked.model.as_deref())?;
    let small = agent.small_model(None, &main)?;
    let tokens = agent.answer_tokens(&main.model);
    agent.warn_of_short_answers(&main, tokens);
    Ok(variables(url, token, &main, &small, tokens))
}

fn variables(
    url: &str,
    token: &str,
    main: &NamedModel,
    small: &NamedModel,
    tokens: u32,
) -> Vec<(&'static str, String)> {
    // Claude Code takes a model that it does not know to have a context of a million tokens.
    let is_known = main.model.capabilities.family == Family::Claude;
    let context = (!is_known).then(|| ("CLAUDE_CODE_MAX_CONTEXT_TOKENS", context_window(&main.model).to_string()));
    let variables = [
        ("ANTHROPIC_BASE_URL", url.to_owned()),
        (TOKEN, token.to_owned()),
        ("ANTHROPIC_MODEL", main.name.clone()),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", small.name.clone()),
        ("CLAUDE_CODE_MAX_OUTPUT_TOKENS", tokens.to_string()),
        // Every try is paid for, and so is the second request, without streaming, after an error in a stream.
        ("CLAUDE_CODE_MAX_RETRIES", "2".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1".to_owned()),
    ];
    variables.into_iter().chain(context).collect()
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
