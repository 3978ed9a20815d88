//! A response for HTTP/2, taken from what HTTP/1 would send.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode};
use memchr::memmem;

/// Takes the response head at the beginning of `text` apart: the head as HTTP/2 sends it, and how many
/// bytes it was long. None if there is no whole head of the server's writing.
pub(crate) fn head_of(text: &[u8]) -> Option<(Response<()>, usize)> {
    let end = memmem::find(text, b"\r\n\r\n")? + 4;
    let status = StatusCode::from_bytes(text.get(STATUS_AT..STATUS_AT + 3)?).ok()?;
    let lines = memchr::memchr(b'\n', text)? + 1;
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = fields_of(&Bytes::copy_from_slice(&text[lines..end - 2]))?;
    Some((response, end))
}

/// The fields of whole lines. One piece of memory is shared by the values.
fn fields_of(text: &Bytes) -> Option<HeaderMap> {
    let mut fields = HeaderMap::with_capacity(FEW);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let line_end = memchr::memchr(b'\r', rest)?;
        let colon = memchr::memchr(b':', rest)?;
        let name = HeaderName::from_bytes(&rest[..colon]).ok()?;
        // Frames say where a body ends (RFC 9113 §8.2.2).
        if name != TRANSFER_ENCODING {
            let value = text.slice(at + colon + 2..at + line_end);
            let value = HeaderValue::from_maybe_shared(value).ok()?;
            fields.try_append(name, value).ok()?;
        }
        at += line_end + 2;
    }
    Some(fields)
}

/// Takes the trailer section apart that HTTP/1 would send behind its last chunk.
pub(crate) fn trailers_of(text: &[u8]) -> Option<HeaderMap> {
    let begins = memmem::find(text, b"\r\n")?;
    let end = memmem::find(text, b"\r\n\r\n")? + 2;
    fields_of(&Bytes::copy_from_slice(&text[begins + 2..end]))
}

/// Behind `HTTP/1.1 `.
const STATUS_AT: usize = 9;
/// Fields of most responses.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_loses_what_frames_say_and_nothing_else() {
        let text = b"HTTP/1.1 404 Not Found\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
                     transfer-encoding: chunked\r\nx-empty: \r\n\r\nbody";
        let (response, length) = head_of(text).unwrap();
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
