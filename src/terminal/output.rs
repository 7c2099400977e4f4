//! Writing to a stream whose reader may be gone.

use std::io::{self, ErrorKind, Write};

/// Writes at once. `Ok(false)` means that the reader has closed the pipe, which is not an error (`| head -1`).
///
/// # Errors
/// When the stream cannot be written for another reason.
pub(crate) fn write(stream: &mut impl Write, text: &str) -> io::Result<bool> {
    match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}
