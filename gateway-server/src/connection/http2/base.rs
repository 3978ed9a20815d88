//! [`Base`]: what the streams of one connection share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::after::LeftBehind;
use super::super::ends::Ends;
use super::super::service::Service;
use super::line::Gauge;
use crate::deadlines::Tick;

/// One for each connection.
pub(super) struct Base {
    pub(super) service: Rc<Service>,
    pub(super) ends: Ends,
    pub(super) gauge: Rc<Gauge>,
    pub(super) left_behind: RefCell<LeftBehind>,
    /// Streams that go on by themselves.
    streams: Cell<usize>,
    /// When the last of them ended, or a request came.
    busy_until: Cell<Tick>,
}

/// A stream that goes on by itself; counted while it lives.
pub(super) struct Lodging(Rc<Base>);

impl Base {
    pub(super) fn new(service: Rc<Service>, ends: Ends, gauge: &Rc<Gauge>) -> Rc<Self> {
        let now = service.clock.deadlines.now();
        Rc::new(Self {
            service,
            ends,
            gauge: Rc::clone(gauge),
            left_behind: RefCell::default(),
            streams: Cell::new(0),
            busy_until: Cell::new(now),
        })
    }

    /// Counts one more.
    pub(super) fn lodge(self: &Rc<Self>) -> Lodging {
        self.streams.set(self.streams.get() + 1);
        Lodging(Rc::clone(self))
    }

    /// Whether no stream goes on by itself.
    pub(super) fn is_idle(&self) -> bool {
        self.streams.get() == 0
    }

    /// A request came, or a stream ended.
    pub(super) fn note_business(&self) {
        self.busy_until.set(self.service.clock.deadlines.now());
    }

    /// When that was last.
    pub(super) fn busy_until(&self) -> Tick {
        self.busy_until.get()
    }
}

impl Drop for Lodging {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get() - 1);
        self.0.note_business();
    }
}
