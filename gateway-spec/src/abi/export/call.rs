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
    /// First, for its table; written only if the call outlives its first poll.
    rest: Rest<R>,
    work: Work<F>,
}

#[repr(C)]
struct Rest<R: 'static> {
    abi: GwCall,
    place: Place,
    ctx: *mut GwCtx,
    host: Host,
    runtime: &'static R,
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
        allocate(layout).cast()
    };
    let place = if fits { Place::Slot } else { Place::Heap };
    // SAFETY: memory of the right size and alignment, nobody else's until the call ends.
    let work = unsafe { &raw mut (*call).work };
    // SAFETY: as above.
    unsafe { ptr::write(work, Work::Answering(future)) };
    let answer = contained("a call", || {
        // SAFETY: just written, and nobody else's.
        let work = unsafe { &mut *work };
        // SAFETY: inside call; the work never moves while it lives.
        unsafe { work.advance(request.ctx, host, runtime, waker) }
    });
    if answer != code::PENDING {
        // SAFETY: over; nobody touches it again.
        unsafe { Call::<F, R>::end(call, place) };
        return answer;
    }
    // SAFETY: as for the work, beside which it stands.
    let rest = unsafe { &raw mut (*call).rest };
    let written = Rest {
        abi: GwCall {
            vt: &raw const *const { &Call::<F, R>::VT },
        },
        place,
        ctx: request.ctx,
        host,
        runtime,
    };
    // SAFETY: as above.
    unsafe { ptr::write(rest, written) };
    // SAFETY: the host's out pointer.
    unsafe { *out = call.cast() };
    code::PENDING
}

#[cold]
fn allocate(layout: Layout) -> *mut u8 {
    // SAFETY: the layout is not empty: a call holds at least its table.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory
}

impl<F> Work<F>
where
    F: Future<Output = Response> + Send,
{
    /// # Safety
    ///
    /// Inside `call` or `poll`, with its arguments; `self` does not move until it is dropped.
    #[inline(never)] // Once in the code, so that the future and `respond` are inlined here.
    unsafe fn advance<R: Runtime>(
        &mut self,
        ctx: *mut GwCtx,
        host: Host,
        runtime: &'static R,
        waker: *const GwWaker,
    ) -> i32 {
        // SAFETY: the waker outlives this poll.
        let waker = unsafe { waker::borrow(waker) };
        let cx = &mut Context::from_waker(&waker);
        if let Self::Answering(future) = self {
            // SAFETY: pinned by the caller's promise.
            let future = unsafe { Pin::new_unchecked(future) };
            let Poll::Ready(response) = future.poll(cx) else {
                return code::PENDING;
            };
            // SAFETY: inside call or poll, before the call has ended.
            match unsafe { respond(ctx, response, runtime) } {
                Ok(None) => return code::READY,
                Ok(Some(after)) => *self = Self::After(after),
                Err(refused) => {
                    complain(host, refused);
                    return refused;
                }
            }
        }
        let Self::After(work) = self else {
            return code::READY;
        };
        if work.as_mut().poll(cx).is_pending() {
            return code::PENDING;
        }
        code::READY
    }
}

#[cold]
fn complain(host: Host, refused: i32) {
    let message = format!("the server refused the response (code {refused})");
    host.log(Level::Error, "gateway", &message);
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

    /// Drops the work and frees the memory.
    ///
    /// # Safety
    ///
    /// The work of `call` is live, the runtime entered, and nobody touches the call afterwards.
    #[inline]
    unsafe fn end(call: *mut Self, place: Place) {
        // SAFETY: live; nothing else of a call needs a drop.
        let work = unsafe { &raw mut (*call).work };
        let dropped = contained("a call's drop", || {
            // SAFETY: as above, and dropped once.
            unsafe { ptr::drop_in_place(work) };
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
        // SAFETY: a pending call, polled by one thread at a time.
        let Self { rest, work } = unsafe { &mut *call };
        let _entered = rest.runtime.enter();
        let answer = contained("a call", || {
            // SAFETY: inside poll; the work never moves while it lives.
            unsafe { work.advance(rest.ctx, rest.host, rest.runtime, waker) }
        });
        let place = rest.place;
        if answer != code::PENDING {
            // SAFETY: over; nobody touches it again.
            unsafe { Self::end(call, place) };
        }
        answer
    }

    unsafe extern "C" fn drop(call: *mut GwCall) {
        let call = call.cast::<Self>();
        // SAFETY: a pending call.
        let rest = unsafe { &(*call).rest };
        let (place, runtime) = (rest.place, rest.runtime);
        let _entered = runtime.enter();
        // SAFETY: cancelled by the host, which does not touch it again.
        unsafe { Self::end(call, place) };
    }
}

/// The alignment of the host's slot.
const SLOT_ALIGN: usize = 16;
