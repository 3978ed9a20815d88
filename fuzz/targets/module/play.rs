//! What a module does by the bytes of an input, and what it has to keep account of.

use std::cell::RefCell;

use gateway_spec::abi::types::{GwBody, GwCall, GwCtx, GwCtxVt, GwStream, GwWaker};

/// The bytes that are left, and what is alive.
#[derive(Default)]
pub(super) struct Play {
    bytes: Vec<u8>,
    at: usize,
    /// Buffers, bodies and calls that the host has and has not given back.
    pub(super) alive: [u32; 3],
    /// Wakers that are owned.
    pub(super) wakers: Vec<*const GwWaker>,
    /// Calls that stay pending.
    pub(super) pending: Vec<*mut GwCall>,
    /// Exchanges that were kept beyond their end, with what came with them.
    pub(super) kept: Vec<Exchange>,
    /// What the host did wrong.
    pub(super) complaints: Vec<&'static str>,
}

/// What belongs to one call.
#[derive(Default)]
pub(super) struct Exchange {
    pub(super) ctx: Option<(*mut GwCtx, &'static GwCtxVt)>,
    pub(super) body: Option<*mut GwBody>,
    pub(super) stream: Option<*mut GwStream>,
}

/// Kinds of things that are counted.
#[derive(Clone, Copy)]
pub(super) enum Thing {
    Buffer,
    Body,
    Call,
}

thread_local! {
    static PLAY: RefCell<Play> = RefCell::default();
}

/// Something with the play of this thread; nothing else happens meanwhile.
pub(super) fn play<T>(with: impl FnOnce(&mut Play) -> T) -> T {
    PLAY.with(|play| with(&mut play.borrow_mut()))
}

/// Begins with these bytes.
pub(super) fn begin(bytes: &[u8]) {
    play(|it| {
        it.bytes = bytes.to_vec();
        it.at = 0;
    });
}

/// The next byte; 0, which is good manners, behind the last.
pub(super) fn next() -> u8 {
    play(|it| {
        let byte = it.bytes.get(it.at).copied().unwrap_or_default();
        it.at += 1;
        byte
    })
}

/// One of so many, by the next byte.
pub(super) fn choice(of: u8) -> u8 {
    next() % of
}

/// A number of which the small, the large and the ones around limits are likely.
pub(super) fn number() -> u64 {
    let byte = next();
    match byte % 4 {
        0 => u64::from(byte / 4),
        1 => u64::from(next()) << 8 | u64::from(byte),
        2 => 1 << (byte / 4),
        _ => u64::MAX << (byte / 4),
    }
}

/// Some of the next bytes.
pub(super) fn text() -> Vec<u8> {
    let length = usize::from(choice(24));
    (0..length).map(|_| next()).collect()
}

/// The host is to give one back.
pub(super) fn hand_over(thing: Thing) {
    play(|it| it.alive[thing as usize] += 1);
}

/// The host has done so.
pub(super) fn take_back(thing: Thing) {
    play(|it| match it.alive[thing as usize].checked_sub(1) {
        Some(left) => it.alive[thing as usize] = left,
        None => it.complaints.push("given back twice"),
    });
}

/// The host did what it must not.
pub(super) fn complain(what: &'static str) {
    play(|it| it.complaints.push(what));
}
