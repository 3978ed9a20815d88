//! The reactor: one task of the event loop drives all connections.
//!
//! Their sockets are in an epoll set of our own, which is one descriptor in the event loop's. So a
//! connection is a box in a list, not a task with timers and wakers of its own, and a request costs
//! none of an event loop's bookkeeping.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use tokio::io::unix::AsyncFd;

use super::accept::Listener;
use super::doors::Doors;
use crate::clock::nap;
use crate::connection::{Connection, Driven, Service};
use crate::os::fd;
use crate::shares::Shares;
use crate::wire::Readiness;

/// The connections of a worker and what wakes them.
pub(super) struct Reactor {
    epoll: Rc<Epoll>,
    entries: RefCell<Entries>,
    queue: Arc<Queue>,
    doors: Rc<Doors>,
    service: Rc<Service>,
    /// Connections accepted so far.
    admitted: Cell<u64>,
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    free: Vec<u32>,
}

struct Entry {
    /// Tells a connection from the one that had the place before.
    generation: u32,
    seat: Option<Box<Seat>>,
}

/// Whoever speaks on a socket, with its waker; out of its place while it is polled.
struct Seat {
    driven: Driven,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Wakes one connection, from any thread.
struct Bell {
    token: u64,
    rung: AtomicBool,
    queue: Arc<Queue>,
}

/// Connections that were woken; guarded by the lock because any thread may wake.
#[derive(Default)]
struct Queue(Mutex<Woken>);

#[derive(Default)]
struct Woken {
    tokens: Vec<u64>,
    /// The reactor's task, while it sleeps.
    driver: Option<Waker>,
}

impl Reactor {
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn new(
        service: &Rc<Service>,
        listeners: Vec<Listener>,
        shares: Option<Shares>,
    ) -> io::Result<Rc<Self>> {
        let epoll = Rc::new(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
        let doors = Doors::open(&epoll, service, listeners, shares)?;
        Ok(Rc::new(Self {
            epoll,
            entries: RefCell::default(),
            queue: Arc::default(),
            doors,
            service: Rc::clone(service),
            admitted: Cell::new(0),
        }))
    }

    /// Runs until the event loop ends.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn drive(self: &Rc<Self>) -> io::Result<impl Future<Output = ()> + use<>> {
        let set = self.epoll.0.try_clone()?;
        Ok(Drive {
            watch: fd::watch(Rc::new(set))?,
            reactor: Rc::clone(self),
            events: vec![EpollEvent::empty(); EVENTS].into(),
            woken: Vec::new(),
        })
    }

    /// Tells the other workers how many connections this one has.
    pub(super) fn tell_others(&self) {
        self.doors.tell();
    }

    /// Accepts no more.
    pub(super) fn stop_accepting(&self) {
        self.doors.close();
    }

    /// For a worker that nobody takes over from: accepts who waits in the backlog and whose handshake
    /// is under way, whether or not there is room, until nobody has come for [`QUIET`].
    pub(super) async fn empty_backlog(&self) {
        for _ in 0..LONGEST.as_millis() / QUIET.as_millis() {
            let before = self.admitted.get();
            self.service.wake();
            let more = self.doors.let_everybody_in(|one| self.admit(one));
            // Without a timer there is no way of knowing; what waited has been accepted.
            let napped = nap(QUIET).await;
            if napped.is_err() || !more && self.admitted.get() == before {
                return;
            }
        }
    }

    /// Lets nobody new in.
    pub(super) fn turn_newcomers_away(&self) {
        self.doors.turn_newcomers_away();
    }

    fn admit(&self, mut connection: Connection) {
        self.admitted.set(self.admitted.get().wrapping_add(1));
        let (index, token) = self.entries.borrow_mut().reserve();
        let bell = Arc::new(Bell {
            token,
            rung: AtomicBool::new(false),
            queue: Arc::clone(&self.queue),
        });
        let waker = Waker::from(Arc::clone(&bell));
        connection.watch(&waker);
        // A front sends its request with the connection, as a rule, and many end it behind the answer: what is
        // there already is answered before the kernel is asked to tell of it.
        if connection.is_fronted() {
            connection.expect_input();
            if connection.poll(&mut Context::from_waker(&waker)).is_ready() {
                drop(connection);
                return self.leave(index);
            }
        }
        let flags = EpollFlags::EPOLLIN
            | EpollFlags::EPOLLOUT
            | EpollFlags::EPOLLRDHUP
            | EpollFlags::EPOLLET;
        if let Err(error) = self.epoll.add(&connection, EpollEvent::new(flags, token)) {
            tracing::error!("cannot watch a connection: {error}");
            drop(connection);
            return self.leave(index);
        }
        self.entries.borrow_mut().all[index].seat = Some(Box::new(Seat {
            driven: Driven::Http1(connection),
            bell,
            waker,
        }));
    }

