//! [`Service`]: what all connections of a worker share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use gateway_spec::Address;
use gateway_spec::abi::host::{App, Pool};
use tokio::sync::Notify;

use super::answer::{Amends, Answer};
use super::application::Application;
use super::body_room::BodyRoom;
use super::bounds::Terms;
use super::noted::Noted;
use super::word::Word;
use crate::clock::{Clock, monotonic_ns};
use crate::compression::Compression;
use crate::deadlines::{Deadlines, Tick};
use crate::drain::Drain;
use crate::fronts::FrontLimits;
use crate::http1::Head;
use crate::http1::encode::Lasting;
use crate::limits::{HeadLimits, IDLE_RECORDS, VARIABLES};
use crate::logging::AccessLog;
use crate::options::{AppOptions, Capacity, Http2Options, MinimumRates, Timeouts};
use crate::proxies::Proxies;
use crate::routes::Routes;
use crate::scoreboard::{Counter, Slot};
use crate::static_files::StaticFiles;
use crate::traces::{Span, Tracer};
use crate::workbench::Workbench;

/// The applications, the limits, the clock, and memory that connections use in turn.
pub(crate) struct Service {
    /// At least one; the first is the only one that requests are for where there are no routes.
    pub(super) applications: Box<[Rc<Application>]>,
    /// Which of them a request is for, where that is to be found out.
    pub(super) routes: Option<Routes>,
    pub(super) pool: Pool<Box<Answer>>,
    pub(crate) clock: Clock,
    pub(super) head_limits: HeadLimits,
    pub(super) timeouts: Timeouts,
    pub(super) http2: Http2Options,
    /// The timeout between requests, in the clock's unit, for it is set with each.
    pub(super) keep_alive: Tick,
    /// What is asked of clients whatever they ask for.
    pub(super) terms: Terms,
    most_connections: usize,
    /// Requests on one connection.
    pub(super) keep_alive_requests: u32,
    /// Who may speak for others, if anybody may, and what one says whose fields are its own.
    proxies: Option<(Rc<Proxies>, Rc<Word>)>,
    /// What compresses responses, if anything does.
    pub(super) compression: Option<Rc<Compression>>,
    /// Files that are served without the application, if any are.
    pub(super) static_files: Option<StaticFiles>,
    /// What is changed of every response.
    pub(super) amends: Amends,
    /// Whether somebody else than the first application may answer requests.
    pub(super) detours: bool,
    pub(crate) slot: Slot,
    pub(crate) drain: Drain,
    pub(crate) access_log: Option<Rc<AccessLog>>,
    /// Whether answers are counted: somebody reads the counters.
    pub(super) counts: bool,
    /// What begins the spans of requests, if they are traced.
    pub(super) tracer: Option<Tracer>,
    /// The span of the request whose call has just returned.
    pub(super) span: Cell<Option<Span>>,
    /// Whether requests are written down one by one.
    pub(super) describes: bool,
    /// Whether anything of the kind wants to know of each answer.
    pub(super) observed: bool,
    /// When the requests of this turn were there to be read, on the monotonic clock, if they are observed.
    pub(super) woke: Cell<u64>,
    /// The field that a trusted proxy names requests by.
    pub(super) id_field: Option<Box<[u8]>>,
    /// Only under `gatewayd dev`.
    pub(super) workbench: Option<Workbench>,
    pub(super) scratch: RefCell<Scratch>,
    pub(super) body_room: BodyRoom,
    spare: Cell<Option<Box<Answer>>>,
    lasting: Rc<Lasting>,
    live: Cell<usize>,
    /// Told when a guest has gone, or there is a place for a request again.
    pub(crate) quiet: Rc<Notify>,
}

/// Where one connection at a time reads heads.
pub(super) struct Scratch {
    pub(super) buffer: Box<[u8]>,
    pub(super) head: Head,
}

/// Something that has to end before the worker does; counted while it lives.
pub(crate) struct Guest {
    service: Rc<Service>,
}

/// A connection, counted while it lives.
pub(crate) struct Presence {
    guest: Guest,
}

/// How the service was set.
pub(crate) struct Settings {
    pub(crate) head_limits: HeadLimits,
    pub(crate) timeouts: Timeouts,
    pub(crate) rates: MinimumRates,
    pub(crate) capacity: Capacity,
    pub(crate) proxies: Option<Proxies>,
    pub(crate) static_files: Option<StaticFiles>,
    pub(crate) compression: Option<Compression>,
    pub(crate) http2: Http2Options,
    pub(crate) access_log: Option<Rc<AccessLog>>,
    pub(crate) counts: bool,
    pub(crate) tracer: Option<Tracer>,
    pub(crate) id_field: Option<Box<[u8]>>,
    pub(crate) workbench: Option<Workbench>,
}

