//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), written straight into the bytes
//! that are sent. Some clients require the space after `data:` (docs/openai.md §0.7).

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

/// Events and comments that are ready to be sent.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: BytesMut,
}

impl Frames {
    /// Adds an event. `write` writes its data, which must not contain a line break.
    pub fn event(&mut self, name: Option<&str>, write: impl FnOnce(&mut Data<'_>)) {
        if let Some(name) = name {
            self.put(&["event: ", name, "\n"]);
        }
        self.put(&["data: "]);
        write(&mut Data(&mut self.bytes));
        self.put(&["\n\n"]);
    }

    /// Adds a comment, which every client of server-sent events ignores.
    pub fn comment(&mut self, comment: &'static str) {
        self.put(&[": ", comment, "\n\n"]);
    }

    /// Adds bytes that are no server-sent event, for an API that frames its events in another way.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.put_slice(bytes);
    }

    fn put(&mut self, pieces: &[&str]) {
        for piece in pieces {
            self.bytes.put_slice(piece.as_bytes());
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The length of what is ready (bytes).
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Keeps only so many bytes.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    /// Takes everything out.
    pub fn take(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

/// The data of an event that is being written.
#[derive(Debug)]
pub struct Data<'a>(&'a mut BytesMut);

impl Data<'_> {
    pub fn text(&mut self, text: &str) {
        self.0.put_slice(text.as_bytes());
    }

    /// Adds a value as JSON, which has no line breaks. Only a value that cannot be JSON is left out, such as a map whose keys
    /// are no texts; no API has one.
    pub fn json(&mut self, value: &(impl Serialize + ?Sized)) {
        let _ = serde_json::to_writer(self.0.writer(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_server_sent_events() {
        let mut frames = Frames::default();
        assert!(frames.is_empty());
        frames.event(None, |data| data.text("a"));
        frames.event(Some("ping"), |data| data.json(&"\n\u{2028}\""));
        frames.comment("keep-alive");
        let text = "data: a\n\nevent: ping\ndata: \"\\n\u{2028}\\\"\"\n\n: keep-alive\n\n";
        assert_eq!((frames.len(), frames.take()), (text.len(), Bytes::from(text)));
        assert!(frames.is_empty());
    }
}
