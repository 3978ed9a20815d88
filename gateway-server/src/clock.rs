//! [`Clock`]: what turns with time in a worker, on a timer of the kernel's.
//!
//! The event loop's own timers would be looked at in every turn of it; this one costs nothing
//! between ticks.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::clock_gettime;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::date::Date;
use crate::deadlines::{Deadlines, TICK};
use crate::os::fd;

/// The date and the deadlines of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) date: Rc<Date>,
    pub(crate) deadlines: Rc<Deadlines>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            date: Rc::new(Date::new()),
            deadlines: Deadlines::new(),
        }
    }

    /// Starts turning, on the event loop of this thread, at least every `period`; `each` is called
    /// with every turn.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn start(&self, period: Duration, each: impl Fn() + 'static) -> io::Result<()> {
        let timer = timer(Expiration::Interval(period.min(TICK).into()))?;
        let clock = self.clone();
        tokio::task::spawn_local(async move {
            loop {
                each();
                clock.date.refresh();
                clock.deadlines.sweep();
                if turn(&timer).await.is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Waits for `time`, to the clock's resolution.
    pub(crate) async fn sleep(&self, time: Duration) {
        let timer = self.deadlines.timer();
        timer.set(time);
        poll_fn(|cx| {
            timer.watch(cx.waker());
            timer.poll_due()
        })
        .await;
    }
}

/// Waits for `time`, exactly; for what is rare and cannot wait for the clock's next tick.
///
/// # Errors
///
/// The kernel's.
pub(crate) async fn nap(time: Duration) -> io::Result<()> {
    let timer = timer(Expiration::OneShot(time.into()))?;
    turn(&timer).await
}

/// Now, in nanoseconds of the system's monotonic clock.
#[inline]
pub(crate) fn monotonic_ns() -> u64 {
    // It never shows less than nothing.
    let now = clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or(0, |now| {
        now.tv_sec().unsigned_abs() * 1_000_000_000 + now.tv_nsec().unsigned_abs()
    })
}

fn timer(expiration: Expiration) -> io::Result<AsyncFd<Rc<OwnedFd>>> {
    let timer = TimerFd::new(
        ClockId::CLOCK_MONOTONIC,
        TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC,
    )?;
    timer.set(expiration, TimerSetTimeFlags::empty())?;
    fd::watch(Rc::new(OwnedFd::from(timer)))
}

async fn turn(timer: &AsyncFd<Rc<OwnedFd>>) -> io::Result<()> {
    let mut expirations = [0; 8];
    timer
        .async_io(Interest::READABLE, |timer| {
            Ok(nix::unistd::read(timer, &mut expirations)?)
        })
        .await?;
    Ok(())
}
