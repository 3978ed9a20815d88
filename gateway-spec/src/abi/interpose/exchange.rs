//! Watches what the application asks of an exchange, and how the host answers.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use super::body::{self, Length};
use super::buffer;
use super::instance::{CANCELLED, InsideHost, Instance, What};
use super::{head, quarantine, stream};
use crate::abi::field::Field;
use crate::abi::size::struct_size;
use crate::abi::types::{
    EXT_TLS, GwBuf, GwCtx, GwCtxVt, GwHeader, GwRequest, GwResponse, GwStr, GwStream, GwWaker,
    code, ctx_flag, method, module_flag, request_flag, response_flag, scheme, version,
};
use crate::lint::body::Side;
use crate::lint::check_inform;
use crate::lint::response::Offer;
use crate::rules::{self, Rule};

/// What is known of one exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) instance: Arc<Instance>,
    /// `GW_METHOD_...`
    method_id: u32,
    is_http10: bool,
    is_plaintext: bool,
    offered: Option<Vec<u8>>,
    /// Token of the thread that is inside `call` or `poll`, else 0.
    inside: AtomicUsize,
    is_answered: AtomicBool,
    has_upgraded: AtomicBool,
    has_stream: AtomicBool,
    is_ended: AtomicBool,
    /// What the application was given; NULL if nothing.
    given: AtomicPtr<Watched>,
}

/// The exchange as the application sees it. It has two lives, like the host's: the call and the
/// reference; it is retired when both are over.
#[repr(C)]
struct Watched {
    abi: GwCtx,
    inner: *mut GwCtx,
    exchange: Arc<Exchange>,
    has_reference: AtomicBool,
    lives: AtomicU8,
}

// SAFETY: functions of an exchange may be called from any thread.
unsafe impl Send for Watched {}
// SAFETY: as above.
unsafe impl Sync for Watched {}

/// The exchange's call is running on this thread until this is dropped.
pub(super) struct Inside<'a>(&'a Exchange);

impl<'a> Inside<'a> {
    pub(super) fn new(exchange: &'a Exchange) -> Self {
        exchange.inside.store(token(), Ordering::Release);
        Self(exchange)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.store(0, Ordering::Release);
    }
}

impl Exchange {
    /// # Safety
    ///
    /// `request` is whole, inside `call`.
    pub(super) unsafe fn new(instance: &Arc<Instance>, request: &GwRequest) -> Arc<Self> {
        // SAFETY: the caller's promise.
        let protocol = unsafe { request.protocol.bytes() };
        let is_forwarded = request.flags & request_flag::SCHEME_FORWARDED != 0;
        instance.ledger.take(What::Exchange);
        Arc::new(Self {
            instance: Arc::clone(instance),
            // SAFETY: the caller's promise.
            method_id: head::method_id(unsafe { request.method.bytes() }),
            is_http10: request.version == version::HTTP_10,
            is_plaintext: request.scheme == scheme::HTTP && !is_forwarded,
            offered: (!request.protocol.ptr.is_null()).then(|| protocol.to_vec()),
            inside: AtomicUsize::new(0),
            is_answered: AtomicBool::new(false),
            has_upgraded: AtomicBool::new(false),
            has_stream: AtomicBool::new(false),
            is_ended: AtomicBool::new(false),
            given: AtomicPtr::new(ptr::null_mut()),
        })
    }

    /// The host's exchange, watched, for the application.
    ///
    /// # Safety
    ///
    /// `inner` is the host's, with one reference for the application.
    pub(super) unsafe fn offer(self: &Arc<Self>, inner: *mut GwCtx) -> *mut GwCtx {
        if inner.is_null() {
            return inner;
        }
        let watched = quarantine::allocate(Watched {
            abi: GwCtx {
                vt: &raw const TABLE,
            },
            inner,
            exchange: Arc::clone(self),
            has_reference: AtomicBool::new(true),
            lives: AtomicU8::new(2),
        });
        self.given.store(watched.as_ptr(), Ordering::Release);
        watched.as_ptr().cast()
    }

