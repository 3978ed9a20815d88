//! A trailer section's verdict does not depend on how its bytes arrive, and what is kept of it are clean
//! fields that may stand there.

use gateway_server::internal::http1::{BodyDecoder, BodyError, Decoded};
use gateway_server::internal::limits::BodyLimits;

/// Asserts it of one input: the bytes behind the last chunk's line.
pub(crate) fn run(input: &[u8]) {
    // The last byte chooses the limits.
    let (bytes, small) = match input {
        [bytes @ .., limits] => (bytes, limits % 2 == 1),
        [] => (input, false),
    };
    let limits = match small {
        true => BodyLimits {
            trailers: 60,
            trailer_fields: 2,
            ..BodyLimits::default()
        },
        false => BodyLimits::default(),
    };
    let whole = read(bytes, bytes.len().max(1), &limits);
    for piece in [1, 2, 7] {
        assert_eq!(read(bytes, piece, &limits), whole, "in pieces of {piece}");
    }
    let (fields, _) = whole;
    assert!(fields.len() <= limits.trailer_fields);
    for (name, value) in fields {
        assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_uppercase));
        assert!(name.iter().all(|&b| b > b' ' && b < 0x7F && b != b':'));
        assert!(
            value
                .iter()
                .all(|&b| (b >= b' ' && b != 0x7F) || b == b'\t')
        );
        assert_eq!(value.trim_ascii(), value);
        for never in [
            "host",
            "content-length",
            "transfer-encoding",
            "authorization",
            "cookie",
        ] {
            assert_ne!(name, never.as_bytes());
        }
    }
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The fields, and how many bytes were left behind the section's end.
fn read(bytes: &[u8], piece: usize, limits: &BodyLimits) -> (Fields, Result<usize, BodyError>) {
    let mut decoder = BodyDecoder::chunked(limits);
    let bytes = [b"0\r\n", bytes].concat();
    let (mut from, mut end) = (0, 0);
    let verdict = loop {
        match decoder.decode(&bytes[from..end]) {
            Ok(Decoded::NeedMore { consumed }) => {
                from += consumed;
                if end == bytes.len() {
                    break Err(BodyError::Truncated);
                }
                end = bytes.len().min(end + piece);
            }
            Ok(Decoded::Data { .. }) => unreachable!("there is no data behind the last chunk"),
            Ok(Decoded::End { consumed }) => break Ok(bytes.len() - from - consumed),
            Err(error) => break Err(error),
        }
    };
    let fields = decoder.trailers();
    let fields = fields.map(|field| (field.name().to_vec(), field.value().to_vec()));
    (fields.collect(), verdict)
}
