//! [`wait`]: a request for which the application has no room yet.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::super::places::{Places, Waited, Waiter};
use super::arrival::{Admission, Arrival, arrive};
use super::base::{Base, Lodging};
use crate::clock::monotonic_ns;
use crate::deadlines::Timer;
use crate::scoreboard::Deadline;

/// Waits for one of these places, as long as the request may take in all; then it is handed over, or
/// refused.
pub(super) async fn wait(base: Rc<Base>, mut arrival: Arrival, places: Rc<Places>) {
    let service = Rc::clone(&base.service);
    let since = service.clock.deadlines.now();
    let since_ns = monotonic_ns();
    let mut queued = Queued {
        timer: service.clock.deadlines.timer(),
        waiter: None,
        _lodging: base.lodge(),
    };
    if !places.patience().is_zero() {
        queued.timer.set(places.patience());
    }
    poll_fn(|cx| {
        queued.timer.watch(cx.waker());
        let come = match &queued.waiter {
            None => {
                queued.waiter = Places::queue(&places, cx.waker(), since);
                queued.waiter.is_none()
            }
            Some(waiter) => waiter.is_called(),
        };
        let over = come || queued.timer.is_due() || service.drain.is_stopping();
        let gone = arrival.1.poll_reset(cx).is_ready();
        if over || gone {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    let admission = match queued.waiter.take().and_then(Waiter::take) {
        Some(place) => Admission::Waited(Waited {
            place: Some(place),
            since,
            since_ns,
        }),
        None => {
            if queued.timer.is_due() {
                service.count_timeout(Deadline::Queue);
            }
            Admission::Refused(since_ns)
        }
    };
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let scratch = &mut *service.scratch.borrow_mut();
    let none = arrive(&base, scratch, arrival, admission, &waker);
    debug_assert!(none.is_none(), "it waits once");
}

struct Queued {
    timer: Timer,
    waiter: Option<Waiter>,
    _lodging: Lodging,
}