    /// The call has ended with this result.
    pub(super) fn end(&self, answer: i32, stored_call: bool) {
        self.is_ended.store(true, Ordering::Release);
        self.instance.calls.fetch_sub(1, Ordering::AcqRel);
        let reports = &self.instance.reports;
        //# [CALL-08] `call` and `poll` return READY, PENDING or an error, nothing else. `call` stores a pending call if
        //# and only if it returns PENDING.
        reports.expect(
            answer <= code::PENDING || answer == CANCELLED,
            rules::CALL_08,
            || format!("a call returned {answer}"),
        );
        reports.expect(!stored_call, rules::CALL_08, || {
            format!("a call returned {answer} and stored a pending call")
        });
        //# [RES-01] The application answers every call exactly once: it has responded successfully when the call ends
        //# with READY.
        let is_answered = self.is_answered.load(Ordering::Acquire);
        reports.expect(answer != code::READY || is_answered, rules::RES_01, || {
            "the call ended READY without a response".to_owned()
        });
        if let Some(given) = NonNull::new(self.given.swap(ptr::null_mut(), Ordering::AcqRel)) {
            // SAFETY: the call's life of it ends here, once.
            unsafe { Watched::release(given) };
        }
    }
}

impl Watched {
    /// Ends one of the two lives, and with the second the object.
    ///
    /// # Safety
    ///
    /// The caller's life has not ended before.
    unsafe fn release(this: NonNull<Self>) {
        // SAFETY: the caller's promise.
        if unsafe { this.as_ref() }
            .lives
            .fetch_sub(1, Ordering::AcqRel)
            == 1
        {
            // SAFETY: both lives are over, once.
            unsafe { quarantine::retire(this) };
        }
    }

    fn table(&self) -> &GwCtxVt {
        // SAFETY: the host's exchange is live while the call lasts or the reference is held.
        let inner = unsafe { &*self.inner };
        // SAFETY: tables live until the process exits.
        unsafe { &*inner.vt }
    }

    /// Whether the application may use the host's object now.
    fn is_usable(&self, what: &str) -> bool {
        let may_be_used = self.has_reference.load(Ordering::Acquire)
            || (matches!(what, "respond" | "upgrade")
                && !self.exchange.is_ended.load(Ordering::Acquire));
        let reports = &self.exchange.instance.reports;
        reports.expect(may_be_used, rules::RES_14, || {
            format!("{what} on an exchange that was given back")
        });
        may_be_used
    }

    fn breach(&self, rule: &'static Rule, detail: impl Into<String>) {
        self.exchange.instance.reports.breach(rule, detail);
    }
}

/// # Safety
///
/// `ctx` is one of ours.
unsafe fn watched<'a>(ctx: *mut GwCtx) -> &'a Watched {
    // SAFETY: the caller's promise; kept beyond its end.
    unsafe { &*ctx.cast::<Watched>() }
}

