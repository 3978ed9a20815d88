//! A response for HTTP/2, taken from what HTTP/1 would send.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode};
use memchr::memchr;

/// Takes the response head at the beginning of `text` apart: the head as HTTP/2 sends it, and how many
/// bytes it was long. None if there is no whole head of the server's writing.
pub(crate) fn head_of(text: &Bytes) -> Option<(Response<()>, usize)> {
    let status = StatusCode::from_bytes(text.get(STATUS_AT..STATUS_AT + 3)?).ok()?;
    let (fields, end) = fields_of(text)?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    Some((response, end))
}

/// The fields between the first line of `text` and an empty one, and where that ends. They share the
/// memory of `text`.
fn fields_of(text: &Bytes) -> Option<(HeaderMap, usize)> {
    let mut fields = HeaderMap::with_capacity(FEW);
    let mut at = memchr(b'\n', text)? + 1;
    loop {
        let line = &text[at..];
        let end = memchr(b'\r', line)?;
        if end == 0 {
            return Some((fields, at + 2));
        }
        let colon = memchr(b':', &line[..end])?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        // Frames say where a body ends (RFC 9113 §8.2.2).
        if name != TRANSFER_ENCODING {
            let value = text.slice(at + colon + 2..at + end);
            let value = HeaderValue::from_maybe_shared(value).ok()?;
            fields.try_append(name, value).ok()?;
        }
        at += end + 2;
    }
}

/// Takes the trailer section apart that HTTP/1 would send behind its last chunk.
pub(crate) fn trailers_of(text: &[u8]) -> Option<HeaderMap> {
    let (fields, _) = fields_of(&Bytes::copy_from_slice(text))?;
    Some(fields)
}

/// Behind `HTTP/1.1 `.
const STATUS_AT: usize = 9;
/// Fields of most responses; the map's memory is of a size that is cheap to have.
const FEW: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_loses_what_frames_say_and_nothing_else() {
        let text = Bytes::from_static(
            b"HTTP/1.1 404 Not Found\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
                     transfer-encoding: chunked\r\nx-empty: \r\n\r\nbody",
        );
        let (response, length) = head_of(&text).unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(&text[length..], b"body");
        let fields: Vec<_> = response.headers().iter().collect();
        assert_eq!(fields.len(), 3);
        assert_eq!(fields[1].1, "b=2");
        assert_eq!(fields[2].1, "");
    }

    #[test]
    fn trailers_are_what_stands_behind_the_last_chunk() {
        let fields = trailers_of(b"0\r\nx-sum: 1\r\n\r\n").unwrap();
        assert_eq!(fields["x-sum"], "1");
        assert!(trailers_of(b"0\r\n\r\n").unwrap().is_empty());
    }
}
