//! Watches calls: they end once, are entered by one thread at a time, and leave an answer.

use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use super::body::{self, Length};
use super::buffer;
use super::exchange::{Exchange, Inside};
use super::instance::{CANCELLED, Instance};
use super::{head, quarantine, waker};
use crate::abi::size::struct_size;
use crate::abi::types::{GwBuf, GwCall, GwCallVt, GwRequest, GwWaker, code, module_flag};
use crate::lint::body::Side;
use crate::lint::timed;
use crate::rules;

/// A pending call as the host sees it.
#[repr(C)]
struct Watched {
    abi: GwCall,
    inner: *mut GwCall,
    vt: &'static GwCallVt,
    exchange: Arc<Exchange>,
    home: ThreadId,
    is_busy: AtomicBool,
    is_over: AtomicBool,
}

// SAFETY: the inner call is used by one thread at a time, which is checked.
unsafe impl Send for Watched {}
// SAFETY: as above.
unsafe impl Sync for Watched {}

/// The application's `call` with a watch around it.
///
/// # Safety
///
/// The arguments of a host's call to `call`.
pub(super) unsafe fn start(
    instance: &Arc<Instance>,
    request: *const GwRequest,
    waker: *const GwWaker,
    out: *mut *mut GwCall,
) -> i32 {
    instance.enter("call");
    instance.check_serving();
    let Some(enter) = instance.vt.call else {
        return code::UNSUPPORTED;
    };
    // SAFETY: the host's request, valid during the call.
    let shown = unsafe { &*request };
    let is_whole = shown.struct_size as usize >= size_of::<GwRequest>();
    instance.reports.expect(is_whole, rules::LOAD_06, || {
        format!("a gw_request of {} bytes", shown.struct_size)
    });
    if !is_whole {
        // SAFETY: the host's arguments; too little is known of them to watch.
        return unsafe { enter(instance.app(), request, waker, out) };
    }
    // SAFETY: whole, and inside `call`.
    unsafe { head::check_request(shown, &instance.reports) };
    // SAFETY: as above.
    let exchange = unsafe { Exchange::new(instance, shown) };
    // SAFETY: plain data; what is owned in it is replaced below.
    let mut mine = unsafe { ptr::read(request) };
    mine.struct_size = struct_size::<GwRequest>();
    // SAFETY: whole, and inside `call`; its reference is the application's.
    mine.ctx = unsafe { exchange.offer(shown.ctx) };
    let mut first = FirstBuffer::new(instance, shown.first);
    mine.first = first.lend();
    let length = Length {
        declared: known(shown.content_length),
        seen: first.length,
    };
    // SAFETY: the body is the application's from now on.
    mine.body = unsafe { body::watched(instance, shown.body, Side::Request, length) };

    instance.calls.fetch_add(1, Ordering::AcqRel);
    let mut call = ptr::null_mut();
    let inside = Inside::new(&exchange);
    // SAFETY: the host's waker is valid during this poll.
    let lent = unsafe { waker::Lent::new(instance, waker) };
    let answer = timed(&instance.reports, instance.patience, "call", || {
        // SAFETY: the host's arguments, with the objects in them replaced by ours.
        unsafe {
            enter(
                instance.app(),
                &raw const mine,
                lent.as_ptr(),
                &raw mut call,
            )
        }
    });
    drop(lent);
    drop(inside);
    first.settle();
    if answer == code::PENDING {
        // SAFETY: PENDING means a call of the application's.
        unsafe { pending(&exchange, call, out) }
    } else {
        exchange.end(answer, !call.is_null());
        answer
    }
}

/// Wraps the call that stays pending.
///
/// # Safety
///
/// `call` came with PENDING; `out` is the host's.
unsafe fn pending(exchange: &Arc<Exchange>, call: *mut GwCall, out: *mut *mut GwCall) -> i32 {
    let reports = &exchange.instance.reports;
    reports.expect(!call.is_null(), rules::CALL_08, || {
        "PENDING, but no pending call was stored".to_owned()
    });
    // SAFETY: NULL or the application's call.
    let table = unsafe { call.as_ref() }.and_then(|call| {
        // SAFETY: tables live until the process exits.
        unsafe { call.vt.as_ref() }
    });
    let usable = table.filter(|vt| {
        vt.struct_size as usize >= size_of::<GwCallVt>() && vt.poll.is_some() && vt.drop.is_some()
    });
    let Some(vt) = usable else {
        reports.breach(rules::LOAD_06, "a call's table is short or incomplete");
        // SAFETY: the host's out pointer; it will refuse the call itself.
        unsafe { *out = call };
        return code::PENDING;
    };
    let watched = quarantine::allocate(Watched {
        abi: GwCall {
            vt: &raw const TABLE,
        },
        inner: call,
        vt,
        exchange: Arc::clone(exchange),
        home: thread::current().id(),
        is_busy: AtomicBool::new(false),
        is_over: AtomicBool::new(false),
    });
    // SAFETY: the host's out pointer.
    unsafe { *out = watched.as_ptr().cast() };
    code::PENDING
}