impl Service {
    /// The service of these applications, of which there is at least one.
    pub(crate) fn new(
        apps: Vec<(App, AppOptions)>,
        settings: Settings,
        clock: Clock,
        slot: Slot,
        drain: Drain,
    ) -> Rc<Self> {
        let quiet = Rc::new(Notify::new());
        let capacity = settings.capacity;
        let room = settings.head_limits.head as usize + READ_BYTES;
        let places = apps.iter().map(|(_, one)| (&one.hosts[..], &one.mount));
        let routes = Routes::of(places);
        let detours = settings.compression.is_some()
            || settings.static_files.is_some()
            || settings.workbench.is_some()
            || settings.tracer.is_some()
            || routes.is_some();
        let log = settings.access_log.as_ref();
        let noted = log.and_then(|log| log.response_fields());
        let amends = noted.map_or(Amends::Nothing, |_| Amends::Noted);
        let describes = settings.access_log.is_some() || settings.tracer.is_some();
        let is_alone = apps.len() == 1;
        let start = |(app, options)| Application::new(app, &options, is_alone, &slot, &quiet);
        Rc::new(Self {
            applications: apps.into_iter().map(start).collect(),
            routes,
            pool: Pool::default(),
            clock,
            head_limits: settings.head_limits,
            timeouts: settings.timeouts,
            http2: settings.http2,
            keep_alive: Deadlines::ticks(settings.timeouts.keep_alive),
            terms: Terms::new(&settings.timeouts, &settings.rates),
            most_connections: capacity.connections as usize,
            keep_alive_requests: capacity.keep_alive_requests.unwrap_or(u32::MAX),
            proxies: settings.proxies.map(|proxies| {
                let proxies = Rc::new(proxies);
                (Rc::clone(&proxies), Rc::new(Word::of_fields(proxies)))
            }),
            detours,
            amends,
            compression: settings.compression.map(Rc::new),
            static_files: settings.static_files,
            slot,
            drain,
            counts: settings.counts,
            observed: settings.counts || describes,
            describes,
            tracer: settings.tracer,
            span: Cell::default(),
            woke: Cell::new(0),
            id_field: settings.id_field,
            access_log: settings.access_log,
            workbench: settings.workbench,
            scratch: RefCell::new(Scratch {
                buffer: vec![0; room].into(),
                head: Head::default(),
            }),
            body_room: BodyRoom::default(),
            spare: Cell::default(),
            lasting: Rc::default(),
            live: Cell::new(0),
            quiet,
        })
    }

    /// An answer that is not begun, with whatever memory it has.
    #[inline]
    pub(super) fn take_answer(&self) -> Box<Answer> {
        match self.spare.take() {
            Some(answer) => answer,
            None => {
                let date = Rc::clone(&self.clock.date);
                let compression = self.compression.clone();
                let log = self.access_log.as_ref();
                let noted = log.and_then(|log| log.response_fields()).map(Noted::new);
                let lasting = Rc::clone(&self.lasting);
                Box::new(Answer::new(date, lasting, compression, noted))
            }
        }
    }

    /// Gives such an answer back.
    #[inline]
    pub(super) fn give_answer(&self, mut answer: Box<Answer>) {
        if answer.out.capacity() <= SPARE_BYTES {
            answer.recycle();
            self.spare.set(Some(answer));
        }
    }

    /// How many guests there are.
    pub(crate) fn live(&self) -> usize {
        self.live.get()
    }

    /// The event loop has brought something: what is read from now on was there by now.
    #[inline]
    pub(crate) fn wake(&self) {
        if self.observed {
            self.woke.set(monotonic_ns());
        }
    }

    /// Whether another connection can be served now, rather than by another worker.
    pub(crate) fn has_room(&self) -> bool {
        self.live() < self.most_connections
            && !self.applications.iter().all(|one| one.places.is_full())
    }

    /// Sends the spans that wait, if the collector takes them within this time.
    pub(crate) fn finish_traces(&self, within: Duration) {
        if let Some(tracer) = &self.tracer {
            tracer.finish(within);
        }
    }

    /// The instances, to be told of the end.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &App> {
        self.applications.iter().map(|one| &one.app)
    }

    /// Whether a peer may speak for others.
    pub(crate) fn trusts(&self, peer: &Address) -> bool {
        self.word_of(peer).is_some()
    }

    /// Who may speak for others, if anybody may.
    pub(super) fn proxies(&self) -> Option<&Rc<Proxies>> {
        self.proxies.as_ref().map(|(proxies, _)| proxies)
    }

    /// What a peer is believed in before it has said anything.
    pub(super) fn word_of(&self, peer: &Address) -> Option<Rc<Word>> {
        let (proxies, word) = self.proxies.as_ref()?;
        proxies.trust(peer).then(|| Rc::clone(word))
    }

    /// What the connection of a front may take.
    pub(crate) fn front_limits(&self) -> FrontLimits {
        FrontLimits {
            variables: VARIABLES,
            connections: u32::try_from(self.most_connections).unwrap_or(u32::MAX),
            idle_records: IDLE_RECORDS,
        }
    }

    /// Counts one more.
    pub(crate) fn admit(self: &Rc<Self>) -> Guest {
        self.live.set(self.live.get() + 1);
        Guest {
            service: Rc::clone(self),
        }
    }

    /// Counts a connection.
    pub(super) fn welcome(self: &Rc<Self>) -> Presence {
        self.slot.add(Counter::Connections);
        self.slot.add(Counter::ConnectionsActive);
        Presence {
            guest: self.admit(),
        }
    }

    /// Counts requests that were handed to the application.
    #[inline]
    pub(super) fn count_requests(&self, count: u64) {
        self.slot.add_many(Counter::Requests, count);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let live = self.service.live.get() - 1;
        self.service.live.set(live);
        // Accepting waits for room, the end of the worker for nobody.
        self.service.quiet.notify_waiters();
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.guest.service.slot.subtract(Counter::ConnectionsActive);
    }
}

/// Bytes that are read at once where a head is expected.
pub(super) const READ_BYTES: usize = 16 * 1024;
/// A larger buffer is not kept for the next connection.
const SPARE_BYTES: usize = 256 * 1024;
