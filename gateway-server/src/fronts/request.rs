//! A request in CGI variables in the words of HTTP/1, to be judged by the same parser.
//!
//! What only the variables know is decided here: which of them say the target, the host, the length of
//! the body, and which fields were the front's own.

use std::net::{IpAddr, SocketAddr};

use gateway_spec::abi::{scheme, version};
use gateway_spec::cgi::Place;
use memchr::{memchr2, memchr3};

use crate::proxies::Told;

/// A request that was written down, but for how its body is framed and the end of its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Brought {
    /// What does not stand there.
    pub(super) told: Told<'static>,
    /// How long the body is, where that is said.
    pub(super) length: Option<u64>,
    /// The body comes in chunks, as in HTTP/1.
    pub(super) chunked: bool,
    /// Its answer has no body.
    pub(super) is_head: bool,
}

/// Why a request is refused before HTTP/1's parser has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    /// There is none.
    #[error("expected a method in REQUEST_METHOD")]
    Method,
    /// A tunnel has no way through here.
    #[error("expected another method than CONNECT")]
    Connect,
    /// No variable names a path, or one that cannot stand in a line.
    #[error("expected a path in REQUEST_URI, or in SCRIPT_NAME and PATH_INFO")]
    Target,
    /// A value would end its line.
    #[error("expected a value of one line in HTTP_*, CONTENT_TYPE or SERVER_NAME")]
    Value,
    /// A variable's name is no field's.
    #[error("expected a field's name behind HTTP_")]
    Name,
    /// Not a number of 1 to 19 digits.
    #[error("expected 1 to 19 digits as CONTENT_LENGTH")]
    Length,
    /// Variables that are no pairs.
    #[error("expected names and values")]
    Pairs,
}

impl RequestError {
    /// The status that answers it.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Connect => 501,
            _ => 400,
        }
    }
}

/// What the variables say, fields aside.
#[derive(Default)]
struct Said<'v> {
    method: &'v [u8],
    place: Place<'v>,
    protocol: &'v [u8],
    length: &'v [u8],
    content_type: &'v [u8],
    server_name: &'v [u8],
    server_port: &'v [u8],
    remote_addr: &'v [u8],
    remote_port: &'v [u8],
    https: &'v [u8],
    request_scheme: &'v [u8],
    chunked: bool,
    has_host: bool,
}

/// A variable.
type Pair<'v> = (&'v [u8], &'v [u8]);

/// Appends the request to `text`; `keep` says whether the connection stays.
///
/// # Errors
///
/// A [`RequestError`]; what was appended then has no meaning.
pub(super) fn bring<'v>(
    text: &mut Vec<u8>,
    variables: impl Iterator<Item = Option<Pair<'v>>> + Clone,
    keep: bool,
) -> Result<Brought, RequestError> {
    let mut said = Said::default();
    for pair in variables.clone() {
        let (name, value) = pair.ok_or(RequestError::Pairs)?;
        said.note(name, value);
    }
    let is_connect = said.method.eq_ignore_ascii_case(b"CONNECT");
    if is_connect {
        return Err(RequestError::Connect);
    }
    if said.method.is_empty() || memchr3(b' ', b'\r', b'\n', said.method).is_some() {
        return Err(RequestError::Method);
    }
    let target = said.place.target().ok_or(RequestError::Target)?;
    if memchr3(b' ', b'\r', b'\n', &target.target).is_some() {
        return Err(RequestError::Target);
    }
    // Without a host only HTTP/1.0 is good.
    let named = said.has_host || !said.server_name.is_empty();
    let spoken: &[u8] = if named {
        b" HTTP/1.1\r\n"
    } else {
        b" HTTP/1.0\r\n"
    };
    for part in [said.method, b" ", &target.target, spoken] {
        text.extend_from_slice(part);
    }
    if !said.has_host && named {
        said.host(text)?;
    }
    let connection = match (keep, named) {
        (false, _) => &b"connection: close\r\n"[..],
        (true, true) => b"",
        (true, false) => b"connection: keep-alive\r\n",
    };
    text.extend_from_slice(connection);
    if !said.content_type.is_empty() {
        line(text, b"content-type", said.content_type)?;
    }
    let pairs = variables.flatten();
    fields(text, pairs, said.content_type.is_empty())?;
    let length = said.length()?;
    Ok(Brought {
        told: Told {
            client: said.client(),
            scheme: Some(said.scheme()),
            // Whatever the front's client spoke: without a host there is only this one.
            version: Some(if named {
                said.version()
            } else {
                version::HTTP_10
            }),
            mount: target.mount,
            ..Told::default()
        },
        length,
        chunked: length.is_none() && said.chunked,
        is_head: said.method == b"HEAD",
    })
}

