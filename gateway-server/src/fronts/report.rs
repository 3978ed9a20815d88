//! [`Report`]: what a front says of the request under way, beside its head.

use std::cell::Cell;

use crate::proxies::Told;

/// Shared by whoever reads the connection and whoever hands its requests over.
#[derive(Debug, Default)]
pub(crate) struct Report {
    told: Cell<Told<'static>>,
    refusal: Cell<Option<u16>>,
}

impl Report {
    /// Client, scheme, version and mount, by the front's word.
    pub(crate) fn told(&self) -> Told<'static> {
        self.told.get()
    }

    /// The status for a request that cannot be written down; what stands in its place is no head.
    pub(crate) fn refusal(&self) -> Option<u16> {
        self.refusal.get()
    }

    pub(super) fn tell(&self, told: Told<'static>) {
        self.told.set(told);
        self.refusal.set(None);
    }

    pub(super) fn refuse(&self, status: u16) {
        self.told.set(Told::default());
        self.refusal.set(Some(status));
    }
}
