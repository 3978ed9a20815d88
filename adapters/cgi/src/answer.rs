//! The answer, as a header block and a body on the standard output.

use std::future::{Future as _, poll_fn};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::task::Poll;

use gateway_spec::{Body, Error, Frame, Response};

/// Why an answer is not whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The server does not read it any more.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The application.
    #[error("{0}")]
    Body(#[from] Error),
    /// The same.
    #[error("expected {expected} bytes of body, found {found}")]
    Length { expected: u64, found: u64 },
}

/// Writes an answer; `is_head` says that its body is not wanted. Work behind it is done meanwhile.
///
/// # Errors
///
/// It is not whole.
pub(crate) async fn write(mut response: Response, is_head: bool) -> Result<(), Broken> {
    let mut after = response.take_after();
    let mut out = io::stdout().lock();
    let end = {
        let mut writing = Box::pin(write_to(&mut out, response, is_head));
        let mut written = None;
        poll_fn(|cx| {
            if written.is_none()
                && let Poll::Ready(end) = writing.as_mut().poll(cx)
            {
                written = Some(end);
            }
            // A body may wait for the work behind it, and the other way round.
            if let Some(work) = &mut after
                && work.as_mut().poll(cx).is_ready()
            {
                after = None;
            }
            match (&written, &after) {
                (Some(_), None) => Poll::Ready(written.take()),
                _ => Poll::Pending,
            }
        })
        .await
    };
    end.unwrap_or(Ok(()))
}

async fn write_to(out: &mut impl Write, response: Response, is_head: bool) -> Result<(), Broken> {
    let (head, length) = head_of(&response, is_head);
    out.write_all(&head)?;
    if is_head || is_bodiless(&response) {
        out.flush()?;
        return Ok(());
    }
    let mut body = response.into_body();
    let found = write_body(out, &mut body, length).await?;
    match length {
        Some(expected) if expected != found => Err(Broken::Length { expected, found }),
        _ => Ok(()),
    }
}

/// Writes at most `most` bytes of a body: how many.
async fn write_body(
    out: &mut impl Write,
    body: &mut Body,
    most: Option<u64>,
) -> Result<u64, Broken> {
    let mut left = most.unwrap_or(u64::MAX);
    let mut sent = 0;
    while let Some(frame) = body.frame().await {
        let count = match frame? {
            Frame::Data(data) => {
                let kept = usize::try_from(left).unwrap_or(usize::MAX).min(data.len());
                out.write_all(&data[..kept])?;
                kept as u64
            }
            Frame::File(mut region) => {
                region.file.seek(SeekFrom::Start(region.offset))?;
                io::copy(&mut region.file.take(region.length.min(left)), out)?
            }
            // Trailers have no way.
            _ => 0,
        };
        left -= count;
        sent += count;
        // Who streams wants to be heard.
        out.flush()?;
    }
    Ok(sent)
}

/// The header block, and how long the body is, if that is known.
fn head_of(response: &Response, is_head: bool) -> (Vec<u8>, Option<u64>) {
    let status = response.status_code();
    let reason = status.canonical_reason().unwrap_or("Unknown");
    let mut head = format!("Status: {} {reason}\r\n", status.as_u16()).into_bytes();
    let mut length = None;
    for (name, value) in response.fields().iter() {
        match name.as_str() {
            "content-length" => {
                let text = value.to_str().ok();
                length = length.or_else(|| text.and_then(|text| text.parse().ok()));
            }
            "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer"
            | "transfer-encoding" | "upgrade" => {}
            name => {
                for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                    head.extend_from_slice(part);
                }
            }
        }
    }
    let bodiless = is_bodiless(response);
    let actual = response.body().length();
    // What is there of a body that is not sent may be less than what GET would send.
    let length = length.or(actual.filter(|length| !is_head || *length > 0));
    if let Some(length) = length.filter(|_| !bodiless) {
        head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    (head, length)
}

fn is_bodiless(response: &Response) -> bool {
    matches!(response.status_code().as_u16(), 204 | 205 | 304)
}

#[cfg(test)]
mod tests {
    use gateway_spec::bytes::Bytes;
    use gateway_spec::http::StatusCode;
    use gateway_spec::http::header::{CONNECTION, ETAG, HeaderValue, LOCATION, SET_COOKIE};

    use super::*;
    use crate::wait::block_on;

    fn written(response: Response, is_head: bool) -> (String, bool) {
        let mut out = Vec::new();
        let end = block_on(write_to(&mut out, response, is_head));
        (String::from_utf8(out).unwrap(), end.is_ok())
    }

    #[test]
    fn an_answer_always_says_its_status() {
        let response = Response::from(StatusCode::FOUND)
            .with(LOCATION, HeaderValue::from_static("/elsewhere"))
            .with(SET_COOKIE, HeaderValue::from_static("a=1"))
            .with(SET_COOKIE, HeaderValue::from_static("b=2"))
            .with(CONNECTION, HeaderValue::from_static("close"));
        let (text, _) = written(response, true);
        assert!(text.starts_with("Status: 302 Found\r\n"), "{text}");
        assert!(
            text.contains("set-cookie: a=1\r\nset-cookie: b=2\r\n"),
            "{text}"
        );
        assert!(!text.contains("connection"), "{text}");
    }

    #[test]
    fn what_has_no_body_sends_none() {
        let (text, _) = written(Response::text("hello"), true);
        assert!(text.ends_with("content-length: 5\r\n\r\n"), "{text}");
        let etag = HeaderValue::from_static("\"a\"");
        let unmodified = Response::status(StatusCode::NOT_MODIFIED).with(ETAG, etag);
        let expected = "Status: 304 Not Modified\r\netag: \"a\"\r\n\r\n";
        assert_eq!(written(unmodified, false), (expected.to_owned(), true));
        let nothing = Response::new("text").with_status(StatusCode::NO_CONTENT);
        let expected = "Status: 204 No Content\r\n\r\n";
        assert_eq!(written(nothing, false), (expected.to_owned(), true));
    }

    #[test]
    fn a_body_is_held_to_its_length() {
        let body = |length| {
            let mut pieces = vec![Bytes::from_static(b"world"), Bytes::from_static(b"hello ")];
            let body =
                Body::from_fn(move |_| Poll::Ready(pieces.pop().map(|one| Ok(Frame::Data(one)))));
            Response::new(match length {
                Some(length) => body.with_length(length),
                None => body,
            })
        };
        let (text, whole) = written(body(None), false);
        assert!(text.ends_with("\r\n\r\nhello world") && whole, "{text}");
        let (text, whole) = written(body(Some(8)), false);
        assert!(text.ends_with("\r\n\r\nhello wo") && whole, "{text}");
        assert!(!written(body(Some(12)), false).1);
    }
}
