//! [`Outbound`]: what HTTP/1 would send, as a front wants it.

use gateway_fastcgi as fastcgi;
use memchr::memmem;

use super::inbound::Protocol;

/// One connection, from us to the front.
#[derive(Debug)]
pub(super) struct Outbound {
    protocol: Protocol,
    /// FastCGI's number for the request.
    id: u16,
    is_head: bool,
    stage: Stage,
    /// A head that is not whole.
    held: Vec<u8>,
    /// What is to be sent.
    pub(super) bytes: Vec<u8>,
    /// Where the record begins that is being written.
    record: Option<usize>,
    /// The connection ends behind the answer.
    closes: bool,
}

/// Where in HTTP/1's answer we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    /// So many bytes of body follow.
    Sized(u64),
    /// In the line before a chunk; its size so far.
    ChunkSize(u64),
    /// So many bytes of a chunk follow, and a line end.
    Chunk(u64),
    /// Bytes of that line end are due.
    ChunkEnd(u8),
    /// In the lines behind the last chunk; bytes of the current one.
    Trailers(usize),
    UntilClose,
    /// The answer is whole.
    Over,
}

impl Outbound {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            id: 0,
            is_head: false,
            stage: Stage::Head,
            held: Vec::new(),
            bytes: Vec::new(),
            record: None,
            closes: false,
        }
    }

    /// Another request has begun, with the front's number for it.
    pub(super) fn begin(&mut self, id: u16) {
        self.id = id;
        self.is_head = false;
        self.stage = Stage::Head;
        self.closes = false;
    }

    /// Its answer has no body.
    pub(super) fn expect_no_body(&mut self) {
        self.is_head = true;
    }

    /// Whether the answer is whole.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Whether the connection ends behind an answer that is whole.
    pub(super) fn is_last(&self) -> bool {
        self.is_over() && self.closes
    }

    /// Takes what HTTP/1 would send next.
    pub(super) fn write(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let used = match self.stage {
                Stage::Head => self.head(text),
                Stage::Sized(left) => {
                    let used = as_many(left, text);
                    self.append(&text[..used]);
                    self.left(left - used as u64);
                    used
                }
                Stage::Chunk(left) => {
                    let used = as_many(left, text);
                    self.append(&text[..used]);
                    self.stage = match left - used as u64 {
                        0 => Stage::ChunkEnd(2),
                        left => Stage::Chunk(left),
                    };
                    used
                }
                Stage::ChunkSize(_) | Stage::ChunkEnd(_) | Stage::Trailers(_) => {
                    self.framing(text[0]);
                    1
                }
                Stage::UntilClose => {
                    self.append(text);
                    text.len()
                }
                // The server sends nothing behind an answer.
                Stage::Over => text.len(),
            };
            text = &text[used..];
        }
        self.close_record();
    }

    /// The server ends its output.
    pub(super) fn finish(&mut self) {
        if self.stage == Stage::UntilClose {
            self.end();
        }
    }

    /// The request is wanted no more, and has no answer.
    pub(super) fn abort(&mut self) {
        if !self.is_over() {
            self.end();
        }
    }

    /// Reads a byte of the framing of chunks, as the server writes it.
    fn framing(&mut self, byte: u8) {
        self.stage = match (self.stage, byte) {
            (Stage::ChunkSize(0), b'\n') => Stage::Trailers(0),
            (Stage::ChunkSize(size), b'\n') => Stage::Chunk(size),
            (Stage::ChunkSize(size), byte) => {
                let digit = char::from(byte).to_digit(16).map(u64::from);
                Stage::ChunkSize(digit.map_or(size, |digit| size << 4 | digit))
            }
            (Stage::ChunkEnd(2), _) => Stage::ChunkEnd(1),
            (Stage::ChunkEnd(_), _) => Stage::ChunkSize(0),
            (Stage::Trailers(0), b'\n') => return self.end(),
            (Stage::Trailers(_), b'\n') => Stage::Trailers(0),
            (Stage::Trailers(length), b'\r') => Stage::Trailers(length),
            (Stage::Trailers(length), _) => Stage::Trailers(length + 1),
            (other, _) => other,
        };
    }

    /// Takes a head out of `text`, once it is whole.
    fn head(&mut self, text: &[u8]) -> usize {
        if !self.held.is_empty() {
            let before = self.held.len();
            self.held.extend_from_slice(text);
            let held = std::mem::take(&mut self.held);
            let Some(end) = memmem::find(&held, b"\r\n\r\n") else {
                self.held = held;
                return text.len();
            };
            self.lines(&held[..end + 4]);
            return end + 4 - before;
        }
        let Some(end) = memmem::find(text, b"\r\n\r\n") else {
            self.held.extend_from_slice(text);
            return text.len();
        };
        self.lines(&text[..end + 4]);
        end + 4
    }

    /// Writes the lines of a whole head.
    fn lines(&mut self, head: &[u8]) {
        let line_end = memchr::memchr(b'\n', head).map_or(head.len(), |at| at + 1);
        let (first, mut rest) = head.split_at(line_end);
        let status = first.get(STATUS_AT..).unwrap_or_default();
        if status.first() == Some(&b'1') {
            // CGI has no place for what comes before an answer.
            return;
        }
        match self.protocol {
            Protocol::Uwsgi => self.append(first),
            _ => {
                self.append(b"Status: ");
                self.append(status);
            }
        }
        let bodiless = self.is_head || matches!(status.get(..3), Some(b"204" | b"205" | b"304"));
        let mut stage = if bodiless {
            Stage::Over
        } else {
            Stage::UntilClose
        };
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end + 1);
            rest = behind;
            if let Some(value) = line.strip_prefix(b"connection: ") {
                self.closes |= value == b"close\r\n";
                continue;
            }
            if line.starts_with(b"transfer-encoding: ") {
                stage = Stage::ChunkSize(0);
                continue;
            }
            if let Some(value) = line.strip_prefix(b"content-length: ")
                && !bodiless
            {
                let digits = value.iter().filter(|byte| byte.is_ascii_digit());
                let length = digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
                stage = Stage::Sized(length);
            }
            self.append(line);
        }
        match stage {
            Stage::Over | Stage::Sized(0) => self.end(),
            stage => self.stage = stage,
        }
    }

    fn left(&mut self, left: u64) {
        match left {
            0 => self.end(),
            left => self.stage = Stage::Sized(left),
        }
    }

    /// The answer is whole.
    fn end(&mut self) {
        self.close_record();
        if self.protocol == Protocol::FastCgi {
            fastcgi::end_request(&mut self.bytes, self.id, fastcgi::Protocol::Complete);
        }
        self.stage = Stage::Over;
    }

    fn append(&mut self, mut piece: &[u8]) {
        if self.protocol != Protocol::FastCgi {
            self.bytes.extend_from_slice(piece);
            return;
        }
        while !piece.is_empty() {
            let start = match self.record {
                Some(start) => start,
                None => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(&[0; fastcgi::HEADER]);
                    self.record = Some(start);
                    start
                }
            };
            let room = start + fastcgi::HEADER + fastcgi::LONGEST - self.bytes.len();
            let (now, later) = piece.split_at(room.min(piece.len()));
            self.bytes.extend_from_slice(now);
            piece = later;
            if !piece.is_empty() {
                self.close_record();
            }
        }
    }

    fn close_record(&mut self) {
        if let Some(start) = self.record.take() {
            let content = start + fastcgi::HEADER;
            let header = fastcgi::header(self.id, self.bytes.len() - content);
            self.bytes[start..content].copy_from_slice(&header);
        }
    }
}

