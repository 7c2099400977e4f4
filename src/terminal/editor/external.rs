//! A text in the person's own editor.

use crate::error::{Error, Kind};
use crate::terminal::mode::Usual;
use std::env;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// What is started when neither variable names an editor.
const FALLBACK: &str = "vi";
const ADVICE: &str =
    "set VISUAL or EDITOR to an editor that waits until the file is closed, such as `nano` or `code -w`";

/// Lets a person write in `$VISUAL` or `$EDITOR`, which may have arguments. The text afterwards, without the newline at
/// its end.
///
/// # Errors
/// When the editor cannot be started or fails, and when it leaves no text behind. The text that was given is then still
/// the caller's.
pub(crate) fn edit_externally(text: &str) -> Result<String, Error> {
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.trim().is_empty())
        .unwrap_or_else(|| FALLBACK.to_owned());
    let cannot = |what: &str, error: &io::Error| Error::new(Kind::Io, format!("cannot {what} for the editor: {error}"));
    // The folder is readable by this user only. An editor that keeps backups leaves them in it too.
    let folder = private_folder().map_err(|error| cannot("make a temporary folder", &error))?;
    let path = folder.path().join("message.md");
    write(&path, text).map_err(|error| cannot("write a temporary file", &error))?;
    run(&editor, &path)?;
    let mut text =
        std::fs::read(&path).map_err(|error| failed(&editor, &format!("has left no file behind ({error})"))).and_then(
            |bytes| String::from_utf8(bytes).map_err(|_| failed(&editor, "has written what is not UTF-8 text")),
        )?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

fn private_folder() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("chatrix-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Runs the editor to its end. A shell reads the variable, as it does for git, because people write arguments, quotes
/// and `~` in it. Ctrl-C in the editor is the editor's own: the shell waits on.
fn run(editor: &str, path: &Path) -> Result<(), Error> {
    let script = format!("trap : INT QUIT; {editor} \"$@\"");
    let _terminal = Usual::start();
    let status = Command::new("sh").arg("-c").arg(script).arg(editor).arg(path).status();
    let not_started =
        |why: &str| Error::new(Kind::Io, format!("cannot start the editor {editor:?}: {why}")).advise(ADVICE);
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(match status.code() {
            Some(126) => not_started("it cannot be executed"),
            Some(127) => not_started("it was not found"),
            Some(code @ ..=128) => failed(editor, &format!("has ended with exit code {code}")),
            // A shell tells of a signal by a number above.
            Some(_) | None => failed(editor, "was ended by a signal"),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(not_started("there is no shell to start it")),
        Err(error) => Err(not_started(&error.to_string())),
    }
}

fn failed(editor: &str, what: &str) -> Error {
    Error::new(Kind::Io, format!("the editor {editor:?} {what}")).advise("the text is as it was before")
}
