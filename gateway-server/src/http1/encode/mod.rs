//! Writes responses: heads, informational responses, chunks and trailers.
//!
//! Whatever an application hands in is checked before it is kept: after an error the output is as
//! it was, so no half of a head is ever sent and nobody splits a response.

mod chunk;
mod field;
mod framing;
mod head;
mod interim;
mod kind;
mod lasting;
mod number;
mod outgoing;
mod plain;
mod status;

use std::cell::Cell;
use std::fmt;

use gateway_spec::abi::Field;

use super::head::{Head, Version};

pub use self::chunk::{CHUNK_END, LAST_CHUNK, chunk_head, trailer_section};
pub use self::framing::{BodyFraming, Framing, Length};
pub use self::head::response_head;
pub use self::interim::{CONTINUE, informational};
pub use self::lasting::Lasting;
pub use self::outgoing::Outgoing;
pub use self::plain::{begun_response, plain_response};
pub use self::status::reason;

/// What an application answers, without the body.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// 200 to 599, or 101 with an upgrade.
    pub status: u16,
    /// In the order in which they are written. A `content-length` is taken as declaration; Date is
    /// kept; fields of framing and of the hop are refused.
    pub fields: &'a [Field<'a>],
    /// The length of the body.
    pub length: Length,
    /// The protocol that the connection switches to: the answer is 101, or 200 to CONNECT.
    pub upgrade: Option<&'a [u8]>,
    /// Date, where the application sends none.
    pub date: Option<&'a DateLine>,
}

/// The Date field and the end of the head, ready to be copied.
pub struct DateLine(Cell<[u8; 41]>);

impl DateLine {
    /// With the field's value, an IMF-fixdate (RFC 9110 §5.6.7).
    #[must_use]
    pub fn new(value: &[u8; 29]) -> Self {
        let line = Self(Cell::new(
            *b"\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
        ));
        line.set(value);
        line
    }

    /// Changes the field's value.
    pub fn set(&self, value: &[u8; 29]) {
        let mut line = self.0.get();
        line[8..37].copy_from_slice(value);
        self.0.set(line);
    }

    #[inline(always)]
    fn line(&self) -> [u8; 41] {
        self.0.get()
    }

    #[cfg(test)]
    pub(crate) fn value(&self) -> [u8; 29] {
        let line = self.0.get();
        *line[8..].first_chunk().unwrap()
    }
}

impl fmt::Debug for DateLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line().escape_ascii())
    }
}

/// What matters of the request that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The request's version.
    pub version: Version,
    /// The request's method, as in [`method`](gateway_spec::abi::method).
    pub method_id: u32,
    /// Whether client and server both want to keep the connection.
    pub keep_alive: bool,
}

impl Recipient {
    /// Who sent this head, keeping the connection if the client wants that.
    #[must_use]
    pub fn of(head: &Head) -> Self {
        Self {
            version: head.version(),
            method_id: head.method_id(),
            keep_alive: head.keep_alive(),
        }
    }
}

/// Of the last line and of a head.
const END: &[u8; 4] = b"\r\n\r\n";

#[cfg(test)]
mod tests;