fn as_many(left: u64, text: &[u8]) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(text.len())
}

/// Behind `HTTP/1.1 `.
const STATUS_AT: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of an answer, however it is cut, and whether it is whole.
    fn answered(protocol: Protocol, is_head: bool, text: &[u8]) -> (Vec<u8>, bool) {
        let mut all = (1..=text.len()).map(|size| {
            let mut outbound = Outbound::new(protocol);
            outbound.begin(1);
            if is_head {
                outbound.expect_no_body();
            }
            text.chunks(size).for_each(|piece| outbound.write(piece));
            (content(protocol, &outbound.bytes), outbound.is_over())
        });
        let first = all.next().unwrap();
        assert!(all.all(|other| other == first), "the pieces matter");
        first
    }

    /// What stands in the records of FastCGI, which are to be well-formed.
    fn content(protocol: Protocol, mut bytes: &[u8]) -> Vec<u8> {
        if protocol != Protocol::FastCgi {
            return bytes.to_vec();
        }
        let mut content = Vec::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<8>() {
            assert_eq!((header[0], &header[2..4]), (1, &[0, 1][..]));
            let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
            let (piece, rest) = rest.split_at(length);
            match header[1] {
                6 => content.extend_from_slice(piece),
                kind => assert_eq!((kind, rest.len()), (3, 0), "the end is the last"),
            }
            bytes = rest;
        }
        content
    }

    const SIZED: &[u8] =
        b"HTTP/1.1 200 OK\r\nx: y\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    const CHUNKED: &[u8] = b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n\
        5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nx-sum: 1\r\n\r\n";

    #[test]
    fn an_answer_loses_the_framing_of_http_1_and_nothing_else() {
        let status = &b"Status: 200 OK\r\nx: y\r\ncontent-length: 5\r\n\r\nhello"[..];
        for protocol in [Protocol::FastCgi, Protocol::Scgi] {
            assert_eq!(answered(protocol, false, SIZED), (status.to_vec(), true));
        }
        let line = &b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 5\r\n\r\nhello"[..];
        assert_eq!(
            answered(Protocol::Uwsgi, false, SIZED),
            (line.to_vec(), true)
        );
        let chunked = &b"Status: 404 Not Found\r\n\r\nhelloabcdefghijklmnopqrstuvwxyz"[..];
        for protocol in [Protocol::FastCgi, Protocol::Scgi] {
            assert_eq!(answered(protocol, false, CHUNKED), (chunked.to_vec(), true));
        }
    }

    #[test]
    fn what_comes_before_an_answer_is_dropped() {
        let early = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
        let text = [&early[..], SIZED].concat();
        for protocol in [Protocol::FastCgi, Protocol::Scgi, Protocol::Uwsgi] {
            assert_eq!(
                answered(protocol, false, &text),
                answered(protocol, false, SIZED)
            );
        }
    }

    #[test]
    fn an_answer_without_a_body_ends_with_its_head() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
        let expected = b"Status: 200 OK\r\ncontent-length: 5\r\n\r\n".to_vec();
        assert_eq!(answered(Protocol::FastCgi, true, head), (expected, true));
        for status in ["204 No Content", "304 Not Modified"] {
            let text = format!("HTTP/1.1 {status}\r\netag: \"a\"\r\n\r\n");
            let expected = format!("Status: {status}\r\netag: \"a\"\r\n\r\n").into_bytes();
            let found = answered(Protocol::FastCgi, false, text.as_bytes());
            assert_eq!(found, (expected, true));
        }
        let empty = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert!(answered(Protocol::Scgi, false, empty).1);
    }

    #[test]
    fn an_answer_that_breaks_off_is_never_over() {
        for text in [SIZED, CHUNKED] {
            let found = answered(Protocol::FastCgi, false, &text[..text.len() - 1]);
            assert!(!found.1);
        }
    }

    #[test]
    fn a_body_until_the_end_of_the_connection_is_over_once_the_output_is() {
        let mut outbound = Outbound::new(Protocol::FastCgi);
        outbound.begin(1);
        outbound.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nsome");
        outbound.write(b" more");
        assert!(!outbound.is_over());
        outbound.finish();
        assert!(outbound.is_last());
        assert!(content(Protocol::FastCgi, &outbound.bytes).ends_with(b"some more"));
    }

    #[test]
    fn long_content_is_cut_into_records() {
        let body = vec![b'x'; 200_000];
        let mut text = b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n".to_vec();
        text.extend_from_slice(&body);
        let mut outbound = Outbound::new(Protocol::FastCgi);
        outbound.begin(1);
        outbound.write(&text);
        assert!(content(Protocol::FastCgi, &outbound.bytes).ends_with(&body));
    }
}
