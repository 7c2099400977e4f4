//! The config file of Codex (<https://developers.openai.com/codex/config-reference>).

use super::address::url;
use super::agent::{Agent, NamedModel, context_window};
use super::catalog_file;
use crate::cli::{AgentModel, SetupCodex};
use crate::config::Settings;
use crate::terminal::output::{note, print_data};
use crate::terminal::printable::Printable;
use serde_json::Value;
use std::path::{Path, absolute};

pub(super) fn run(args: &SetupCodex, settings: &Settings) -> anyhow::Result<u8> {
    let SetupCodex { server, agent: asked, catalog, overwrite } = args;
    let agent = Agent::new(asked, settings)?;
    let main = agent.main_model(asked.model.as_deref())?;
    let catalog = catalog.as_ref().map(absolute).transpose()?;
    if let Some(path) = &catalog {
        catalog_file::write(path, &agent.all_models(&main), *overwrite)?;
        note(Printable::line(format_args!("wrote the model catalog {}", path.display())));
    }
    agent.explain_key(&server.key_env, "codex");
    note("then put this into ~/.codex/config.toml, the first lines before every table, and the table at the end:");
    print_data(&lines(&url(server, settings), &server.key_env, &main, catalog.as_deref()))?;
    if catalog.is_none() {
        note("without a model catalog Codex lacks its patch tool; add --catalog ~/.codex/chatrix-models.json");
    }
    // Codex asks for no length.
    agent.warn_of_short_answers(&main, agent.usual_answer(&main.model));
    Ok(0)
}

/// The arguments with which it uses a server and a key, in place of what its config file says. It writes the model
/// catalog, and warns of answers that are too short.
///
/// # Errors
/// For a key or a model that cannot be used, and for a catalog that cannot be written.
pub(crate) fn arguments(
    asked: &AgentModel,
    settings: &Settings,
    url: &str,
    key_env: &str,
    catalog: &Path,
) -> anyhow::Result<Vec<String>> {
    let agent = Agent::new(asked, settings)?;
    let main = agent.main_model(asked.model.as_deref())?;
    catalog_file::write(catalog, &agent.all_models(&main), false)?;
    agent.warn_of_short_answers(&main, agent.usual_answer(&main.model));
    let general = general(&main, Some(catalog)).into_iter().map(|(key, value)| format!("{key}={value}"));
    let provider = provider(url, key_env).into_iter().map(|(key, value)| format!("{PROVIDER}.{key}={value}"));
    Ok(general.chain(provider).flat_map(|setting| ["-c".to_owned(), setting]).collect())
}

/// The table of the server.
const PROVIDER: &str = "model_providers.chatrix";

fn lines(url: &str, key_env: &str, main: &NamedModel, catalog: Option<&Path>) -> String {
    let lines = |settings: Vec<(&str, String)>| -> String {
        settings.into_iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
    };
    format!("{}\n[{PROVIDER}]\n{}", lines(general(main, catalog)), lines(provider(url, key_env)))
}

/// The keys before every table, with their values in TOML.
fn general(main: &NamedModel, catalog: Option<&Path>) -> Vec<(&'static str, String)> {
    let catalog = catalog.map(|path| ("model_catalog_json", text(&path.to_string_lossy())));
    let model = [("model", text(&main.name)), ("model_provider", text("chatrix"))];
    let context = ("model_context_window", context_window(&main.model).to_string());
    model.into_iter().chain([context]).chain(catalog).chain([("web_search", text("disabled"))]).collect()
}

/// The keys of the server's table, with their values in TOML.
fn provider(url: &str, key_env: &str) -> Vec<(&'static str, String)> {
    vec![
        ("name", text("Chatrix")),
        ("base_url", text(&format!("{url}/v1"))),
        ("env_key", text(key_env)),
        ("wire_api", text("responses")),
        ("request_max_retries", "1".to_owned()),
        ("stream_max_retries", "1".to_owned()),
    ]
}

/// A text in TOML. A JSON string is one too.
fn text(text: &str) -> String {
    Value::from(text).to_string()
}
