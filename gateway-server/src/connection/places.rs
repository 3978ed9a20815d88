//! [`Places`]: how many requests the application works on at once, and who waits for one of them to end.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::monotonic_ns;
use crate::deadlines::Tick;
use crate::options::Capacity;
use crate::scoreboard::{Counter, Slot};

/// The places that requests have in a worker's application. Only those count whose answer does not
/// come at once: no other can be meanwhile.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    longest_queue: usize,
    /// How long a request may take in all, and so may wait; zero: for ever.
    patience: Duration,
    taken: Cell<usize>,
    /// First come, first served.
    queue: RefCell<VecDeque<Rc<Ticket>>>,
    slot: Slot,
    /// Told when there is room after there was none.
    room: Rc<Notify>,
}

/// A request's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Place(Rc<Places>);

/// A connection that waits for a place, and may have got it. Given up when dropped.
#[derive(Debug)]
pub(super) struct Waiter {
    places: Rc<Places>,
    ticket: Rc<Ticket>,
    /// When it began to wait.
    pub(super) since: Tick,
    /// The same, in nanoseconds on the system's monotonic clock.
    pub(super) since_ns: u64,
}

/// How a request that had to wait came to its turn.
#[derive(Debug)]
pub(super) struct Waited {
    /// The place that it got; none if it takes one as it is handed over.
    pub(super) place: Option<Place>,
    /// When it began to wait.
    pub(super) since: Tick,
    /// The same, in nanoseconds on the system's monotonic clock.
    pub(super) since_ns: u64,
}

/// Whether a request may be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Now,
    /// Once there is room; the connection is woken then.
    Later,
    /// Too many wait already.
    Never,
}

#[derive(Debug)]
struct Ticket {
    called: Cell<bool>,
    waker: Waker,
}

impl Places {
    pub(super) fn new(
        capacity: &Capacity,
        patience: Duration,
        slot: Slot,
        room: Rc<Notify>,
    ) -> Rc<Self> {
        Rc::new(Self {
            patience,
            most: capacity.in_flight.map_or(usize::MAX, |most| most as usize),
            longest_queue: capacity.queue as usize,
            taken: Cell::new(0),
            queue: RefCell::default(),
            slot,
            room,
        })
    }

    /// Whether no request can be begun now.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.taken.get() >= self.most
    }

    /// How long a request may wait; zero: for ever.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Takes a place, whether or not there is one.
    pub(super) fn take(self: &Rc<Self>) -> Place {
        self.taken.set(self.taken.get() + 1);
        self.slot.add(Counter::RequestsActive);
        Place(Rc::clone(self))
    }

    /// Waits for a place; none if too many wait already. `waker` is told once it is there.
    pub(super) fn queue(self: &Rc<Self>, waker: &Waker, now: Tick) -> Option<Waiter> {
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= self.longest_queue {
            return None;
        }
        let ticket = Rc::new(Ticket {
            called: Cell::new(false),
            waker: waker.clone(),
        });
        queue.push_back(Rc::clone(&ticket));
        Some(Waiter {
            places: Rc::clone(self),
            ticket,
            since: now,
            since_ns: monotonic_ns(),
        })
    }

    /// Hands a place on to who has waited longest.
    fn leave(&self) {
        let next = self.queue.borrow_mut().pop_front();
        if let Some(ticket) = next {
            ticket.called.set(true);
            return ticket.waker.wake_by_ref();
        }
        let was_full = self.is_full();
        self.taken.set(self.taken.get() - 1);
        self.slot.subtract(Counter::RequestsActive);
        if was_full {
            self.room.notify_waiters();
        }
    }
}

impl Waiter {
    /// Whether it has a place.
    pub(super) fn is_called(&self) -> bool {
        self.ticket.called.get()
    }

    /// How long it may wait; zero: for ever.
    pub(super) fn patience(&self) -> Duration {
        self.places.patience
    }

    /// The end of its waiting.
    pub(super) fn end(self) -> Waited {
        Waited {
            since: self.since,
            since_ns: self.since_ns,
            place: self.take(),
        }
    }

    /// The place, if it has one.
    pub(super) fn take(self) -> Option<Place> {
        self.ticket
            .called
            .replace(false)
            .then(|| Place(Rc::clone(&self.places)))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.is_called() {
            return self.places.leave();
        }
        let mut queue = self.places.queue.borrow_mut();
        queue.retain(|ticket| !Rc::ptr_eq(ticket, &self.ticket));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoreboard::Page;

    fn places(in_flight: u32, queue: u32) -> Rc<Places> {
        let capacity = Capacity {
            connections: 1,
            in_flight: Some(in_flight),
            queue,
            keep_alive_requests: None,
        };
        let slot = Slot::map(Page::create().unwrap()).unwrap();
        Places::new(&capacity, Duration::ZERO, slot, Rc::default())
    }

    #[test]
    fn a_place_goes_to_who_has_waited_longest_and_never_to_a_newcomer() {
        let places = places(1, 2);
        let first = places.take();
        assert!(places.is_full());
        let waiters = [1, 2].map(|now| places.queue(Waker::noop(), now).unwrap());
        assert!(places.queue(Waker::noop(), 3).is_none());
        drop(first);
        assert!(places.is_full());
        assert_eq!(waiters.each_ref().map(Waiter::is_called), [true, false]);
        let [one, two] = waiters;
        let second = one.take().unwrap();
        assert!(!two.is_called());
        drop(second);
        assert!(two.is_called());
        drop(two);
        assert!(!places.is_full());
    }

    #[test]
    fn who_gives_up_waiting_is_passed_over() {
        let places = places(1, 2);
        let first = places.take();
        let impatient = places.queue(Waker::noop(), 1).unwrap();
        let patient = places.queue(Waker::noop(), 1).unwrap();
        drop(impatient);
        drop(first);
        assert!(patient.is_called());
        assert!(places.queue(Waker::noop(), 1).is_some());
    }
}
