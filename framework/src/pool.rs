//! [`Pool`]: the threads on which plain views run, bounded in number and in what waits for them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

/// Threads for jobs that block.
///
/// It is not tokio's blocking pool: jobs block on futures that use files or names, which tokio
/// serves from that pool, so a pool full of such jobs would wait for itself.
#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

/// Why a job does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// All threads are busy and as much waits as may wait.
    #[error("all {threads} threads for plain views are busy and {queue} requests wait for them")]
    Full { threads: usize, queue: usize },
    /// The pool has been closed.
    #[error("the pool for plain views is closed")]
    Closed,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Told when the last thread has ended.
    ended: Notify,
    runtime: Handle,
    threads: usize,
    queue: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    running: usize,
    closed: bool,
}

type Job = Box<dyn FnOnce() + Send>;

impl Pool {
    /// At most this many threads, started as they are needed, and this many jobs that wait. The
    /// runtime is entered on each thread.
    pub(crate) fn new(threads: usize, queue: usize, runtime: Handle) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                wake: Condvar::new(),
                ended: Notify::new(),
                runtime,
                threads: threads.max(1),
                queue,
            }),
        }
    }

    /// Hands a job over. What it answers arrives at the receiver, which fails if the job panicked.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Refused> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            // Whoever waited may have gone.
            let _ = sender.send(job());
        });
        self.push(job, self.shared.queue)?;
        Ok(receiver)
    }

    /// Hands a job over that must run, for work that ends what was let in before. Lost only if
    /// the pool has been closed.
    pub(crate) fn run_always(&self, job: impl FnOnce() + Send + 'static) {
        let _ = self.push(Box::new(job), usize::MAX);
    }

    /// Takes no more jobs and waits for the last one.
    pub(crate) async fn close(&self) {
        self.shared.state().closed = true;
        self.shared.wake.notify_all();
        loop {
            let ended = self.shared.ended.notified();
            if self.shared.state().running == 0 {
                return;
            }
            ended.await;
        }
    }

    fn push(&self, job: Job, queue: usize) -> Result<(), Refused> {
        let mut state = self.shared.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        let waits = state.jobs.len() >= state.idle;
        let grows = waits && state.running < self.shared.threads;
        if waits && !grows && state.jobs.len() - state.idle >= queue {
            return Err(Refused::Full {
                threads: self.shared.threads,
                queue: self.shared.queue,
            });
        }
        state.jobs.push_back(job);
        if grows {
            state.running += 1;
            drop(state);
            self.grow();
        } else {
            drop(state);
            self.shared.wake.notify_one();
        }
        Ok(())
    }

    fn grow(&self) {
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new()
            .name("carafe-view".to_owned())
            .spawn(move || shared.work());
        if started.is_err() {
            // The job waits for another thread; without any, for the next that can be started.
            self.shared.state().running -= 1;
        }
    }
}

impl Shared {
    fn work(&self) {
        let _entered = self.runtime.enter();
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // What a job says of its panic, it says through its channel, which closes.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state();
            } else if state.closed {
                break;
            } else {
                state.idle += 1;
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
        state.running -= 1;
        if state.running == 0 {
            drop(state);
            self.ended.notify_waiters();
        }
    }

    /// No job runs under this lock, so nothing that is guarded can be half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.shared.threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn jobs_answer_and_a_panic_ends_only_its_own() {
        let pool = Pool::new(2, 4, Handle::current());
        assert_eq!(pool.run(|| 1 + 1).unwrap().await, Ok(2));
        assert!(pool.run(|| panic!("one")).unwrap().await.is_err());
        assert_eq!(pool.run(|| 3).unwrap().await, Ok(3));
        pool.close().await;
        assert!(matches!(pool.run(|| 4), Err(Refused::Closed)));
    }

    #[tokio::test]
    async fn a_full_pool_refuses_and_takes_again_when_it_has_room() {
        let pool = Pool::new(1, 1, Handle::current());
        let (go, wait) = mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let first = pool.run(move || {
            let _ = begun.send(());
            wait.recv()
        });
        begins.await.unwrap();
        let second = pool.run(|| 2).unwrap();
        assert!(matches!(
            pool.run(|| 3),
            Err(Refused::Full {
                threads: 1,
                queue: 1
            })
        ));
        go.send(()).unwrap();
        first.unwrap().await.unwrap().unwrap();
        assert_eq!(second.await, Ok(2));
        assert_eq!(pool.run(|| 3).unwrap().await, Ok(3));
    }

    #[tokio::test]
    async fn closing_waits_for_what_was_taken() {
        let pool = Pool::new(1, 8, Handle::current());
        let answers: Vec<_> = (0..8).map(|n| pool.run(move || n).unwrap()).collect();
        pool.close().await;
        for (n, mut answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.try_recv(), Ok(n));
        }
    }
}
