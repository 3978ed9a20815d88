//! Watches the host's wakers in the application's hands.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::instance::{Instance, What};
use super::quarantine;
use crate::abi::types::{GwWaker, GwWakerVt};
use crate::rules;

/// A waker of the host with a watch before it.
#[repr(C)]
struct Watched {
    abi: GwWaker,
    inner: *const GwWaker,
    /// Whether it was lent for a poll or cloned.
    is_owned: bool,
    is_over: AtomicBool,
    instance: Arc<Instance>,
}

// SAFETY: wakers may be used from any thread.
unsafe impl Send for Watched {}
// SAFETY: as above.
unsafe impl Sync for Watched {}

/// A watched waker that is lent for one poll: until this is dropped.
pub(super) struct Lent(NonNull<Watched>);

impl Lent {
    /// # Safety
    ///
    /// `waker` is valid as long as the result lives.
    pub(super) unsafe fn new(instance: &Arc<Instance>, waker: *const GwWaker) -> Self {
        Self(Watched::allocate(instance, waker, false))
    }

    pub(super) fn as_ptr(&self) -> *const GwWaker {
        self.0.as_ptr().cast_const().cast()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` and not retired yet.
        let waker = unsafe { self.0.as_ref() };
        waker.is_over.store(true, Ordering::Release);
        // SAFETY: retired here alone.
        unsafe { quarantine::retire(self.0) };
    }
}

impl Watched {
    fn allocate(instance: &Arc<Instance>, inner: *const GwWaker, is_owned: bool) -> NonNull<Self> {
        quarantine::allocate(Self {
            abi: GwWaker {
                vt: &raw const TABLE,
            },
            inner,
            is_owned,
            is_over: AtomicBool::new(false),
            instance: Arc::clone(instance),
        })
    }

    fn table(&self) -> &GwWakerVt {
        // SAFETY: the host's waker is live: owned and not ended, or lent for the running poll.
        let inner = unsafe { &*self.inner };
        // SAFETY: tables live until the process exits.
        unsafe { &*inner.vt }
    }

    /// Whether the waker may still be used.
    fn is_usable(&self, what: &str) -> bool {
        //# [CALL-04] Wakers may be cloned, woken and dropped on any thread, also after the call has ended. Each clone
        //# is ended by exactly one `wake` or `drop`; a waker that was only lent is not ended, and not used after the
        //# poll that it was lent to.
        let is_over = self.is_over.load(Ordering::Acquire);
        self.instance.reports.expect(!is_over, rules::CALL_04, || {
            let kind = if self.is_owned { "an owned" } else { "a lent" };
            format!("{what} on {kind} waker that has ended")
        });
        !is_over
    }

    /// Ends an owned waker; whether the host's is to be ended too.
    fn end(&self, what: &str) -> bool {
        if !self.is_usable(what) {
            return false;
        }
        if !self.is_owned {
            let rule = rules::CALL_04;
            self.instance
                .reports
                .breach(rule, format!("{what} on a waker that was only lent"));
            return false;
        }
        if self.is_over.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.instance.ledger.give_back(What::Waker);
        true
    }
}

unsafe extern "C" fn clone(waker: *const GwWaker) -> *const GwWaker {
    // SAFETY: all wakers with this table are ours, and kept beyond their end.
    let this = unsafe { &*waker.cast::<Watched>() };
    if !this.is_usable("clone") {
        return (&raw const NOBODY).cast();
    }
    // SAFETY: the host's waker is live.
    let inner = unsafe { (this.table().clone)(this.inner) };
    this.instance.ledger.take(What::Waker);
    Watched::allocate(&this.instance, inner, true)
        .as_ptr()
        .cast_const()
        .cast()
}

unsafe extern "C" fn wake(waker: *const GwWaker) {
    // SAFETY: as in `clone`.
    let this = unsafe { &*waker.cast::<Watched>() };
    if this.end("wake") {
        // SAFETY: owned, and ended once.
        unsafe { (this.table().wake)(this.inner) };
        // SAFETY: ended once, so retired once.
        unsafe { quarantine::retire(NonNull::from(this)) };
    }
}

unsafe extern "C" fn wake_by_ref(waker: *const GwWaker) {
    // SAFETY: as in `clone`.
    let this = unsafe { &*waker.cast::<Watched>() };
    if this.is_usable("wake_by_ref") {
        // SAFETY: the host's waker is live.
        unsafe { (this.table().wake_by_ref)(this.inner) };
    }
}

unsafe extern "C" fn drop(waker: *const GwWaker) {
    // SAFETY: as in `clone`.
    let this = unsafe { &*waker.cast::<Watched>() };
    if this.end("drop") {
        // SAFETY: owned, and ended once.
        unsafe { (this.table().drop)(this.inner) };
        // SAFETY: ended once, so retired once.
        unsafe { quarantine::retire(NonNull::from(this)) };
    }
}

static TABLE: GwWakerVt = GwWakerVt {
    clone,
    wake,
    wake_by_ref,
    drop,
};

unsafe extern "C" fn clone_nobody(waker: *const GwWaker) -> *const GwWaker {
    waker
}

unsafe extern "C" fn wake_nobody(_: *const GwWaker) {}

/// What cloning an ended waker yields.
static NOBODY: Nobody = Nobody(GwWaker {
    vt: &GwWakerVt {
        clone: clone_nobody,
        wake: wake_nobody,
        wake_by_ref: wake_nobody,
        drop: wake_nobody,
    },
});

#[repr(transparent)]
struct Nobody(GwWaker);

// SAFETY: its table is constant and its functions do nothing.
unsafe impl Sync for Nobody {}
