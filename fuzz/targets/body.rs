//! A chunked body's data, trailers and verdict do not depend on how its bytes arrive.

use gateway_server::internal::http1::{BodyDecoder, BodyError, Decoded};
use gateway_server::internal::limits::BodyLimits;

const LIMITS: BodyLimits = BodyLimits {
    body: 1_000,
    chunk_line: 40,
    chunk_extensions: 100,
    trailers: 200,
    trailer_fields: 4,
};

/// Asserts it of one input.
pub(crate) fn run(input: &[u8]) {
    // The last byte chooses the size of the pieces; a head, as in the seeds, is skipped.
    let (bytes, piece) = match input {
        [bytes @ .., piece] => (bytes, 1 + usize::from(*piece) % 32),
        _ => (input, 1),
    };
    let start = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map_or(0, |at| at + 4);
    let bytes = &bytes[start..];
    let whole = decode(bytes, bytes.len().max(1));
    assert!(whole.data.len() as u64 <= LIMITS.body);
    assert!(whole.trailers.len() <= LIMITS.trailer_fields);
    assert_eq!(decode(bytes, piece), whole);
    assert_eq!(decode(bytes, 1), whole);
}

#[derive(Debug, PartialEq)]
struct Outcome {
    data: Vec<u8>,
    trailers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Bytes behind the end.
    verdict: Result<usize, BodyError>,
}

fn decode(bytes: &[u8], piece: usize) -> Outcome {
    let mut decoder = BodyDecoder::chunked(&LIMITS);
    let mut data = Vec::new();
    let mut from = 0;
    let mut end = 0;
    let verdict = loop {
        match decoder.decode(&bytes[from..end]) {
            Ok(Decoded::NeedMore { consumed }) => {
                assert_eq!(from + consumed, end);
                from = end;
                if end == bytes.len() {
                    break Err(decoder.end_of_input().expect_err("it needs more"));
                }
                end = bytes.len().min(end + piece);
            }
            Ok(Decoded::Data { range, consumed }) => {
                assert!(!range.is_empty() && range.end == consumed);
                data.extend_from_slice(&bytes[from..end][range]);
                from += consumed;
            }
            Ok(Decoded::End { consumed }) => break Ok(bytes.len() - from - consumed),
            Err(error) => break Err(error),
        }
    };
    let trailers = decoder
        .trailers()
        .map(|f| (f.name().to_vec(), f.value().to_vec()))
        .collect();
    Outcome {
        data,
        trailers,
        verdict,
    }
}
