//! The one event loop of a worker: heartbeat, the source of orders, the connections.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, LocalRuntime};

use super::serve;
use super::serving::{ServeError, Serving, other};
use crate::orders::Report;

/// Serves to the end. `listen` starts, on the loop, what listens for orders; a `worker_timeout` of zero
/// means that nobody watches the heartbeat.
///
/// # Errors
///
/// What kept the application from serving.
pub(super) fn run(
    serving: Serving,
    worker_timeout: Duration,
    listen: impl FnOnce() -> io::Result<()>,
    tell: impl Fn(Report),
) -> Result<(), ServeError> {
    let runtime = runtime().map_err(other)?;
    let served = runtime.block_on(async {
        listen().map_err(other)?;
        let slot = serving.slot.clone();
        let clock = &serving.clock;
        clock
            .start(period(worker_timeout), move || slot.beat())
            .map_err(other)?;
        serve::serve(serving, tell).await
    });
    // A blocking task that never ends must not keep the process.
    runtime.shutdown_background();
    served
}

/// A loop that looks up from its work: the reactor of a busy worker is never done, and what orders, beats and
/// deadlines come by is looked at in between only.
fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread()
        .enable_io()
        .event_interval(TASKS)
        .global_queue_interval(TASKS)
        .build_local(Default::default())
}

/// Several beats within each timeout; whatever the clock wants if nobody watches.
fn period(worker_timeout: Duration) -> Duration {
    if worker_timeout.is_zero() {
        return Duration::MAX;
    }
    (worker_timeout / 4).max(Duration::from_millis(1))
}

/// Tasks that have their turn until the kernel is asked what else there is. With 1, a loop with nothing to do
/// would be asked twice before it rests.
const TASKS: u32 = 2;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::Poll;

    use super::*;
    use crate::os::fd;

    #[test]
    fn what_comes_is_heard_beside_a_task_that_is_never_done() {
        runtime().unwrap().block_on(async {
            let (reader, writer) = nix::unistd::pipe().unwrap();
            let reader = fd::watch(Rc::new(reader)).unwrap();
            let turns = Rc::new(Cell::new(0));
            let counted = Rc::clone(&turns);
            tokio::task::spawn_local(poll_fn(move |cx| {
                counted.set(counted.get() + 1);
                if counted.get() == 1 {
                    nix::unistd::write(&writer, b"order").unwrap();
                }
                cx.waker().wake_by_ref();
                Poll::<()>::Pending
            }));
            let _heard = reader.readable().await.unwrap();
            let turns = turns.get();
            assert!(turns <= 2 * TASKS, "heard after {turns} turns");
        });
    }
}
