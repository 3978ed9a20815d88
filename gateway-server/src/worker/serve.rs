//! The serving loop: starts the application, accepts connections, drains.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use gateway_spec::Address;
use gateway_spec::abi::host::HostAddress;
use tokio::net::{TcpListener, UnixListener};

use super::application;
use super::race::{at_once, unless};
use super::serving::{ServeError, ServeFailure, Serving};
use crate::clock::Clock;
use crate::connection::{Connection, Service, Settings, Socket};
use crate::drain::Phase;
use crate::limits::{BodyLimits, HeadLimits};
use crate::logging::AccessLog;
use crate::net::ListenAddress;
use crate::options::ServeOptions;
use crate::orders::AppIdentity;

/// Serves until the drain is over. `ready` is called once connections are accepted.
///
/// # Errors
///
/// What kept it from becoming ready.
pub(crate) async fn serve(
    serving: Serving,
    ready: impl FnOnce(AppIdentity),
) -> Result<(), ServeError> {
    let Serving {
        listeners,
        app,
        options,
        clock,
        slot,
        drain,
        identity,
    } = serving;
    let (app, name) = application::start(app, &options, identity, drain.clone()).await?;
    let settings = settings_of(&options).map_err(other)?;
    let service = Service::new(app, settings, clock, slot, drain.clone());
    tokio::task::spawn_local(write_log(Rc::clone(&service)));
    let mut accepting = Vec::new();
    for (address, fd) in listeners {
        let listener = Listener::open(&address, fd).map_err(other)?;
        let most = options.max_connections as usize;
        accepting.push(tokio::task::spawn_local(accept(
            listener,
            Rc::clone(&service),
            most,
        )));
    }
    ready(name);

    drain.wait().await;
    for task in accepting {
        // Each ends by itself; a panic in one was reported by the hook.
        let _ = task.await;
    }
    service.clock.deadlines.wake_all();
    if unless(drain.reached(Phase::Stopping), empty(&service))
        .await
        .is_none()
    {
        // Everybody drops what has begun.
        service.clock.deadlines.wake_all();
        empty(&service).await;
    }
    application::shut_down(service, options.timeouts.graceful).await;
    Ok(())
}

fn settings_of(options: &ServeOptions) -> io::Result<Settings> {
    let sizes = &options.sizes;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    Ok(Settings {
        head_limits: HeadLimits {
            request_line: size(sizes.line.0),
            field_line: size(sizes.field.0),
            fields: sizes.fields as usize,
            head: u32::try_from(sizes.head.0).unwrap_or(u32::MAX),
        },
        body_limits: BodyLimits {
            body: sizes.body.0,
            ..BodyLimits::default()
        },
        timeouts: options.timeouts,
        access_log: options
            .access_log
            .as_ref()
            .map(AccessLog::open)
            .transpose()?,
    })
}

/// Writes what has gathered in the access log, again and again.
async fn write_log(service: Rc<Service>) {
    while let Some(log) = &service.access_log {
        service.clock.sleep(LOG_PAUSE).await;
        log.flush();
    }
}

/// Returns once no connection and no work behind an answer is left.
async fn empty(service: &Service) {
    loop {
        let changed = service.quiet.notified();
        if service.live() == 0 {
            return;
        }
        changed.await;
    }
}

enum Listener {
    Tcp(TcpListener, Rc<HostAddress>),
    Unix(UnixListener, Rc<HostAddress>),
}

impl Listener {
    fn open(address: &ListenAddress, fd: OwnedFd) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => {
                let listener = TcpListener::from_std(fd.into())?;
                let local = HostAddress::from(&Address::from(*address));
                Ok(Self::Tcp(listener, Rc::new(local)))
            }
            ListenAddress::Unix(path) => {
                use std::os::unix::ffi::OsStrExt;
                let listener = UnixListener::from_std(fd.into())?;
                let path = Address::Unix(path.as_os_str().as_bytes().into());
                Ok(Self::Unix(listener, Rc::new(HostAddress::from(&path))))
            }
        }
    }

    async fn accept(&self, service: &Rc<Service>) -> io::Result<Connection> {
        match self {
            Self::Tcp(listener, local) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are written whole; waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                let peer = HostAddress::from(&Address::from(peer));
                Ok(Connection::new(
                    service,
                    Socket::Tcp(stream),
                    peer,
                    Rc::clone(local),
                ))
            }
            Self::Unix(listener, local) => {
                let (stream, _) = listener.accept().await?;
                let peer = HostAddress::from(&Address::Unix(Box::default()));
                Ok(Connection::new(
                    service,
                    Socket::Unix(stream),
                    peer,
                    Rc::clone(local),
                ))
            }
        }
    }
}

/// Accepts until the drain; before a shutdown also what waits in the backlog.
async fn accept(listener: Listener, service: Rc<Service>, most: usize) {
    let drain = service.drain.clone();
    while unless(drain.wait(), room(&service, most)).await.is_some() {
        match unless(drain.wait(), listener.accept(&service)).await {
            None => break,
            Some(Ok(connection)) => {
                tokio::task::spawn_local(connection);
            }
            Some(Err(error)) => pause_after(&error, &service.clock).await,
        }
    }
    if drain.phase() == Phase::ShuttingDown {
        while let Some(Ok(connection)) = at_once(listener.accept(&service)).await {
            tokio::task::spawn_local(connection);
        }
    }
}

/// Returns once there is room for another connection.
async fn room(service: &Service, most: usize) {
    loop {
        let changed = service.quiet.notified();
        if service.live() < most {
            return;
        }
        changed.await;
    }
}

/// A connection that is gone again before it was accepted is nobody's fault; a process out of
/// descriptors or memory has to wait until some are free.
async fn pause_after(error: &io::Error, clock: &Clock) {
    use nix::errno::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw);
    if matches!(
        errno,
        Some(Errno::ECONNABORTED | Errno::EPROTO | Errno::EINTR)
    ) {
        return;
    }
    tracing::warn!(
        "cannot accept: {error}; trying again in {} ms",
        ACCEPT_PAUSE.as_millis()
    );
    clock.sleep(ACCEPT_PAUSE).await;
}

fn other(error: impl ToString) -> ServeError {
    ServeError {
        kind: ServeFailure::Other,
        message: error.to_string(),
    }
}

/// How old a line of the access log may become before it is written.
const LOG_PAUSE: Duration = Duration::from_millis(250);
/// How long accepting rests when the process is out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
