//! The block behind a `gw_ctx`: the two halves of an exchange and the application's slot.
//!
//! The host holds one reference while the call lasts, the application one until it drops its
//! request. Blocks come from the host's pool, so a busy loop allocates none.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering, fence};
use std::task::Poll;

use super::exchange::{AppResponse, Exchange, Shared, Text};
use super::stream::OfferedStream;
use super::tls::HostTls;
use crate::abi::body::{ForeignBody, are_plausible};
use crate::abi::codes::code_of;
use crate::abi::contain::contained;
use crate::abi::field::Field;
use crate::abi::instance::Instance;
use crate::abi::size::struct_size;
use crate::abi::types::{
    EXT_REQUEST_ID, EXT_TLS, GwCtx, GwCtxVt, GwHeader, GwResponse, GwStr, GwStream, GwWaker,
    SLOT_MIN_SIZE, code, module_flag,
};
use crate::abi::waker;

#[repr(C, align(16))]
pub(super) struct Block<X: Exchange> {
    abi: GwCtx,
    references: AtomicU32,
    ended: AtomicBool,
    /// The thread that is inside `call` or `poll`, by its token; 0 for none.
    inside: AtomicUsize,
    /// Of the call's thread alone.
    responded: Cell<bool>,
    /// The instance that is called, while its function runs; of the call's thread alone.
    instance: Cell<*const Arc<Instance>>,
    pub(super) shared: X::Shared,
    /// Of the call's thread alone; reached through raw pointers only, because `respond` comes in
    /// while a call is being polled.
    pub(super) exchange: UnsafeCell<Option<X>>,
    pub(super) slot: UnsafeCell<Slot>,
}

/// The application's scratch memory.
#[repr(C, align(16))]
pub(super) struct Slot([MaybeUninit<u8>; SLOT_MIN_SIZE]);

/// Blocks kept for the next calls of one thread.
#[derive(Debug)]
pub struct Pool<X: Exchange> {
    blocks: RefCell<Vec<NonNull<Block<X>>>>,
}

// SAFETY: pooled blocks have no references, so they are the pool's alone; the exchanges, which may
// be of one thread, have left them, and the other half is `Send`.
unsafe impl<X: Exchange> Send for Pool<X> {}

impl<X: Exchange> Default for Pool<X> {
    fn default() -> Self {
        Self {
            blocks: RefCell::new(Vec::new()),
        }
    }
}

impl<X: Exchange> Drop for Pool<X> {
    fn drop(&mut self) {
        for block in self.blocks.take() {
            // SAFETY: pooled blocks have no references.
            drop(unsafe { Box::from_raw(block.as_ptr()) });
        }
    }
}

impl<X: Exchange> Block<X> {
    const VT: GwCtxVt = GwCtxVt {
        struct_size: struct_size::<GwCtxVt>(),
        reserved: 0,
        respond: Some(Self::respond),
        inform: Some(Self::inform),
        poll_closed: Some(Self::poll_closed),
        poll_draining: Some(Self::poll_draining),
        upgrade: Some(Self::upgrade),
        set_flags: Some(Self::set_flags),
        ext: Some(Self::ext),
        drop: Some(Self::drop),
    };

    /// A block with two references: the host's and the application's.
    #[inline]
    pub(super) fn take(pool: &Pool<X>, exchange: X) -> NonNull<Self> {
        let block = pool
            .blocks
            .borrow_mut()
            .pop()
            .unwrap_or_else(Self::allocate);
        // SAFETY: from the pool or new: no references, so ours alone.
        let this = unsafe { &mut *block.as_ptr() };
        *this.references.get_mut() = 2;
        *this.ended.get_mut() = false;
        this.responded.set(false);
        exchange.open(&this.shared);
        *this.exchange.get_mut() = Some(exchange);
        block
    }

    #[cold]
    fn allocate() -> NonNull<Self> {
        let block = Self {
            abi: GwCtx {
                vt: &raw const *const { &Self::VT },
            },
            references: AtomicU32::new(0),
            ended: AtomicBool::new(false),
            inside: AtomicUsize::new(0),
            responded: Cell::new(false),
            instance: Cell::new(ptr::null()),
            shared: X::Shared::default(),
            exchange: UnsafeCell::new(None),
            slot: UnsafeCell::new(Slot([MaybeUninit::uninit(); SLOT_MIN_SIZE])),
        };
        NonNull::from(Box::leak(Box::new(block)))
    }

    /// A function of `instance` runs on this thread until [`leave`](Self::leave): `call` or `poll`.
    #[inline]
    pub(super) fn enter(&self, instance: &Arc<Instance>) {
        self.instance.set(instance);
        self.inside.store(thread_token(), Ordering::Relaxed);
    }

