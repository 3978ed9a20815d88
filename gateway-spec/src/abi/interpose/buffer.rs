//! Watches owned buffers of either side: each is dropped exactly once.

use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::instance::{Instance, What};
use super::quarantine;
use crate::abi::types::GwBuf;
use crate::rules;

/// A buffer with a watch before its `drop`.
struct Watched {
    /// `None` once it was dropped or unwrapped.
    inner: Mutex<Option<GwBuf>>,
    instance: Arc<Instance>,
}

// SAFETY: buffers may be read and dropped on any thread.
unsafe impl Send for Watched {}
// SAFETY: as above; the rest is behind a mutex.
unsafe impl Sync for Watched {}

/// The same buffer, watched; a static one as it is.
pub(super) fn watched(instance: &Arc<Instance>, inner: GwBuf) -> GwBuf {
    if inner.drop.is_none() {
        return inner;
    }
    let mut outer = GwBuf {
        ptr: inner.ptr,
        len: inner.len,
        drop: Some(drop),
        ..GwBuf::EMPTY
    };
    let instance = Arc::clone(instance);
    instance.ledger.take(What::Buffer);
    let watched = quarantine::allocate(Watched {
        inner: Mutex::new(Some(inner)),
        instance,
    });
    outer.private[0].write(watched.as_ptr().expose_provenance());
    outer
}

/// The buffer behind one that [`watched`] made and nobody took.
pub(super) fn unwatched(outer: GwBuf) -> GwBuf {
    let is_ours = outer
        .drop
        .is_some_and(|it| ptr::fn_addr_eq(it, drop as Drop));
    if !is_ours {
        return outer;
    }
    // SAFETY: a buffer with this `drop` is one of ours.
    let watched = unsafe { find(&raw const outer) };
    // SAFETY: as above, and kept beyond its end.
    let this = unsafe { watched.as_ref() };
    let inner = this
        .inner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match inner {
        None => GwBuf::EMPTY,
        Some(inner) => {
            this.instance.ledger.give_back(What::Buffer);
            // SAFETY: its content was taken just now, so it is retired once.
            unsafe { quarantine::retire(watched) };
            inner
        }
    }
}

/// Whether a buffer was left behind by one who took it.
pub(super) fn is_empty(buffer: &GwBuf) -> bool {
    buffer.drop.is_none() && buffer.len == 0
}

type Drop = unsafe extern "C" fn(*mut GwBuf);

unsafe extern "C" fn drop(buffer: *mut GwBuf) {
    // SAFETY: a buffer with this `drop` is one of ours.
    let watched = unsafe { find(buffer) };
    // SAFETY: as above, and kept beyond its end.
    let this = unsafe { watched.as_ref() };
    let inner = this
        .inner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(mut inner) = inner else {
        this.instance
            .reports
            .breach(rules::RES_14, "a buffer dropped a second time");
        return;
    };
    this.instance.ledger.give_back(What::Buffer);
    if let Some(drop) = inner.drop {
        // SAFETY: taken out, so dropped once.
        unsafe { drop(&raw mut inner) };
    }
    // SAFETY: its content was taken just now, so it is retired once.
    unsafe { quarantine::retire(watched) };
}

/// # Safety
///
/// `buffer` was made by [`watched`].
unsafe fn find(buffer: *const GwBuf) -> NonNull<Watched> {
    // SAFETY: the caller's promise.
    let word = unsafe { &(*buffer).private }[0];
    // SAFETY: `watched` wrote it.
    let address = unsafe { word.assume_init() };
    NonNull::new(ptr::with_exposed_provenance_mut(address))
        .expect("`watched` wrote the address of an allocation")
}