impl<'v> Said<'v> {
    #[inline]
    fn note(&mut self, name: &[u8], value: &'v [u8]) {
        match name {
            b"REQUEST_METHOD" => self.method = value,
            b"REQUEST_URI" if !value.is_empty() => self.place.request_uri = Some(value),
            b"SCRIPT_NAME" => self.place.script_name = Some(value),
            b"PATH_INFO" => self.place.path_info = Some(value),
            b"QUERY_STRING" => self.place.query_string = Some(value),
            b"SERVER_PROTOCOL" => self.protocol = value,
            b"CONTENT_LENGTH" => self.length = value,
            b"CONTENT_TYPE" => self.content_type = value,
            b"SERVER_NAME" => self.server_name = value,
            b"SERVER_PORT" => self.server_port = value,
            b"REMOTE_ADDR" => self.remote_addr = value,
            b"REMOTE_PORT" => self.remote_port = value,
            b"HTTPS" => self.https = value,
            b"REQUEST_SCHEME" => self.request_scheme = value,
            b"HTTP_HOST" => self.has_host = !value.is_empty(),
            b"HTTP_TRANSFER_ENCODING" => self.chunked = value.eq_ignore_ascii_case(b"chunked"),
            _ => {}
        }
    }

    /// Host from the server's name, where the client has sent none.
    fn host(&self, text: &mut Vec<u8>) -> Result<(), RequestError> {
        let usual: &[u8] = match self.scheme() {
            scheme::HTTPS => b"443",
            _ => b"80",
        };
        if self.server_port.is_empty() || self.server_port == usual {
            return line(text, b"host", self.server_name);
        }
        line(
            text,
            b"host",
            &[self.server_name, b":", self.server_port].concat(),
        )
    }

    fn length(&self) -> Result<Option<u64>, RequestError> {
        // Empty is absent: so fronts say that there is no body, or that its length is not known.
        if self.length.is_empty() {
            return Ok(None);
        }
        let text = std::str::from_utf8(self.length).unwrap_or_default();
        let digits = text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
        let length = text.parse().ok().filter(|_| digits);
        length.map(Some).ok_or(RequestError::Length)
    }

    /// What cannot be understood says nothing: `unix:` for one.
    fn client(&self) -> Option<SocketAddr> {
        let ip: IpAddr = std::str::from_utf8(self.remote_addr).ok()?.parse().ok()?;
        let port = std::str::from_utf8(self.remote_port).ok()?.parse();
        Some(SocketAddr::new(ip, port.unwrap_or(0)))
    }

    fn scheme(&self) -> u16 {
        let on = self.https == b"1" || self.https.eq_ignore_ascii_case(b"on");
        if on || self.request_scheme == b"https" {
            scheme::HTTPS
        } else {
            scheme::HTTP
        }
    }

    fn version(&self) -> u16 {
        match self.protocol {
            b"HTTP/1.0" => version::HTTP_10,
            b"HTTP/2.0" | b"HTTP/2" => version::HTTP_2,
            b"HTTP/3.0" | b"HTTP/3" => version::HTTP_3,
            _ => version::HTTP_11,
        }
    }
}

