//! A request of HTTP/2 in the words of HTTP/1, to be judged by the same parser.
//!
//! What only HTTP/2 knows is decided here: pseudo-header fields become the request line, `:authority`
//! becomes Host, split Cookie fields one (RFC 9113 §8.2.3, §8.3.1).

use h2::ext::Protocol;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, HeaderName};
use http::request::Parts;
use http::{HeaderMap, Method};

/// A request that was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brought {
    /// Bytes that were written.
    pub(crate) length: usize,
    /// It is an extended CONNECT (RFC 8441); GET and Upgrade were written.
    pub(crate) is_extended_connect: bool,
}

/// Why a request is refused before HTTP/1's parser has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// There is no more room; heads are shorter.
    #[error("the head is longer than its limit")]
    TooLarge,
    /// `:path` is neither a path nor an asterisk.
    #[error("expected `:path` to begin with `/`, or `*` with OPTIONS")]
    Path,
    /// `:authority` and Host name different sites.
    #[error("expected `:authority` and host to be the same")]
    HostDisagrees,
    /// A value has white space at an end, which HTTP/1 would strip.
    #[error("expected a field value, found white space at its end")]
    OuterSpace,
    /// `:protocol` is not one token; the library lets any text pass.
    #[error("expected one token as `:protocol`")]
    Protocol,
    /// An extended CONNECT of which the length is declared.
    #[error("expected no content-length in an extended CONNECT")]
    LengthOfTunnel,
}

impl RequestError {
    /// The status that answers it.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::TooLarge => 431,
            _ => 400,
        }
    }
}

/// Writes the request down at the beginning of `to`; `ended` says that no body follows its head.
///
/// # Errors
///
/// A [`RequestError`]; `to` then holds nothing of meaning.
pub(crate) fn bring(to: &mut [u8], parts: &Parts, ended: bool) -> Result<Brought, RequestError> {
    let mut text = Text { to, length: 0 };
    let fields = &parts.headers;
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let path = parts.uri.path_and_query().map(|path| path.as_str());
    let protocol = parts.extensions.get::<Protocol>();
    let connects = parts.method == Method::CONNECT && protocol.is_none();
    let target = if connects {
        authority.unwrap_or_default()
    } else {
        path.unwrap_or_default()
    };
    if !connects && !target.starts_with('/') && (target != "*" || protocol.is_some()) {
        return Err(RequestError::Path);
    }
    let method = match protocol {
        Some(_) => "GET",
        None => parts.method.as_str(),
    };
    for part in [method, " ", target, " HTTP/1.1\r\n"] {
        text.put(part.as_bytes())?;
    }
    if let Some(authority) = authority {
        text.line(b"host", authority.as_bytes())?;
    }
    text.fields(fields, authority.map(str::as_bytes))?;
    match protocol {
        Some(_) if fields.contains_key(CONTENT_LENGTH) => return Err(RequestError::LengthOfTunnel),
        Some(protocol) => {
            let protocol = protocol.as_str().as_bytes();
            // One token (RFC 8441 §4), as names of fields are: a list or a version would be an offer of HTTP/1.
            HeaderName::from_bytes(protocol).map_err(|_| RequestError::Protocol)?;
            text.line(b"connection", b"upgrade")?;
            text.line(b"upgrade", protocol)?;
        }
        // What follows a CONNECT is no body (RFC 9113 §8.5).
        None if ended || connects || fields.contains_key(CONTENT_LENGTH) => {}
        None => text.line(b"transfer-encoding", b"chunked")?,
    }
    text.put(b"\r\n")?;
    Ok(Brought {
        length: text.length,
        is_extended_connect: protocol.is_some(),
    })
}

struct Text<'t> {
    to: &'t mut [u8],
    length: usize,
}

impl Text<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), RequestError> {
        let end = self.length + bytes.len();
        let room = self.to.get_mut(self.length..end);
        room.ok_or(RequestError::TooLarge)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    fn line(&mut self, name: &[u8], value: &[u8]) -> Result<(), RequestError> {
        if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = value {
            return Err(RequestError::OuterSpace);
        }
        for part in [name, b": ", value, b"\r\n"] {
            self.put(part)?;
        }
        Ok(())
    }

