//! Reads the body of a request, within limits of size and time.

use crate::error::{Error, Kind, Result};
use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use std::fmt::Display;
use std::time::Duration;
use warp::http::HeaderMap;

/// The largest body (bytes). It allows several images in base64 (docs/openai.md §0.12).
const BODY_LIMIT: usize = 64 << 20;
/// How long a client may pause while it sends a body.
const BODY_PAUSE: Duration = Duration::from_mins(1);

/// # Errors
/// `TooLarge`, before anything is read when `content-length` shows it; `BodyTimeout`; `InvalidRequest` when the
/// connection breaks.
pub(super) async fn read_body<S, B, E>(headers: &HeaderMap, body: S) -> Result<Bytes>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let declared = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_LIMIT) {
        return Err(too_large());
    }
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    loop {
        let next = tokio::time::timeout(BODY_PAUSE, body.next()).await;
        let next = next.map_err(|_| Error::new(Kind::BodyTimeout, "the request body did not arrive in time"))?;
        let mut piece = match next {
            None => return Ok(bytes.into()),
            Some(piece) => piece
                .map_err(|error| Error::new(Kind::InvalidRequest, format!("the request body was cut off: {error}")))?,
        };
        if bytes.len() + piece.remaining() > BODY_LIMIT {
            return Err(too_large());
        }
        while piece.has_remaining() {
            let chunk = piece.chunk();
            bytes.extend_from_slice(chunk);
            let length = chunk.len();
            piece.advance(length);
        }
    }
}

fn too_large() -> Error {
    Error::new(Kind::TooLarge, format!("the request body is larger than {} MiB", BODY_LIMIT >> 20))
}
