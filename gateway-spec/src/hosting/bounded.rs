//! [`Bounded`]: work that nobody waits for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::life::{Phase, Turn, Watch};

/// Work that ends with the gateway's life, if not before.
pub(super) struct Bounded {
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
    watch: Watch,
    _turn: Option<Turn>,
}

impl Bounded {
    pub(super) fn new(
        work: Pin<Box<dyn Future<Output = ()> + Send>>,
        watch: Watch,
        turn: Option<Turn>,
    ) -> Self {
        Self {
            work,
            watch,
            _turn: turn,
        }
    }
}

impl Future for Bounded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.work.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.watch.poll(Phase::Over, cx)
    }
}

/// Runs work that nobody waits for. Outside of a runtime it is dropped, which is logged.
pub(super) fn detach(work: impl Future<Output = ()> + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(work)),
        Err(_) => log::error!(target: "gateway", "work was dropped: no tokio runtime here"),
    }
}
