//! [`Pool`]: the threads on which plain views run, bounded in number and in what waits for them.

use std::collections::VecDeque;
use std::fmt::{self, Display};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

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

/// What a job answers. Whoever drops it before has forsaken the job.
pub(crate) struct Answer<T, W: Display> {
    /// None once it has answered.
    receiver: Option<oneshot::Receiver<T>>,
    ticket: Ticket,
    what: W,
    shared: Arc<Shared>,
}

/// What is to be done once every thread has been held for some time by jobs that nobody waits for.
pub(crate) struct Despair {
    /// For how long; never if zero.
    pub(crate) after: Duration,
    /// Told once, with what holds the threads.
    pub(crate) tell: Box<Tell>,
}

type Tell = dyn Fn(&[String]) + Send + Sync;

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Told when the last thread has ended.
    ended: Notify,
    runtime: Handle,
    threads: usize,
    queue: usize,
    despair: Despair,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(Ticket, Job)>,
    idle: usize,
    running: usize,
    closed: bool,
    last: Ticket,
    /// Jobs that run.
    begun: Vec<Ticket>,
    /// Those of them whose answers nobody wants any more.
    forlorn: Vec<(Ticket, String)>,
    despaired: bool,
}

type Job = Box<dyn FnOnce() + Send>;

/// A job's number.
type Ticket = u64;

impl Pool {
    /// At most this many threads, started as they are needed, and this many jobs that wait. The
    /// runtime is entered on each thread.
    pub(crate) fn new(threads: usize, queue: usize, runtime: Handle, despair: Despair) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                wake: Condvar::new(),
                ended: Notify::new(),
                runtime,
                threads: threads.max(1),
                queue,
                despair,
            }),
        }
    }

    /// Hands a job over, which `what` names. Its answer fails if the job panicked.
    pub(crate) fn run<T: Send + 'static, W: Display>(
        &self,
        what: W,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Answer<T, W>, Refused> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            // Whoever waited may have gone.
            let _ = sender.send(job());
        });
        let ticket = self.push(job, self.shared.queue)?;
        Ok(Answer {
            receiver: Some(receiver),
            ticket,
            what,
            shared: Arc::clone(&self.shared),
        })
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

    fn push(&self, job: Job, queue: usize) -> Result<Ticket, Refused> {
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
        state.last += 1;
        let ticket = state.last;
        state.jobs.push_back((ticket, job));
        if grows {
            state.running += 1;
            drop(state);
            self.grow();
        } else {
            drop(state);
            self.shared.wake.notify_one();
        }
        Ok(ticket)
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
            if let Some((ticket, job)) = state.jobs.pop_front() {
                state.begun.push(ticket);
                drop(state);
                // What a job says of its panic, it says through its channel, which closes.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.state();
                state.begun.retain(|other| *other != ticket);
                state.forlorn.retain(|(other, _)| *other != ticket);
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

    /// Nobody wants this job's answer any more: it leaves the queue, or is noted if it runs. Whether it left.
    fn forsake(self: &Arc<Self>, ticket: Ticket, what: &impl Display) -> bool {
        let mut state = self.state();
        let place = state.jobs.iter().position(|(other, _)| *other == ticket);
        let left = place.and_then(|place| state.jobs.remove(place));
        if state.begun.contains(&ticket) && !state.tickets().contains(&ticket) {
            state.forlorn.push((ticket, what.to_string()));
            if state.is_lost(self.threads) && !state.despaired && !self.despair.after.is_zero() {
                let tickets = state.tickets();
                self.runtime.spawn(Arc::clone(self).despair(tickets));
            }
        }
        // What a job holds may come back to this pool as it is dropped.
        drop(state);
        left.is_some()
    }

    /// Tells, after a while, if the same jobs still hold all threads.
    async fn despair(self: Arc<Self>, tickets: Vec<Ticket>) {
        sleep(self.despair.after).await;
        let held = {
            let mut state = self.state();
            if state.despaired || state.closed || state.tickets() != tickets {
                return;
            }
            state.despaired = true;
            let held = state.forlorn.iter().map(|(_, what)| what.clone());
            held.collect::<Vec<_>>()
        };
        (self.despair.tell)(&held);
    }

    /// No job runs under this lock, so nothing that is guarded can be half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether no thread is left for jobs that somebody waits for.
    fn is_lost(&self, threads: usize) -> bool {
        self.forlorn.len() >= threads
    }

    fn tickets(&self) -> Vec<Ticket> {
        self.forlorn.iter().map(|(ticket, _)| *ticket).collect()
    }
}

impl<T, W: Display + Unpin> Future for Answer<T, W> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, waker: &mut Context<'_>) -> Poll<Self::Output> {
        let receiver = self.receiver.as_mut().expect("polled until it is ready");
        let polled = Pin::new(receiver).poll(waker);
        if polled.is_ready() {
            self.receiver = None;
        }
        polled
    }
}

