//! Responses, good and bad.

use std::ptr;

use gateway_spec::abi::types::*;

use super::body;
use super::create::{Constant, table_size};
use super::play::{Exchange, Thing, choice, complain, hand_over, next, number, take_back, text};

/// Answers `ok`; the first response of an exchange that has none is taken.
pub(super) fn respond_well(exchange: &mut Exchange) {
    let mut response = plain();
    response.first = GwBuf::from_static(b"ok");
    give(exchange, &mut response);
}

/// Answers with something that may be wrong in every part.
pub(super) fn respond(exchange: &mut Exchange) {
    let lines = Lines::made_up();
    let mut response = plain();
    for _ in 0..=choice(4) {
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        match choice(9) {
            0 => response.status = number() as u32,
            1 => response.status = [200, 204, 304, 101, 404, 599][usize::from(choice(6))],
            2 => response.flags = number() & !response_flag::LASTING_HEADERS,
            3 => {
                response.flags |= response_flag::HAS_LENGTH;
                response.content_length = number();
            }
            4 => (response.headers, response.n_headers) = lines.lent(),
            5 => {
                response.flags |= response_flag::UPGRADE;
                response.status = 101;
            }
            6 => response.protocol = if choice(2) == 0 { OFFERED } else { odd_text() },
            7 => response.struct_size = number() as u32,
            _ => {
                response.flags |= response_flag::LASTING_HEADERS;
                (response.headers, response.n_headers) = (LASTING.0.as_ptr(), 1);
            }
        }
    }
    // What lasts is what stands still; anything else would be a lie that nobody sees.
    if response.headers != LASTING.0.as_ptr() {
        response.flags &= !response_flag::LASTING_HEADERS;
    }
    response.first = buffer();
    response.body = body::made_up();
    give(exchange, &mut response);
}

/// Informs the client of something, in the same way.
pub(super) fn inform(exchange: &Exchange) {
    let Some((ctx, table)) = exchange.ctx else {
        return;
    };
    let lines = Lines::made_up();
    let (fields, count) = lines.lent();
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    let status = match choice(3) {
        0 => number() as u32,
        1 => 102,
        _ => 103,
    };
    // SAFETY: the exchange is there, and so are as many lines as are said, or there is no array at all.
    unsafe { table.inform.expect("an entry")(ctx, status, fields, count) };
}

fn plain() -> GwResponse {
    GwResponse {
        struct_size: table_size::<GwResponse>(),
        status: 200,
        flags: 0,
        headers: ptr::null(),
        n_headers: 0,
        reserved: 0,
        content_length: 0,
        first: GwBuf::EMPTY,
        body: ptr::null_mut(),
        protocol: GwStr {
            ptr: ptr::null(),
            len: 0,
        },
    }
}

/// Responds, and looks whether what was handed over was taken when it should have been, and only then.
fn give(exchange: &mut Exchange, response: &mut GwResponse) {
    let Some((ctx, table)) = exchange.ctx else {
        discard(response);
        return;
    };
    let (first, drop, body) = (response.first.ptr, response.first.drop, response.body);
    // SAFETY: the exchange is there, and all that the response points to.
    let answer = unsafe { table.respond.expect("an entry")(ctx, response) };
    let now = &response.first;
    if answer == code::READY {
        if !now.ptr.is_null() || now.drop.is_some() || !response.body.is_null() {
            complain("a response was taken and not zeroed (RES-20)");
        }
        return;
    }
    let same = now.drop.is_some() == drop.is_some();
    if now.ptr != first || !same || response.body != body {
        complain("of a refused response something was taken (RES-20)");
    }
    discard(response);
}

/// Ends what the host did not take.
fn discard(response: &mut GwResponse) {
    if let Some(drop) = response.first.drop {
        // SAFETY: the module's own again.
        unsafe { drop(&raw mut response.first) };
    }
    body::discard(response.body);
}

