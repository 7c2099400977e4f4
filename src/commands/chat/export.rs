//! `/export`: the whole conversation as Markdown.

use super::running_chat::refused;
use crate::commands::whole_file::WholeFile;
use crate::sessions::{Exchange, Session};
use crate::terminal::printable::Printable;
use std::path::Path;

/// Writes the file whole or not at all.
///
/// # Errors
/// `InvalidRequest` for a file that is there already; otherwise that of the file system.
pub(super) fn write(session: &Session, path: &str, overwrite: bool) -> anyhow::Result<Printable> {
    let count = session.exchanges().len();
    if count == 0 {
        return Err(refused("there is nothing to export yet"));
    }
    let path = Path::new(path);
    let file = if overwrite {
        WholeFile::prepare(path)
    } else {
        WholeFile::prepare_new(path, "choose another name, or add --overwrite to replace it")
    };
    file?.write(&markdown(session))?;
    let exchanges = if count == 1 { "1 exchange".to_owned() } else { format!("{count} exchanges") };
    Ok(Printable::line(format_args!("wrote {exchanges} to {}", path.display())))
}

/// The conversation with its settings. Questions and answers stand as they are: both may be Markdown themselves.
fn markdown(session: &Session) -> String {
    let title = session.title().and_then(|title| title.lines().find(|line| !line.trim().is_empty()));
    let mut text = format!("# {}\n", title.unwrap_or("Conversation").trim());
    if let Some(system) = &session.system {
        text.push_str(&format!("\n## System prompt\n\n{}\n", system.trim_end()));
    }
    for Exchange { question, answer } in session.exchanges() {
        text.push_str(&format!("\n## Question\n\n{}\n", question.text.trim_end()));
        for file in &question.attachments {
            text.push_str(&format!("\nAttached: {}\n", file.file));
        }
        let remark = if answer.end.is_complete() { "" } else { ", unfinished" };
        text.push_str(&format!("\n## Answer ({}{remark})\n\n{}\n", answer.model, answer.text.trim_end()));
    }
    text
}
