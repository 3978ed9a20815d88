//! [`Doors`]: when a worker accepts from its listeners, and when it leaves who waits to other workers.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use super::accept::{Accepted, Listener};
use crate::connection::{Connection, Service};
use crate::shares::Shares;

/// The listeners of a worker. While they are open they are in the reactor's set, where the kernel
/// reports for as long as somebody waits.
pub(super) struct Doors {
    set: Rc<Epoll>,
    service: Rc<Service>,
    /// In the order of their tokens; one that is broken leaves its place empty.
    listeners: RefCell<Vec<Option<Listener>>>,
    state: Cell<State>,
    /// Ends a rest.
    alarm: TimerFd,
    /// What the others have; nothing in a server of one process.
    shares: Option<Shares>,
    /// Others have had their time: whoever still waits is accepted.
    insists: Cell<bool>,
    /// There was no descriptor or no memory, and the log says so.
    exhausted: Cell<bool>,
    /// A task waits for room.
    watched: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Until there is room, or the alarm rings.
    Shut,
    /// For good.
    Gone,
}

impl Doors {
    /// Open doors.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn open(
        set: &Rc<Epoll>,
        service: &Rc<Service>,
        listeners: Vec<Listener>,
        shares: Option<Shares>,
    ) -> io::Result<Rc<Self>> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let doors = Self {
            set: Rc::clone(set),
            service: Rc::clone(service),
            listeners: RefCell::new(listeners.into_iter().map(Some).collect()),
            state: Cell::new(State::Shut),
            alarm: TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?,
            shares,
            insists: Cell::new(false),
            exhausted: Cell::new(false),
            watched: Cell::new(false),
        };
        let rings = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, ALARM);
        set.add(&doors.alarm, rings)?;
        doors.reopen()?;
        Ok(Rc::new(doors))
    }

    /// Whether an event of the set's is for the doors.
    pub(super) fn concerns(token: u64) -> bool {
        token & DOORS != 0
    }

    /// Takes such an event: accepts a few and gives each to `admit`. The kernel reports again if more
    /// wait, and other workers want some too.
    pub(super) fn handle(self: &Rc<Self>, token: u64, admit: impl FnMut(Connection)) {
        if token == ALARM {
            self.try_reopen();
            if self.state.get() == State::Shut {
                self.wait_for_room();
            }
            return;
        }
        self.accept(usize::try_from(token & !DOORS).unwrap_or(usize::MAX), admit);
        self.tell();
    }

    /// Tells the other workers how many connections this one has, if it would accept one more.
    pub(super) fn tell(&self) {
        let Some(shares) = &self.shares else { return };
        if self.state.get() == State::Open || self.insists.get() {
            let now = self.service.clock.deadlines.shared_now();
            shares.tell(self.service.live(), now);
        } else {
            shares.leave();
        }
    }

    /// A connection has ended: there is less reason to let others go first.
    pub(super) fn note_end(&self) {
        if self.insists.get() && !self.has_more_than_its_share() {
            self.insists.set(false);
            self.try_reopen();
        }
        self.tell();
    }

    /// Accepts no more.
    pub(super) fn close(&self) {
        self.shut();
        self.state.set(State::Gone);
        self.listeners.take();
        self.shares.iter().for_each(Shares::leave);
    }

    /// Lets nobody new in.
    pub(super) fn turn_newcomers_away(&self) {
        for listener in self.listeners.borrow().iter().flatten() {
            listener.turn_newcomers_away();
        }
    }

    /// Accepts everybody who waits at listeners that end with us, whether or not there is room; true if
    /// somebody may still be waiting. Who waits elsewhere is accepted by whoever listens there next.
    pub(super) fn let_everybody_in(&self, mut admit: impl FnMut(Connection)) -> bool {
        let mut more = false;
        let listeners = self.listeners.borrow();
        for listener in listeners.iter().flatten().filter(|one| one.is_own()) {
            let mut outcomes = (0..ACCEPTED_AT_THE_END).map(|_| listener.accept(&self.service));
            more |= loop {
                match outcomes.next() {
                    Some(Accepted::Connection(connection)) => admit(*connection),
                    Some(Accepted::Lost) => {}
                    Some(Accepted::Nothing | Accepted::Broken(_)) => break false,
                    Some(Accepted::Exhausted(_)) | None => break true,
                }
            };
        }
        more
    }

    fn accept(self: &Rc<Self>, index: usize, mut admit: impl FnMut(Connection)) {
        let insists = self.insists.replace(false);
        let most = if insists {
            ACCEPTED_AFTER_REST
        } else {
            ACCEPTED_AT_ONCE
        };
        for _ in 0..most {
            if !self.service.has_room() {
                self.shut();
                return self.wait_for_room();
            }
            if !insists && self.has_more_than_its_share() {
                return self.rest(POLITENESS);
            }
            let accepted = match self.listeners.borrow().get(index) {
                Some(Some(listener)) => listener.accept(&self.service),
                _ => return,
            };
            match accepted {
                Accepted::Connection(connection) => {
                    if self.exhausted.replace(false) {
                        tracing::info!("connections can be accepted again");
                    }
                    admit(*connection);
                }
                Accepted::Nothing => return,
                Accepted::Lost => {}
                Accepted::Exhausted(error) => return self.pause(&error),
                Accepted::Broken(error) => return self.give_up(index, &error),
            }
        }
    }

    fn has_more_than_its_share(&self) -> bool {
        let now = self.service.clock.deadlines.shared_now();
        let live = self.service.live();
        self.shares
            .as_ref()
            .is_some_and(|shares| shares.has_more_than_its_own(live, now))
    }

    /// Others go first; whom they leave waiting is accepted afterwards.
    fn rest(&self, time: Duration) {
        self.insists.set(true);
        self.shut();
        self.ring_in(time);
    }

    /// Some descriptor or memory has to be freed first: by a connection that ends, or by somebody else.
    fn pause(self: &Rc<Self>, error: &io::Error) {
        if !self.exhausted.replace(true) {
            tracing::warn!("cannot accept connections until something is freed: {error}");
        }
        self.shut();
        self.ring_in(PAUSE);
        self.wait_for_room();
    }

    /// A listener that only ever fails would keep the loop busy.
    fn give_up(&self, index: usize, error: &io::Error) {
        let broken = self
            .listeners
            .borrow_mut()
            .get_mut(index)
            .and_then(Option::take);
        if let Some(listener) = broken {
            tracing::error!("{listener} accepts no connections any more: {error}");
            // What cannot be removed is not in the set.
            let _ = self.set.delete(&listener);
        }
    }

    fn shut(&self) {
        if self.state.get() == State::Open {
            self.state.set(State::Shut);
            for listener in self.listeners.borrow().iter().flatten() {
                // A listener that is not in the set is as good as forgotten.
                let _ = self.set.delete(listener);
            }
        }
    }

    /// Opens again once something has ended: a connection, a request, or work that outlived its own.
    fn wait_for_room(self: &Rc<Self>) {
        if self.watched.replace(true) {
            return;
        }
        let doors = Rc::clone(self);
        tokio::task::spawn_local(async move {
            while doors.state.get() == State::Shut {
                // Made before looking, so that no end falls between the two.
                let ended = doors.service.quiet.notified();
                if !doors.exhausted.get() {
                    doors.try_reopen();
                }
                if doors.state.get() == State::Shut {
                    ended.await;
                    doors.try_reopen();
                }
            }
            doors.watched.set(false);
        });
    }

    /// Opens, if possible; what the kernel refuses now it is asked for again soon.
    fn try_reopen(&self) {
        if let Err(error) = self.reopen() {
            if !self.exhausted.replace(true) {
                tracing::warn!("cannot accept connections until something is freed: {error}");
            }
            let once = Expiration::OneShot(PAUSE.into());
            if let Err(error) = self.alarm.set(once, TimerSetTimeFlags::empty()) {
                tracing::error!("cannot set a timer, so that accepting goes on: {error}");
            }
        }
    }

    /// Opens, if the doors are shut and there is room.
    fn reopen(&self) -> io::Result<()> {
        if self.state.get() != State::Shut || !self.service.has_room() {
            return Ok(());
        }
        let listeners = self.listeners.borrow();
        let places = listeners.iter().enumerate();
        let tokens = places.filter_map(|(index, one)| Some((DOORS | index as u64, one.as_ref()?)));
        watch_all(&self.set, tokens)?;
        self.state.set(State::Open);
        Ok(())
    }

    fn ring_in(&self, time: Duration) {
        let once = Expiration::OneShot(time.into());
        if let Err(error) = self.alarm.set(once, TimerSetTimeFlags::empty()) {
            tracing::error!("cannot set a timer, so that accepting goes on: {error}");
            self.try_reopen();
        }
    }
}

