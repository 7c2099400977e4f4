//! `/file`: the files that go with the next question. Attaching sends nothing.

use super::running_chat::RunningChat;
use crate::commands::attached_file::{attached, read_file};
use crate::conversation::Part;
use crate::sessions::Attached;
use crate::terminal::printable::Printable;
use std::path::Path;
use tokio::task::block_in_place;

impl RunningChat {
    /// Attaches all of the files, or none.
    ///
    /// # Errors
    /// `InvalidRequest` for what is no file, or none that a model takes.
    pub(super) fn attach(&mut self, paths: &[String]) -> anyhow::Result<Printable> {
        let mut read = Vec::with_capacity(paths.len());
        for path in paths {
            read.push(block_in_place(|| self.read(path))?);
        }
        let mut lines: Vec<Printable> =
            read.iter().map(|file| Printable::line(format_args!("attached {}", described(file)))).collect();
        lines.extend(read.iter().filter_map(|file| self.not_taken(file)).map(Printable::line));
        self.pending.extend(read);
        lines.push(self.what_comes_next());
        Ok(Printable::join(lines, "\n"))
    }

    fn read(&mut self, path: &str) -> anyhow::Result<Attached> {
        let bytes = read_file(Path::new(path), "")?;
        let file = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let part = attached(&bytes, &file, path, &mut self.names)?;
        Ok(Attached { file, size: bytes.len() as u64, part })
    }

    /// The warning for a file that the model of the next question does not take.
    fn not_taken(&self, file: &Attached) -> Option<String> {
        let model = self.model().ok()?;
        let features = model.capabilities.features;
        let kind = match file.part {
            Part::Image(_) if !features.images => "images",
            Part::Document(..) if !features.documents => "documents",
            _ => return None,
        };
        let name = model.display_name();
        Some(format!("{name} takes no {kind}; /model NAME switches to a model that does"))
    }

    pub(super) fn list_attachments(&self) -> Printable {
        if self.pending.is_empty() {
            return "no files are attached; /file PATH attaches one to the next question".into();
        }
        let files = self.pending.iter().map(|file| Printable::line(described(file)));
        Printable::join(files.chain([self.what_comes_next()]), "\n")
    }

    fn what_comes_next(&self) -> Printable {
        match self.pending.len() {
            1 => "it goes with the next question; /file none removes it".into(),
            more => Printable::line(format_args!("{more} files go with the next question; /file none removes them")),
        }
    }

    pub(super) fn detach(&mut self) -> Printable {
        let count = self.pending.len();
        self.pending.clear();
        match count {
            0 => "no files were attached".into(),
            1 => "removed 1 file; nothing of it is sent".into(),
            more => Printable::line(format_args!("removed {more} files; nothing of them is sent")),
        }
    }
}

/// The name, the kind and the size of a file.
fn described(Attached { file, size, part }: &Attached) -> String {
    let kind = match part {
        Part::Image(image) => format!("{} image", image.format),
        Part::Document(document, _) => format!("{} document", document.format),
        _ => "text".to_owned(),
    };
    format!("{file} ({kind}, {})", readable(*size))
}

/// A size for people.
fn readable(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (bytes, expected) in
            [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1234, "1.2 kB"), (3_932_160, "3.9 MB")]
        {
            assert_eq!(readable(bytes), expected);
        }
    }
}
