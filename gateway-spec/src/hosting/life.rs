//! [`Life`]: how far a hosted gateway has come, how many calls it has, and who waits for what.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Debug, Default)]
pub(super) struct Life {
    phase: AtomicU8,
    calls: AtomicUsize,
    /// Whether anybody has ever waited for the last call.
    is_awaited: AtomicBool,
    /// Guards the wakers of whoever waits for a phase, or for the last call.
    waiting: Mutex<Waiting>,
}

/// What comes after serving, which is 0.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Goodbyes are said.
    Draining = 1,
    /// What is left ends now, and nothing begins.
    Over,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// One call among those that a shutdown waits for.
#[derive(Debug)]
pub(super) struct Turn(Arc<Life>);

impl Life {
    /// Counts a call; none once the life is over.
    pub(super) fn enter(this: &Arc<Self>) -> Option<Turn> {
        this.calls.fetch_add(1, Ordering::SeqCst);
        let turn = Turn(Arc::clone(this));
        // Behind the count: whoever ends the life looks at them in the other order.
        (!this.is(Phase::Over)).then_some(turn)
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Goes on to a phase, never back.
    pub(super) fn advance(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::SeqCst);
        self.wake_all();
    }

    pub(super) fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::SeqCst) >= phase as u8
    }

    /// Ready once there is no call. One at a time may wait.
    pub(super) fn poll_idle(&self, cx: &Context<'_>) -> Poll<()> {
        self.is_awaited.store(true, Ordering::SeqCst);
        self.lock().wakers.insert(IDLE, cx.waker().clone());
        if self.calls() > 0 {
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    fn is_awaited(&self) -> bool {
        self.is_awaited.load(Ordering::SeqCst)
    }

    fn wake_idle(&self) {
        let waker = self.lock().wakers.remove(&IDLE);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn wake_all(&self) {
        let wakers = std::mem::take(&mut self.lock().wakers);
        wakers.into_values().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    pub(super) fn life(&self) -> &Arc<Life> {
        &self.0
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.0.calls.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.is_awaited() {
            self.0.wake_idle();
        }
    }
}

/// One who waits for a phase. It costs nothing until it is polled.
#[derive(Debug)]
pub(super) struct Watch {
    life: Arc<Life>,
    place: Option<u64>,
}

impl Watch {
    pub(super) fn new(life: &Arc<Life>) -> Self {
        Self {
            life: Arc::clone(life),
            place: None,
        }
    }

    pub(super) fn poll(&mut self, phase: Phase, cx: &Context<'_>) -> Poll<()> {
        if self.life.is(phase) {
            return Poll::Ready(());
        }
        {
            let mut waiting = self.life.lock();
            let place = *self.place.get_or_insert_with(|| {
                waiting.last += 1;
                waiting.last
            });
            waiting.wakers.insert(place, cx.waker().clone());
        }
        // It may have come before the waker was there.
        if self.life.is(phase) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.life.lock().wakers.remove(&place);
            drop(waker);
        }
    }
}

/// Word of the drain, for upgraded streams.
#[derive(Debug)]
pub struct Draining(Watch);

impl Draining {
    pub(super) fn new(life: &Arc<Life>) -> Self {
        Self(Watch::new(life))
    }

    /// Ready once the server drains.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.0.poll(Phase::Draining, cx)
    }
}

/// The place of whoever waits for the last call; others begin behind it.
const IDLE: u64 = 0;
