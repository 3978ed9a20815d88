//! Requests as a web server in front sends them, byte for byte.

/// A variable.
pub type Pair<'a> = (&'a str, &'a str);

/// What most requests say.
pub const GET: [Pair<'static>; 4] = [
    ("REQUEST_METHOD", "GET"),
    ("REQUEST_URI", "/"),
    ("SERVER_PROTOCOL", "HTTP/1.1"),
    ("HTTP_HOST", "test"),
];

/// A record of FastCGI for request 1.
#[must_use]
pub fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    record_of(kind, 1, content)
}

/// A record of FastCGI.
///
/// # Panics
/// When the content is longer than a record's.
#[must_use]
pub fn record_of(kind: u8, id: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("content of a record");
    let [high, low] = length.to_be_bytes();
    [&[1, kind, 0, id, high, low, 0, 0], content].concat()
}

/// The beginning of a request of FastCGI: what begins it, and all of its variables.
#[must_use]
pub fn fastcgi_head(pairs: &[Pair<'_>], keep: bool) -> Vec<u8> {
    let mut params = Vec::new();
    for (name, value) in pairs {
        for part in [name, value] {
            let length = u32::try_from(part.len()).expect("a short text") | 1 << 31;
            params.extend_from_slice(&length.to_be_bytes());
        }
        params.extend_from_slice(name.as_bytes());
        params.extend_from_slice(value.as_bytes());
    }
    let mut bytes = record(BEGIN_REQUEST, &[0, 1, u8::from(keep), 0, 0, 0, 0, 0]);
    for piece in params.chunks(65_535) {
        bytes.extend(record(PARAMS, piece));
    }
    bytes.extend(record(PARAMS, b""));
    bytes
}

/// A request of FastCGI that keeps the connection.
#[must_use]
pub fn fastcgi(pairs: &[Pair<'_>], body: &[u8]) -> Vec<u8> {
    let mut bytes = fastcgi_head(pairs, true);
    for piece in body.chunks(65_535) {
        bytes.extend(record(STDIN, piece));
    }
    bytes.extend(record(STDIN, b""));
    bytes
}

/// A request of SCGI.
#[must_use]
pub fn scgi(pairs: &[Pair<'_>], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let own = [("CONTENT_LENGTH", length.as_str()), ("SCGI", "1")];
    let mut block = Vec::new();
    for part in own
        .iter()
        .chain(pairs)
        .flat_map(|(name, value)| [name, value])
    {
        block.extend_from_slice(part.as_bytes());
        block.push(0);
    }
    let head = format!("{}:", block.len()).into_bytes();
    [&head, &block, &b","[..], body].concat()
}

/// A request of uwsgi.
///
/// # Panics
/// When the variables are more than the protocol takes.
#[must_use]
pub fn uwsgi(pairs: &[Pair<'_>], body: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for part in pairs.iter().flat_map(|(name, value)| [name, value]) {
        let length = u16::try_from(part.len()).expect("a short text");
        block.extend_from_slice(&length.to_le_bytes());
        block.extend_from_slice(part.as_bytes());
    }
    let [low, high] = u16::try_from(block.len())
        .expect("64 KiB at most")
        .to_le_bytes();
    [&[0, low, high, 0], &block[..], body].concat()
}

/// What a server of FastCGI has sent, from the first whole record on: what stands in `FCGI_STDOUT`, and
/// whether request 1 was ended as complete. None if the last record is not whole.
#[must_use]
pub fn answer(mut bytes: &[u8]) -> Option<(String, bool)> {
    let (mut text, mut ended) = (Vec::new(), false);
    while !bytes.is_empty() {
        let (header, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let (content, rest) = rest.split_at_checked(length)?;
        bytes = rest.get(usize::from(header[6])..)?;
        match header[1] {
            STDOUT => text.extend_from_slice(content),
            END_REQUEST if header[3] == 1 => ended = content[4] == 0,
            _ => {}
        }
    }
    Some((String::from_utf8_lossy(&text).into_owned(), ended))
}

pub const BEGIN_REQUEST: u8 = 1;
pub const ABORT_REQUEST: u8 = 2;
pub const END_REQUEST: u8 = 3;
pub const PARAMS: u8 = 4;
pub const STDIN: u8 = 5;
pub const STDOUT: u8 = 6;
pub const GET_VALUES: u8 = 9;
