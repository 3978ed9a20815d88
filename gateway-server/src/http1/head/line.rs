//! The parts of a head's lines, and the verdicts on lines that are wrong or not there yet.

use gateway_spec::abi::method;

use crate::http1::error::HeadError;
use crate::http1::scan;

/// What became of a line.
pub(super) enum Step {
    /// It was read; the next one begins here.
    Next(usize),
    /// Its end is not there yet.
    Incomplete,
}

/// Parts of a line that end with a byte of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LinePart {
    Method,
    Target,
    Name,
    Value,
}

/// The verdict on a line whose part does not end as it should at `at`: the buffer may have ended
/// first.
#[cold]
pub(super) fn unfinished(
    bytes: &[u8],
    start: usize,
    at: usize,
    limit: usize,
    part: LinePart,
) -> Result<Step, HeadError> {
    let too_long = match part {
        LinePart::Method | LinePart::Target => HeadError::RequestLineTooLong,
        LinePart::Name | LinePart::Value => HeadError::FieldLineTooLong,
    };
    let Some(&found) = bytes.get(at) else {
        return incomplete(bytes, start, limit, too_long);
    };
    if at - start > limit {
        return Err(too_long);
    }
    Err(match (part, found) {
        // Perhaps the beginning of an empty line.
        (LinePart::Method, b'\r') if at == start && at + 1 == bytes.len() => {
            return Ok(Step::Incomplete);
        }
        (LinePart::Method, _) => HeadError::Method,
        (LinePart::Target, b' ') => HeadError::TargetEmpty,
        (LinePart::Target, b'#') => HeadError::TargetFragment,
        (LinePart::Target, _) => HeadError::TargetByte,
        (_, b'\n') => HeadError::BareLineFeed,
        (LinePart::Name | LinePart::Value, b'\r') if at + 1 == bytes.len() => {
            return incomplete(bytes, start, limit, too_long);
        }
        (LinePart::Value, b'\r') => HeadError::BareCarriageReturn,
        (LinePart::Value, _) => HeadError::FieldValue,
        (LinePart::Name, b' ' | b'\t') if at == start => HeadError::FieldFolded,
        (LinePart::Name, b' ' | b'\t') => HeadError::SpaceBeforeColon,
        (LinePart::Name, b':') => HeadError::FieldNameEmpty,
        (LinePart::Name, _) => HeadError::FieldName,
    })
}

/// The verdict on a line of which no byte is wrong and the end is missing.
fn incomplete(
    bytes: &[u8],
    start: usize,
    limit: usize,
    too_long: HeadError,
) -> Result<Step, HeadError> {
    match bytes.get(start + limit..).unwrap_or_default() {
        [] | [b'\r'] => Ok(Step::Incomplete),
        _ => Err(too_long),
    }
}

/// `name ":" OWS` at `at`: where the name ends and where the value begins, if that can be told.
#[inline(never)]
pub(super) fn field_name(
    bytes: &mut [u8],
    at: usize,
    limit: usize,
) -> Result<Option<(usize, usize)>, HeadError> {
    let name_end = scan::lower_token(bytes, at);
    if name_end == at || bytes.get(name_end) != Some(&b':') {
        return unfinished(bytes, at, name_end, limit, LinePart::Name).map(|_| None);
    }
    let blanks = bytes[name_end + 1..]
        .iter()
        .take_while(|&&byte| is_blank(byte))
        .count();
    Ok(Some((name_end, name_end + 1 + blanks)))
}

#[inline(always)]
pub(super) fn is_blank(byte: u8) -> bool {
    byte <= b' ' && matches!(byte, b' ' | b'\t')
}

/// Where the method ends, and its id.
#[inline(always)]
pub(super) fn method_end(bytes: &[u8], start: usize) -> (usize, u32) {
    if bytes.get(start..).and_then(|rest| rest.first_chunk()) == Some(b"GET ") {
        (start + 3, method::GET)
    } else {
        other_method(bytes, start)
    }
}

#[inline(never)]
fn other_method(bytes: &[u8], start: usize) -> (usize, u32) {
    let end = scan::token_end(bytes, start);
    let id = match &bytes[start..end] {
        b"GET" => method::GET,
        b"HEAD" => method::HEAD,
        b"POST" => method::POST,
        b"PUT" => method::PUT,
        b"DELETE" => method::DELETE,
        b"CONNECT" => method::CONNECT,
        b"OPTIONS" => method::OPTIONS,
        b"TRACE" => method::TRACE,
        b"PATCH" => method::PATCH,
        _ => method::OTHER,
    };
    (end, id)
}

/// The verdict on a request line that does not end with a version of ours: the first byte decides
/// that is not as in `HTTP/d.d CRLF`.
#[cold]
pub(super) fn version_fault(
    bytes: &[u8],
    start: usize,
    version_at: usize,
    limit: usize,
) -> Result<Step, HeadError> {
    let too_long = HeadError::RequestLineTooLong;
    let (at, fault) = 'fault: {
        for (at, expected) in (version_at..).zip(*b"HTTP/d.d\r\n") {
            let Some(&found) = bytes.get(at) else {
                return incomplete(bytes, start, limit, too_long);
            };
            let fits = if expected == b'd' {
                found.is_ascii_digit()
            } else {
                found == expected
            };
            if !fits {
                break 'fault (at, HeadError::VersionSyntax);
            }
        }
        (version_at + VERSION_LINE - 2, HeadError::VersionUnsupported)
    };
    Err(if at - start > limit { too_long } else { fault })
}

/// Bytes of `HTTP/1.1` and its CRLF.
pub(super) const VERSION_LINE: usize = 10;
