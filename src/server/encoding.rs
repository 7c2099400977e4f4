//! Bodies that a client has compressed (RFC 9110, section 8.4). What they unpack to counts as the body does, so that a
//! small body costs no more than a large one.

use super::body::{ReceivedBody, too_large};
use crate::error::{Error, Kind, Result};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};
use std::collections::VecDeque;
use warp::http::HeaderMap;

/// What a client is told may be sent.
pub(super) const ACCEPTED: &str = "gzip, deflate, identity";
/// The most that a body may grow when it is unpacked. JSON with long conversations shrinks to a tenth; what shrinks to
/// less than this is made to fill memory.
const MAX_RATIO: usize = 200;
/// Below this size (bytes) the ratio does not matter.
const RATIO_FROM: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    /// Despite its name a zlib stream.
    Deflate,
}

impl Encoding {
    /// # Errors
    /// `UnsupportedEncoding` for any other, and for several.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let mut codings = headers
            .get_all("content-encoding")
            .iter()
            .flat_map(|value| value.to_str().unwrap_or("?").split(','))
            .map(|coding| coding.trim().to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != "identity");
        let coding = codings.next();
        match (coding.as_deref(), codings.next()) {
            (None, _) => Ok(Self::Identity),
            (Some("gzip" | "x-gzip"), None) => Ok(Self::Gzip),
            (Some("deflate"), None) => Ok(Self::Deflate),
            (Some(_), more) => {
                let what = if more.is_some() { "in several ways" } else { "in a way that this server does not know" };
                Err(Error::new(Kind::UnsupportedEncoding, format!("the request body is compressed {what}"))
                    .advise(format!("accepted are: {ACCEPTED}")))
            }
        }
    }

    /// Unpacks a body.
    ///
    /// # Errors
    /// `InvalidRequest` when it is damaged; `TooLarge` and `Overloaded` as for a body that was not packed.
    pub(super) fn unpack(self, body: ReceivedBody) -> Result<ReceivedBody> {
        if self == Self::Identity {
            return Ok(body);
        }
        let packed_length = body.len();
        let (mut blocks, held) = body.into_parts();
        // What is packed is freed while it is unpacked; until then both count.
        let unpacked = ReceivedBody::new(held.sibling());
        let format = if self == Self::Gzip {
            skip_gzip_header(&mut blocks)?;
            DataFormat::Raw
        } else {
            DataFormat::Zlib
        };
        inflate_blocks(blocks, format, packed_length, unpacked)
    }
}

fn inflate_blocks(
    blocks: VecDeque<Vec<u8>>,
    format: DataFormat,
    packed_length: usize,
    mut unpacked: ReceivedBody,
) -> Result<ReceivedBody> {
    let limit = packed_length.saturating_mul(MAX_RATIO).max(RATIO_FROM);
    let mut state = InflateState::new_boxed(format);
    let mut output = vec![0; 64 * 1024];
    for block in blocks {
        let mut input = block.as_slice();
        loop {
            let result = inflate(&mut state, input, &mut output, MZFlush::None);
            input = &input[result.bytes_consumed..];
            unpacked.push(&output[..result.bytes_written])?;
            if unpacked.len() > limit {
                return Err(too_large().advise(format!("it unpacks to more than {MAX_RATIO} times its size")));
            }
            match result.status {
                // What follows the end of a gzip stream is its checksum, or padding.
                Ok(MZStatus::StreamEnd) => return Ok(unpacked),
                Ok(_) if input.is_empty() && result.bytes_written < output.len() => break,
                Ok(_) => {}
                Err(MZError::Buf) if input.is_empty() => break,
                Err(_) => return Err(damaged()),
            }
        }
    }
    Err(damaged())
}

/// Takes the header of a gzip stream off (RFC 1952, section 2.3). It must be in the first block.
fn skip_gzip_header(blocks: &mut VecDeque<Vec<u8>>) -> Result<()> {
    let block = blocks.front_mut().ok_or_else(damaged)?;
    let length = gzip_header(block).ok_or_else(damaged)?;
    block.drain(..length);
    Ok(())
}

fn gzip_header(bytes: &[u8]) -> Option<usize> {
    const HAS_CHECKSUM: u8 = 2;
    const HAS_EXTRA: u8 = 4;
    const HAS_NAME: u8 = 8;
    const HAS_COMMENT: u8 = 16;
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, ..] = *bytes else { return None };
    let mut at = 10;
    if flags & HAS_EXTRA != 0 {
        let [low, high] = *bytes.get(at..at + 2)? else { return None };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for flag in [HAS_NAME, HAS_COMMENT] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    if flags & HAS_CHECKSUM != 0 {
        at += 2;
    }
    (at <= bytes.len()).then_some(at)
}

