//! [`Pool`]: boxes that a thread keeps for their next use, so that a busy worker allocates none.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// The boxes of one thread, chained through themselves. It is the value of a `thread_local!`.
pub(crate) struct Pool<T: 'static> {
    top: Cell<Option<Box<Pooled<T>>>>,
}

/// What stands in a box of a pool.
#[derive(Default)]
pub(crate) struct Pooled<T> {
    value: T,
    next: Option<Box<Self>>,
    /// How many follow, while it is in the pool.
    behind: usize,
}

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self {
            top: Cell::new(None),
        }
    }
}

impl<T: Default> Pooled<T> {
    /// A box from the pool, as it was when it was given back, or a new one.
    #[inline]
    pub(crate) fn take(pool: &'static LocalKey<Pool<T>>) -> Box<Self> {
        let pooled = pool.try_with(|pool| {
            let mut top = pool.top.take()?;
            pool.top.set(top.next.take());
            Some(top)
        });
        match pooled {
            Ok(Some(top)) => top,
            _ => Box::default(),
        }
    }

    /// Gives a box to the pool of this thread. It is freed if that holds `most` of them already,
    /// and when the thread ends.
    #[inline]
    pub(crate) fn give_back(mut given: Box<Self>, pool: &'static LocalKey<Pool<T>>, most: usize) {
        let _ = pool.try_with(|pool| {
            let next = pool.top.take();
            let behind = next.as_ref().map_or(0, |next| next.behind + 1);
            if behind < most {
                given.behind = behind;
                given.next = next;
                pool.top.set(Some(given));
            } else {
                pool.top.set(next);
            }
        });
    }
}

impl<T> Deref for Pooled<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Pooled<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
