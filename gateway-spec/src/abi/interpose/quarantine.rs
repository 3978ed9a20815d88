//! Memory of ended objects, kept for a while: a late use of it is then seen and reported, where
//! otherwise it would be undefined.

use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// Allocates an object that lives until it is retired, and a while longer.
pub(super) fn allocate<T: Send + Sync>(object: T) -> NonNull<T> {
    NonNull::from(Box::leak(Box::new(object)))
}

/// Frees the object, but not yet.
///
/// # Safety
///
/// `object` was made by [`allocate`] and is retired once.
pub(super) unsafe fn retire<T: Send + Sync>(object: NonNull<T>) {
    let retired = Retired {
        object: object.cast(),
        free: free::<T>,
    };
    let oldest = {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(retired);
        if kept.len() > CAPACITY {
            kept.pop_front()
        } else {
            None
        }
    };
    if let Some(oldest) = oldest {
        // SAFETY: retired once, so it is freed once.
        unsafe { (oldest.free)(oldest.object) };
    }
}

struct Retired {
    object: NonNull<()>,
    free: unsafe fn(NonNull<()>),
}

// SAFETY: only objects that are `Send + Sync` are retired.
unsafe impl Send for Retired {}

/// # Safety
///
/// `object` was made by [`allocate`] of the same type.
unsafe fn free<T>(object: NonNull<()>) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(object.cast::<T>().as_ptr()) });
}

static KEPT: Mutex<VecDeque<Retired>> = Mutex::new(VecDeque::new());

/// Ended objects that are kept.
const CAPACITY: usize = 4096;