/// Bytes of any kind that a host can tell apart.
pub(super) fn buffer() -> GwBuf {
    match choice(6) {
        0 | 1 => GwBuf::EMPTY,
        2 => GwBuf::from_static(b"static"),
        // No bytes at all, however many are said.
        3 => GwBuf {
            len: usize::from(next()),
            ..GwBuf::EMPTY
        },
        kind => {
            let bytes = match kind {
                4 => text(),
                _ => vec![b'x'; 20_000],
            };
            let bytes = bytes.into_boxed_slice();
            hand_over(Thing::Buffer);
            let len = bytes.len();
            let start = Box::into_raw(bytes).cast::<u8>();
            let mut buffer = GwBuf {
                ptr: start,
                len,
                drop: Some(drop_buffer),
                ..GwBuf::EMPTY
            };
            buffer.private[0].write(start.expose_provenance());
            buffer.private[1].write(len);
            buffer
        }
    }
}

unsafe extern "C" fn drop_buffer(buffer: *mut GwBuf) {
    take_back(Thing::Buffer);
    // SAFETY: whoever drops it lends it.
    let buffer = unsafe { &*buffer };
    // SAFETY: written by `buffer`.
    let start = unsafe { buffer.private[0].assume_init() };
    // SAFETY: as above.
    let len = unsafe { buffer.private[1].assume_init() };
    let bytes = ptr::slice_from_raw_parts_mut(ptr::with_exposed_provenance_mut::<u8>(start), len);
    // SAFETY: boxed by `buffer`, dropped once.
    drop(unsafe { Box::from_raw(bytes) });
}

/// Field lines, with what they point to.
pub(super) struct Lines {
    _texts: Vec<(Vec<u8>, Vec<u8>)>,
    lines: Vec<GwHeader>,
    kind: u8,
}

impl Lines {
    /// Of any kind.
    pub(super) fn made_up() -> Self {
        let texts: Vec<_> = (0..choice(4)).map(|_| (name(), value())).collect();
        let lines = texts
            .iter()
            .map(|(name, value)| line(name, value))
            .collect();
        Self {
            _texts: texts,
            lines,
            kind: choice(8),
        }
    }

    /// As they are handed over: at times no array, or more lines than any host reads.
    pub(super) fn lent(&self) -> (*const GwHeader, u32) {
        let count = u32::try_from(self.lines.len()).expect("few");
        match self.kind {
            0 => (ptr::null(), count),
            1 if count > 0 => (self.lines.as_ptr(), u32::MAX),
            _ => (self.lines.as_ptr(), count),
        }
    }
}

fn line(name: &[u8], value: &[u8]) -> GwHeader {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("short");
    let mut line = GwHeader {
        name: name.as_ptr(),
        value: value.as_ptr(),
        name_len: length(name),
        value_len: length(value),
        name_id: 0,
        flags: 0,
        reserved: 0,
    };
    match choice(6) {
        0 => line.name_id = u16::from(next()),
        1 => line.name_id = u16::MAX - u16::from(next()),
        2 => line.flags = u16::from(next()),
        3 => line.name = ptr::null(),
        4 => line.value = ptr::null(),
        _ => {}
    }
    line
}

fn name() -> Vec<u8> {
    const NAMES: [&str; 12] = [
        "x-some",
        "content-type",
        "content-length",
        "transfer-encoding",
        "connection",
        "date",
        "set-cookie",
        "upgrade",
        "X-Upper",
        "x-cut\r\nx-injected",
        "trailer",
        "",
    ];
    match choice(16) {
        at @ 0..12 => NAMES[usize::from(at)].into(),
        _ => text(),
    }
}

fn value() -> Vec<u8> {
    const VALUES: [&str; 6] = ["1", "chunked", "5", "", " led", "cut\r\nx-injected: 1"];
    match choice(8) {
        at @ 0..6 => VALUES[usize::from(at)].into(),
        _ => text(),
    }
}

fn odd_text() -> GwStr {
    let len = usize::from(next());
    match choice(3) {
        0 => GwStr {
            ptr: ptr::null(),
            len,
        },
        1 => GwStr::from(&b"mirror\r\nx-injected: 1"[..]),
        _ => GwStr::from(&b"other"[..]),
    }
}

const OFFERED: GwStr = GwStr {
    ptr: b"mirror".as_ptr(),
    len: 6,
};
static LASTING: Constant<[GwHeader; 1]> = Constant([GwHeader {
    name: b"x-lasting".as_ptr(),
    value: b"1".as_ptr(),
    name_len: 9,
    value_len: 1,
    name_id: 0,
    flags: 0,
    reserved: 0,
}]);