impl Watched {
    /// Whether the host may enter the call now.
    fn enter(&self, what: &str) -> bool {
        //# [CALL-01] A call ends exactly once, and nothing is called on an ended object: not `poll` or `drop` after `poll`
        //# returned anything but PENDING, nor either after `drop`.
        let instance = &self.exchange.instance;
        let reports = &instance.reports;
        let is_over = self.is_over.load(Ordering::Acquire);
        reports.expect(!is_over, rules::CALL_01, || {
            format!("{what} on a call that has ended")
        });
        let is_local = instance.flags & module_flag::LOCAL_CALLS != 0;
        let is_home = self.home == thread::current().id();
        reports.expect(!is_local || is_home, rules::CALL_07, || {
            format!("{what} of a local call on another thread")
        });
        if is_over {
            return false;
        }
        let is_busy = self.is_busy.swap(true, Ordering::AcqRel);
        reports.expect(!is_busy, rules::CALL_07, || {
            format!("{what} of a call that is entered")
        });
        !is_busy
    }

    /// # Safety
    ///
    /// Ended just now, for the first time.
    unsafe fn end(&self, answer: i32) {
        self.is_over.store(true, Ordering::Release);
        self.exchange.end(answer, false);
        // SAFETY: the caller's promise.
        unsafe { quarantine::retire(NonNull::from(self)) };
    }
}

unsafe extern "C" fn poll(call: *mut GwCall, waker: *const GwWaker) -> i32 {
    // SAFETY: calls with this table are ours, and kept beyond their end.
    let this = unsafe { &*call.cast::<Watched>() };
    let instance = &this.exchange.instance;
    if !this.enter("poll") {
        return code::INTERNAL;
    }
    instance.enter("poll");
    let Some(poll) = this.vt.poll else {
        return code::UNSUPPORTED;
    };
    let inside = Inside::new(&this.exchange);
    // SAFETY: the host's waker is valid during this poll.
    let lent = unsafe { waker::Lent::new(instance, waker) };
    let answer = timed(&instance.reports, instance.patience, "call", || {
        // SAFETY: pending, and entered by this thread alone.
        unsafe { poll(this.inner, lent.as_ptr()) }
    });
    drop(lent);
    drop(inside);
    this.is_busy.store(false, Ordering::Release);
    if answer != code::PENDING {
        // SAFETY: it was pending until now.
        unsafe { this.end(answer) };
    }
    answer
}

unsafe extern "C" fn cancel(call: *mut GwCall) {
    // SAFETY: calls with this table are ours, and kept beyond their end.
    let this = unsafe { &*call.cast::<Watched>() };
    if !this.enter("drop") {
        return;
    }
    if let Some(drop) = this.vt.drop {
        // SAFETY: pending, and ended by this.
        unsafe { drop(this.inner) };
    }
    // SAFETY: it was pending until now.
    unsafe { this.end(CANCELLED) };
}

static TABLE: GwCallVt = GwCallVt {
    struct_size: struct_size::<GwCallVt>(),
    reserved: 0,
    poll: Some(poll),
    drop: Some(cancel),
};

/// The host's first buffer, and the one that the application sees in its place.
struct FirstBuffer<'a> {
    instance: &'a Instance,
    host: *mut GwBuf,
    lent: GwBuf,
    shown: (*const u8, usize),
    length: u64,
}

impl<'a> FirstBuffer<'a> {
    fn new(instance: &'a Arc<Instance>, host: *mut GwBuf) -> Self {
        let inner = if host.is_null() {
            GwBuf::EMPTY
        } else {
            // SAFETY: the host's buffer, inside `call`; who owns it is settled in `settle`.
            unsafe { ptr::read(host) }
        };
        let (shown, length) = ((inner.ptr, inner.len), inner.len as u64);
        let lent = buffer::watched(instance, inner);
        Self {
            instance,
            host,
            lent,
            shown,
            length,
        }
    }

    fn lend(&mut self) -> *mut GwBuf {
        if self.host.is_null() {
            ptr::null_mut()
        } else {
            &raw mut self.lent
        }
    }

    /// After `call`: the application has taken the buffer and zeroed it, or left it alone.
    fn settle(self) {
        if self.host.is_null() {
            return;
        }
        if buffer::is_empty(&self.lent) {
            // SAFETY: the host's buffer, whose content the application has taken.
            unsafe { ptr::write(self.host, GwBuf::EMPTY) };
            return;
        }
        let is_untouched = (self.lent.ptr, self.lent.len) == self.shown;
        self.instance
            .reports
            .expect(is_untouched, rules::RES_14, || {
                "the first buffer was changed, but neither taken nor left".to_owned()
            });
        // Not taken: the host's original stays its own.
        let _ = buffer::unwatched(self.lent);
    }
}

fn known(length: u64) -> Option<u64> {
    Some(length).filter(|length| *length != crate::abi::LENGTH_UNKNOWN)
}
