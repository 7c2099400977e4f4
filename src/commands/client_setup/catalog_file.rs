//! The model catalog of Codex, which `model_catalog_json` in its config file names. It tells Codex what a model can do;
//! of a model that it does not know, Codex offers no patch tool and asks for no reasoning.

use super::agent::{NamedModel, context_window};
use crate::catalog::Thinking;
use crate::commands::whole_file::WholeFile;
use serde_json::{Value, json};
use std::path::Path;

/// What Codex tells a model of its work, in place of the instructions that it has for its own models.
const INSTRUCTIONS: &str = include_str!("codex_instructions.md");

/// Writes the catalog, whole or not at all. A file that is there already stays, unless it may be overwritten.
///
/// # Errors
/// `InvalidRequest` for a file that is there already; otherwise that of the file system.
pub(super) fn write(path: &Path, models: &[NamedModel], overwrite: bool) -> anyhow::Result<()> {
    let file = if overwrite {
        WholeFile::prepare(path)
    } else {
        WholeFile::prepare_new(path, "choose another name, or add --overwrite to replace it")
    };
    file?.write(&format!("{:#}\n", document(models)))
}

fn document(models: &[NamedModel]) -> Value {
    let entries = models.iter().zip(1_u32..).map(|(model, priority)| entry(model, priority));
    json!({"models": entries.collect::<Vec<_>>()})
}

/// One model. `priority`: its place in Codex's list.
fn entry(NamedModel { name, model }: &NamedModel, priority: u32) -> Value {
    let efforts: &[(&str, &str)] = match model.capabilities.thinking {
        Thinking::None => &[("medium", "This model does not reason")],
        _ => &[
            ("low", "Little reasoning, for quick answers"),
            ("medium", "As much reasoning as most work needs"),
            ("high", "Much reasoning, for hard problems"),
        ],
    };
    let levels = efforts.iter().map(|(effort, description)| json!({"effort": effort, "description": description}));
    let inputs: &[&str] = if model.capabilities.features.images { &["text", "image"] } else { &["text"] };
    json!({
        "slug": name,
        "display_name": model.name,
        "supported_reasoning_levels": levels.collect::<Vec<_>>(),
        "default_reasoning_level": "medium",
        "shell_type": "shell_command",
        "visibility": "list",
        "supported_in_api": true,
        "priority": priority,
        "base_instructions": INSTRUCTIONS,
        // The longest output of a command that Codex hands on (tokens).
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "supports_parallel_tool_calls": true,
        "experimental_supported_tools": [],
        "support_verbosity": false,
        "context_window": context_window(model),
        "apply_patch_tool_type": "freeform",
        "input_modalities": inputs,
    })
}