unsafe extern "C" fn respond(ctx: *mut GwCtx, response: *mut GwResponse) -> i32 {
    // SAFETY: exchanges with this table are ours.
    let this = unsafe { watched(ctx) };
    let exchange = &this.exchange;
    let (reports, probe) = exchange.instance.reports.probe();
    //# [RES-02] The application calls `respond` only inside `call` or `poll` of the same exchange, and not again after
    //# it succeeded.
    if exchange.inside.load(Ordering::Acquire) != token() {
        reports.breach(rules::RES_02, "respond outside of call and poll");
        return if exchange.is_ended.load(Ordering::Acquire) {
            code::CLOSED
        } else {
            code::TOO_LATE
        };
    }
    if !this.is_usable("respond") {
        return code::CLOSED;
    }
    let is_second = exchange.is_answered.load(Ordering::Acquire);
    reports.expect(!is_second, rules::RES_02, || "a second response".to_owned());
    // SAFETY: the application's response, valid during this call.
    let raw = unsafe { &mut *response };
    let is_whole = raw.struct_size as usize >= size_of::<GwResponse>();
    let has_fields = raw.n_headers == 0 || !raw.headers.is_null();
    if !is_whole || !has_fields || raw.n_headers > MAX_FIELDS {
        reports.breach(
            rules::LOAD_06,
            format!(
                "a gw_response of {} bytes with {} fields",
                raw.struct_size, raw.n_headers
            ),
        );
        return code::INVALID;
    }
    let offer = Offer::of(
        exchange.offered.as_deref(),
        exchange.method_id == method::CONNECT,
    );
    // SAFETY: whole, inside `respond`.
    let facts = unsafe { head::response_facts(raw, offer, exchange.method_id) };
    let at_hand = facts.at_hand;
    let declared = if is_second {
        None
    } else {
        facts.check(&reports)
    };
    drop(facts);
    reports.expect(raw.reserved == 0, rules::LOAD_05, || {
        "gw_response.reserved".to_owned()
    });
    // SAFETY: as above.
    unsafe { head::check_ids(raw.headers, raw.n_headers, &reports) };
    //# [RES-21] Headers given with LASTING_HEADERS, and all that they point to, stay as they are until the process
    //# exits: a host may keep what it made of them.
    if raw.flags & response_flag::LASTING_HEADERS != 0 {
        // SAFETY: as above.
        let fields = unsafe { Field::foreign(raw.headers, raw.n_headers) };
        let lasts = exchange.instance.lasting.are_as_before(fields);
        reports.expect(lasts, rules::RES_21, || format!("{fields:?}"));
    }
    let critical = raw.flags & module_flag::CRITICAL_MASK;
    reports.expect(critical == 0, rules::LOAD_04, || {
        format!("response flags {critical:#x}")
    });

    let length = Length {
        declared,
        seen: at_hand,
    };
    // SAFETY: the application's response; settled below.
    let answer = unsafe { pass_on(this, raw, length) };
    let accepted = answer == code::READY;
    //# [RES-03] The host answers a `respond` that RES-02 forbids with TOO_LATE, or with CLOSED after the exchange, and
    //# changes nothing.
    let is_late = matches!(answer, code::TOO_LATE | code::CLOSED);
    reports.expect(!is_second || is_late, rules::RES_03, || {
        format!("a second response was answered with {answer}")
    });
    //# [LOAD-04] Nobody sets a bit in the critical half of a flag word that the other side may not know, and nobody
    //# accepts one that it does not know: a host answers UNSUPPORTED to such a response or to such flags of an
    //# exchange. Unknown bits of the other half mean nothing.
    reports.expect(critical == 0 || !accepted, rules::LOAD_04, || {
        "the host accepted a response with unknown critical flags".to_owned()
    });
    //# [RES-06] The host refuses a response that breaks RES-04, RES-05, RES-07 or UPG-05 with INVALID and sends nothing
    //# of it, so that no field can split a message, and no content pass for a tunnel's.
    let refusable = [rules::RES_04, rules::RES_05, rules::RES_07, rules::UPG_05];
    let broken = probe
        .broken()
        .into_iter()
        .find(|rule| refusable.contains(rule));
    if let (true, Some(rule)) = (accepted, broken) {
        reports.breach(
            rules::RES_06,
            format!("the host accepted a response that breaks {rule}"),
        );
    }
    if accepted {
        exchange.is_answered.store(true, Ordering::Release);
        let upgrades = raw.flags & response_flag::UPGRADE != 0;
        exchange.has_upgraded.store(upgrades, Ordering::Release);
    }
    answer
}

/// Hands a response to the host with its buffer and body watched, and settles who owns them.
///
/// # Safety
///
/// `raw` is the application's response, whole, inside `respond`.
unsafe fn pass_on(this: &Watched, raw: &mut GwResponse, length: Length) -> i32 {
    let Some(respond) = this.table().respond else {
        return code::UNSUPPORTED;
    };
    let instance = &this.exchange.instance;
    // SAFETY: plain data; owned parts are replaced in the copy and settled below.
    let mut mine = unsafe { ptr::read(raw) };
    mine.struct_size = struct_size::<GwResponse>();
    mine.first = buffer::watched(instance, mine.first);
    // SAFETY: the application's body, given with the response.
    mine.body = unsafe { body::watched(instance, raw.body, Side::Response, length) };
    let (shown, body) = (
        (mine.first.ptr, mine.first.len, mine.first.drop.is_some()),
        mine.body,
    );
    let answer = {
        let _inside = InsideHost::new();
        // SAFETY: the application's argument in a watched form, inside `call` or `poll`.
        unsafe { respond(this.inner, &raw mut mine) }
    };
    //# [RES-20] When `respond` returns READY the host has moved `first` and `body` and zeroed both in place; otherwise it
    //# has moved nothing.
    let is_moved = buffer::is_empty(&mine.first) && mine.body.is_null();
    let is_left =
        (mine.first.ptr, mine.first.len, mine.first.drop.is_some()) == shown && mine.body == body;
    let is_settled = if answer == code::READY {
        is_moved
    } else {
        is_left
    };
    instance.reports.expect(is_settled, rules::RES_20, || {
        format!("after {answer}: moved {is_moved}, left {is_left}")
    });
    if answer == code::READY {
        (raw.first, raw.body) = (GwBuf::EMPTY, ptr::null_mut());
    } else {
        let _ = buffer::unwatched(mine.first);
        // SAFETY: refused, so the wrapper is ours still.
        unsafe { body::unwatch(mine.body) };
    }
    answer
}

