//! Frames, however their bytes are cut, and bodies that end where they should not.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::offline::wire;
use futures_util::FutureExt;
use serde_json::json;

const MAX_BYTES: usize = 10_000;

fn stream(bytes: &[u8], size: usize) -> FrameStream {
    FrameStream::of_pieces(bytes.chunks(size).map(Bytes::copy_from_slice), MAX_BYTES)
}

/// What comes of a body: the names of its frames, and how it ends.
async fn read(bytes: &[u8], size: usize) -> (Vec<String>, Option<Error>) {
    let mut stream = stream(bytes, size);
    let mut names = Vec::new();
    loop {
        match stream.next().await {
            Ok(Some(frame)) => names.push(format!("{:?} {}", frame.kind, frame.name())),
            Ok(None) => return (names, None),
            Err(error) => return (names, Some(error)),
        }
    }
}

fn body() -> Vec<u8> {
    let delta = json!({"contentBlockIndex": 0, "delta": {"text": "hello"}});
    [
        wire::event("messageStart", json!({"role": "assistant"})),
        wire::event("contentBlockDelta", delta),
        wire::exception("throttlingException", "slow down"),
    ]
    .concat()
}

#[tokio::test]
async fn frames_are_the_same_however_they_are_cut() {
    let body = body();
    for size in (1..=40).chain([body.len()]) {
        let (names, error) = read(&body, size).await;
        let expected = ["Event messageStart", "Event contentBlockDelta", "Exception throttlingException"];
        assert_eq!(names, expected, "in pieces of {size}");
        assert!(error.is_none(), "{error:?}");
    }
}

#[tokio::test]
async fn x2_a_body_that_ends_inside_a_frame_is_truncated() {
    let body = body();
    let ends: Vec<usize> = body
        .iter()
        .enumerate()
        .scan(0, |start, (at, _)| {
            let length = u32::from_be_bytes(body.get(*start..*start + 4)?.try_into().ok()?) as usize;
            if at + 1 == *start + length {
                *start = at + 1;
            }
            Some(*start)
        })
        .collect();
    for cut in 0..body.len() {
        let (names, error) = read(&body[..cut], 7).await;
        let at_a_boundary = cut == 0 || ends[cut - 1] == cut;
        assert_eq!(error.is_none(), at_a_boundary, "cut at {cut}: {names:?} {error:?}");
        assert!(error.is_none_or(|error| error.kind == Kind::Truncated));
    }
}

#[tokio::test]
async fn bytes_that_are_damaged_are_an_error_and_never_an_event() {
    let mut body = body();
    let middle = body.len() / 2;
    body[middle] ^= 0xff;
    let (names, error) = read(&body, 50).await;
    assert_eq!(names, ["Event messageStart"]);
    assert_eq!(error.unwrap().kind, Kind::Truncated);
    let (names, error) = read(b"<html>an error page of some proxy</html>", 50).await;
    assert_eq!((names.len(), error.unwrap().kind), (0, Kind::Truncated));
}

#[tokio::test]
async fn a_stream_is_not_read_beyond_its_bound() {
    let long = wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "x".repeat(3000)}}));
    let (names, error) = read(&long.repeat(4), 500).await;
    assert_eq!((names.len(), error.unwrap().kind), (3, Kind::InvalidUpstreamResponse));
    // A frame that claims four gigabytes.
    let mut claim = [u32::MAX.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    claim.extend(crc32fast::hash(&claim).to_be_bytes());
    claim.resize(20_000, 0);
    let (names, error) = read(&claim, 500).await;
    assert_eq!((names.len(), error.unwrap().kind), (0, Kind::InvalidUpstreamResponse));
}

#[test]
fn a_frame_is_read_where_it_lies() {
    let delta = wire::event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "word "}}));
    let mut stream = FrameStream::of_pieces([Bytes::from(delta.repeat(50)), Bytes::from(delta.repeat(50))], 1 << 20);
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            let frame = stream.next().now_or_never().unwrap().unwrap().unwrap();
            assert!(frame.name() == "contentBlockDelta" && frame.payload().len() > 40);
        }
    });
    // Each piece becomes shared when its first frame is split from it.
    assert!(counted.count_total <= 4, "100 frames take memory {} times", counted.count_total);
}