/// Appends the client's fields, but those of its hop to the front, which it has dealt with.
fn fields<'v>(
    text: &mut Vec<u8>,
    variables: impl Iterator<Item = Pair<'v>> + Clone,
    wants_type: bool,
) -> Result<(), RequestError> {
    let mut crumbs = false;
    for (name, value) in variables.clone() {
        let Some(name) = name.strip_prefix(b"HTTP_") else {
            continue;
        };
        match name {
            b"CONNECTION" | b"KEEP_ALIVE" | b"PROXY_CONNECTION" | b"TE" | b"TRANSFER_ENCODING"
            | b"UPGRADE" | b"EXPECT" | b"CONTENT_LENGTH" => {}
            // A setting of many clients (httpoxy).
            b"PROXY" => {}
            b"CONTENT_TYPE" if !wants_type => {}
            // So fronts say that there is none.
            b"HOST" if value.is_empty() => {}
            b"COOKIE" => {
                if !std::mem::replace(&mut crumbs, true) {
                    let all = variables
                        .clone()
                        .filter(|(name, _)| *name == b"HTTP_COOKIE");
                    let all: Vec<&[u8]> = all.map(|(_, value)| value).collect();
                    line(text, b"cookie", &all.join(&b"; "[..]))?;
                }
            }
            _ => {
                let at = text.len();
                text.extend(name.iter().map(|byte| match byte {
                    b'_' => b'-',
                    byte => byte.to_ascii_lowercase(),
                }));
                let written = &text[at..];
                if written.is_empty() || memchr3(b':', b'\r', b'\n', written).is_some() {
                    return Err(RequestError::Name);
                }
                line(text, b"", value)?;
            }
        }
    }
    Ok(())
}

