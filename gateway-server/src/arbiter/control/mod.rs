//! The control socket: who may speak to the master there, and who waits for what.

mod client;

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use nix::poll::PollFlags;
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::Uid;

use self::client::Client;
use super::event::{Generation, Note};
use crate::config::Config;
use crate::control::{Command, Operation, Outcome, Reply, Work};
use crate::net::{ListenAddress, ListenOptions, Listener, UnixAccess};

/// The socket and who is on it.
#[derive(Debug, Default)]
pub(super) struct Control {
    socket: Option<Socket>,
    clients: Vec<Client>,
    /// What runs, and its generation.
    running: Option<(Work, Generation)>,
    /// What has ended last, and when.
    last: Option<(Operation, Duration)>,
}

/// Removed with its path when the master ends.
#[derive(Debug)]
struct Socket {
    door: UnixListener,
    listener: Listener,
}

/// What an operator's program has asked for, and where to answer it.
#[derive(Debug)]
pub(super) struct Asked {
    client: usize,
    pub(super) command: Command,
}

impl Control {
    /// The socket that the configuration asks for. A server does without one that cannot be had.
    pub(super) fn open(config: &Config) -> Self {
        Self::succeed(config, None)
    }

    /// The one that the program before has had, if it had one.
    pub(super) fn succeed(config: &Config, left: Option<Listener>) -> Self {
        let wanted = config.control.as_deref();
        let socket = wanted.map(|path| match left {
            Some(listener) => Socket::of(listener),
            None => Socket::bind(path),
        });
        let tell = |why| tracing::info!("no control socket: {why}");
        Self {
            socket: socket.and_then(|socket| socket.map_err(tell).ok()),
            ..Self::default()
        }
    }

    /// What a successor of this program goes on with.
    pub(super) fn listener(&self) -> Option<&Listener> {
        self.socket.as_ref().map(|socket| &socket.listener)
    }

    /// What to wait for.
    pub(super) fn ears(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let door = self.socket.iter();
        let door = door.map(|socket| (socket.door.as_fd(), PollFlags::POLLIN));
        door.chain(self.clients.iter().map(Client::ear))
    }

    /// When somebody's time is over.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.clients.iter().filter_map(Client::deadline).min()
    }

    /// Hears everybody; what they ask for.
    pub(super) fn hear(&mut self, now: Duration) -> Vec<Asked> {
        self.clients.retain(|client| !client.is_gone());
        self.admit(now);
        let all = self.clients.iter_mut().enumerate();
        all.filter_map(|(client, one)| {
            let command = one.go_on(now)?;
            Some(Asked { client, command })
        })
        .collect()
    }

    /// Answers a command.
    pub(super) fn answer(&mut self, asked: &Asked, reply: &Reply, now: Duration) {
        if let Some(client) = self.clients.get_mut(asked.client) {
            client.answer(reply, now);
        }
    }

    /// Answers it when all operations have ended, or never if the server is to end.
    pub(super) fn have_wait(&mut self, asked: &Asked) {
        if let Some(client) = self.clients.get_mut(asked.client) {
            client.wait();
        }
    }

    /// Takes note of how operations begin and end.
    pub(super) fn note(&mut self, note: &Note, now: Duration) {
        let (outcome, reason) = match note {
            Note::Reloading { generation, .. } => {
                self.running = Some((Work::Reload, *generation));
                return;
            }
            Note::Upgrading { generation } => {
                self.running = Some((Work::Upgrade, *generation));
                return;
            }
            Note::Upgraded { .. } => {
                self.running = Some((Work::Upgrade, Generation(0)));
                return;
            }
            Note::Reloaded { generation } => {
                if let Some((_, tried)) = &mut self.running {
                    *tried = *generation;
                }
                (Outcome::Done, None)
            }
            Note::ReloadFailed { reason } | Note::UpgradeFailed { reason } => {
                (Outcome::Failed, Some(reason.clone()))
            }
            _ => return,
        };
        let Some((work, generation)) = self.running.take() else {
            return;
        };
        let operation = Operation {
            work,
            outcome,
            generation: generation.0,
            reason,
            seconds_ago: 0,
        };
        self.last = Some((operation, now));
    }

    /// The operation that has ended last.
    pub(super) fn last_operation(&self, now: Duration) -> Option<Operation> {
        let (operation, at) = self.last.clone()?;
        Some(Operation {
            seconds_ago: now.saturating_sub(at).as_secs(),
            ..operation
        })
    }

    /// Nothing runs and nothing is to follow: answers those who wait for that.
    pub(super) fn tell_settled(&mut self, now: Duration) {
        if !self.clients.iter().any(Client::waits) {
            return;
        }
        let reply = Reply::of(self.last_operation(now));
        for client in self.clients.iter_mut().filter(|client| client.waits()) {
            client.answer(&reply, now);
        }
    }

    fn admit(&mut self, now: Duration) {
        let Some(socket) = &self.socket else {
            return;
        };
        loop {
            let stream = match socket.door.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Whoever is left asks again.
                Err(_) => return,
            };
            let Ok(mut client) = Client::new(stream, now) else {
                continue;
            };
            if !may_command(client.stream()) {
                let why = "only root and the server's own user may do this";
                client.answer(&Reply::refused(why), now);
            } else if self.clients.len() >= MAX_CLIENTS {
                let why = format!("{MAX_CLIENTS} others are on the control socket already");
                client.answer(&Reply::refused(why), now);
            } else {
                self.clients.push(client);
            }
        }
    }
}

impl Socket {
    fn bind(path: &Path) -> Result<Self, String> {
        let options = ListenOptions {
            backlog: BACKLOG,
            unix: UnixAccess {
                mode: 0o600,
                user: None,
                group: None,
            },
        };
        let address = ListenAddress::Unix(path.to_owned());
        let listener = Listener::bind(&address, &options).map_err(|error| error.to_string())?;
        Self::of(listener)
    }

    fn of(listener: Listener) -> Result<Self, String> {
        let door = listener.duplicate().map_err(|error| error.to_string())?;
        Ok(Self {
            door: door.into(),
            listener,
        })
    }
}

/// Whether root or the master's own user is on the other end.
fn may_command(stream: &UnixStream) -> bool {
    getsockopt(stream, sockopt::PeerCredentials).is_ok_and(|peer| {
        let user = Uid::from_raw(peer.uid());
        user.is_root() || user == Uid::effective()
    })
}

/// Who may be on the socket at a time.
const MAX_CLIENTS: usize = 8;
/// Who may wait for that.
const BACKLOG: u32 = 16;