    /// Polls a connection, if it is still the one that is meant.
    fn poll(&self, token: u64, readiness: Option<Readiness>) {
        #[expect(clippy::cast_possible_truncation, reason = "two halves of a token")]
        let (generation, index) = ((token >> 32) as u32, token as u32 as usize);
        let seat = match self.entries.borrow_mut().all.get_mut(index) {
            Some(entry) if entry.generation == generation => entry.seat.take(),
            _ => None,
        };
        let Some(mut seat) = seat else { return };
        if let Some(readiness) = readiness {
            seat.driven.note(readiness);
        } else {
            seat.bell.rung.store(false, Ordering::Release);
        }
        let polled = seat.driven.poll(&mut Context::from_waker(&seat.waker));
        if polled.is_pending() {
            self.entries.borrow_mut().all[index].seat = Some(seat);
            return;
        }
        drop(seat);
        self.leave(index);
    }

    /// Gives the place of a connection that has ended to the next.
    fn leave(&self, index: usize) {
        self.doors.note_end();
        let mut entries = self.entries.borrow_mut();
        let entry = &mut entries.all[index];
        entry.generation = entry.generation.wrapping_add(1) & GENERATIONS;
        entries
            .free
            .push(u32::try_from(index).expect("it came from a u32"));
    }

    fn handle(&self, event: &EpollEvent) {
        let token = event.data();
        if Doors::concerns(token) {
            return self.doors.handle(token, |one| self.admit(one));
        }
        let flags = event.events();
        let gone = EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP;
        let ended = gone | EpollFlags::EPOLLRDHUP;
        let readiness = Readiness {
            readable: flags.intersects(EpollFlags::EPOLLIN | ended),
            writable: flags.intersects(EpollFlags::EPOLLOUT | gone),
            ended: flags.intersects(ended),
            gone: flags.intersects(gone),
        };
        self.poll(token, Some(readiness));
    }
}

impl Entries {
    /// A place for a connection, and its token.
    fn reserve(&mut self) -> (usize, u64) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.all.push(Entry {
                generation: 0,
                seat: None,
            });
            u32::try_from(self.all.len() - 1).expect("descriptors are fewer than 2^31")
        });
        let place = index as usize;
        let generation = self.all[place].generation;
        (place, u64::from(generation) << 32 | u64::from(index))
    }
}

/// The task that drives a reactor.
struct Drive {
    reactor: Rc<Reactor>,
    watch: AsyncFd<Rc<OwnedFd>>,
    events: Box<[EpollEvent]>,
    woken: Vec<u64>,
}

impl Drive {
    /// Takes one batch of events; whether there were any.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut ready = match ready!(self.watch.poll_read_ready(cx)) {
            Ok(ready) => ready,
            Err(error) => {
                tracing::error!("the event loop is gone: {error}");
                return Poll::Pending;
            }
        };
        let count = match self
            .reactor
            .epoll
            .wait(&mut self.events, EpollTimeout::ZERO)
        {
            Ok(count) => count,
            Err(error) => {
                tracing::error!("cannot wait for events: {error}");
                0
            }
        };
        if count == 0 {
            ready.clear_ready();
        }
        self.reactor.service.wake();
        for event in &self.events[..count] {
            self.reactor.handle(event);
        }
        Poll::Ready(count > 0)
    }

    /// Polls what was woken; whether anything was.
    fn ring(&mut self) -> bool {
        std::mem::swap(&mut self.reactor.queue.lock().tokens, &mut self.woken);
        let any = !self.woken.is_empty();
        if any {
            self.reactor.service.wake();
        }
        for token in self.woken.drain(..) {
            self.reactor.poll(token, None);
        }
        any
    }
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        for _ in 0..TURNS {
            let woken = this.ring();
            let turned = this.turn(cx);
            if woken || turned == Poll::Ready(true) {
                continue;
            }
            // A turn that found nothing has to be followed by one that waits.
            if turned.is_pending() && this.reactor.queue.sleep(cx.waker()) {
                return Poll::Pending;
            }
        }
        // The loop has other tasks too.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Woken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver is about to sleep; false if somebody was woken meanwhile.
    fn sleep(&self, driver: &Waker) -> bool {
        let mut woken = self.lock();
        if !woken
            .driver
            .as_ref()
            .is_some_and(|old| old.will_wake(driver))
        {
            woken.driver = Some(driver.clone());
        }
        woken.tokens.is_empty()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let driver = {
            let mut woken = self.queue.lock();
            woken.tokens.push(self.token);
            woken.driver.take()
        };
        driver.into_iter().for_each(Waker::wake);
    }
}

/// With a token's other half they stay below those of the doors.
const GENERATIONS: u32 = u32::MAX >> 1;
/// Events taken at once.
const EVENTS: usize = 256;
/// Batches until other tasks of the loop have their turn.
const TURNS: usize = 16;
/// When nobody has come for so long after newcomers were turned away, nobody is under way: a round
/// trip and more.
const QUIET: Duration = Duration::from_millis(100);
/// Accepting ends after so long, whoever still comes: a unix socket has no way of turning away.
const LONGEST: Duration = Duration::from_secs(1);
