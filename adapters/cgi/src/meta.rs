//! The request, from the environment and the standard input.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::thread::JoinHandle;

use gateway_spec::cgi::Variables;
use gateway_spec::http::StatusCode;
use gateway_spec::{Body, Error, Request};

use crate::input;

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The variables describe none.
    #[error("a request is refused with 400: {0}")]
    Variables(#[from] Error),
    /// Its body is longer than the limit.
    #[error("a request is refused with 413: expected at most {MAX_BODY} bytes of body, found {0}")]
    TooLarge(u64),
}

impl Refusal {
    /// The status that answers it.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Variables(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// A request, and the thread that reads its body, if there is one.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) request: Request,
    pub(crate) reading: Option<JoinHandle<()>>,
}

/// The request that the environment describes, with the input as its body.
///
/// # Errors
///
/// A [`Refusal`].
pub(crate) fn request(
    environment: impl Iterator<Item = (OsString, OsString)>,
    input: impl Read + Send + 'static,
) -> Result<Received, Refusal> {
    let pairs = environment.filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        // Clients at a unix socket have none, and servers say something in its place.
        let is_address = value
            .to_str()
            .is_some_and(|text| text.parse::<IpAddr>().is_ok());
        let says = !matches!(name.as_str(), "REMOTE_ADDR" | "SERVER_ADDR") || is_address;
        says.then(|| (name, value.into_vec()))
    });
    // Unlike a front that only passes a path on, who starts a program knows where its part ends.
    let nothing_below = ("PATH_INFO".to_owned(), Vec::new());
    let variables: Variables = [nothing_below].into_iter().chain(pairs).collect();
    let length = variables.get("CONTENT_LENGTH").unwrap_or_default();
    let length: Option<u64> = std::str::from_utf8(length)
        .ok()
        .and_then(|text| text.parse().ok());
    let is_chunked = variables
        .get("HTTP_TRANSFER_ENCODING")
        .is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    let (body, reading) = match length {
        Some(length) if length > MAX_BODY => return Err(Refusal::TooLarge(length)),
        // The server has taken chunks apart, and ends the input.
        length if length.is_some_and(|length| length > 0) || is_chunked => {
            let (body, reading) = input::body(input, length, MAX_BODY);
            (body, Some(reading))
        }
        _ => (Body::empty(), None),
    };
    let request = variables.to_request(body)?;
    Ok(Received { request, reading })
}

/// Whether an argument is the first word of a query, as servers put it on the command line.
pub(crate) fn is_first_word(argument: &OsStr, query: &OsStr) -> bool {
    let query = query.as_bytes();
    if query.is_empty() || query.contains(&b'=') {
        return false;
    }
    let word = query.split(|byte| *byte == b'+').next().unwrap_or_default();
    decoded(word) == argument.as_bytes()
}

fn decoded(word: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut octets = Vec::new();
    let mut rest = word;
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        let octet = escape.and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        octets.push(octet.unwrap_or(*first));
        rest = if escape.is_some() { &tail[2..] } else { tail };
    }
    octets
}

/// Bytes of a request's body; it waits in memory for the application.
pub(crate) const MAX_BODY: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn requested(more: &[(&str, &str)], input: &'static [u8]) -> Result<Request, Refusal> {
        let usual = [
            ("REQUEST_METHOD", "POST"),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("SCRIPT_NAME", "/app"),
            ("SERVER_NAME", "example.org"),
            ("SERVER_PORT", "80"),
        ];
        let pairs = usual.iter().chain(more);
        let pairs: Vec<_> = pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        request(pairs.into_iter(), Cursor::new(input)).map(|received| received.request)
    }

    fn content(request: Request) -> Result<Vec<u8>, Error> {
        let mut request = request;
        let body = request.take_body().collect(1_000);
        crate::wait::block_on(body).map(|bytes| bytes.to_vec())
    }

    #[test]
    fn the_scripts_part_of_the_path_is_the_mount() {
        let request = requested(&[], b"").unwrap();
        assert_eq!(
            (request.mount(), request.path()),
            (&b"/app"[..], &b"/app"[..])
        );
        assert!(!request.has_body());
        let exact = [("PATH_INFO", "/a/b"), ("REQUEST_URI", "/app/a%2Fb?q")];
        let request = requested(&exact, b"").unwrap();
        assert_eq!(
            (request.mount(), request.target()),
            (&b"/app"[..], &b"/app/a%2Fb?q"[..])
        );
    }

    #[test]
    fn an_address_that_is_none_says_nothing() {
        let request = requested(&[("REMOTE_ADDR", "/run/lighttpd.sock")], b"").unwrap();
        assert_eq!(request.client(), gateway_spec::Address::Unknown);
    }

    #[test]
    fn a_body_is_as_long_as_was_said_and_no_longer() {
        let length = |digits| [("CONTENT_LENGTH", digits)];
        let request = requested(&length("5"), b"hello world").unwrap();
        assert_eq!(request.content_length(), Some(5));
        assert_eq!(content(request).unwrap(), b"hello");
        let request = requested(&length("12"), b"hello").unwrap();
        assert_eq!(
            content(request).unwrap_err().kind(),
            gateway_spec::ErrorKind::Closed
        );
        let request = requested(&[("HTTP_TRANSFER_ENCODING", "chunked")], b"hello").unwrap();
        assert_eq!(request.content_length(), None);
        assert_eq!(content(request).unwrap(), b"hello");
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (pair, status) in [
            (("REQUEST_METHOD", "G T"), 400),
            (("CONTENT_LENGTH", "+1"), 400),
            (("CONTENT_LENGTH", "67108865"), 413),
        ] {
            let refusal = requested(&[pair], b"").unwrap_err();
            assert_eq!(refusal.status().as_u16(), status, "{pair:?}");
        }
    }

    #[test]
    fn an_argument_that_the_client_has_sent_is_known() {
        let is = |argument: &str, query: &str| is_first_word(argument.as_ref(), query.as_ref());
        assert!(is("/tmp/evil.so", "/tmp/evil.so"));
        assert!(is("/tmp/evil.so", "%2Ftmp%2fevil.so+more"));
        assert!(!is("/srv/app.so", ""));
        assert!(!is("/srv/app.so", "a+b"));
        assert!(!is("/srv/app.so", "x=/srv/app.so"));
    }
}