impl<T, W: Display> Answer<T, W> {
    /// Nobody wants the answer any more, though somebody may still wait for the end: a job that has not begun
    /// leaves the queue, one that has begun is noted. Whether it left.
    pub(crate) fn forsake(&mut self) -> bool {
        self.receiver.is_some() && self.shared.forsake(self.ticket, &self.what)
    }
}

impl<T, W: Display> Drop for Answer<T, W> {
    fn drop(&mut self) {
        self.forsake();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} threads)", self.shared.threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn pool(threads: usize, queue: usize) -> Pool {
        let despair = Despair {
            after: Duration::ZERO,
            tell: Box::new(|_| ()),
        };
        Pool::new(threads, queue, Handle::current(), despair)
    }

    #[tokio::test]
    async fn jobs_answer_and_a_panic_ends_only_its_own() {
        let pool = pool(2, 4);
        assert_eq!(pool.run("a job", || 1 + 1).unwrap().await, Ok(2));
        assert!(pool.run("a job", || panic!("one")).unwrap().await.is_err());
        assert_eq!(pool.run("a job", || 3).unwrap().await, Ok(3));
        pool.close().await;
        assert!(matches!(pool.run("a job", || 4), Err(Refused::Closed)));
    }

    #[tokio::test]
    async fn a_full_pool_refuses_and_takes_again_when_it_has_room() {
        let pool = pool(1, 1);
        let (go, wait) = mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let first = pool.run("a job", move || {
            let _ = begun.send(());
            wait.recv()
        });
        begins.await.unwrap();
        let second = pool.run("a job", || 2).unwrap();
        assert!(matches!(
            pool.run("a job", || 3),
            Err(Refused::Full {
                threads: 1,
                queue: 1
            })
        ));
        go.send(()).unwrap();
        first.unwrap().await.unwrap().unwrap();
        assert_eq!(second.await, Ok(2));
        assert_eq!(pool.run("a job", || 3).unwrap().await, Ok(3));
    }

    #[tokio::test]
    async fn closing_waits_for_what_was_taken() {
        let pool = pool(1, 8);
        let (said, hear) = mpsc::channel();
        let answers: Vec<_> = (0..8)
            .map(|n| {
                let said = said.clone();
                pool.run("a job", move || said.send(n)).unwrap()
            })
            .collect();
        pool.close().await;
        assert_eq!(
            hear.try_iter().collect::<Vec<_>>(),
            (0..8).collect::<Vec<_>>()
        );
        drop(answers);
    }

    #[tokio::test]
    async fn a_job_that_nobody_waits_for_leaves_the_queue_or_is_told_of_once_all_threads_are_lost()
    {
        let (told, tells) = oneshot::channel();
        let told = Mutex::new(Some(told));
        let despair = Despair {
            after: Duration::from_millis(1),
            tell: Box::new(move |held| {
                let told = told.lock().unwrap().take().expect("told once");
                told.send(held.to_vec()).unwrap();
            }),
        };
        let pool = Pool::new(2, 1, Handle::current(), despair);
        let hang = |what| {
            let (go, wait) = mpsc::channel::<()>();
            let (begun, begins) = oneshot::channel();
            let answer = pool.run(what, move || {
                let _ = begun.send(());
                let _ = wait.recv();
            });
            (go, begins, answer.unwrap())
        };
        let (_one, begins, first) = hang("first");
        begins.await.unwrap();
        let (two, begins, second) = hang("second");
        begins.await.unwrap();
        let held = Arc::new(());
        let inner = Arc::clone(&held);
        let third = pool.run("third", move || drop(inner)).unwrap();
        assert!(pool.run("fourth", || ()).is_err());
        drop(third);
        assert_eq!(Arc::strong_count(&held), 1, "its job is gone");
        drop((first, second));
        assert_eq!(tells.await.unwrap(), ["first", "second"]);
        drop(two);
        assert_eq!(pool.run("fifth", || 5).unwrap().await, Ok(5));
        assert_eq!(pool.shared.state().forlorn.len(), 1, "one has ended");
    }
}
