//! One call in the application: its future, in the host's slot, and what follows the answer.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll};

use super::host::{Host, Level};
use super::respond::respond;
use super::runtime::Runtime;
use crate::abi::contain::contained;
use crate::abi::size::struct_size;
use crate::abi::types::{GwCall, GwCallVt, GwCtx, GwRequest, GwWaker, code};
use crate::abi::waker;
use crate::response::{BoxFuture, Response};

/// A call's state. It stands in the slot that the host lends if it fits, else on the heap, and
/// never moves: the future is polled where it lies.
#[repr(C)]
struct Call<F, R: 'static> {
    abi: GwCall,
    place: Place,
    ctx: *mut GwCtx,
    host: Host,
    runtime: &'static R,
    work: Work<F>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Slot,
    Heap,
}

enum Work<F> {
    Answering(F),
    After(BoxFuture),
}

/// Starts a call and polls it once.
///
/// # Safety
///
/// Inside `call` with its arguments; the runtime is entered. `future` may borrow from the
/// application, which outlives its calls.
#[inline]
pub(super) unsafe fn start<F, R>(
    future: F,
    host: Host,
    runtime: &'static R,
    request: &GwRequest,
    waker: *const GwWaker,
    out: *mut *mut GwCall,
) -> i32
where
    F: Future<Output = Response> + Send,
    R: Runtime,
{
    let layout = Layout::new::<Call<F, R>>();
    let fits = !request.slot.is_null()
        && layout.size() as u64 <= request.slot_len
        && layout.align() <= SLOT_ALIGN;
    let call: *mut Call<F, R> = if fits {
        request.slot.cast()
    } else {
        // SAFETY: the layout is not empty: a call holds at least its table.
        let memory = unsafe { alloc(layout) };
        if memory.is_null() {
            handle_alloc_error(layout);
        }
        memory.cast()
    };
    let place = if fits { Place::Slot } else { Place::Heap };
    let abi = GwCall {
        vt: &raw const *const { &Call::<F, R>::VT },
    };
    let work = Work::Answering(future);
    // SAFETY: memory of the right size and alignment, nobody else's until the call ends.
    unsafe {
        ptr::write(
            call,
            Call {
                abi,
                place,
                ctx: request.ctx,
                host,
                runtime,
                work,
            },
        )
    };
    // SAFETY: just written.
    let answer = unsafe { Call::step(call, waker) };
    if answer == code::PENDING {
        // SAFETY: the host's out pointer.
        unsafe { *out = call.cast() };
    }
    answer
}

impl<F, R> Call<F, R>
where
    F: Future<Output = Response> + Send,
    R: Runtime,
{
    const VT: GwCallVt = GwCallVt {
        struct_size: struct_size::<GwCallVt>(),
        reserved: 0,
        poll: Some(Self::poll),
        drop: Some(Self::drop),
    };

    /// Polls and, unless it stays pending, ends the call.
    ///
    /// # Safety
    ///
    /// `call` is live and the runtime entered.
    #[inline]
    unsafe fn step(call: *mut Self, waker: *const GwWaker) -> i32 {
        let answer = contained("a call", || {
            // SAFETY: the waker outlives this poll.
            let waker = unsafe { waker::borrow(waker) };
            // SAFETY: live, and polled by one thread at a time.
            let this = unsafe { &mut *call };
            // SAFETY: the call never moves while it lives.
            unsafe { this.advance(&mut Context::from_waker(&waker)) }
        });
        if answer != code::PENDING {
            // SAFETY: over; nobody touches it again.
            unsafe { Self::end(call) };
        }
        answer
    }

    /// # Safety
    ///
    /// `self` does not move until it is dropped.
    #[inline]
    unsafe fn advance(&mut self, cx: &mut Context<'_>) -> i32 {
        if let Work::Answering(future) = &mut self.work {
            // SAFETY: pinned by the caller's promise.
            let future = unsafe { Pin::new_unchecked(future) };
            let Poll::Ready(response) = future.poll(cx) else {
                return code::PENDING;
            };
            // SAFETY: inside call or poll, before the call has ended.
            match unsafe { respond(self.ctx, response, self.runtime) } {
                Ok(None) => return code::READY,
                Ok(Some(after)) => self.work = Work::After(after),
                Err(refused) => {
                    let message = format!("the server refused the response (code {refused})");
                    self.host.log(Level::Error, "gateway", &message);
                    return refused;
                }
            }
        }
        if let Work::After(work) = &mut self.work
            && work.as_mut().poll(cx).is_pending()
        {
            return code::PENDING;
        }
        code::READY
    }

    /// Drops the state and frees its memory.
    ///
    /// # Safety
    ///
    /// `call` is live, the runtime entered, and nobody touches it afterwards.
    #[inline]
    unsafe fn end(call: *mut Self) {
        // SAFETY: live.
        let place = unsafe { (*call).place };
        let dropped = contained("a call's drop", || {
            // SAFETY: live, dropped once.
            unsafe { ptr::drop_in_place(call) };
            code::READY
        });
        // After a panic the rest is leaked: its memory may still be in use.
        if place == Place::Heap && dropped == code::READY {
            // SAFETY: allocated by `start` with this layout.
            unsafe { dealloc(call.cast(), Layout::new::<Self>()) };
        }
    }

    unsafe extern "C" fn poll(call: *mut GwCall, waker: *const GwWaker) -> i32 {
        let call = call.cast::<Self>();
        // SAFETY: a pending call; the runtime outlives it.
        let runtime = unsafe { (*call).runtime };
        let _entered = runtime.enter();
        // SAFETY: pending and entered.
        unsafe { Self::step(call, waker) }
    }

    unsafe extern "C" fn drop(call: *mut GwCall) {
        let call = call.cast::<Self>();
        // SAFETY: a pending call; the runtime outlives it.
        let runtime = unsafe { (*call).runtime };
        let _entered = runtime.enter();
        // SAFETY: cancelled by the host, which does not touch it again.
        unsafe { Self::end(call) };
    }
}

/// The alignment of the host's slot.
const SLOT_ALIGN: usize = 16;
