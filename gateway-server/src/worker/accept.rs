//! A listening socket, and what accepting from it may come to.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use gateway_spec::Address;
use gateway_spec::abi::host::HostAddress;
use nix::errno::Errno;

use super::serving::Listening;
use crate::connection::{Connection, Entrance, Service};
use crate::fronts::{Front, Protocol};
use crate::net::{ListenAddress, Preface, Scheme, Tenure, turn_away};
use crate::os;
use crate::tls::{Engine, Fault, Session};
use crate::wire::{Socket, Wire};

/// A nonblocking listening socket with its address.
pub(super) struct Listener {
    socket: OwnedFd,
    address: ListenAddress,
    kind: Kind,
    /// What is spoken, where it is TLS.
    engine: Option<Rc<Engine>>,
    tenure: Tenure,
    /// What is spoken, where it is a front's protocol.
    front: Option<Protocol>,
    entrance: Rc<Entrance>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Tcp,
    Unix,
}

/// What came of accepting.
pub(super) enum Accepted {
    Connection(Box<Connection>),
    /// Nobody waits.
    Nothing,
    /// One was gone again; nobody's fault.
    Lost,
    /// No descriptor or no memory for another: some have to be freed first.
    Exhausted(io::Error),
    /// The listener accepts nobody, and never will again.
    Broken(io::Error),
}

impl Listener {
    /// With what TLS begins from, where that is spoken, and the port of the https address, where there is one.
    pub(super) fn new(
        listening: Listening,
        engine: Option<&Rc<Engine>>,
        redirect_port: Option<u16>,
    ) -> Self {
        let Listening {
            address,
            manner,
            socket,
            tenure,
        } = listening;
        let (kind, local) = match &address {
            ListenAddress::Tcp(address) => (Kind::Tcp, Address::from(*address)),
            ListenAddress::Unix(path) => (
                Kind::Unix,
                Address::Unix(path.as_os_str().as_bytes().into()),
            ),
        };
        Self {
            socket,
            address,
            kind,
            engine: engine.filter(|_| manner.scheme == Scheme::Https).cloned(),
            tenure,
            front: match manner.scheme {
                Scheme::FastCgi => Some(Protocol::FastCgi),
                Scheme::Scgi => Some(Protocol::Scgi),
                Scheme::Uwsgi => Some(Protocol::Uwsgi),
                Scheme::Http | Scheme::Https | Scheme::Redirect => None,
            },
            entrance: Rc::new(Entrance {
                local: HostAddress::from(&local),
                secured: manner.scheme == Scheme::Https,
                introduced: manner.preface == Preface::Proxy,
                redirects: redirect_port.filter(|_| manner.scheme == Scheme::Redirect),
            }),
        }
    }

    /// Accepts one who waits, and has the connection begin as this address does.
    pub(super) fn accept(&self, service: &Rc<Service>) -> Accepted {
        let (fd, peer) = match self.try_accept() {
            Ok(accepted) => accepted,
            Err(error) => return outcome_of(error),
        };
        if !self.may_connect(service, &peer) {
            tracing::warn!("{self}: {peer} is not one of the trusted-proxies: refused");
            return Accepted::Lost;
        }
        match self.wire(Socket::new(fd), service) {
            Ok(wire) => {
                let entrance = Rc::clone(&self.entrance);
                let connection = Connection::new(service, wire, &peer, entrance);
                Accepted::Connection(Box::new(connection))
            }
            Err(error) => {
                tracing::error!("{self}: cannot begin a TLS session: {error}");
                Accepted::Lost
            }
        }
    }

    /// What stands between the socket and HTTP.
    fn wire(&self, socket: Socket, service: &Service) -> Result<Wire, Fault> {
        Ok(match (&self.engine, self.front) {
            (Some(engine), _) => Wire::secured(socket, Session::new(engine)?),
            (None, Some(protocol)) => {
                Wire::fronted(socket, Front::new(protocol, service.front_limits()))
            }
            (None, None) => Wire::plain(socket),
        })
    }

    /// Whether the peer may say for whom it speaks, where it has to.
    fn may_connect(&self, service: &Service, peer: &Address) -> bool {
        !self.entrance.introduced || service.trusts(peer)
    }

    fn try_accept(&self) -> io::Result<(OwnedFd, Address)> {
        let (fd, peer) = os::socket::accept(self.as_fd())?;
        // Answers are written whole; TCP_NODELAY is the listener's and goes over to its connections.
        Ok(match self.kind {
            Kind::Tcp => {
                let peer = peer.as_socket().map_or(Address::Unknown, Address::from);
                (fd, peer)
            }
            // Clients have no name.
            Kind::Unix => (fd, Address::Unix(Box::default())),
        })
    }

    /// Whether it ends with us.
    pub(super) fn is_own(&self) -> bool {
        self.tenure == Tenure::Own
    }

    /// Lets nobody new in, if the listener is ours; whoever is in the backlog can still be accepted.
    pub(super) fn turn_newcomers_away(&self) {
        if let (Kind::Tcp, true) = (self.kind, self.is_own())
            && let Err(error) = turn_away(self)
        {
            tracing::debug!("cannot turn newcomers away: {error}");
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the listener at {}", self.address)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn outcome_of(error: io::Error) -> Accepted {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EAGAIN) => Accepted::Nothing,
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM) => {
            Accepted::Exhausted(error)
        }
        Some(errno) if PASSING.contains(&errno) => Accepted::Lost,
        _ => Accepted::Broken(error),
    }
}

/// What accept(2) says of one connection and not of the listener: the network's errors that it
/// passes on, a firewall's refusal, a signal.
const PASSING: [Errno; 13] = [
    Errno::ECONNABORTED,
    Errno::ECONNRESET,
    Errno::EHOSTDOWN,
    Errno::EHOSTUNREACH,
    Errno::EINTR,
    Errno::ENETDOWN,
    Errno::ENETUNREACH,
    Errno::ENONET,
    Errno::ENOPROTOOPT,
    Errno::EOPNOTSUPP,
    Errno::EPERM,
    Errno::EPROTO,
    Errno::ETIMEDOUT,
];
