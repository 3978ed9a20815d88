//! What the module does while it is called.

use std::ptr;

use gateway_spec::abi::types::*;

use super::create::MADE_BY;
use super::play::{Exchange, choice, next, number, play, text};
use super::response::{inform, respond};

/// What there is to act on.
pub(super) struct Scene<'s> {
    pub(super) exchange: &'s mut Exchange,
    pub(super) waker: *const GwWaker,
    /// The beginning of the request's body, while it is lent.
    pub(super) first: *mut GwBuf,
}

/// Some deeds.
pub(super) fn act(scene: &mut Scene<'_>) {
    for _ in 0..choice(6) {
        match choice(14) {
            0..=2 => respond(scene.exchange),
            3 => inform(scene.exchange),
            4 => wait(scene),
            5 => set_flags(scene.exchange),
            6 => ask(scene.exchange),
            7 => wakers(scene.waker),
            8 => read(scene),
            9 => drop_body(scene.exchange),
            10 => take_first(scene),
            11 => upgrade(scene),
            12 => speak(scene),
            _ => after_the_end(scene.waker),
        }
    }
    if choice(8) == 7 {
        log();
    }
}

impl Exchange {
    /// Ends all that came with it.
    pub(super) fn give_back(&mut self) {
        drop_stream(self);
        drop_body(self);
        if let Some((ctx, table)) = self.ctx.take() {
            // SAFETY: the module's one reference.
            unsafe { table.drop.expect("an entry")(ctx) };
        }
    }
}

/// Ends what was kept.
pub(super) fn give_everything_back() {
    super::create::behave();
    let kept = play(|it| std::mem::take(&mut it.kept));
    for mut exchange in kept {
        exchange.give_back();
    }
    let wakers = play(|it| std::mem::take(&mut it.wakers));
    for waker in wakers {
        // SAFETY: owned, ended once.
        unsafe { (table_of(waker).drop)(waker) };
    }
}

/// Calls an exchange whose call has ended.
fn after_the_end(waker: *const GwWaker) {
    let Some(mut exchange) = play(|it| it.kept.pop()) else {
        return;
    };
    let mut scene = Scene {
        exchange: &mut exchange,
        waker,
        first: ptr::null_mut(),
    };
    match choice(7) {
        0 => respond(scene.exchange),
        1 => inform(scene.exchange),
        2 => wait(&scene),
        3 => read(&mut scene),
        4 => upgrade(&mut scene),
        5 => speak(&mut scene),
        _ => ask(scene.exchange),
    }
    match choice(2) {
        0 => play(|it| it.kept.push(exchange)),
        _ => exchange.give_back(),
    }
}

fn wait(scene: &Scene<'_>) {
    let Some((ctx, table)) = scene.exchange.ctx else {
        return;
    };
    let function = match choice(2) {
        0 => table.poll_closed,
        _ => table.poll_draining,
    };
    // SAFETY: the exchange and the waker are lent.
    unsafe { function.expect("an entry")(ctx, scene.waker) };
}

fn set_flags(exchange: &Exchange) {
    if let Some((ctx, table)) = exchange.ctx {
        // SAFETY: the exchange is there.
        unsafe { table.set_flags.expect("an entry")(ctx, number()) };
    }
}

fn ask(exchange: &Exchange) {
    let Some((ctx, table)) = exchange.ctx else {
        return;
    };
    let bytes = match choice(4) {
        0 => EXT_REQUEST_ID.to_vec(),
        1 => EXT_TLS.to_vec(),
        _ => text(),
    };
    let id = GwStr::from(&*bytes);
    let id = match choice(8) {
        7 => ptr::null(),
        _ => &raw const id,
    };
    // SAFETY: the exchange is there, and the text, or none.
    let found = unsafe { table.ext.expect("an entry")(ctx, id) };
    assert!(found.is_null() || bytes == EXT_REQUEST_ID || bytes == EXT_TLS);
}

pub(super) fn table_of(waker: *const GwWaker) -> &'static GwWakerVt {
    // SAFETY: lent, or owned.
    let vt = unsafe { (*waker).vt };
    // SAFETY: tables are valid until the process exits.
    unsafe { &*vt }
}

fn wakers(lent: *const GwWaker) {
    for _ in 0..=choice(4) {
        let owned = play(|it| it.wakers.pop());
        match (choice(5), owned) {
            (0, owned) => {
                // SAFETY: lent.
                let clone = unsafe { (table_of(lent).clone)(lent) };
                play(|it| it.wakers.extend(owned.into_iter().chain([clone])));
            }
            (1, Some(owned)) => {
                // SAFETY: owned, and ended by this.
                unsafe { (table_of(owned).wake)(owned) };
            }
            (2, Some(owned)) => {
                // SAFETY: as above.
                unsafe { (table_of(owned).drop)(owned) };
            }
            (_, owned) => {
                let one = owned.unwrap_or(lent);
                // SAFETY: lent, or owned.
                unsafe { (table_of(one).wake_by_ref)(one) };
                play(|it| it.wakers.extend(owned));
            }
        }
    }
}

