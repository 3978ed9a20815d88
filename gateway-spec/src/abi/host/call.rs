//! [`Call`]: one request handed to an application, polled until it ends.

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::block::{Block, Pool};
use super::exchange::Exchange;
use super::head::CallHead;
use super::module::App;
use crate::abi::body::OfferedBody;
use crate::abi::codes::kind_of;
use crate::abi::contain::Nothing;
use crate::abi::instance::{CallFunction, Instance};
use crate::abi::types::{GwBuf, GwCall, GwCallVt, GwWaker, SLOT_MIN_SIZE, code, request_flag};
use crate::abi::waker::Lender;
use crate::body::Body;
use crate::error::ErrorKind;

/// A call in an application, ended by [`Call::finish`]. Dropping it cancels it as well, but gives
/// nothing back to the pool.
pub struct Call<X: Exchange> {
    block: NonNull<Block<X>>,
    state: State,
    lender: Lender,
}

type PollFunction = unsafe extern "C" fn(*mut GwCall, *const GwWaker) -> i32;

#[derive(Debug)]
enum State {
    /// The instance stays as long as a call in it.
    Pending(NonNull<GwCall>, PollFunction, Arc<Instance>),
    Ended(Result<(), ErrorKind>),
}

impl<X: Exchange> Call<X> {
    /// Hands a request to the application and polls it once.
    #[inline]
    pub fn start(
        app: &App,
        pool: &Pool<X>,
        head: CallHead<'_>,
        body: Option<Body>,
        exchange: X,
        waker: &Waker,
    ) -> Self {
        let function = app.call.get();
        // SAFETY: the function is the instance's own or `refuse`; `App` keeps it on its thread.
        unsafe { Self::start_in(&app.instance, function, pool, head, body, exchange, waker) }
    }

    /// As [`start`](Self::start), and [`finish`](Self::finish) at once if the call has ended well, had no
    /// body to pull, and left the exchange with nothing to do, as `is_done` tells: what most calls
    /// come to costs least.
    ///
    /// # Errors
    ///
    /// The call, if it goes on, or there is something left to do.
    #[inline(never)]
    pub fn serve(
        app: &App,
        pool: &Pool<X>,
        head: CallHead<'_>,
        body: Option<Body>,
        exchange: X,
        waker: &Waker,
        is_done: impl FnOnce(&X) -> bool,
    ) -> Result<X, Self> {
        let function = app.call.get();
        let instance = &app.instance;
        // SAFETY: the function is the instance's own or `refuse`; `App` keeps it on its thread.
        let begun = unsafe { Begun::begin(instance, function, pool, head, body, exchange, waker) };
        if begun.answer == code::READY && !begun.streams {
            // SAFETY: the host's reference was just made.
            let live = unsafe { begun.block.as_ref() };
            // SAFETY: of this thread alone, and no callback runs after `call` has returned.
            let exchange = unsafe { &*live.exchange.get() };
            if exchange.as_ref().is_some_and(is_done) {
                // SAFETY: the call has ended, and this is the host's reference.
                return Ok(unsafe { Block::end(begun.block, Some(pool)) });
            }
        }
        Err(begun.into_call(instance))
    }

    /// As [`start`](Self::start), in an instance that may be called on this thread.
    ///
    /// # Safety
    ///
    /// `function` is the `call` of the instance, which has started, or one that ends at once.
    pub(crate) unsafe fn start_in(
        instance: &Arc<Instance>,
        function: CallFunction,
        pool: &Pool<X>,
        head: CallHead<'_>,
        body: Option<Body>,
        exchange: X,
        waker: &Waker,
    ) -> Self {
        // SAFETY: the caller's promise.
        let begun = unsafe { Begun::begin(instance, function, pool, head, body, exchange, waker) };
        begun.into_call(instance)
    }

    /// Polls a pending call; an ended one repeats its end.
    ///
    /// # Errors
    ///
    /// How the application ended the call, if not well; the exchange knows whether it responded.
    pub fn poll(&mut self, waker: &Waker) -> Poll<Result<(), ErrorKind>> {
        let State::Pending(call, poll, instance) = &self.state else {
            return self.end();
        };
        let (call, poll) = (*call, *poll);
        // SAFETY: live: the host's reference is given up in `finish`.
        let live = unsafe { self.block.as_ref() };
        live.enter(instance);
        // SAFETY: pending, so the application keeps it alive; polled by its thread.
        let answer = self
            .lender
            .lend(waker, |waker| unsafe { poll(call.as_ptr(), waker) });
        live.leave();
        if answer != code::PENDING {
            self.state = State::ended(answer);
        }
        self.end()
    }

    /// How the call ended, if it has.
    #[inline]
    pub fn end(&self) -> Poll<Result<(), ErrorKind>> {
        match self.state {
            State::Pending(..) => Poll::Pending,
            State::Ended(end) => Poll::Ready(end),
        }
    }