unsafe extern "C" fn inform(
    ctx: *mut GwCtx,
    status: u32,
    fields: *const GwHeader,
    count: u32,
) -> i32 {
    // SAFETY: exchanges with this table are ours.
    let this = unsafe { watched(ctx) };
    let (reports, probe) = this.exchange.instance.reports.probe();
    let (true, Some(inform)) = (this.is_usable("inform"), this.table().inform) else {
        return code::CLOSED;
    };
    if count > MAX_FIELDS || (count > 0 && fields.is_null()) {
        reports.breach(
            rules::RES_16,
            format!("an interim response with {count} fields"),
        );
        return code::INVALID;
    }
    let is_answered = this.exchange.is_answered.load(Ordering::Acquire);
    // SAFETY: the application's fields, valid during this call.
    let lines = unsafe { head::lines(fields, count) };
    check_inform(&reports, status, lines, is_answered);
    let _inside = InsideHost::new();
    // SAFETY: the application's arguments, passed on.
    let answer = unsafe { inform(this.inner, status, fields, count) };
    //# [RES-17] The host answers `inform` with INVALID for what RES-16 forbids, with TOO_LATE after a response and CLOSED
    //# after the exchange. For HTTP/1.0, and where it has no way to send one, it discards the interim response and
    //# answers READY.
    let is_wrong = !probe.broken().is_empty() && !this.exchange.is_http10;
    reports.expect(!is_wrong || answer != code::READY, rules::RES_17, || {
        format!("the host accepted a forbidden interim response {status}")
    });
    answer
}

/// Passes a poll on.
///
/// # Safety
///
/// The arguments of an application's call.
unsafe fn pass_poll(
    ctx: *mut GwCtx,
    waker: *const GwWaker,
    what: &str,
    pick: impl FnOnce(&GwCtxVt) -> Option<unsafe extern "C" fn(*mut GwCtx, *const GwWaker) -> i32>,
) -> i32 {
    // SAFETY: exchanges with this table are ours.
    let this = unsafe { watched(ctx) };
    let (true, Some(poll)) = (this.is_usable(what), pick(this.table())) else {
        return code::CLOSED;
    };
    let _inside = InsideHost::new();
    // SAFETY: the application's arguments, passed on.
    unsafe { poll(this.inner, waker) }
}

unsafe extern "C" fn poll_closed(ctx: *mut GwCtx, waker: *const GwWaker) -> i32 {
    // SAFETY: the application's arguments.
    unsafe { pass_poll(ctx, waker, "poll_closed", |vt| vt.poll_closed) }
}

unsafe extern "C" fn poll_draining(ctx: *mut GwCtx, waker: *const GwWaker) -> i32 {
    // SAFETY: the application's arguments.
    unsafe { pass_poll(ctx, waker, "poll_draining", |vt| vt.poll_draining) }
}

