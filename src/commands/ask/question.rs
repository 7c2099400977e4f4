//! The question of `ask`: the attached files, the arguments and stdin.

use super::input::read_stdin;
use crate::cli::Ask;
use crate::commands::attached_file::{attached, read_file, read_file_or_pipe};
use crate::conversation::media::DocumentNames;
use crate::conversation::{Format, Part, text};
use crate::error::{Error, Kind};
use serde_json::Value;
use std::io::IsTerminal;
use std::path::Path;

/// The argument that stands for stdin, as a file and as the prompt.
const STDIN: &str = "-";

/// The parts of the message: the files first, as the models' makers advise for documents, and then the text.
///
/// # Errors
/// `MissingParameter` without a question; `InvalidRequest` for a file that no model takes, and when stdin is wanted twice.
pub(crate) async fn parts(args: &Ask) -> anyhow::Result<Vec<Part>> {
    let attached_stdin = args.file.iter().filter(|path| is_stdin(path)).count();
    let is_prompt = args.prompt.len() == 1 && args.prompt[0] == STDIN;
    let wanted = attached_stdin + usize::from(is_prompt);
    if wanted > 1 {
        return Err(refused("stdin can be read only once: either as the prompt (`-`) or as one file (`-f -`)"));
    }
    if wanted > 0 && args.no_stdin {
        return Err(refused("`-` stands for stdin, which --no-stdin excludes"));
    }
    // The files of the command line come first, so that a wrong one is refused before stdin is waited for.
    let mut files = Vec::with_capacity(args.file.len());
    for path in &args.file {
        files.push(if is_stdin(path) {
            None
        } else {
            Some((read_file(path, "`-f -` attaches what is on stdin")?, path))
        });
    }
    let stdin = if wanted > 0 || !(args.no_stdin || std::io::stdin().is_terminal()) {
        read_stdin(!args.quiet).await?
    } else {
        Vec::new()
    };
    let words = if is_prompt { String::new() } else { args.prompt.join(" ") };
    let (stdin_text, stdin_file) =
        if attached_stdin > 0 { (String::new(), stdin) } else { (as_text(&stdin)?, Vec::new()) };
    let mut parts = Vec::with_capacity(files.len() + 1);
    let mut names = DocumentNames::default();
    for file in &files {
        parts.push(match file {
            Some((bytes, path)) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                attached(bytes, &name, &path.display().to_string(), &mut names)?
            }
            None => attached(&stdin_file, "stdin", "stdin", &mut names)?,
        });
    }
    let prompt = prompt(&words, &stdin_text, !args.file.is_empty())?;
    if !prompt.is_empty() {
        parts.push(Part::Text(prompt));
    }
    Ok(parts)
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

fn refused(message: &str) -> anyhow::Error {
    Error::new(Kind::InvalidRequest, message).into()
}

/// # Errors
/// `InvalidRequest` for a schema that is not a JSON object.
pub(crate) fn format(schema: Option<&Path>) -> anyhow::Result<Format> {
    let Some(path) = schema else { return Ok(Format::Text) };
    let invalid = |what: String| Error::new(Kind::InvalidRequest, format!("{} is not {what}", path.display()));
    let bytes = read_file_or_pipe(path)?;
    let text = text::decode(&bytes).ok_or_else(|| invalid("UTF-8 or UTF-16 text".to_owned()))?;
    match serde_json::from_str(&text) {
        Ok(schema @ Value::Object(_)) => {
            Ok(Format::JsonSchema { name: "answer".to_owned(), description: None, schema })
        }
        Ok(_) => Err(invalid("a JSON object".to_owned()).advise("a JSON Schema is one").into()),
        Err(error) => Err(invalid(format!("valid JSON: {error}")).into()),
    }
}

/// The text: the arguments, and then stdin in a block of its own.
fn prompt(words: &str, stdin: &str, has_files: bool) -> anyhow::Result<String> {
    match (words.trim(), stdin.trim()) {
        ("", "") if !has_files => Err(Error::new(Kind::MissingParameter, "no question was given")
            .advise("run chatrix ask \"QUESTION\", or pipe text into it")
            .into()),
        ("", "") => Ok(String::new()),
        ("", _) => Ok(stdin.to_owned()),
        (_, "") => Ok(words.to_owned()),
        _ => Ok(format!("{words}\n\n<stdin>\n{}\n</stdin>", stdin.trim_end_matches('\n'))),
    }
}

fn as_text(stdin: &[u8]) -> anyhow::Result<String> {
    let text = text::decode(stdin).ok_or_else(|| refused("stdin is not UTF-8 text"))?;
    Ok(text.into_owned())
}