/// Appends a field, or what follows its name.
fn line(text: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), RequestError> {
    if memchr2(b'\r', b'\n', value).is_some() {
        return Err(RequestError::Value);
    }
    for part in [name, b": ", value, b"\r\n"] {
        text.extend_from_slice(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", "/a%2Fb?q"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("HTTP_HOST", "h"),
    ];

    fn brought(more: &[(&str, &str)]) -> Result<(String, Brought), RequestError> {
        let mut text = Vec::new();
        let pairs = GOOD.iter().chain(more);
        let pairs = pairs.map(|(name, value)| Some((name.as_bytes(), value.as_bytes())));
        let brought = bring(&mut text, pairs, true)?;
        Ok((String::from_utf8(text).unwrap(), brought))
    }

    #[test]
    fn a_request_is_written_as_http_1_would_have_brought_it() {
        let (text, brought) = brought(&[
            ("HTTP_X_TWO_WORDS", " a b "),
            ("HTTP_ACCEPT", ""),
            ("CONTENT_TYPE", "text/plain"),
            ("HTTP_CONTENT_TYPE", "text/html"),
            ("CONTENT_LENGTH", "5"),
            ("HTTP_CONTENT_LENGTH", "6"),
            ("REMOTE_ADDR", "2001:db8::1"),
            ("REMOTE_PORT", "4711"),
            ("HTTPS", "on"),
            ("DOCUMENT_ROOT", "/none\nof its business"),
        ])
        .unwrap();
        assert_eq!(
            text,
            "GET /a%2Fb?q HTTP/1.1\r\ncontent-type: text/plain\r\nhost: h\r\n\
             x-two-words:  a b \r\naccept: \r\n"
        );
        assert_eq!(brought.length, Some(5));
        let client = "[2001:db8::1]:4711".parse().unwrap();
        assert_eq!(brought.told.client, Some(client));
        assert_eq!(brought.told.scheme, Some(scheme::HTTPS));
        assert_eq!(brought.told.version, Some(version::HTTP_11));
    }

    #[test]
    fn fields_of_the_hop_and_of_httpoxy_are_left_out_and_cookies_are_one() {
        let dropped = [
            "CONNECTION",
            "KEEP_ALIVE",
            "PROXY_CONNECTION",
            "TE",
            "TRANSFER_ENCODING",
            "UPGRADE",
            "EXPECT",
            "CONTENT_LENGTH",
            "PROXY",
        ];
        let dropped = dropped.map(|name| format!("HTTP_{name}"));
        let mut more: Vec<_> = dropped.iter().map(|name| (name.as_str(), "x")).collect();
        more.extend([
            ("HTTP_COOKIE", "a=1"),
            ("HTTP_A", "b"),
            ("HTTP_COOKIE", "b=2"),
        ]);
        let (text, _) = brought(&more).unwrap();
        let fields = text.split_once("\r\n").unwrap().1;
        assert_eq!(fields, "host: h\r\ncookie: a=1; b=2\r\na: b\r\n");
    }

    #[test]
    fn an_empty_length_is_none_and_chunks_count_only_without_one() {
        let length = |more: &[(&str, &str)]| {
            let (_, brought) = brought(more).unwrap();
            (brought.length, brought.chunked)
        };
        let chunked = ("HTTP_TRANSFER_ENCODING", "chunked");
        assert_eq!(length(&[("CONTENT_LENGTH", "")]), (None, false));
        assert_eq!(
            length(&[("CONTENT_LENGTH", "0"), chunked]),
            (Some(0), false)
        );
        assert_eq!(length(&[("CONTENT_LENGTH", ""), chunked]), (None, true));
    }

    #[test]
    fn a_host_is_made_of_the_servers_name_where_there_is_none() {
        let of = |more: &[(&str, &str)]| {
            let mut text = Vec::new();
            let pairs = GOOD[..2].iter().chain(more);
            let pairs = pairs.map(|(name, value)| Some((name.as_bytes(), value.as_bytes())));
            bring(&mut text, pairs, true).unwrap();
            String::from_utf8(text).unwrap()
        };
        let name = ("SERVER_NAME", "example.org");
        let line = "GET /a%2Fb?q HTTP/1.1\r\n";
        assert_eq!(
            of(&[name, ("SERVER_PORT", "80")]),
            format!("{line}host: example.org\r\n")
        );
        let ports = [name, ("SERVER_PORT", "443"), ("REQUEST_SCHEME", "https")];
        assert_eq!(of(&ports), format!("{line}host: example.org\r\n"));
        assert_eq!(
            of(&[name, ("SERVER_PORT", "8080")]),
            format!("{line}host: example.org:8080\r\n")
        );
        assert_eq!(
            of(&[]),
            "GET /a%2Fb?q HTTP/1.0\r\nconnection: keep-alive\r\n"
        );
        assert_eq!(of(&[("HTTP_HOST", "")]), of(&[]));
    }

    #[test]
    fn nothing_can_add_a_line() {
        for (pair, error) in [
            (
                ("REQUEST_METHOD", "GET / HTTP/1.1\r\nX:"),
                RequestError::Method,
            ),
            (("REQUEST_METHOD", ""), RequestError::Method),
            (("REQUEST_METHOD", "CONNECT"), RequestError::Connect),
            (("REQUEST_URI", "/ HTTP/1.1\r\nx: y"), RequestError::Target),
            (("REQUEST_URI", "/a b"), RequestError::Target),
            (("QUERY_STRING", "a\r\nx: y"), RequestError::Target),
            (("CONTENT_TYPE", "a\nb"), RequestError::Value),
            (("HTTP_X", "a\rb"), RequestError::Value),
            (("HTTP_COOKIE", "a\nb"), RequestError::Value),
            (("HTTP_X: Y\r\nZ", "a"), RequestError::Name),
            (("HTTP_", "a"), RequestError::Name),
            (("CONTENT_LENGTH", "+1"), RequestError::Length),
            (
                ("CONTENT_LENGTH", "99999999999999999999"),
                RequestError::Length,
            ),
        ] {
            assert_eq!(brought(&[pair]).unwrap_err(), error, "{pair:?}");
        }
        let pairs = [None].into_iter();
        assert_eq!(
            bring(&mut Vec::new(), pairs, true),
            Err(RequestError::Pairs)
        );
    }
}