unsafe extern "C" fn upgrade(
    ctx: *mut GwCtx,
    waker: *const GwWaker,
    out: *mut *mut GwStream,
) -> i32 {
    // SAFETY: exchanges with this table are ours.
    let this = unsafe { watched(ctx) };
    let exchange = &this.exchange;
    let (true, Some(upgrade)) = (this.is_usable("upgrade"), this.table().upgrade) else {
        return code::CLOSED;
    };
    //# [UPG-03] The application asks for the stream only after an upgrade response, and takes it once.
    let has_upgraded = exchange.has_upgraded.load(Ordering::Acquire);
    let has_stream = exchange.has_stream.load(Ordering::Acquire);
    if !has_upgraded || has_stream {
        this.breach(
            rules::UPG_03,
            format!(
                "upgrade: responded with an upgrade: {has_upgraded}, has the stream: {has_stream}"
            ),
        );
    }
    let mut inner = ptr::null_mut();
    let _inside = InsideHost::new();
    // SAFETY: the application's arguments, passed on.
    let answer = unsafe { upgrade(this.inner, waker, &raw mut inner) };
    if answer == code::READY {
        exchange.has_stream.store(true, Ordering::Release);
        // SAFETY: READY hands a stream over.
        let stream = unsafe { stream::watched(&exchange.instance, inner) };
        // SAFETY: the application's out pointer.
        unsafe { *out = stream };
    }
    answer
}

unsafe extern "C" fn set_flags(ctx: *mut GwCtx, flags: u64) -> i32 {
    // SAFETY: exchanges with this table are ours.
    let this = unsafe { watched(ctx) };
    let (true, Some(set_flags)) = (this.is_usable("set_flags"), this.table().set_flags) else {
        return code::CLOSED;
    };
    let critical = flags & module_flag::CRITICAL_MASK & !ctx_flag::FINISH_ON_DISCONNECT;
    if critical != 0 {
        this.breach(rules::LOAD_04, format!("exchange flags {critical:#x}"));
    }
    let _inside = InsideHost::new();
    // SAFETY: the application's arguments, passed on.
    let answer = unsafe { set_flags(this.inner, flags) };
    if critical != 0 && answer == code::READY {
        this.breach(
            rules::LOAD_04,
            "the host accepted unknown critical flags of an exchange",
        );
    }
    answer
}

unsafe extern "C" fn ext(ctx: *mut GwCtx, id: *const GwStr) -> *const c_void {
    // SAFETY: exchanges with this table are ours.
    let this = unsafe { watched(ctx) };
    let (true, Some(ext)) = (this.is_usable("ext"), this.table().ext) else {
        return ptr::null();
    };
    // SAFETY: the application's arguments, passed on.
    let found = unsafe { ext(this.inner, id) };
    // SAFETY: the application's id, valid during this call.
    let id = unsafe { id.as_ref() }.map(|id| {
        // SAFETY: as above.
        unsafe { id.bytes() }
    });
    //# [EXT-01] An unknown extension id yields NULL. `gw.tls/1` yields NULL for a connection without TLS.
    if this.exchange.is_plaintext && id == Some(EXT_TLS) && !found.is_null() {
        this.breach(rules::EXT_01, "gw.tls/1 on a plaintext connection");
    }
    found
}

unsafe extern "C" fn give_back(ctx: *mut GwCtx) {
    // SAFETY: exchanges with this table are ours.
    let this = unsafe { watched(ctx) };
    if !this.has_reference.swap(false, Ordering::AcqRel) {
        this.breach(rules::RES_14, "an exchange given back a second time");
        return;
    }
    this.exchange.instance.ledger.give_back(What::Exchange);
    if let Some(drop) = this.table().drop {
        // SAFETY: the application's reference, given back once.
        unsafe { drop(this.inner) };
    }
    // SAFETY: the reference's life of it ends here, once.
    unsafe { Watched::release(NonNull::from(this)) };
}

static TABLE: GwCtxVt = GwCtxVt {
    struct_size: struct_size::<GwCtxVt>(),
    reserved: 0,
    respond: Some(respond),
    inform: Some(inform),
    poll_closed: Some(poll_closed),
    poll_draining: Some(poll_draining),
    upgrade: Some(upgrade),
    set_flags: Some(set_flags),
    ext: Some(ext),
    drop: Some(give_back),
};

/// A number that differs between threads that live at the same time, and is never 0.
fn token() -> usize {
    thread_local! {
        static TOKEN: Cell<u8> = const { Cell::new(0) };
    }
    TOKEN.with(|token| token.as_ptr().addr())
}

/// More fields than this are taken for an error and not read.
const MAX_FIELDS: u32 = 65_536;
