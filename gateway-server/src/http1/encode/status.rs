//! Status lines, ready to be copied.

/// The status line with its CRLF; `None` for a status that IANA's registry does not hold.
pub(super) fn status_line(status: u16) -> Option<&'static [u8]> {
    Some(match status {
        101 => b"HTTP/1.1 101 Switching Protocols\r\n",
        102 => b"HTTP/1.1 102 Processing\r\n",
        103 => b"HTTP/1.1 103 Early Hints\r\n",
        104 => b"HTTP/1.1 104 Upload Resumption Supported\r\n",
        200 => b"HTTP/1.1 200 OK\r\n",
        201 => b"HTTP/1.1 201 Created\r\n",
        202 => b"HTTP/1.1 202 Accepted\r\n",
        203 => b"HTTP/1.1 203 Non-Authoritative Information\r\n",
        204 => b"HTTP/1.1 204 No Content\r\n",
        205 => b"HTTP/1.1 205 Reset Content\r\n",
        206 => b"HTTP/1.1 206 Partial Content\r\n",
        207 => b"HTTP/1.1 207 Multi-Status\r\n",
        208 => b"HTTP/1.1 208 Already Reported\r\n",
        226 => b"HTTP/1.1 226 IM Used\r\n",
        300 => b"HTTP/1.1 300 Multiple Choices\r\n",
        301 => b"HTTP/1.1 301 Moved Permanently\r\n",
        302 => b"HTTP/1.1 302 Found\r\n",
        303 => b"HTTP/1.1 303 See Other\r\n",
        304 => b"HTTP/1.1 304 Not Modified\r\n",
        305 => b"HTTP/1.1 305 Use Proxy\r\n",
        307 => b"HTTP/1.1 307 Temporary Redirect\r\n",
        308 => b"HTTP/1.1 308 Permanent Redirect\r\n",
        400 => b"HTTP/1.1 400 Bad Request\r\n",
        401 => b"HTTP/1.1 401 Unauthorized\r\n",
        402 => b"HTTP/1.1 402 Payment Required\r\n",
        403 => b"HTTP/1.1 403 Forbidden\r\n",
        404 => b"HTTP/1.1 404 Not Found\r\n",
        405 => b"HTTP/1.1 405 Method Not Allowed\r\n",
        406 => b"HTTP/1.1 406 Not Acceptable\r\n",
        407 => b"HTTP/1.1 407 Proxy Authentication Required\r\n",
        408 => b"HTTP/1.1 408 Request Timeout\r\n",
        409 => b"HTTP/1.1 409 Conflict\r\n",
        410 => b"HTTP/1.1 410 Gone\r\n",
        411 => b"HTTP/1.1 411 Length Required\r\n",
        412 => b"HTTP/1.1 412 Precondition Failed\r\n",
        413 => b"HTTP/1.1 413 Content Too Large\r\n",
        414 => b"HTTP/1.1 414 URI Too Long\r\n",
        415 => b"HTTP/1.1 415 Unsupported Media Type\r\n",
        416 => b"HTTP/1.1 416 Range Not Satisfiable\r\n",
        417 => b"HTTP/1.1 417 Expectation Failed\r\n",
        418 => b"HTTP/1.1 418 I'm a teapot\r\n",
        421 => b"HTTP/1.1 421 Misdirected Request\r\n",
        422 => b"HTTP/1.1 422 Unprocessable Content\r\n",
        423 => b"HTTP/1.1 423 Locked\r\n",
        424 => b"HTTP/1.1 424 Failed Dependency\r\n",
        425 => b"HTTP/1.1 425 Too Early\r\n",
        426 => b"HTTP/1.1 426 Upgrade Required\r\n",
        428 => b"HTTP/1.1 428 Precondition Required\r\n",
        429 => b"HTTP/1.1 429 Too Many Requests\r\n",
        431 => b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
        451 => b"HTTP/1.1 451 Unavailable For Legal Reasons\r\n",
        500 => b"HTTP/1.1 500 Internal Server Error\r\n",
        501 => b"HTTP/1.1 501 Not Implemented\r\n",
        502 => b"HTTP/1.1 502 Bad Gateway\r\n",
        503 => b"HTTP/1.1 503 Service Unavailable\r\n",
        504 => b"HTTP/1.1 504 Gateway Timeout\r\n",
        505 => b"HTTP/1.1 505 HTTP Version Not Supported\r\n",
        506 => b"HTTP/1.1 506 Variant Also Negotiates\r\n",
        507 => b"HTTP/1.1 507 Insufficient Storage\r\n",
        508 => b"HTTP/1.1 508 Loop Detected\r\n",
        510 => b"HTTP/1.1 510 Not Extended\r\n",
        511 => b"HTTP/1.1 511 Network Authentication Required\r\n",
        _ => return None,
    })
}

/// The reason phrase; empty for a status that IANA's registry does not hold.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    let line = status_line(status).unwrap_or_default();
    let phrase = line
        .get(REASON_AT..line.len().wrapping_sub(2))
        .unwrap_or_default();
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
            assert_eq!(text, format!("HTTP/1.1 {status} {}\r\n", reason(status)));
        }
        assert_eq!(reason(404), "Not Found");
    }
}
