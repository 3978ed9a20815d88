//! Field lines and their grammar (RFC 9110 §5).

/// One field line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl Line<'_> {
    /// The line for a report, without the value of a field that holds secrets.
    pub(crate) fn describe(&self) -> String {
        let is_secret = SECRETS.contains(&self.name);
        let value = if is_secret { b"..." } else { self.value };
        let cut = &value[..value.len().min(DESCRIBED)];
        format!("\"{}: {}\"", self.name.escape_ascii(), cut.escape_ascii())
    }
}

/// Whether the name is a lower-case token and the value clean.
pub(crate) fn line_is_valid(line: &Line<'_>) -> bool {
    is_token(line.name)
        && !line.name.iter().any(u8::is_ascii_uppercase)
        && value_is_valid(line.value)
}

/// Whether these bytes are a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_tchar)
}

/// Whether these bytes are a field value without white space around it.
pub(crate) fn value_is_valid(bytes: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // Other control characters are invalid too, but recipients may keep them (RFC 9110 §5.5).
    !bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
        && !is_blank(bytes.first())
        && !is_blank(bytes.last())
}

/// Whether a field may not stand in a trailer section (RFC 9110 §6.5.1).
pub(crate) fn is_forbidden_in_trailers(name: &[u8]) -> bool {
    FORBIDDEN_IN_TRAILERS.contains(&name)
}

const SECRETS: [&[u8]; 4] = [
    b"authorization",
    b"proxy-authorization",
    b"cookie",
    b"set-cookie",
];
const FORBIDDEN_IN_TRAILERS: [&[u8]; 18] = [
    b"transfer-encoding",
    b"content-length",
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"upgrade",
    b"host",
    b"expect",
    b"max-forwards",
    b"authorization",
    b"cookie",
    b"set-cookie",
    b"content-type",
    b"content-encoding",
    b"content-range",
    b"cache-control",
];
/// Bytes of a value that a report shows.
const DESCRIBED: usize = 80;
