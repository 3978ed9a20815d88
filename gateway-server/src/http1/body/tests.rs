use super::{BodyDecoder, Decoded};
use crate::http1::error::BodyError;
use crate::http1::head::BodyLength;
use crate::limits::BodyLimits;

const LIMITS: BodyLimits = BodyLimits {
    body: 10,
    chunk_line: 8,
    chunk_extensions: 12,
    trailers: 20,
    trailer_fields: 2,
};

/// The data and what is left behind the end, if the body arrives in pieces of this size.
fn decode_in(
    mut decoder: BodyDecoder,
    bytes: &[u8],
    piece: usize,
) -> Result<(Vec<u8>, usize), BodyError> {
    let mut data = Vec::new();
    let mut buf = Vec::new();
    let mut at = 0;
    loop {
        match decoder.decode(&buf)? {
            Decoded::NeedMore { consumed } => {
                buf.drain(..consumed);
                if at == bytes.len() {
                    decoder.end_of_input()?;
                }
                let end = bytes.len().min(at + piece);
                buf.extend_from_slice(&bytes[at..end]);
                at = end;
            }
            Decoded::Data { range, consumed } => {
                data.extend_from_slice(&buf[range]);
                buf.drain(..consumed);
            }
            Decoded::End { consumed } => {
                return Ok((data, bytes.len() - at + buf.len() - consumed));
            }
        }
    }
}

fn chunked(text: &str) -> Result<(Vec<u8>, usize), BodyError> {
    let whole = decode_in(
        BodyDecoder::chunked(&LIMITS),
        text.as_bytes(),
        text.len().max(1),
    );
    for piece in 1..text.len() {
        let split = decode_in(BodyDecoder::chunked(&LIMITS), text.as_bytes(), piece);
        assert_eq!(split, whole, "{text:?} in pieces of {piece}");
    }
    whole
}

#[test]
fn a_sized_body_is_its_next_bytes() {
    for piece in 1..9 {
        let decoded = decode_in(BodyDecoder::length(5), b"hello123", piece);
        assert_eq!(decoded, Ok((b"hello".to_vec(), 3)));
    }
    let mut decoder = BodyDecoder::length(5);
    assert_eq!(
        decoder.decode(b"he"),
        Ok(Decoded::Data {
            range: 0..2,
            consumed: 2
        })
    );
    assert_eq!(decoder.remaining(), Some(3));
    assert_eq!(decoder.decode(b""), Ok(Decoded::NeedMore { consumed: 0 }));
    assert_eq!(decoder.end_of_input(), Err(BodyError::Truncated));
    assert_eq!(
        decoder.decode(b"llo!"),
        Ok(Decoded::Data {
            range: 0..3,
            consumed: 3
        })
    );
    assert!(decoder.is_ended());
    assert_eq!(decoder.end_of_input(), Ok(()));
    assert_eq!(decoder.decode(b"!"), Ok(Decoded::End { consumed: 0 }));
}

#[test]
fn no_body_has_ended() {
    let decoder = BodyDecoder::new(BodyLength::None, &LIMITS).unwrap();
    assert!(decoder.is_ended());
    assert_eq!(decoder.remaining(), Some(0));
    assert!(
        BodyDecoder::new(BodyLength::Length(0), &LIMITS)
            .unwrap()
            .is_ended()
    );
}

#[test]
fn a_body_of_the_limit_is_accepted_and_one_byte_more_is_not() {
    assert!(BodyDecoder::new(BodyLength::Length(10), &LIMITS).is_ok());
    let refused = BodyDecoder::new(BodyLength::Length(11), &LIMITS).map(|_| ());
    assert_eq!(refused, Err(BodyError::TooLarge));
    assert_eq!(
        chunked("a\r\n0123456789\r\n0\r\n\r\n"),
        Ok((b"0123456789".to_vec(), 0))
    );
    assert_eq!(chunked("b\r\n"), Err(BodyError::TooLarge));
    assert_eq!(chunked("9\r\n012345678\r\n2\r\n"), Err(BodyError::TooLarge));
    assert_eq!(
        chunked("9\r\n012345678\r\nffffffffffffffff\r\n"),
        Err(BodyError::TooLarge)
    );
}

#[test]
fn chunks_end_where_they_say() {
    assert_eq!(
        chunked("1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\nGET"),
        Ok((b"abc".to_vec(), 3))
    );
    assert_eq!(chunked("1\r\na\r\n0\r\n"), Err(BodyError::Truncated));
    assert_eq!(chunked("2\r\na"), Err(BodyError::Truncated));
    assert_eq!(chunked(""), Err(BodyError::Truncated));
    assert_eq!(chunked("1\r\nab\r\n"), Err(BodyError::ChunkEnd));
}

#[test]
fn extensions_are_bounded_by_line_and_by_body() {
    assert!(chunked("1;234567\r\na\r\n0\r\n\r\n").is_ok());
    assert_eq!(chunked("1;2345678\r\n"), Err(BodyError::ChunkLineTooLong));
    let twice = "1;23456\r\na\r\n1;23456\r\na\r\n";
    assert_eq!(
        chunked(&format!("{twice}0\r\n\r\n")),
        Ok((b"aa".to_vec(), 0))
    );
    assert_eq!(
        chunked(&format!("{twice}0;\r\n")),
        Err(BodyError::ChunkExtensionsTooLong)
    );
}

#[test]
fn trailers_are_bounded_and_kept() {
    let mut decoder = BodyDecoder::chunked(&LIMITS);
    let bytes = b"0\r\nA: 1\r\ncookie: 2\r\n\r\nrest";
    assert_eq!(
        decoder.decode(bytes),
        Ok(Decoded::End {
            consumed: bytes.len() - 4
        })
    );
    let trailers: Vec<_> = decoder
        .trailers()
        .map(|field| (field.name(), field.value()))
        .collect();
    assert_eq!(trailers, [(&b"a"[..], &b"1"[..])]);
    assert_eq!(
        chunked("0\r\na:\r\nb:\r\nc:\r\n\r\n"),
        Err(BodyError::TrailersTooLarge)
    );
    assert_eq!(chunked("0\r\na: 3456789012345\r\n\r\n"), Ok((vec![], 0)));
    assert_eq!(
        chunked("0\r\na: 34567890123456\r\n\r\n"),
        Err(BodyError::TrailersTooLarge)
    );
}

#[test]
fn the_last_chunk_is_a_chunk_of_size_zero_however_written() {
    assert_eq!(chunked("000\r\n\r\n"), Ok((vec![], 0)));
    assert_eq!(chunked("0000000000000000\r\n\r\n"), Ok((vec![], 0)));
    assert_eq!(
        chunked("00000000000000000\r\n\r\n"),
        Err(BodyError::ChunkSize)
    );
}
