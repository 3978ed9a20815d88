//! [`AfterWork`]: a call that goes on without its connection: work behind the answer, or a call
//! that is finished although its client has gone.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use gateway_spec::abi::host::Call;

use super::answer::Answer;
use super::service::{Guest, Service};
use crate::deadlines::Timer;

/// Polls a call to its end, as a task of its own, until the worker stops.
pub(super) struct AfterWork {
    call: Option<Call<Answer>>,
    service: Rc<Service>,
    timer: Timer,
    _guest: Guest,
}

impl AfterWork {
    pub(super) fn spawn(call: Call<Answer>, service: &Rc<Service>) {
        let work = Self {
            call: Some(call),
            service: Rc::clone(service),
            timer: service.clock.deadlines.timer(),
            _guest: service.admit(),
        };
        tokio::task::spawn_local(work);
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
        if call.poll(cx.waker()).is_pending() && !this.service.drain.is_stopping() {
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl Drop for AfterWork {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            drop(call.finish(&self.service.pool));
        }
    }
}
