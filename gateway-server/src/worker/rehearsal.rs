//! [`Rehearsal`]: connections as a worker serves them, one at a time and with the clock stopped: for
//! fuzzers, to which an input has to mean the same each time.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use gateway_spec::Address;
use gateway_spec::abi::host::{App, Config as AppStart, HostAddress, Module};
use gateway_spec::abi::{GwModule, interpose};
use gateway_spec::lint::Violation;
use rustix::net::SendFlags;
use tokio::runtime::{Builder, LocalRuntime};

use super::serve::settings_of;
use crate::clock::Clock;
use crate::config::{AppConfig, Config};
use crate::connection::{Connection, Driven, Entrance, Service};
use crate::drain::Drain;
use crate::fronts::{Front, Protocol};
use crate::logging;
use crate::scoreboard::{Page, Slot};
use crate::wire::{Readiness, Socket, Wire};

/// One application behind a worker's service, on an event loop of its own.
pub struct Rehearsal {
    runtime: LocalRuntime,
    service: Rc<Service>,
    breaches: Arc<Mutex<Vec<Violation>>>,
}

/// What a client saw of its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heard {
    /// All bytes that the server sent.
    pub bytes: Vec<u8>,
    /// The server ended the connection while its client could still have sent.
    pub was_cut: bool,
}

impl Rehearsal {
    /// The application of this module under the default settings, but for those that are named; with
    /// `lint`, what breaks the rules of SPEC.md is noted.
    ///
    /// # Errors
    ///
    /// Why it cannot be served, in words.
    pub fn of(module: &'static GwModule, settings: &[(&str, &str)]) -> Result<Self, String> {
        let mut config = Config::of(settings);
        config.apps = vec![AppConfig::at(None)];
        let breaches = Arc::<Mutex<Vec<Violation>>>::default();
        let mut module = Module::linked(module).map_err(words)?;
        if config.lint {
            let noted = Arc::clone(&breaches);
            let note = move |breach| lock(&noted).push(breach);
            module = interpose::watch(&module, note).map_err(words)?;
        }
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_io().build_local(Default::default());
        let runtime = runtime.map_err(words)?;
        let app = runtime.block_on(start(&module))?;
        let options = config.serve_options();
        let apps = vec![(app, options.apps[0].clone())];
        let slot = Page::create().and_then(Slot::map).map_err(words)?;
        let settings = settings_of(&options, None, None, None);
        Ok(Self {
            service: Service::new(apps, settings, Clock::new(), slot, Drain::default()),
            runtime,
            breaches,
        })
    }

    /// Serves one connection whose client sends these pieces, each once the one before has come to rest,
    /// then ends its output, and closes. `front` is what it speaks, where that is not HTTP.
    ///
    /// # Panics
    ///
    /// The connection never comes to rest.
    pub fn serve<'i>(
        &self,
        front: Option<Protocol>,
        pieces: impl IntoIterator<Item = &'i [u8]>,
    ) -> Heard {
        self.runtime.block_on(async {
            let mut scene = Scene::open(&self.service, front).expect("a pair of sockets");
            for piece in pieces {
                scene.send(piece).await;
            }
            let was_cut = scene.driven.is_none();
            scene.finish().await;
            let bytes = scene.close().await;
            Heard { bytes, was_cut }
        })
    }

    /// Lets calls that outlive their connection go on; how many are left that wait for something.
    pub fn rest(&self) -> usize {
        self.runtime.block_on(rest());
        self.service.live()
    }

    /// What broke the rules since it was asked last.
    #[must_use]
    pub fn breaches(&self) -> Vec<Violation> {
        std::mem::take(&mut lock(&self.breaches))
    }
}

impl std::fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rehearsal")
    }
}

async fn start(module: &Module) -> Result<App, String> {
    let host = logging::application_host(None, None, |_| (), || None);
    let app = module.create(host, &AppStart::default()).map_err(words)?;
    poll_fn(|cx| app.poll_startup(cx)).await.map_err(words)?;
    Ok(app)
}

