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
    let runtime: LocalRuntime = Builder::new_current_thread()
        .enable_io()
        .build_local(Default::default())
        .map_err(other)?;
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

/// Several beats within each timeout; whatever the clock wants if nobody watches.
fn period(worker_timeout: Duration) -> Duration {
    if worker_timeout.is_zero() {
        return Duration::MAX;
    }
    (worker_timeout / 4).max(Duration::from_millis(1))
}
