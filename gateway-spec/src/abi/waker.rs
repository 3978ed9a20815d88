//! Wakers across the ABI, both ways, without an allocation where an answer comes at once.
//!
//! A `gw_waker` is a thin pointer whose target begins with its table, so it maps onto a
//! [`RawWaker`] as it is: the pointer becomes the waker's data. The other way, a std [`Waker`] is
//! lent as a structure on the stack; only a callee that keeps it (by `clone`) causes a node on the
//! heap, and later polls lend that node again, so that equal wakers stay equal pointers.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::types::{GwWaker, GwWakerVt};

/// A foreign waker, borrowed as a std waker for the duration of a poll.
///
/// # Safety
///
/// `waker` is a valid waker that outlives the result; the result must not be dropped as owned
/// (hence [`ManuallyDrop`]), clones of it may live on.
pub(crate) unsafe fn borrow(waker: *const GwWaker) -> ManuallyDrop<Waker> {
    // SAFETY: the table's functions follow the contract of `RawWaker` because the contract of
    // `gw_waker` is the same one: thread-safe, clone balanced by wake or drop.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(waker.cast(), &MAPPED)) })
}

/// Lends std wakers to the other side and remembers the node that a callee made of the last one.
///
/// One per polled object; `lend` is called by one thread at a time.
#[derive(Debug)]
pub(crate) struct Lender {
    node: *const Node,
}

// SAFETY: the node is reference-counted atomically and its waker is `Send + Sync`.
unsafe impl Send for Lender {}
// SAFETY: `&Lender` gives access to nothing.
unsafe impl Sync for Lender {}

impl Default for Lender {
    fn default() -> Self {
        Self::new()
    }
}

impl Lender {
    pub(crate) const fn new() -> Self {
        Self { node: ptr::null() }
    }

    /// Calls `poll` with a `gw_waker` that wakes `waker`, valid until `poll` returns.
    #[inline]
    pub(crate) fn lend<R>(&mut self, waker: &Waker, poll: impl FnOnce(*const GwWaker) -> R) -> R {
        if ptr::eq(waker.vtable(), &raw const MAPPED) {
            // Ours already: a foreign waker that came through `borrow`.
            return poll(waker.data().cast());
        }
        if self.is_current(waker) {
            return poll(self.node.cast());
        }
        let lent = OnStack {
            abi: GwWaker {
                vt: &raw const ON_STACK,
            },
            waker,
            node: AtomicPtr::new(ptr::null_mut()),
        };
        let answer = poll((&raw const lent).cast());
        let made = lent.node.load(Ordering::Acquire);
        if !made.is_null() {
            self.forget_node();
            self.node = made;
        }
        answer
    }

    fn is_current(&self, waker: &Waker) -> bool {
        // SAFETY: null, or a node on which this lender holds a reference.
        let node = unsafe { self.node.as_ref() };
        node.is_some_and(|node| node.waker.will_wake(waker))
    }

    #[inline]
    fn forget_node(&mut self) {
        let node = std::mem::replace(&mut self.node, ptr::null());
        if !node.is_null() {
            // SAFETY: the reference that this lender holds ends here.
            unsafe { Node::release(node) };
        }
    }
}

impl Drop for Lender {
    #[inline]
    fn drop(&mut self) {
        self.forget_node();
    }
}

// ---- a foreign waker as a std waker ------------------------------------------------------------

static MAPPED: RawWakerVTable =
    RawWakerVTable::new(mapped_clone, mapped_wake, mapped_wake_by_ref, mapped_drop);

/// The table of a foreign waker.
///
/// # Safety
///
/// `data` is a live `gw_waker`.
unsafe fn table(data: *const ()) -> &'static GwWakerVt {
    // SAFETY: the caller's promise.
    let waker = unsafe { &*data.cast::<GwWaker>() };
    // SAFETY: tables are valid until the process exits.
    unsafe { &*waker.vt }
}

unsafe fn mapped_clone(data: *const ()) -> RawWaker {
    // SAFETY: `data` is a live foreign waker, by `borrow` or an earlier clone.
    let vt = unsafe { table(data) };
    // SAFETY: as above.
    let clone = unsafe { (vt.clone)(data.cast()) };
    RawWaker::new(clone.cast(), &MAPPED)
}

unsafe fn mapped_wake(data: *const ()) {
    // SAFETY: an owned foreign waker, which this ends.
    let vt = unsafe { table(data) };
    // SAFETY: as above.
    unsafe { (vt.wake)(data.cast()) };
}

unsafe fn mapped_wake_by_ref(data: *const ()) {
    // SAFETY: a live foreign waker.
    let vt = unsafe { table(data) };
    // SAFETY: as above.
    unsafe { (vt.wake_by_ref)(data.cast()) };
}

unsafe fn mapped_drop(data: *const ()) {
    // SAFETY: an owned foreign waker, which this ends.
    let vt = unsafe { table(data) };
    // SAFETY: as above.
    unsafe { (vt.drop)(data.cast()) };
}

// ---- a std waker as a foreign waker ------------------------------------------------------------

#[repr(C)]
struct OnStack<'a> {
    abi: GwWaker,
    waker: &'a Waker,
    /// Made by the first clone. Atomic, because a callee may share its borrowed waker with other
    /// threads for as long as its poll lasts.
    node: AtomicPtr<Node>,
}

