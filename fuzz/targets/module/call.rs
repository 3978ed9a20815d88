//! The module's calls: what they do before they return, and what they return.

use std::ptr;

use gateway_spec::abi::types::*;

use super::create::{Constant, outcome, table_size};
use super::deeds::{Scene, act, table_of};
use super::play::{Exchange, Thing, choice, complain, hand_over, play, take_back};
use super::response::respond_well;

/// A call that stays pending.
#[repr(C)]
struct Pending {
    abi: GwCall,
    exchange: Exchange,
    ended: bool,
    /// Wakes it, whatever else becomes of wakers.
    alarm: *const GwWaker,
}

/// Wakes all calls that stay pending.
pub(super) fn wake_all() {
    for call in play(|it| it.pending.clone()) {
        // SAFETY: it leaves the list when it ends.
        let alarm = unsafe { (*call.cast::<Pending>()).alarm };
        // SAFETY: owned until the call ends, which no waker does at once.
        unsafe { (table_of(alarm).wake_by_ref)(alarm) };
    }
}

/// An owned waker.
fn alarm(lent: *const GwWaker) -> *const GwWaker {
    // SAFETY: lent by the host.
    unsafe { (table_of(lent).clone)(lent) }
}

impl Drop for Pending {
    fn drop(&mut self) {
        take_back(Thing::Call);
        let this: *const Self = self;
        play(|it| it.pending.retain(|call| !ptr::eq(call.cast(), this)));
        // SAFETY: owned, ended once.
        unsafe { (table_of(self.alarm).drop)(self.alarm) };
    }
}

pub(super) unsafe extern "C" fn start_call(
    _: *const GwApp,
    request: *const GwRequest,
    waker: *const GwWaker,
    out: *mut *mut GwCall,
) -> i32 {
    // SAFETY: the host lends the request.
    let request = unsafe { &*request };
    // SAFETY: a host's exchange.
    let table = unsafe { (*request.ctx).vt };
    // SAFETY: tables are valid until the process exits.
    let table = unsafe { &*table };
    let mut exchange = Exchange {
        ctx: Some((request.ctx, table)),
        body: (!request.body.is_null()).then_some(request.body),
        stream: None,
    };
    let mut scene = Scene {
        exchange: &mut exchange,
        waker,
        first: request.first,
    };
    act(&mut scene);
    match choice(8) {
        0..=2 => {
            respond_well(&mut exchange);
            leave(exchange);
            code::READY
        }
        3..=5 => {
            hand_over(Thing::Call);
            let pending = Pending {
                abi: GwCall {
                    vt: &raw const WHOLE,
                },
                exchange,
                ended: false,
                alarm: alarm(waker),
            };
            let call = Box::into_raw(Box::new(pending)).cast();
            play(|it| it.pending.push(call));
            // SAFETY: the host's out pointer.
            unsafe { *out = call };
            code::PENDING
        }
        6 => {
            leave(exchange);
            let call = match choice(4) {
                0 => ptr::null_mut(),
                1 => (&raw const NO_TABLE.0).cast_mut(),
                2 => (&raw const SHORT.0).cast_mut(),
                _ => (&raw const NO_POLL.0).cast_mut(),
            };
            // SAFETY: the host's out pointer.
            unsafe { *out = call };
            code::PENDING
        }
        _ => {
            leave(exchange);
            match outcome() {
                code::PENDING => code::INTERNAL,
                other => other,
            }
        }
    }
}

/// Keeps what came with a call for later, or gives it back.
fn leave(mut exchange: Exchange) {
    if choice(4) == 3 {
        play(|it| it.kept.push(exchange));
    } else {
        exchange.give_back();
    }
}

unsafe extern "C" fn poll(call: *mut GwCall, waker: *const GwWaker) -> i32 {
    // SAFETY: one of `start_call`'s, which the host has not ended.
    let pending = unsafe { &mut *call.cast::<Pending>() };
    if pending.ended {
        complain("a call was polled behind its end");
        return code::INTERNAL;
    }
    let mut scene = Scene {
        exchange: &mut pending.exchange,
        waker,
        first: ptr::null_mut(),
    };
    act(&mut scene);
    let answer = match choice(6) {
        0..=2 => {
            respond_well(&mut pending.exchange);
            code::READY
        }
        3 => {
            // SAFETY: the host lends the waker.
            unsafe { (table_of(waker).wake_by_ref)(waker) };
            code::PENDING
        }
        4 => code::PENDING,
        _ => outcome(),
    };
    if answer != code::PENDING {
        pending.ended = true;
        // SAFETY: made by `start_call`; the host must not touch it again.
        let mut pending = unsafe { Box::from_raw(call.cast::<Pending>()) };
        leave(std::mem::take(&mut pending.exchange));
    } else {
        let before = std::mem::replace(&mut pending.alarm, alarm(waker));
        // SAFETY: owned, ended once.
        unsafe { (table_of(before).drop)(before) };
    }
    answer
}

unsafe extern "C" fn end(call: *mut GwCall) {
    // SAFETY: made by `start_call`; the host ends it once.
    let mut pending = unsafe { Box::from_raw(call.cast::<Pending>()) };
    leave(std::mem::take(&mut pending.exchange));
}

unsafe extern "C" fn never(_: *mut GwCall) {
    complain("a call that was never one was ended");
}

const TABLE: GwCallVt = GwCallVt {
    struct_size: table_size::<GwCallVt>(),
    reserved: 0,
    poll: Some(poll),
    drop: Some(end),
};
static WHOLE: GwCallVt = TABLE;
static CUT: GwCallVt = GwCallVt {
    struct_size: 8,
    drop: Some(never),
    ..TABLE
};
static WITHOUT_POLL: GwCallVt = GwCallVt {
    poll: None,
    drop: Some(never),
    ..TABLE
};
static NO_TABLE: Constant<GwCall> = Constant(GwCall { vt: ptr::null() });
static SHORT: Constant<GwCall> = Constant(GwCall { vt: &raw const CUT });
static NO_POLL: Constant<GwCall> = Constant(GwCall {
    vt: &raw const WITHOUT_POLL,
});