    /// Host is there already where there is an `authority`, which it may only repeat.
    fn fields(&mut self, fields: &HeaderMap, authority: Option<&[u8]>) -> Result<(), RequestError> {
        let mut crumbs = false;
        for (name, value) in fields {
            match authority {
                _ if name == COOKIE => {
                    if !std::mem::replace(&mut crumbs, true) {
                        self.cookies(fields)?;
                    }
                }
                Some(authority) if name == HOST => {
                    if !value.as_bytes().eq_ignore_ascii_case(authority) {
                        return Err(RequestError::HostDisagrees);
                    }
                }
                _ => self.line(name.as_str().as_bytes(), value.as_bytes())?,
            }
        }
        Ok(())
    }

    /// All Cookie fields as one.
    fn cookies(&mut self, fields: &HeaderMap) -> Result<(), RequestError> {
        let mut separator: &[u8] = b"cookie: ";
        for crumb in fields.get_all(COOKIE) {
            let crumb = crumb.as_bytes();
            if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = crumb {
                return Err(RequestError::OuterSpace);
            }
            self.put(separator)?;
            self.put(crumb)?;
            separator = b"; ";
        }
        self.put(b"\r\n")
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn brought(request: http::request::Builder, ended: bool) -> Result<String, RequestError> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut to = [0; 200];
        let brought = bring(&mut to, &parts, ended)?;
        Ok(String::from_utf8(to[..brought.length].to_vec()).unwrap())
    }

    fn get(path: &str) -> http::request::Builder {
        let uri = http::Uri::builder().scheme("http").authority("a.example");
        Request::get(uri.path_and_query(path).build().unwrap())
    }

    #[test]
    fn pseudo_header_fields_become_the_request_line_and_host() {
        assert_eq!(
            brought(get("/a?b=c").header("accept", "*/*"), true).unwrap(),
            "GET /a?b=c HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\n\r\n"
        );
        assert_eq!(
            brought(Request::options("*").header("host", "a"), true).unwrap(),
            "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"
        );
    }

    #[test]
    fn a_body_of_unknown_length_is_chunked_and_one_of_known_length_is_not() {
        assert!(brought(get("/"), false).unwrap().contains("chunked"));
        let sized = brought(get("/").header("content-length", "5"), false).unwrap();
        assert!(!sized.contains("chunked") && sized.contains("content-length: 5\r\n"));
    }

    #[test]
    fn cookie_crumbs_are_joined_where_the_first_stands() {
        let crumbs = get("/")
            .header("cookie", "a=1")
            .header("accept", "*/*")
            .header("cookie", "b=2");
        let text = brought(crumbs, true).unwrap();
        assert!(
            text.ends_with("cookie: a=1; b=2\r\naccept: */*\r\n\r\n"),
            "{text}"
        );
    }

    #[test]
    fn host_beside_authority_is_written_once_if_they_agree() {
        let text = brought(get("/").header("host", "A.example"), true).unwrap();
        assert_eq!(text.matches("host:").count(), 1);
        let refused = |request| brought(request, true).unwrap_err();
        let other = get("/").header("host", "b.example");
        assert_eq!(refused(other), RequestError::HostDisagrees);
        let second = get("/").header("host", "a.example").header("host", "b");
        assert_eq!(refused(second), RequestError::HostDisagrees);
    }

    #[test]
    fn what_http1_would_read_differently_is_refused() {
        let refused = |request| brought(request, true).unwrap_err();
        let spaced = get("/").header("x", "a ");
        assert_eq!(refused(spaced), RequestError::OuterSpace);
        assert_eq!(refused(get("*").method("GET").uri("x")), RequestError::Path);
        let long = get("/").header("x", "y".repeat(300));
        assert_eq!(refused(long), RequestError::TooLarge);
    }

    #[test]
    fn an_extended_connect_is_an_upgrade() {
        let request = get("/chat")
            .method("CONNECT")
            .extension(Protocol::from_static("websocket"));
        assert_eq!(
            brought(request, false).unwrap(),
            "GET /chat HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\n\r\n"
        );
        for no_token in ["websocket\r\nhost: b.example", "a, b", "web/1", ""] {
            let smuggled = get("/chat")
                .method("CONNECT")
                .extension(Protocol::from_static(no_token));
            let refused = brought(smuggled, false).unwrap_err();
            assert_eq!(refused, RequestError::Protocol, "{no_token:?}");
        }
        let tunnel = Request::builder().method("CONNECT").uri("a.example:443");
        assert_eq!(
            brought(tunnel, false).unwrap(),
            "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n"
        );
    }
}
