//! The application's own runtime, entered around every poll and drop of its code.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::abi::contain::Entered;

/// What `export!` chooses: no runtime, or tokio's.
pub trait Runtime: Entered + Send + Sync + Sized + 'static {
    /// Whether the descriptor says that the module brings a runtime.
    const USED: bool;

    /// Starts the runtime, in the worker, at start-up.
    ///
    /// # Errors
    ///
    /// What the operating system refused.
    fn start() -> Result<Self, String>;

    /// Runs `future` to its end on this thread, which does nothing else meanwhile.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

/// `export!(app)`: futures that need no runtime.
#[derive(Debug)]
#[non_exhaustive]
pub struct NoRuntime;

impl Entered for NoRuntime {
    type Guard<'a> = ();

    fn enter(&self) {}
}

impl Runtime for NoRuntime {
    const USED: bool = false;

    fn start() -> Result<Self, String> {
        Ok(Self)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        parked(future)
    }
}

/// Polls `future` until it is done; the thread sleeps in between.
fn parked<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// `export!(tokio: app)`: a tokio of the application's own, with its I/O, timers and blocking pool.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct Tokio {
    runtime: Option<tokio::runtime::Runtime>,
}

#[cfg(feature = "tokio")]
impl Entered for Tokio {
    type Guard<'a> = Option<tokio::runtime::EnterGuard<'a>>;

    fn enter(&self) -> Self::Guard<'_> {
        self.runtime.as_ref().map(tokio::runtime::Runtime::enter)
    }
}

#[cfg(feature = "tokio")]
impl Runtime for Tokio {
    const USED: bool = true;

    fn start() -> Result<Self, String> {
        // One thread drives I/O and timers; handlers run on the host's loop, where they are polled.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("app-tokio")
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start the application's tokio runtime: {error}"))?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.runtime {
            Some(runtime) => runtime.block_on(future),
            None => parked(future),
        }
    }
}

#[cfg(feature = "tokio")]
impl Drop for Tokio {
    fn drop(&mut self) {
        // Not by its own drop, which would wait for blocking tasks on the host's loop.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A runtime that outlives the bodies which enter it: an instance is destroyed after its last body.
pub(super) struct Borrowed<R: Runtime>(pub(super) &'static R);

impl<R: Runtime> Entered for Borrowed<R> {
    type Guard<'a> = R::Guard<'static>;

    fn enter(&self) -> R::Guard<'static> {
        self.0.enter()
    }
}
