//! The way out of a worker: one path for a signal, an order and the master's death.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How far a worker is on its way out. It only ever goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Accepting and serving.
    Serving = 0,
    /// The same, but the end is near: applications are told, so that a readiness route can say so
    /// while everybody is still served.
    Announced = 1,
    /// Accepting no more and finishing what has begun; another worker has the listeners.
    Retiring = 2,
    /// The same, but nobody else accepts: what waits in the backlog is accepted first.
    ShuttingDown = 3,
    /// The same, without a master: nobody has turned newcomers away yet.
    Orphaned = 4,
    /// Dropping what has begun.
    Stopping = 5,
}

/// A shared view of that phase, and the hand that moves it. May be asked from any thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drain {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    phase: AtomicU8,
    changed: Notify,
}

impl Drain {
    /// Moves on to `phase`; an earlier one is ignored.
    pub(crate) fn advance(&self, phase: Phase) {
        let before = self.shared.phase.fetch_max(phase as u8, Ordering::AcqRel);
        if before < phase as u8 {
            self.shared.changed.notify_waiters();
        }
    }

    /// The phase now.
    pub(crate) fn phase(&self) -> Phase {
        match self.shared.phase.load(Ordering::Acquire) {
            0 => Phase::Serving,
            1 => Phase::Announced,
            2 => Phase::Retiring,
            3 => Phase::ShuttingDown,
            4 => Phase::Orphaned,
            _ => Phase::Stopping,
        }
    }

    /// Whether applications are to know that the worker drains or soon will.
    pub(crate) fn is_announced(&self) -> bool {
        self.phase() >= Phase::Announced
    }

    /// Whether the worker accepts no more.
    pub(crate) fn is_draining(&self) -> bool {
        self.phase() >= Phase::Retiring
    }

    /// Whether the worker drops what has begun.
    pub(crate) fn is_stopping(&self) -> bool {
        self.phase() >= Phase::Stopping
    }

    /// Returns once the worker accepts no more.
    pub(crate) async fn wait(&self) {
        self.reached(Phase::Retiring).await;
    }

    /// Returns once `phase` or a later one is reached.
    pub(crate) async fn reached(&self, phase: Phase) {
        loop {
            let changed = self.shared.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // Registered before looking, so that no change falls between the two.
            changed.as_mut().enable();
            if self.phase() >= phase {
                return;
            }
            changed.await;
        }
    }
}

/// From dropping what has begun to the end of the process, whether or not the application lets go.
pub(crate) const LAST_GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_only_goes_forward() {
        let drain = Drain::default();
        assert_eq!(drain.phase(), Phase::Serving);
        drain.advance(Phase::Announced);
        assert!(drain.is_announced() && !drain.is_draining());
        drain.advance(Phase::ShuttingDown);
        drain.advance(Phase::Retiring);
        assert_eq!(drain.phase(), Phase::ShuttingDown);
        assert!(drain.is_draining() && !drain.is_stopping());
    }

    #[test]
    fn every_waiter_is_woken_at_its_phase() {
        let runtime = tokio::runtime::Builder::new_current_thread().build_local(Default::default());
        runtime.unwrap().block_on(async {
            let drain = Drain::default();
            let waiters: Vec<_> = [Phase::Retiring, Phase::Stopping]
                .map(|phase| {
                    let drain = drain.clone();
                    tokio::task::spawn_local(async move { drain.reached(phase).await })
                })
                .into();
            tokio::task::yield_now().await;
            drain.advance(Phase::Retiring);
            tokio::task::yield_now().await;
            assert!(waiters[0].is_finished() && !waiters[1].is_finished());
            drain.advance(Phase::Stopping);
            for waiter in waiters {
                waiter.await.unwrap();
            }
            drain.wait().await;
        });
    }
}
