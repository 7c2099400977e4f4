//! Reads the stdin of `ask`.

use crate::commands::attached_file::{limited, too_large};
use crate::error::{Error, Kind};
use crate::terminal::output::note;
use std::io;
use std::time::Duration;

/// All of stdin. A person who forgot it is told what is waited for.
///
/// # Errors
/// `InvalidRequest` when it is too much, and `Interrupted`.
pub(super) async fn read_stdin(may_note: bool) -> anyhow::Result<Vec<u8>> {
    let mut reading = tokio::task::spawn_blocking(|| limited(io::stdin().lock()));
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
    let bytes = bytes.map_err(io::Error::other).and_then(|bytes| bytes);
    let bytes = bytes.map_err(|error| anyhow::anyhow!("cannot read stdin: {error}"))?;
    bytes.ok_or_else(|| too_large("what is on stdin").into())
}
