//! [`AfterWork`]: a call that goes on without its connection: work behind the answer, or a call
//! that is finished although its client has gone.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use gateway_spec::abi::host::Call;

use super::answer::Answer;
use super::service::{Guest, Service};
use crate::deadlines::Timer;
use crate::limits::AFTER_WORK;
use crate::scoreboard::Held;

/// Polls a call to its end, as a task of its own, until the worker stops.
pub(super) struct AfterWork {
    call: Option<Call<Box<Answer>>>,
    service: Rc<Service>,
    timer: Timer,
    tally: Rc<Tally>,
    held: Option<Held>,
    _guest: Guest,
}

/// How many such calls a connection has left behind; nothing is held before the first.
#[derive(Debug, Default)]
pub(super) struct LeftBehind(Option<Rc<Tally>>);

#[derive(Debug, Default)]
struct Tally {
    count: Cell<usize>,
    /// The connection, while it waits for one of them to end.
    connection: RefCell<Option<Waker>>,
}

impl AfterWork {
    pub(super) fn spawn(
        call: Call<Box<Answer>>,
        held: Option<Held>,
        service: &Rc<Service>,
        left: &mut LeftBehind,
    ) {
        let tally = left.0.get_or_insert_default();
        tally.count.set(tally.count.get() + 1);
        let work = Self {
            call: Some(call),
            service: Rc::clone(service),
            timer: service.clock.deadlines.timer(),
            tally: Rc::clone(tally),
            held,
            _guest: service.admit(),
        };
        tokio::task::spawn_local(work);
    }
}

impl LeftBehind {
    /// Whether there are as many as a connection may have; `waker` is told when one ends.
    #[inline]
    pub(super) fn is_full(&self, waker: &Waker) -> bool {
        self.0.as_ref().is_some_and(|tally| tally.is_full(waker))
    }
}

impl Tally {
    fn is_full(&self, waker: &Waker) -> bool {
        let full = self.count.get() >= AFTER_WORK;
        if full {
            self.connection.replace(Some(waker.clone()));
        }
        full
    }
}

impl Future for AfterWork {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.timer.watch(cx.waker());
        let Some(call) = &mut this.call else {
            return Poll::Ready(());
        };
        if this.service.drain.is_announced() {
            call.shared().tell_draining();
        }
        if let Some(held) = &this.held {
            held.attend();
        }
        let polled = call.poll(cx.waker());
        this.service.slot.rest();
        if polled.is_pending() && !this.service.drain.is_stopping() {
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl Drop for AfterWork {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.service.give_answer(call.finish(&self.service.pool));
        }
        self.tally.count.set(self.tally.count.get() - 1);
        let connection = self.tally.connection.take();
        connection.into_iter().for_each(Waker::wake);
    }
}
