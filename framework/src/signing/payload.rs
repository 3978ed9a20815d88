//! A payload's text form: URL-safe base64 of the bytes, or, where that is shorter, of their zlib form behind
//! a dot (`itsdangerous.URLSafeSerializer`).

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

/// Why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPayload {
    /// Not URL-safe base64 without padding.
    #[error("the payload is not URL-safe base64")]
    Encoding,
    /// Behind the dot there is no zlib stream.
    #[error("the payload is not a zlib stream")]
    Compression,
    /// It is longer than this limit, in bytes, once it is unpacked.
    #[error("the payload has more than {0} bytes")]
    TooLong(usize),
}

/// The text form of `bytes`.
pub fn pack(bytes: &[u8]) -> String {
    match compress(bytes) {
        Some(small) if small.len() + 1 < bytes.len() => {
            let mut text = String::from(COMPRESSED);
            BASE64.encode_string(small, &mut text);
            text
        }
        _ => BASE64.encode(bytes),
    }
}

/// The bytes that `text` is the form of, at most `limit` of them.
///
/// # Errors
///
/// Says what of `text` cannot be read; a stream that unpacks to more than `limit` is not unpacked further.
pub fn unpack(text: &str, limit: usize) -> Result<Vec<u8>, BadPayload> {
    let decode = |text| BASE64.decode(text).map_err(|_| BadPayload::Encoding);
    let bytes = match text.strip_prefix(COMPRESSED) {
        None => decode(text)?,
        Some(text) => decompress(&decode(text)?, limit)?,
    };
    match bytes.len() > limit {
        true => Err(BadPayload::TooLong(limit)),
        false => Ok(bytes),
    }
}

fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, BadPayload> {
    let mut whole = Vec::new();
    ZlibDecoder::new(bytes)
        .take(limit as u64 + 1)
        .read_to_end(&mut whole)
        .map_err(|_| BadPayload::Compression)?;
    Ok(whole)
}

const COMPRESSED: &str = ".";
