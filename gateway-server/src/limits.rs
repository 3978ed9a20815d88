//! Limits on whatever grows with what a peer sends: the defaults, and the small option structs
//! that carry them to the rooms which enforce them.

use std::time::Duration;

/// Longest request line, in bytes without its CRLF; a longer one is answered 414.
pub(crate) const REQUEST_LINE: usize = 8_190;

/// Longest field line, in bytes without its CRLF; a longer one is answered 431.
pub(crate) const FIELD_LINE: usize = 8_190;

/// Most field lines of a head; one more is answered 431.
pub(crate) const FIELDS: usize = 100;

/// Longest request head in bytes, from its first byte to the empty line that ends it; a longer
/// one is answered 431.
pub(crate) const HEAD: u32 = 65_536;

/// Empty lines (CRLF) accepted before a request line: old clients send one behind a body
/// (RFC 9112 §2.2).
pub(crate) const LEADING_EMPTY_LINES: u32 = 1;

/// Most options of Connection that are not the server's own: each is looked for among the fields.
/// One more is answered 431.
pub(crate) const CONNECTION_OPTIONS: usize = 16;

/// Largest request body in bytes where [`BodyLimits`] are not told another; a server's are told that of
/// the setting `max-body`.
pub(crate) const BODY_UNLESS_TOLD: u64 = 64 * 1024 * 1024;

/// Longest line that begins a chunk, in bytes without its CRLF: size and extensions.
pub(crate) const CHUNK_LINE: u32 = 256;

/// Most bytes of chunk extensions in one body; nobody needs them, and they are work without
/// progress.
pub(crate) const CHUNK_EXTENSIONS: u32 = 4_096;

/// Longest trailer section of a request in bytes, CRLFs included.
pub(crate) const TRAILERS: u32 = 8_192;

/// Most trailer fields of a request.
pub(crate) const TRAILER_FIELDS: usize = 32;

/// What a request head may measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the request line, without CRLF.
    pub request_line: usize,
    /// Bytes of a field line, without CRLF.
    pub field_line: usize,
    /// Field lines.
    pub fields: usize,
    /// Bytes of the whole head.
    pub head: u32,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            request_line: REQUEST_LINE,
            field_line: FIELD_LINE,
            fields: FIELDS,
            head: HEAD,
        }
    }
}

/// What a request body may measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Bytes of content.
    pub body: u64,
    /// Bytes of the line that begins a chunk, without CRLF.
    pub chunk_line: u32,
    /// Bytes of chunk extensions in all.
    pub chunk_extensions: u32,
    /// Bytes of the trailer section.
    pub trailers: u32,
    /// Trailer fields.
    pub trailer_fields: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            body: BODY_UNLESS_TOLD,
            chunk_line: CHUNK_LINE,
            chunk_extensions: CHUNK_EXTENSIONS,
            trailers: TRAILERS,
            trailer_fields: TRAILER_FIELDS,
        }
    }
}

/// Longest PROXY header of version 1 in bytes, CRLF included, as the protocol has it.
pub(crate) const PROXY_LINE: usize = 107;

/// Most bytes behind the addresses of a PROXY header of version 2: names, ids, a client's certificate.
pub(crate) const PROXY_OPTIONS: usize = 4_096;

/// Bodies that one worker compresses piece by piece at once, each of which takes a mebibyte or two; others
/// are sent as they are.
pub(crate) const COMPRESSED_STREAMS: usize = 256;

/// Bytes of a body that is compressed as a whole, and so keeps its length.
pub(crate) const COMPRESSED_WHOLE: usize = 64 * 1024;

/// Bytes of a request's body that the application has left unread, and that are read and thrown away so
/// that the connection can be kept; with more to come it is closed.
pub(crate) const UNREAD_BODY: usize = 64 * 1024;

/// Bytes that are read and thrown away of who was told, between two requests, that there will be no other;
/// then the connection is closed.
pub(crate) const PARTING: usize = 64 * 1024;

/// Connections of operators that the admin process keeps at once; the next one ends the oldest.
pub(crate) const ADMIN_CONNECTIONS: usize = 64;

/// How long an operator's connection may take from its first byte to the last of the answer.
pub(crate) const ADMIN_TIME: Duration = Duration::from_secs(10);

/// How long a client may say nothing behind the last answer of a connection, while what it still sends is
/// thrown away so that it can read the answer.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// How long a client may go on sending behind that answer. Closed earlier, the connection is reset, and a
/// client that writes before it reads, as nginx does, never sees the answer.
pub(crate) const LINGER_MOST: Duration = Duration::from_secs(30);

/// Times that what comes there is read at once, before others have their turn.
pub(crate) const LINGER_READS: usize = 16;

/// Calls of one connection that may go on behind their answers; the next request of the connection
/// waits until one of them ends.
pub(crate) const AFTER_WORK: usize = 16;

/// How long the application may go on for a client that has closed its sending half: it may be
/// waiting for the answer, or be gone for good, and nothing tells the two apart.
pub(crate) const HALF_CLOSED: Duration = Duration::from_secs(10);

/// Frames of HTTP/2 that carry nothing (PING, SETTINGS, WINDOW_UPDATE, PRIORITY, CONTINUATION, empty
/// DATA, unknown ones) and may come at once on one connection, beyond what its requests earn; one more
/// ends it with ENHANCE_YOUR_CALM.
pub(crate) const HTTP2_CONTROL_FRAMES: u32 = 1_000;

/// How many more of them each second brings.
pub(crate) const HTTP2_CONTROL_FRAMES_A_SECOND: u32 = 100;

/// How many more of them each request brings, and each piece of content either way.
pub(crate) const HTTP2_FRAMES_EARNED: u32 = 4;

/// Requests of HTTP/2 that may be taken back (RST_STREAM) at once on one connection, beyond those that
/// were answered; one more ends it with ENHANCE_YOUR_CALM.
pub(crate) const HTTP2_RESETS: u32 = 200;

/// How many more of them each second brings.
pub(crate) const HTTP2_RESETS_A_SECOND: u32 = 20;

/// Streams that the server resets because of what a client did wrong on them, on one connection; one
/// more ends it with ENHANCE_YOUR_CALM.
pub(crate) const HTTP2_FAULTY_STREAMS: usize = 200;

/// Requests that a client may take back before they were looked at, on one connection at a time.
pub(crate) const HTTP2_UNSEEN_RESETS: usize = 20;

/// Bytes that the compression of header fields may keep on one connection (RFC 7541 §4.2).
pub(crate) const HTTP2_HEADER_TABLE: u32 = 4_096;

/// Bytes of the variables of a request that comes by FastCGI, SCGI or uwsgi, where all is said more than
/// once; more are answered 431. What becomes a head has a head's limits besides.
pub(crate) const VARIABLES: usize = 256 * 1024;

/// Records of FastCGI that carry nothing for a request and may follow one another; one more ends the
/// connection.
pub(crate) const IDLE_RECORDS: u32 = 64;
