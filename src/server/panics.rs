//! Panics: bugs of this program. The request in question fails, and no other notices.

use crate::error::{Error, Kind, Result};
use crate::telemetry::Telemetry;
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;

/// The result of a future, or an error in place of a panic. The client is not shown what the panic says, because that
/// may quote anything.
///
/// # Errors
/// `Internal` after a panic; otherwise those of the future.
pub(super) async fn caught<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    // What the future was working on is dropped with it, so nobody sees it half done.
    AssertUnwindSafe(future).catch_unwind().await.unwrap_or_else(|_| Err(bug()))
}

/// The error in place of a panic.
pub(super) fn bug() -> Error {
    Error::new(Kind::Internal, "this request has run into a bug of the server")
}

/// Says on the console where a panic arose, and not what it says.
pub(super) fn report_places_only(telemetry: Telemetry) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        telemetry.notice(&format!("a request has run into a bug{place}; please report this"));
    }));
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_that_quotes_nothing() {
        assert_eq!(caught(async { Ok(5) }).await.unwrap(), 5);
        let error = caught::<()>(async { panic!("the prompt") }).await.unwrap_err();
        assert_eq!((error.kind, error.to_string().contains("prompt")), (Kind::Internal, false));
    }
}
