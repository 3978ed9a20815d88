//! Status lines, ready to be copied. Their CRLF is left to what follows, as that of every line of a
//! head.

use super::number::decimal;
use super::outgoing::Outgoing;

/// Appends a status line.
pub(super) fn write_status(out: &mut Outgoing, status: u16) {
    if let Some(line) = status_line(status) {
        out.extend_from_slice(line);
    } else {
        out.extend_from_slice(b"HTTP/1.1 ");
        let length = decimal(out.page(), 0, u64::from(status));
        out.advance(length);
        // The space is due although no reason follows (RFC 9112 §4).
        out.extend_from_slice(b" ");
    }
}

/// The status line without its CRLF; `None` for a status that IANA's registry does not hold.
pub(super) fn status_line(status: u16) -> Option<&'static [u8]> {
    Some(match status {
        101 => b"HTTP/1.1 101 Switching Protocols",
        102 => b"HTTP/1.1 102 Processing",
        103 => b"HTTP/1.1 103 Early Hints",
        104 => b"HTTP/1.1 104 Upload Resumption Supported",
        200 => b"HTTP/1.1 200 OK",
        201 => b"HTTP/1.1 201 Created",
        202 => b"HTTP/1.1 202 Accepted",
        203 => b"HTTP/1.1 203 Non-Authoritative Information",
        204 => b"HTTP/1.1 204 No Content",
        205 => b"HTTP/1.1 205 Reset Content",
        206 => b"HTTP/1.1 206 Partial Content",
        207 => b"HTTP/1.1 207 Multi-Status",
        208 => b"HTTP/1.1 208 Already Reported",
        226 => b"HTTP/1.1 226 IM Used",
        300 => b"HTTP/1.1 300 Multiple Choices",
        301 => b"HTTP/1.1 301 Moved Permanently",
        302 => b"HTTP/1.1 302 Found",
        303 => b"HTTP/1.1 303 See Other",
        304 => b"HTTP/1.1 304 Not Modified",
        305 => b"HTTP/1.1 305 Use Proxy",
        307 => b"HTTP/1.1 307 Temporary Redirect",
        308 => b"HTTP/1.1 308 Permanent Redirect",
        400 => b"HTTP/1.1 400 Bad Request",
        401 => b"HTTP/1.1 401 Unauthorized",
        402 => b"HTTP/1.1 402 Payment Required",
        403 => b"HTTP/1.1 403 Forbidden",
        404 => b"HTTP/1.1 404 Not Found",
        405 => b"HTTP/1.1 405 Method Not Allowed",
        406 => b"HTTP/1.1 406 Not Acceptable",
        407 => b"HTTP/1.1 407 Proxy Authentication Required",
        408 => b"HTTP/1.1 408 Request Timeout",
        409 => b"HTTP/1.1 409 Conflict",
        410 => b"HTTP/1.1 410 Gone",
        411 => b"HTTP/1.1 411 Length Required",
        412 => b"HTTP/1.1 412 Precondition Failed",
        413 => b"HTTP/1.1 413 Content Too Large",
        414 => b"HTTP/1.1 414 URI Too Long",
        415 => b"HTTP/1.1 415 Unsupported Media Type",
        416 => b"HTTP/1.1 416 Range Not Satisfiable",
        417 => b"HTTP/1.1 417 Expectation Failed",
        418 => b"HTTP/1.1 418 I'm a teapot",
        421 => b"HTTP/1.1 421 Misdirected Request",
        422 => b"HTTP/1.1 422 Unprocessable Content",
        423 => b"HTTP/1.1 423 Locked",
        424 => b"HTTP/1.1 424 Failed Dependency",
        425 => b"HTTP/1.1 425 Too Early",
        426 => b"HTTP/1.1 426 Upgrade Required",
        428 => b"HTTP/1.1 428 Precondition Required",
        429 => b"HTTP/1.1 429 Too Many Requests",
        431 => b"HTTP/1.1 431 Request Header Fields Too Large",
        451 => b"HTTP/1.1 451 Unavailable For Legal Reasons",
        500 => b"HTTP/1.1 500 Internal Server Error",
        501 => b"HTTP/1.1 501 Not Implemented",
        502 => b"HTTP/1.1 502 Bad Gateway",
        503 => b"HTTP/1.1 503 Service Unavailable",
        504 => b"HTTP/1.1 504 Gateway Timeout",
        505 => b"HTTP/1.1 505 HTTP Version Not Supported",
        506 => b"HTTP/1.1 506 Variant Also Negotiates",
        507 => b"HTTP/1.1 507 Insufficient Storage",
        508 => b"HTTP/1.1 508 Loop Detected",
        510 => b"HTTP/1.1 510 Not Extended",
        511 => b"HTTP/1.1 511 Network Authentication Required",
        _ => return None,
    })
}

/// The reason phrase; empty for a status that IANA's registry does not hold.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    let line = status_line(status).unwrap_or_default();
    let phrase = line.get(REASON_AT..).unwrap_or_default();
    std::str::from_utf8(phrase).unwrap_or_default()
}

/// Bytes of `HTTP/1.1 200 `.
const REASON_AT: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_carries_its_status() {
        for status in 100..=999 {
            let Some(line) = status_line(status) else {
                assert_eq!(reason(status), "");
                continue;
            };
            let text = std::str::from_utf8(line).unwrap();
            assert_eq!(text, format!("HTTP/1.1 {status} {}", reason(status)));
        }
        assert_eq!(reason(404), "Not Found");
    }
}
