//! The question of `ask`: the attached files, the arguments and stdin.

use crate::cli::Ask;
use crate::conversation::media::document_name;
use crate::conversation::{Format, Media, Part};
use crate::error::{Error, Kind};
use crate::terminal::output::note;
use anyhow::Context;
use serde_json::Value;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

/// The parts of the message: the files first, as the models' makers advise for documents, and then the text.
///
/// # Errors
/// `MissingParameter` without a question; `InvalidRequest` for a file that no model takes.
pub(crate) async fn parts(args: &Ask) -> anyhow::Result<Vec<Part>> {
    let prompt = prompt(args).await?;
    let mut parts = Vec::new();
    for path in &args.file {
        parts.push(attached(path)?);
    }
    if !prompt.is_empty() {
        parts.push(Part::Text(prompt));
    }
    Ok(parts)
}

/// # Errors
/// `InvalidRequest` for a schema that is not a JSON object.
pub(crate) fn format(schema: Option<&Path>) -> anyhow::Result<Format> {
    let Some(path) = schema else { return Ok(Format::Text) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    match serde_json::from_str(&text) {
        Ok(schema @ Value::Object(_)) => {
            Ok(Format::JsonSchema { name: "answer".to_owned(), description: None, schema })
        }
        Ok(_) => Err(Error::new(Kind::InvalidRequest, format!("{} is not a JSON object", path.display()))
            .advise("a JSON Schema is one")
            .into()),
        Err(error) => {
            Err(Error::new(Kind::InvalidRequest, format!("{} is not valid JSON: {error}", path.display())).into())
        }
    }
}

/// A file, by its content: an image, a document, or text.
fn attached(path: &Path) -> anyhow::Result<Part> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let located = |error: Error| Error::new(error.kind, format!("{}: {}", path.display(), error.message));
    if Media::image_format(&bytes).is_some() {
        return Ok(Part::Image(Media::image(&bytes).map_err(located)?));
    }
    match String::from_utf8(bytes) {
        // A PDF may happen to be valid UTF-8.
        Ok(text) if !text.starts_with("%PDF") => {
            Ok(Part::Text(format!("<file name=\"{name}\">\n{}\n</file>", text.trim_end_matches('\n'))))
        }
        Ok(text) => Ok(Part::Document(Media::document(text.as_bytes(), &name).map_err(located)?, document_name(&name))),
        Err(error) => {
            Ok(Part::Document(Media::document(error.as_bytes(), &name).map_err(located)?, document_name(&name)))
        }
    }
}

/// The text: the arguments, and then stdin in a block of its own.
async fn prompt(args: &Ask) -> anyhow::Result<String> {
    let words = args.prompt.join(" ");
    let stdin =
        if args.no_stdin || std::io::stdin().is_terminal() { String::new() } else { read_stdin(!args.quiet).await? };
    match (words.trim(), stdin.trim()) {
        ("", "") if args.file.is_empty() => Err(Error::new(Kind::MissingParameter, "no question was given")
            .advise("run chatrix ask \"QUESTION\", or pipe text into it")
            .into()),
        ("", "") => Ok(String::new()),
        ("", _) => Ok(stdin),
        (_, "") => Ok(words),
        _ => Ok(format!("{words}\n\n<stdin>\n{}\n</stdin>", stdin.trim_end_matches('\n'))),
    }
}

async fn read_stdin(may_note: bool) -> anyhow::Result<String> {
    let mut reading = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = tokio::select! {
        bytes = &mut reading => bytes,
        () = tokio::time::sleep(Duration::from_secs(2)) => {
            if may_note {
                note("waiting for stdin to end; --no-stdin skips it");
            }
            tokio::select! {
                bytes = &mut reading => bytes,
                _ = tokio::signal::ctrl_c() => {
                    return Err(Error::new(Kind::Interrupted, "interrupted while reading stdin").into());
                }
            }
        }
    };
    let bytes = bytes.context("cannot read stdin")?.context("cannot read stdin")?;
    String::from_utf8(bytes).map_err(|_| Error::new(Kind::InvalidRequest, "stdin is not UTF-8 text").into())
}
