//! Copies a ledger from one store to another.

use super::rows::{Fingerprint, Piece};
use super::store::{Store, StoreError, StoreResult};
use std::sync::mpsc::sync_channel;

/// How many rows may be on their way.
const ON_THE_WAY: usize = 1024;

/// Copies all of one ledger into another one, which is empty, and compares the two before the copy is committed.
///
/// # Errors
/// When one cannot be read or the other not written, is not empty, or holds something else afterwards. Nothing is copied
/// then.
pub fn copy(from: &mut dyn Store, to: &mut dyn Store) -> StoreResult<Fingerprint> {
    let (send, pieces) = sync_channel(ON_THE_WAY);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let given_up = || StoreError::new("the copy was given up");
            let exported = from.export(&mut |row| send.send(Ok(Piece::Row(row))).map_err(|_| given_up()));
            // Whoever receives has left if this fails, and knows why.
            let _ = send.send(exported.map(|()| Piece::End));
        });
        let mut pieces = pieces.into_iter();
        to.import(&mut pieces)
    })
}
