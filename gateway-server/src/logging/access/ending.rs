//! [`Ended`]: what a line says of the end of its request.

use std::slice;

use crate::logging::format::{Late, Quoting, Unit};
use crate::logging::line::Line;
use crate::logging::number::{push_decimal, push_number};
use crate::logging::quote::{push, push_absent};

/// What a line is made of when the request has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) status: u16,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// In nanoseconds, from when the request was there.
    pub(crate) took_ns: u64,
    pub(crate) first_byte_ns: u64,
    pub(crate) queued_ns: u64,
    /// Fields of the response, as [`AccessLog::response_fields`](super::AccessLog::response_fields) names
    /// them; fewer if it has none.
    pub(crate) fields: &'a [Option<Box<[u8]>>],
}

/// The same while a line is composed, whose pieces take the fields in their order.
pub(super) struct Ending<'a> {
    ended: &'a Ended<'a>,
    fields: slice::Iter<'a, Option<Box<[u8]>>>,
    quoting: Quoting,
}

impl<'a> Ending<'a> {
    #[inline(always)]
    pub(super) fn new(ended: &'a Ended<'a>, quoting: Quoting) -> Self {
        Self {
            ended,
            fields: ended.fields.iter(),
            quoting,
        }
    }

    /// Appends a piece.
    #[inline(always)]
    pub(super) fn push(&mut self, line: &mut Line<'_>, late: &Late) {
        let ended = self.ended;
        match late {
            Late::Status => push_number(line, ended.status.into()),
            Late::SentOrDash if ended.sent == 0 => line.push(b'-'),
            Late::Sent | Late::SentOrDash => push_number(line, ended.sent),
            Late::Received => push_number(line, ended.received),
            Late::Took(unit) => push_time(line, ended.took_ns, *unit),
            Late::FirstByte(unit) => push_time(line, ended.first_byte_ns, *unit),
            Late::Queued(unit) => push_time(line, ended.queued_ns, *unit),
            Late::Field(_) => match self.fields.next() {
                Some(Some(value)) => push(line, value, self.quoting, FIELD),
                _ => push_absent(line, self.quoting),
            },
        }
    }
}

fn push_time(line: &mut Line<'_>, nanoseconds: u64, unit: Unit) {
    match unit {
        Unit::Seconds => push_number(line, nanoseconds / 1_000_000_000),
        Unit::Milliseconds => push_number(line, nanoseconds / 1_000_000),
        Unit::Microseconds => push_number(line, nanoseconds / 1_000),
        Unit::Decimal => push_decimal(line, nanoseconds / 1_000, 6),
        Unit::DecimalMilliseconds => push_decimal(line, nanoseconds / 1_000, 3),
    }
}

/// Bytes of a field in a string of JSON.
pub(super) const FIELD: usize = 512;
