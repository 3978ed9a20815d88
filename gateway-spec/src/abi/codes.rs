//! Result codes of the ABI and the kinds of [`Error`]: one to one.

use super::types::code;
use crate::error::{Error, ErrorKind};

const PAIRS: [(i32, ErrorKind); 12] = [
    (code::PANIC, ErrorKind::Panic),
    (code::UNSUPPORTED, ErrorKind::Unsupported),
    (code::INVALID, ErrorKind::Invalid),
    (code::CLOSED, ErrorKind::Closed),
    (code::TOO_LATE, ErrorKind::TooLate),
    (code::LIMIT, ErrorKind::Limit),
    (code::TIMEOUT, ErrorKind::Timeout),
    (code::PROTOCOL, ErrorKind::Protocol),
    (code::IO, ErrorKind::Io),
    (code::BUSY, ErrorKind::Busy),
    (code::INTERNAL, ErrorKind::Internal),
    (code::NO_RESPONSE, ErrorKind::NoResponse),
];

/// The code that carries this kind across.
pub(crate) fn code_of(kind: ErrorKind) -> i32 {
    PAIRS
        .iter()
        .find(|(_, other)| *other == kind)
        .map_or(code::INTERNAL, |(code, _)| *code)
}

/// The kind that a code means; codes of later versions read as [`ErrorKind::Internal`].
pub(crate) fn kind_of(code: i32) -> ErrorKind {
    PAIRS
        .iter()
        .find(|(other, _)| *other == code)
        .map_or(ErrorKind::Internal, |(_, kind)| *kind)
}

/// The error that a code of the other side means.
pub(crate) fn error_of(code: i32, what: &'static str) -> Error {
    let kind = kind_of(code);
    Error::new(kind, format!("{what}: {kind:?} ({code})"))
}