/// Has the set report who waits at any of these, or at none if the kernel has no memory for all.
fn watch_all<'a, T: AsFd + 'a>(
    set: &Epoll,
    listeners: impl Iterator<Item = (u64, &'a T)> + Clone,
) -> io::Result<()> {
    for (done, (token, listener)) in listeners.clone().enumerate() {
        if let Err(error) = set.add(listener, EpollEvent::new(EpollFlags::EPOLLIN, token)) {
            for (_, listener) in listeners.take(done) {
                // It has just been put there.
                let _ = set.delete(listener);
            }
            return Err(error.into());
        }
    }
    Ok(())
}

/// Marks the tokens of listeners and of the alarm; those of connections stay below it.
pub(super) const DOORS: u64 = 1 << 63;
const ALARM: u64 = u64::MAX;
/// Connections accepted for one event.
const ACCEPTED_AT_ONCE: usize = 16;
/// The same, after others had their time.
const ACCEPTED_AFTER_REST: usize = 4;
/// The same, once nobody else accepts; the rest waits until what was accepted has had its turn.
const ACCEPTED_AT_THE_END: usize = 1024;
/// How long others may go first; so long a connection waits if none of them does.
const POLITENESS: Duration = Duration::from_millis(5);
/// How long accepting rests when the process is out of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use nix::sys::epoll::{EpollCreateFlags, EpollTimeout};

    use super::*;

    #[test]
    fn listeners_are_watched_all_or_none_and_can_be_tried_again() {
        let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
        let [one, two] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        // What the kernel refuses stands for all that it may refuse.
        set.add(&two, EpollEvent::new(EpollFlags::EPOLLIN, 9))
            .unwrap();
        let both = [(1, &one), (2, &two)];
        assert!(watch_all(&set, both.into_iter()).is_err());
        set.delete(&two).unwrap();
        watch_all(&set, both.into_iter()).unwrap();
        let _waits = std::net::TcpStream::connect(one.local_addr().unwrap()).unwrap();
        let mut events = [EpollEvent::empty(); 2];
        assert_eq!(set.wait(&mut events, EpollTimeout::NONE).unwrap(), 1);
        assert_eq!(events[0].data(), 1);
    }
}
