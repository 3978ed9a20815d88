//! The server's own answers: a status, its reason, nothing else.

use gateway_spec::abi::{Field, names};

use super::answer::Given;
use crate::date::Date;
use crate::http1::{Length, Recipient, ResponseHead, encode};

/// Writes an answer with this status.
pub(super) fn write(out: &mut Vec<u8>, status: u16, to: &Recipient, date: &Date) -> Given {
    let text = encode::reason(status).as_bytes();
    let fields = [Field::new(
        names::id("content-type"),
        b"content-type",
        b"text/plain",
    )];
    let head = ResponseHead {
        status,
        fields: &fields,
        length: Length::Actual(text.len() as u64 + 1),
        upgrade: None,
        date: Some(&date.text()),
    };
    let framing = encode::response_head(out, &head, to)
        .expect("a registered status and a constant field make a head");
    let mut sent = 0;
    if matches!(framing.body, crate::http1::BodyFraming::Sized(_)) {
        out.extend_from_slice(text);
        out.push(b'\n');
        sent = text.len() as u64 + 1;
    }
    Given {
        status,
        keep_alive: framing.keep_alive,
        framing: framing.body,
        rest: None,
        sent,
    }
}