/// Polls the request's body, with a frame of any capacity.
fn read(scene: &mut Scene<'_>) {
    let Some(body) = scene.exchange.body else {
        return;
    };
    let mut frame = GwFrame {
        struct_size: super::create::table_size::<GwFrame>(),
        kind: frame_kind::END,
        flags: 0,
        fd: -1,
        offset: 0,
        length: 0,
        data: GwBuf::EMPTY,
        trailers: ptr::null(),
        n_trailers: 0,
        reserved: 0,
    };
    if choice(4) == 3 {
        frame.struct_size = u32::from(next());
    }
    // SAFETY: the module's body.
    let vt = unsafe { (*body).vt };
    // SAFETY: tables are valid until the process exits.
    let poll = unsafe { &*vt }.poll_frame.expect("an entry");
    // SAFETY: the body is there, and the frame has the room that it says, or less is said.
    unsafe { poll(body, scene.waker, &raw mut frame) };
    if let Some(drop) = frame.data.drop {
        // SAFETY: the receiver's.
        unsafe { drop(&raw mut frame.data) };
    }
}

fn drop_body(exchange: &mut Exchange) {
    if let Some(body) = exchange.body.take() {
        // SAFETY: the module's body.
        let vt = unsafe { (*body).vt };
        // SAFETY: tables are valid until the process exits.
        let drop = unsafe { &*vt }.drop.expect("an entry");
        // SAFETY: ended once.
        unsafe { drop(body) };
    }
}

/// Moves the beginning of the body out.
fn take_first(scene: &mut Scene<'_>) {
    // SAFETY: lent while the call starts, or none.
    let Some(first) = (unsafe { scene.first.as_mut() }) else {
        return;
    };
    let mut taken = std::mem::replace(first, GwBuf::EMPTY);
    if let Some(drop) = taken.drop {
        // SAFETY: the module's own now.
        unsafe { drop(&raw mut taken) };
    }
}

fn upgrade(scene: &mut Scene<'_>) {
    let Some((ctx, table)) = scene.exchange.ctx else {
        return;
    };
    let mut stream = ptr::null_mut();
    // SAFETY: the exchange and the waker are there, and the out pointer.
    let answer = unsafe { table.upgrade.expect("an entry")(ctx, scene.waker, &raw mut stream) };
    assert_eq!(answer == code::READY, !stream.is_null());
    if answer == code::READY {
        drop_stream(scene.exchange);
        scene.exchange.stream = Some(stream);
    }
}

/// Reads and writes the upgraded stream.
fn speak(scene: &mut Scene<'_>) {
    let Some(stream) = scene.exchange.stream else {
        return;
    };
    // SAFETY: the module's stream.
    let vt = unsafe { (*stream).vt };
    // SAFETY: tables are valid until the process exits.
    let table = unsafe { &*vt };
    let waker = scene.waker;
    let mut count = usize::from(next());
    match choice(8) {
        0..=2 => {
            let mut buffer = vec![0; usize::from(choice(64))];
            let read = table.poll_read.expect("an entry");
            let (start, room) = (buffer.as_mut_ptr(), buffer.len());
            // SAFETY: the stream, the waker and the buffer are there.
            let answer = unsafe { read(stream, waker, start, room, &raw mut count) };
            assert!(
                answer != code::READY || count <= room,
                "more than there is room for"
            );
        }
        3..=5 => {
            let bytes = text();
            let pieces: Vec<GwIov> = bytes
                .chunks(1 + usize::from(choice(9)))
                .map(piece)
                .collect();
            let write = table.poll_write.expect("an entry");
            let many = u32::try_from(pieces.len()).expect("few");
            let start = if many == 0 {
                ptr::null()
            } else {
                pieces.as_ptr()
            };
            // SAFETY: the stream, the waker and the pieces are there.
            let answer = unsafe { write(stream, waker, start, many, &raw mut count) };
            assert!(
                answer != code::READY || count <= bytes.len(),
                "more than there was"
            );
        }
        6 => {
            let [flush, end, draining] =
                [table.poll_flush, table.poll_shutdown, table.poll_draining];
            let function = [flush, end, draining][usize::from(choice(3))];
            // SAFETY: the stream and the waker are there.
            unsafe { function.expect("an entry")(stream, waker) };
        }
        _ => drop_stream(scene.exchange),
    }
}

fn piece(bytes: &[u8]) -> GwIov {
    GwIov {
        ptr: bytes.as_ptr(),
        len: bytes.len(),
    }
}

fn drop_stream(exchange: &mut Exchange) {
    if let Some(stream) = exchange.stream.take() {
        // SAFETY: the module's stream.
        let vt = unsafe { (*stream).vt };
        // SAFETY: tables are valid until the process exits.
        let drop = unsafe { &*vt }.drop.expect("an entry");
        // SAFETY: ended once.
        unsafe { drop(stream) };
    }
}

/// Says something in the host's log.
fn log() {
    let host = MADE_BY.with(|by| *by.borrow());
    // SAFETY: hosts stay until the process exits.
    let Some(table) = (unsafe { host.as_ref() }) else {
        return;
    };
    let (target, message) = (text(), text());
    let (target, message) = (GwStr::from(&*target), GwStr::from(&*message));
    let pair = GwKv {
        key: target,
        value: message,
    };
    let count = u32::from(choice(2));
    let pairs = if count == 0 {
        ptr::null()
    } else {
        &raw const pair
    };
    let target = match choice(2) {
        0 => ptr::null(),
        _ => &raw const target,
    };
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    let level = number() as u32;
    let log = table.log.expect("an entry");
    // SAFETY: all of it is there.
    unsafe { log(host, level, target, &raw const message, pairs, count) };
}