    /// The exchange, between polls.
    #[inline]
    #[expect(
        clippy::missing_panics_doc,
        reason = "`finish` consumes the call, so the exchange is there"
    )]
    pub fn exchange(&mut self) -> &mut X {
        // SAFETY: the host's reference to the block is this call's.
        let block = unsafe { self.block.as_ref() };
        // SAFETY: no callback runs between polls: `respond` comes in only inside `start` and
        // `poll`, which borrow `self` mutably as this does.
        let exchange = unsafe { &mut *block.exchange.get() };
        exchange
            .as_mut()
            .expect("the exchange leaves only in `finish`")
    }

    /// The half that any thread may reach.
    #[inline]
    #[must_use]
    pub fn shared(&self) -> &X::Shared {
        // SAFETY: the host's reference to the block is this call's; all of it that changes while
        // the call lasts does so behind cells and atomics.
        &unsafe { self.block.as_ref() }.shared
    }

    /// Ends the call, cancelling it if it is pending, and gives the exchange back.
    #[inline(always)]
    #[must_use]
    pub fn finish(self, pool: &Pool<X>) -> X {
        let mut this = ManuallyDrop::new(self);
        // Leaves a state that needs no drop.
        this.cancel();
        // SAFETY: `this` is not dropped, so its lender is here, once.
        unsafe { ptr::drop_in_place(&raw mut this.lender) };
        // SAFETY: the call has ended, and this is the host's reference.
        unsafe { Block::end(this.block, Some(pool)) }
    }

    /// Ends the call if it is pending; the exchange stays.
    #[inline]
    pub(crate) fn cancel(&mut self) {
        if matches!(self.state, State::Pending(..)) {
            self.cancel_pending();
        }
    }

    #[cold]
    fn cancel_pending(&mut self) {
        let cancelled = State::Ended(Err(ErrorKind::Closed));
        if let State::Pending(call, _, _instance) = mem::replace(&mut self.state, cancelled) {
            // SAFETY: pending, so the application keeps it alive.
            let vt = unsafe { call.as_ref() }.vt;
            // SAFETY: applications keep tables until the process exits; `after_start` checked it.
            if let Some(drop) = unsafe { (*vt).drop } {
                // SAFETY: pending, ended here.
                unsafe { drop(call.as_ptr()) };
            }
        }
    }
}

impl<X: Exchange> Drop for Call<X> {
    fn drop(&mut self) {
        self.cancel();
        // SAFETY: the call has ended, and this is the host's reference.
        drop(unsafe { Block::end(self.block, None) });
    }
}

/// What the application answered to a call.
struct Begun<X: Exchange> {
    block: NonNull<Block<X>>,
    lender: Lender,
    answer: i32,
    call: *mut GwCall,
    /// The request's body is pulled.
    streams: bool,
}

impl<X: Exchange> Begun<X> {
    /// # Safety
    ///
    /// As of [`Call::start_in`].
    #[inline(always)]
    unsafe fn begin(
        instance: &Arc<Instance>,
        function: CallFunction,
        pool: &Pool<X>,
        mut head: CallHead<'_>,
        body: Option<Body>,
        exchange: X,
        waker: &Waker,
    ) -> Self {
        let block = Block::take(pool, exchange);
        let request = &mut head.request;
        let mut first = GwBuf::EMPTY;
        if let Some(mut body) = body {
            request.flags |= request_flag::HAS_BODY;
            first = body.take_bytes().into();
            request.first = &raw mut first;
            if body.is_stream() {
                request.body = OfferedBody::offer(body, Nothing);
            }
        }
        request.ctx = block.as_ptr().cast();
        // SAFETY: a field of the live block.
        request.slot = unsafe { (&raw mut (*block.as_ptr()).slot).cast() };
        request.slot_len = SLOT_MIN_SIZE as u64;
        let mut lender = Lender::new();
        let mut call = ptr::null_mut();
        let app = instance.as_raw();
        // SAFETY: live: the host's reference was just made.
        let live = unsafe { block.as_ref() };
        live.enter(instance);
        // SAFETY: a started instance, by the caller's promise; the request outlives the call.
        let answer = lender.lend(waker, |waker| unsafe {
            function(app, &raw const *request, waker, &raw mut call)
        });
        live.leave();
        // What the application did not move out is released here.
        // SAFETY: an initialised buffer, ours or zeroed by the taker.
        unsafe { first.release() };
        Self {
            block,
            lender,
            answer,
            call,
            streams: !request.body.is_null(),
        }
    }

    #[inline]
    fn into_call(self, instance: &Arc<Instance>) -> Call<X> {
        Call {
            block: self.block,
            state: State::after_start(self.answer, self.call, instance),
            lender: self.lender,
        }
    }
}

impl State {
    #[inline(never)]
    fn after_start(answer: i32, call: *mut GwCall, instance: &Arc<Instance>) -> Self {
        if answer != code::PENDING {
            return Self::ended(answer);
        }
        let Some(call) = NonNull::new(call) else {
            return Self::Ended(Err(ErrorKind::Internal));
        };
        // SAFETY: PENDING says that the application gave a call.
        let vt = unsafe { call.as_ref() }.vt;
        // SAFETY: applications keep tables until the process exits.
        let poll = unsafe { vt.as_ref() }
            .filter(|vt| vt.struct_size as usize >= size_of::<GwCallVt>())
            .and_then(|vt| vt.poll);
        match poll {
            Some(poll) => Self::Pending(call, poll, Arc::clone(instance)),
            None => Self::Ended(Err(ErrorKind::Internal)),
        }
    }

    #[inline]
    fn ended(answer: i32) -> Self {
        if answer == code::READY {
            Self::Ended(Ok(()))
        } else {
            Self::failed(answer)
        }
    }

    #[cold]
    fn failed(answer: i32) -> Self {
        Self::Ended(Err(kind_of(answer)))
    }
}

impl<X: Exchange> fmt::Debug for Call<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({:?})", self.state)
    }
}