    /// The application has returned.
    #[inline]
    pub(super) fn leave(&self) {
        self.inside.store(0, Ordering::Relaxed);
    }

    /// Ends the call: takes the exchange out and gives the host's reference back.
    ///
    /// # Safety
    ///
    /// The host's reference is live and given up; the call has ended.
    #[inline(always)]
    pub(super) unsafe fn end(block: NonNull<Self>, pool: Option<&Pool<X>>) -> X {
        // SAFETY: live; no callback of this call is running, since it has ended.
        let this = unsafe { block.as_ref() };
        this.ended.store(true, Ordering::Release);
        // SAFETY: of this thread alone, and nobody else is inside.
        let exchange = unsafe { &mut *this.exchange.get() };
        let exchange = exchange.take();
        let exchange = exchange.expect("`take` put an exchange in, and a call ends once");
        // SAFETY: the host's reference ends here.
        if unsafe { Self::release(block) } {
            match pool.map(|pool| pool.blocks.borrow_mut()) {
                Some(mut blocks) if blocks.len() < POOL_BLOCKS => {
                    // SAFETY: the last reference is gone, so it is ours alone.
                    unsafe { &mut *block.as_ptr() }.shared.recycle();
                    blocks.push(block);
                }
                // SAFETY: the last reference is gone.
                _ => unsafe { Self::free(block) },
            }
        }
        exchange
    }

    /// # Safety
    ///
    /// The last reference to the block is gone.
    #[cold]
    unsafe fn free(block: NonNull<Self>) {
        // SAFETY: the caller's promise; made by `allocate`.
        drop(unsafe { Box::from_raw(block.as_ptr()) });
    }

    /// Whether this was the last reference.
    ///
    /// # Safety
    ///
    /// The caller holds a reference and gives it up.
    #[inline]
    unsafe fn release(block: NonNull<Self>) -> bool {
        // SAFETY: live.
        let references = unsafe { &(*block.as_ptr()).references };
        // Whoever holds the only reference needs no locked instruction to know it.
        if references.load(Ordering::Acquire) == 1 {
            return true;
        }
        if references.fetch_sub(1, Ordering::Release) != 1 {
            return false;
        }
        fence(Ordering::Acquire);
        true
    }

    /// The block, if the call still lasts.
    ///
    /// # Safety
    ///
    /// `ctx` is a live block.
    unsafe fn live<'a>(ctx: *mut GwCtx) -> Option<&'a Self> {
        // SAFETY: the caller's promise.
        let this = unsafe { &*ctx.cast::<Self>() };
        (!this.ended.load(Ordering::Acquire)).then_some(this)
    }

    unsafe extern "C" fn respond(ctx: *mut GwCtx, response: *mut GwResponse) -> i32 {
        contained("the server's respond", || {
            // SAFETY: the call lasts, or the application holds a reference.
            let Some(this) = (unsafe { Self::live(ctx) }) else {
                return code::CLOSED;
            };
            // Before anything that is of the call's thread alone is touched.
            if this.inside.load(Ordering::Relaxed) != thread_token() || this.responded.get() {
                return code::TOO_LATE;
            }
            // SAFETY: the application's response, borrowed for the call.
            let raw = unsafe { &mut *response };
            if (raw.struct_size as usize) < size_of::<GwResponse>()
                || !are_plausible(raw.headers, raw.n_headers)
                // SAFETY: the application's body, if there is one.
                || !raw.body.is_null() && !unsafe { ForeignBody::is_whole(raw.body) }
            {
                return code::INVALID;
            }
            if raw.flags & module_flag::CRITICAL_MASK != 0 {
                return code::UNSUPPORTED;
            }
            // SAFETY: on the call's thread; the host holds no reference to it while it polls.
            let Some(exchange) = (unsafe { &mut *this.exchange.get() }) else {
                return code::CLOSED;
            };
            // SAFETY: `enter` was given it for as long as the function that we are inside of runs.
            let instance = unsafe { &*this.instance.get() };
            // SAFETY: the application lends the response for the call.
            let mut taken = unsafe { AppResponse::new(raw, instance) };
            match exchange.respond(&this.shared, &mut taken) {
                Err(refused) => code_of(refused),
                Ok(()) => {
                    this.responded.set(true);
                    taken.release();
                    code::READY
                }
            }
        })
    }

