//! [`Report`]: what a front says of the request under way, beside its head.

use std::cell::{Cell, RefCell};

use crate::proxies::Told;

/// Shared by whoever reads the connection and whoever hands its requests over.
#[derive(Debug, Default)]
pub(crate) struct Report {
    told: Cell<Told<'static>>,
    unwritable: RefCell<Option<Unwritable>>,
}

/// A request that cannot be written down as a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unwritable {
    /// The status that answers it.
    pub(crate) status: u16,
    pub(crate) why: String,
}

impl Report {
    /// Client, scheme, version and mount, by the front's word.
    pub(crate) fn told(&self) -> Told<'static> {
        self.told.get()
    }

    /// Why a request cannot be written down, if it cannot; what stands in its place is no head, nor the front's.
    pub(crate) fn unwritable(&self) -> Option<Unwritable> {
        self.unwritable.borrow().clone()
    }

    pub(super) fn tell(&self, told: Told<'static>) {
        self.told.set(told);
        self.unwritable.take();
    }

    pub(super) fn refuse(&self, unwritable: Unwritable) {
        self.told.set(Told::default());
        self.unwritable.replace(Some(unwritable));
    }
}