/// One connection, with both of its ends.
struct Scene {
    client: UnixStream,
    heard: RefCell<Vec<u8>>,
    /// None once the server has closed it.
    driven: Option<Driven>,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Whether somebody has woken the connection.
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl Scene {
    fn open(service: &Rc<Service>, front: Option<Protocol>) -> io::Result<Self> {
        let (client, ours) = UnixStream::pair()?;
        client.set_nonblocking(true)?;
        ours.set_nonblocking(true)?;
        let socket = Socket::new(ours.into());
        let wire = match front {
            None => Wire::plain(socket),
            Some(protocol) => Wire::fronted(socket, Front::new(protocol, service.front_limits())),
        };
        let unnamed = Address::Unix(Box::default());
        let entrance = Rc::new(Entrance {
            local: HostAddress::from(&unnamed),
            secured: false,
            introduced: false,
            redirects: None,
        });
        let connection = Connection::new(service, wire, &unnamed, entrance);
        let bell = Arc::new(Bell(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&bell));
        connection.watch(&waker);
        Ok(Self {
            client,
            heard: RefCell::default(),
            driven: Some(Driven::Http1(connection)),
            bell,
            waker,
        })
    }

    async fn send(&mut self, mut piece: &[u8]) {
        while self.driven.is_some() && !piece.is_empty() {
            match rustix::net::send(&self.client, piece, SendFlags::NOSIGNAL) {
                Ok(count) => piece = &piece[count..],
                // It does not read: nothing will come of more.
                Err(_) => piece = &[],
            }
            self.tell(READABLE);
            self.settle().await;
        }
    }

    /// The client sends no more.
    async fn finish(&mut self) {
        // It may have been closed by the server before.
        let _ = self.client.shutdown(Shutdown::Write);
        self.tell(Readiness {
            ended: true,
            ..READABLE
        });
        self.settle().await;
    }

    /// The client goes; whoever still waits for time to pass is dropped.
    async fn close(mut self) -> Vec<u8> {
        self.hear();
        let _ = self.client.shutdown(Shutdown::Both);
        self.tell(Readiness {
            ended: true,
            gone: true,
            writable: true,
            ..READABLE
        });
        self.settle().await;
        self.heard.take()
    }

    /// Says what the kernel would.
    fn tell(&mut self, readiness: Readiness) {
        if let Some(driven) = &mut self.driven {
            driven.note(readiness);
            self.bell.0.store(true, Ordering::Release);
        }
    }

    /// Goes on until nobody has anything to do.
    async fn settle(&mut self) {
        let mut quiet = 0;
        for turn in 0_u32.. {
            assert!(turn < MOST_TURNS, "a connection never comes to rest");
            if self.hear() {
                self.tell(Readiness {
                    readable: false,
                    writable: true,
                    ..READABLE
                });
            }
            quiet += 1;
            if self.bell.0.swap(false, Ordering::AcqRel) {
                quiet = 0;
                self.poll();
            }
            if quiet == QUIET_TURNS {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    fn poll(&mut self) {
        let mut cx = Context::from_waker(&self.waker);
        if let Some(driven) = &mut self.driven
            && driven.poll(&mut cx).is_ready()
        {
            self.driven = None;
        }
    }

    /// Takes what the server has sent; whether there was anything.
    fn hear(&self) -> bool {
        let heard = &mut *self.heard.borrow_mut();
        let before = heard.len();
        // It ends with an error where there is no more yet, and keeps what came.
        let _ = (&self.client).read_to_end(heard);
        heard.len() > before
    }
}

/// Lets every task that can go on do so.
async fn rest() {
    for _ in 0..QUIET_TURNS {
        tokio::task::yield_now().await;
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn words(error: impl ToString) -> String {
    error.to_string()
}

const READABLE: Readiness = Readiness {
    readable: true,
    writable: false,
    ended: false,
    gone: false,
};
/// Turns of the event loop in which nothing happens, until nothing will.
const QUIET_TURNS: u32 = 8;
/// More of them for one piece of input is an endless loop.
const MOST_TURNS: u32 = 100_000;
