//! The config file of Codex (<https://developers.openai.com/codex/config-reference>).

use super::address::url;
use super::agent::{Agent, NamedModel, context_window};
use super::catalog_file;
use crate::cli::SetupCodex;
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

fn lines(url: &str, key_env: &str, main: &NamedModel, catalog: Option<&Path>) -> String {
    // A JSON string is a TOML string too.
    let text = |text: &str| Value::from(text).to_string();
    let catalog = catalog.map(|path| format!("model_catalog_json = {}\n", text(&path.to_string_lossy())));
    format!(
        "model = {model}\n\
         model_provider = \"chatrix\"\n\
         model_context_window = {context}\n\
         {catalog}\
         web_search = \"disabled\"\n\
         \n\
         [model_providers.chatrix]\n\
         name = \"Chatrix\"\n\
         base_url = {base_url}\n\
         env_key = {key_env}\n\
         wire_api = \"responses\"\n\
         request_max_retries = 1\n\
         stream_max_retries = 1\n",
        model = text(&main.name),
        context = context_window(&main.model),
        catalog = catalog.unwrap_or_default(),
        base_url = text(&format!("{url}/v1")),
        key_env = text(key_env),
    )
}
