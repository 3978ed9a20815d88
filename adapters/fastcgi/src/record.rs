//! Records as they are written.

/// Bytes of the header before each record's content.
pub const HEADER: usize = 8;
/// Most bytes of content in one record.
pub const LONGEST: usize = 65_535;

/// What becomes of a request, as `FCGI_END_REQUEST` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// It was answered.
    Complete = 0,
    /// The connection has a request already.
    CannotMultiplex = 1,
    /// It asks for another role than that of a responder.
    UnknownRole = 3,
}

/// The header of a record of `FCGI_STDOUT` with so many bytes of content, at most [`LONGEST`].
#[must_use]
pub fn header(id: u16, content: usize) -> [u8; HEADER] {
    of(kind::STDOUT, id, content)
}

/// Appends `content` as records of `FCGI_STDOUT`; nothing if there is none, for that would end the
/// stream.
pub fn stdout(out: &mut Vec<u8>, id: u16, content: &[u8]) {
    for piece in content.chunks(LONGEST) {
        out.extend_from_slice(&header(id, piece.len()));
        out.extend_from_slice(piece);
    }
}

/// Appends the end of a request: that of `FCGI_STDOUT` if it was answered, and `FCGI_END_REQUEST`.
pub fn end_request(out: &mut Vec<u8>, id: u16, protocol: Protocol) {
    if protocol == Protocol::Complete {
        out.extend_from_slice(&of(kind::STDOUT, id, 0));
    }
    out.extend_from_slice(&of(kind::END_REQUEST, id, 8));
    out.extend_from_slice(&[0, 0, 0, 0, protocol as u8, 0, 0, 0]);
}

/// The header of a record; `content` is at most [`LONGEST`].
pub(crate) fn of(kind: u8, id: u16, content: usize) -> [u8; HEADER] {
    let id = id.to_be_bytes();
    let content = u16::try_from(content).unwrap_or(u16::MAX).to_be_bytes();
    [VERSION, kind, id[0], id[1], content[0], content[1], 0, 0]
}

pub(crate) const VERSION: u8 = 1;

/// What a record is.
pub(crate) mod kind {
    pub(crate) const BEGIN_REQUEST: u8 = 1;
    pub(crate) const ABORT_REQUEST: u8 = 2;
    pub(crate) const END_REQUEST: u8 = 3;
    pub(crate) const PARAMS: u8 = 4;
    pub(crate) const STDIN: u8 = 5;
    pub(crate) const STDOUT: u8 = 6;
    pub(crate) const GET_VALUES: u8 = 9;
    pub(crate) const GET_VALUES_RESULT: u8 = 10;
    pub(crate) const UNKNOWN_TYPE: u8 = 11;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_cut_into_records_and_nothing_writes_no_end() {
        let mut out = Vec::new();
        stdout(&mut out, 1, b"");
        assert!(out.is_empty());
        stdout(&mut out, 0x0102, &vec![b'x'; LONGEST + 1]);
        assert_eq!(out[..HEADER], [1, 6, 1, 2, 0xFF, 0xFF, 0, 0]);
        assert_eq!(out[HEADER + LONGEST..], [1, 6, 1, 2, 0, 1, 0, 0, b'x']);
    }

    #[test]
    fn an_answer_ends_with_its_stream_and_its_request() {
        let mut out = Vec::new();
        end_request(&mut out, 7, Protocol::Complete);
        let end = [1, 3, 0, 7, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(out, [&[1, 6, 0, 7, 0, 0, 0, 0][..], &end].concat());
        out.clear();
        end_request(&mut out, 7, Protocol::CannotMultiplex);
        assert_eq!(out[..8], end[..8]);
        assert_eq!(out[8..], [0, 0, 0, 0, 1, 0, 0, 0]);
    }
}