    unsafe extern "C" fn inform(
        ctx: *mut GwCtx,
        status: u32,
        fields: *const GwHeader,
        count: u32,
    ) -> i32 {
        contained("the server's inform", || {
            // SAFETY: the application holds a reference.
            let Some(this) = (unsafe { Self::live(ctx) }) else {
                return code::CLOSED;
            };
            if !are_plausible(fields, count) {
                return code::INVALID;
            }
            // SAFETY: the application's fields, borrowed for the call.
            let fields = unsafe { Field::foreign(fields, count) };
            // 100 is the server's own, 101 a final response (RES-16).
            let Ok(status @ 102..=199) = u16::try_from(status) else {
                return code::INVALID;
            };
            this.shared
                .inform(status, fields)
                .map_or_else(code_of, |()| code::READY)
        })
    }

    unsafe extern "C" fn poll_closed(ctx: *mut GwCtx, waker: *const GwWaker) -> i32 {
        contained("the server's poll_closed", || {
            // SAFETY: the application holds a reference.
            let Some(this) = (unsafe { Self::live(ctx) }) else {
                return code::CLOSED;
            };
            // SAFETY: the application's waker outlives the call.
            let waker = unsafe { waker::borrow(waker) };
            ready(this.shared.poll_closed(&waker))
        })
    }

    unsafe extern "C" fn poll_draining(ctx: *mut GwCtx, waker: *const GwWaker) -> i32 {
        contained("the server's poll_draining", || {
            // SAFETY: the application holds a reference.
            let Some(this) = (unsafe { Self::live(ctx) }) else {
                return code::CLOSED;
            };
            // SAFETY: the application's waker outlives the call.
            let waker = unsafe { waker::borrow(waker) };
            ready(this.shared.poll_draining(&waker))
        })
    }

    unsafe extern "C" fn upgrade(
        ctx: *mut GwCtx,
        waker: *const GwWaker,
        out: *mut *mut GwStream,
    ) -> i32 {
        contained("the server's upgrade", || {
            // SAFETY: the application holds a reference.
            let Some(this) = (unsafe { Self::live(ctx) }) else {
                return code::CLOSED;
            };
            // SAFETY: the application's waker outlives the call.
            let waker = unsafe { waker::borrow(waker) };
            match this.shared.poll_upgrade(&waker) {
                Poll::Pending => code::PENDING,
                Poll::Ready(Err(error)) => code_of(error),
                Poll::Ready(Ok(stream)) => {
                    // SAFETY: the application's out pointer.
                    unsafe { *out = OfferedStream::offer(stream) };
                    code::READY
                }
            }
        })
    }

    unsafe extern "C" fn set_flags(ctx: *mut GwCtx, flags: u64) -> i32 {
        contained("the server's set_flags", || {
            // SAFETY: the application holds a reference.
            let Some(this) = (unsafe { Self::live(ctx) }) else {
                return code::CLOSED;
            };
            this.shared
                .set_flags(flags)
                .map_or_else(code_of, |()| code::READY)
        })
    }

    unsafe extern "C" fn ext(ctx: *mut GwCtx, id: *const GwStr) -> *const c_void {
        let mut found = ptr::null();
        contained("the server's ext of an exchange", || {
            // SAFETY: the application's id, borrowed for the call; NULL is none.
            let asked = unsafe { id.as_ref() }.map(|id| {
                // SAFETY: as above.
                unsafe { id.bytes() }
            });
            // SAFETY: the application holds a reference, until the last of which nothing is recycled.
            let shared = || unsafe { &(*ctx.cast::<Self>()).shared };
            if asked == Some(EXT_REQUEST_ID) {
                found = shared().id().map_or(ptr::null(), Text::as_raw).cast();
            } else if asked == Some(EXT_TLS) {
                found = shared().tls().map_or(ptr::null(), HostTls::as_raw).cast();
            }
            code::READY
        });
        found
    }

    unsafe extern "C" fn drop(ctx: *mut GwCtx) {
        contained("the server's drop of an exchange", || {
            let Some(block) = NonNull::new(ctx.cast::<Self>()) else {
                return code::INVALID;
            };
            // SAFETY: the application's reference ends here.
            if unsafe { Self::release(block) } {
                // SAFETY: the last one. The exchange was taken out by `end`, which gave up the
                // host's reference.
                unsafe { Self::free(block) };
            }
            code::READY
        });
    }
}

fn ready(poll: Poll<()>) -> i32 {
    if poll.is_ready() {
        code::READY
    } else {
        code::PENDING
    }
}

/// A number that differs between threads that live at the same time, and is never 0.
#[inline]
fn thread_token() -> usize {
    thread_local! {
        static TOKEN: Cell<u8> = const { Cell::new(0) };
    }
    TOKEN.with(|token| token.as_ptr().addr())
}

/// Blocks that a thread keeps, about 1.5 KiB each.
const POOL_BLOCKS: usize = 64;
