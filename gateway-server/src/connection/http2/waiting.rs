//! [`wait`]: a request for which the application has no room yet.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::super::places::{Places, Waiter};
use super::arrival::{Admission, Arrival, arrive};
use super::base::{Base, Lodging};
use crate::deadlines::Timer;

/// Waits for a place, as long as the request may take in all; then it is handed over, or refused.
pub(super) async fn wait(base: Rc<Base>, mut arrival: Arrival) {
    let service = Rc::clone(&base.service);
    let since = service.clock.deadlines.now();
    let mut queued = Queued {
        timer: service.clock.deadlines.timer(),
        waiter: None,
        _lodging: base.lodge(),
    };
    if !service.timeouts.request.is_zero() {
        queued.timer.set(service.timeouts.request);
    }
    poll_fn(|cx| {
        queued.timer.watch(cx.waker());
        let come = match &queued.waiter {
            None => {
                queued.waiter = Places::queue(&service.places, cx.waker(), since);
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
        Some(place) => Admission::Waited(Some(place), since),
        None => Admission::Refused,
    };
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let scratch = &mut *service.scratch.borrow_mut();
    arrive(&base, scratch, arrival, admission, &waker);
}

struct Queued {
    timer: Timer,
    waiter: Option<Waiter>,
    _lodging: Lodging,
}
