//! A pool of threads for work that blocks, of a size that a test can fill.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// [`THREADS`] threads, and work that waits for one of them.
#[derive(Debug)]
pub(crate) struct Pool(Mutex<Sender<Work>>);

impl Pool {
    pub(crate) fn start() -> Self {
        let (sender, receiver) = channel::<Work>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..THREADS {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || while next(&receiver).map(|work| work()).is_some() {});
        }
        Self(Mutex::new(sender))
    }

    /// Does it on a thread of the pool; nothing if the pool is gone.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, done) = oneshot::channel();
        let work = move || {
            // Whoever asked may have gone.
            let _gone = sender.send(work());
        };
        let queue = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        queue.send(Box::new(work)).ok()?;
        done.await.ok()
    }
}

fn next(receiver: &Mutex<Receiver<Work>>) -> Option<Work> {
    receiver
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

const THREADS: usize = 4;