#[repr(C)]
#[derive(Debug)]
struct Node {
    abi: GwWaker,
    references: AtomicUsize,
    waker: Waker,
}

impl OnStack<'_> {
    /// The node, made here unless another thread was faster.
    fn make_node(&self) -> *mut Node {
        let node = Box::into_raw(Box::new(Node {
            abi: GwWaker {
                vt: &raw const ON_HEAP,
            },
            references: AtomicUsize::new(1),
            waker: self.waker.clone(),
        }));
        let made =
            self.node
                .compare_exchange(ptr::null_mut(), node, Ordering::AcqRel, Ordering::Acquire);
        match made {
            Ok(_) => node,
            Err(other) => {
                // SAFETY: nobody else has seen it.
                unsafe { Node::release(node) };
                other
            }
        }
    }
}

impl Node {
    /// # Safety
    ///
    /// `node` is live.
    unsafe fn retain(node: *const Self) {
        // SAFETY: the caller's promise.
        unsafe { &(*node).references }.fetch_add(1, Ordering::Relaxed);
    }

    /// # Safety
    ///
    /// The caller holds a reference and gives it up.
    #[inline(never)]
    unsafe fn release(node: *const Self) {
        // SAFETY: the caller's promise.
        if unsafe { &(*node).references }.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            // SAFETY: made by `Box::into_raw`, and this was the last reference.
            drop(unsafe { Box::from_raw(node.cast_mut()) });
        }
    }
}

static ON_STACK: GwWakerVt = GwWakerVt {
    clone: stack_clone,
    wake: stack_wake_by_ref,
    wake_by_ref: stack_wake_by_ref,
    drop: stack_drop,
};

static ON_HEAP: GwWakerVt = GwWakerVt {
    clone: node_clone,
    wake: node_wake,
    wake_by_ref: node_wake_by_ref,
    drop: node_drop,
};

/// A waker that panics cannot be contained: nobody could tell whether it woke (ERR-01).
fn guarded<R>(wake: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(wake)).unwrap_or_else(|_| std::process::abort())
}

unsafe extern "C" fn stack_clone(waker: *const GwWaker) -> *const GwWaker {
    // SAFETY: the table is only ever installed in an `OnStack`, lent for the duration of a poll.
    let lent = unsafe { &*waker.cast::<OnStack<'_>>() };
    guarded(|| {
        let node = match lent.node.load(Ordering::Acquire) {
            node if node.is_null() => lent.make_node(),
            node => node,
        };
        // SAFETY: the stack's own reference keeps it alive.
        unsafe { Node::retain(node) };
        node.cast_const().cast()
    })
}

unsafe extern "C" fn stack_wake_by_ref(waker: *const GwWaker) {
    // SAFETY: as in `stack_clone`.
    let lent = unsafe { &*waker.cast::<OnStack<'_>>() };
    guarded(|| lent.waker.wake_by_ref());
}

/// The lent waker is not owned; nothing ends.
unsafe extern "C" fn stack_drop(_: *const GwWaker) {}

unsafe extern "C" fn node_clone(waker: *const GwWaker) -> *const GwWaker {
    // SAFETY: the table is only ever installed in a `Node`, which the caller keeps alive.
    unsafe { Node::retain(waker.cast()) };
    waker
}

unsafe extern "C" fn node_wake(waker: *const GwWaker) {
    // SAFETY: an owned, live node.
    unsafe { node_wake_by_ref(waker) };
    // SAFETY: the caller's reference ends here.
    unsafe { node_drop(waker) };
}

unsafe extern "C" fn node_wake_by_ref(waker: *const GwWaker) {
    // SAFETY: a live node.
    let node = unsafe { &*waker.cast::<Node>() };
    guarded(|| node.waker.wake_by_ref());
}

unsafe extern "C" fn node_drop(waker: *const GwWaker) {
    // SAFETY: the caller's reference ends here.
    guarded(|| unsafe { Node::release(waker.cast()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Keeps the waker that it is polled with, as a pending callee does.
    fn keep(waker: *const GwWaker) -> Waker {
        // SAFETY: lent by the lender for this call.
        let borrowed = unsafe { borrow(waker) };
        Waker::clone(&borrowed)
    }

    #[test]
    fn a_kept_waker_wakes_after_the_poll_and_after_the_lender_is_gone() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut lender = Lender::new();
        let kept = lender.lend(&waker, keep);
        drop(lender);
        drop(waker);
        kept.wake_by_ref();
        std::thread::spawn(move || kept.wake()).join().unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        assert_eq!(Arc::strong_count(&count), 1, "clones and drops balance");
    }

    #[test]
    #[cfg_attr(miri, ignore = "std's wakers have several tables under miri")]
    fn later_polls_lend_an_equal_waker() {
        let waker = Waker::from(Arc::new(Count::default()));
        let mut lender = Lender::new();
        let first = lender.lend(&waker, keep);
        assert!(first.will_wake(&lender.lend(&waker, keep)));
        let other = Waker::from(Arc::new(Count::default()));
        assert!(!first.will_wake(&lender.lend(&other, keep)));
    }

    #[test]
    fn a_mapped_waker_crosses_back_as_itself() {
        let waker = Waker::from(Arc::new(Count::default()));
        let mut there = Lender::new();
        let mapped = there.lend(&waker, keep);
        let mut back = Lender::new();
        assert!(back.lend(&mapped, |pointer| ptr::eq(pointer.cast(), mapped.data())));
    }
}