fn damaged() -> Error {
    Error::new(Kind::InvalidRequest, "the request body cannot be unpacked as its Content-Encoding says")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::server::body::BODY_LIMIT;
    use crate::server::body_memory::BodyMemory;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
    use warp::http::HeaderValue;

    fn encoding(values: &[&'static str]) -> Result<Encoding> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("content-encoding", HeaderValue::from_static(value));
        }
        Encoding::of(&headers)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        // With a name, a comment and an extra field.
        let head = [0x1f, 0x8b, 8, 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 1, 1, b'n', 0, b'c', 0];
        [&head[..], &compress_to_vec(text, 6), &[0; 8]].concat()
    }

    fn unpack(encoding: Encoding, packed: &[u8], room: usize) -> Result<Vec<u8>> {
        let memory = BodyMemory::new(room);
        let mut body = ReceivedBody::new(memory.account(0).unwrap());
        body.push(packed).unwrap();
        let unpacked = encoding.unpack(body)?;
        assert_eq!(memory.used(), unpacked.len());
        Ok(unpacked.into_parts().0.into_iter().flatten().collect())
    }

    #[test]
    fn one_known_coding_is_accepted() {
        for (values, expected) in [
            (&[][..], Ok(Encoding::Identity)),
            (&["identity"], Ok(Encoding::Identity)),
            (&[" GZip "], Ok(Encoding::Gzip)),
            (&["identity, gzip"], Ok(Encoding::Gzip)),
            (&["deflate"], Ok(Encoding::Deflate)),
            (&["gzip, gzip"], Err(Kind::UnsupportedEncoding)),
            (&["gzip", "deflate"], Err(Kind::UnsupportedEncoding)),
            (&["zstd"], Err(Kind::UnsupportedEncoding)),
            (&["br"], Err(Kind::UnsupportedEncoding)),
        ] {
            assert_eq!(encoding(values).map_err(|error| error.kind), expected, "{values:?}");
        }
    }

    #[test]
    fn packed_bodies_come_out_whole_and_damaged_ones_do_not() {
        let text: Vec<u8> = (0..700_000_u32).flat_map(|n| (n % 977).to_le_bytes()).collect();
        assert_eq!(unpack(Encoding::Gzip, &gzip(&text), BODY_LIMIT).unwrap(), text);
        assert_eq!(unpack(Encoding::Deflate, &compress_to_vec_zlib(&text, 6), BODY_LIMIT).unwrap(), text);
        let packed = gzip(&text);
        let cut = &packed[..packed.len() / 2];
        for (encoding, wrong) in [
            (Encoding::Gzip, &b"{}"[..]),
            (Encoding::Gzip, b""),
            (Encoding::Gzip, b"\x1f\x8b\x08\x04\0\0\0\0\0\0\xff\xff"),
            (Encoding::Gzip, b"\x1f\x8b\x08\x08\0\0\0\0\0\0abc"),
            (Encoding::Gzip, cut),
            (Encoding::Deflate, b"{}"),
            (Encoding::Deflate, &packed),
        ] {
            let error = unpack(encoding, wrong, BODY_LIMIT).unwrap_err();
            assert_eq!(error.kind, Kind::InvalidRequest, "{encoding:?} {} bytes", wrong.len());
        }
    }

    #[test]
    fn a_bomb_costs_no_more_than_a_body() {
        let large = compress_to_vec_zlib(&vec![b' '; BODY_LIMIT + 1], 9);
        assert_eq!(unpack(Encoding::Deflate, &large, 2 * BODY_LIMIT).unwrap_err().kind, Kind::TooLarge);
        let dense = compress_to_vec_zlib(&vec![b' '; 8 << 20], 9);
        assert!(dense.len() * MAX_RATIO < 8 << 20);
        assert!(unpack(Encoding::Deflate, &dense, BODY_LIMIT).unwrap_err().to_string().contains("200 times"));
        let text: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
        let packed = compress_to_vec_zlib(&text, 6);
        let refused = unpack(Encoding::Deflate, &packed, packed.len() + text.len() - 1).unwrap_err();
        assert_eq!(refused.kind, Kind::Overloaded);
    }
}
