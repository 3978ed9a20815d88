//! Listening sockets: opened once by the master, which holds them for as long as it lives.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use socket2::{Domain, Protocol, Socket, Type};

use super::ListenAddress;
use super::bind_error::BindError;
use super::claim::Claim;
use super::lock::LockError;
use super::options::ListenOptions;
use super::unix_path::{self, OwnedPath};
use crate::os;

/// A socket that accepts connections: nonblocking, close-on-exec, TCP_NODELAY passed on to what it
/// accepts. If it is our own, a unix socket's path is removed on drop, unless it has become another's.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    /// As the operator wrote it.
    asked: ListenAddress,
    /// What it has come to.
    address: ListenAddress,
    tenure: Tenure,
    path: Option<OwnedPath>,
    /// Given up behind the path.
    claim: Option<Claim>,
}

/// Whose a listening socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenure {
    /// Ours: nobody listens on it when we end.
    Own,
    /// Another's: it goes on without us.
    Lent,
}

/// A listener as one program leaves it to the next in the same process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftListener<Fd> {
    /// The socket.
    pub(crate) socket: Fd,
    /// As the operator wrote it.
    pub(crate) asked: ListenAddress,
    /// What it has come to.
    pub(crate) address: ListenAddress,
    /// Device and inode of a unix socket's path that is ours to remove.
    pub(crate) path: Option<(u64, u64)>,
    /// The lock on that path.
    pub(crate) claim: Option<Fd>,
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    ///
    /// The address and what is wrong with it.
    pub(crate) fn bind(
        address: &ListenAddress,
        options: &ListenOptions,
    ) -> Result<Self, BindError> {
        let fail = |cause: io::Error| match cause.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse {
                address: address.clone(),
            },
            _ => BindError::Socket {
                address: address.clone(),
                cause,
            },
        };
        let backlog = backlog(options);
        let (socket, path, claim) = match address {
            ListenAddress::Tcp(tcp) => (bind_tcp(*tcp, backlog).map_err(fail)?, None, None),
            ListenAddress::Unix(path) => {
                let mut claim = Claim::stake(path).map_err(|error| match error {
                    LockError::Held { .. } => BindError::InUse {
                        address: address.clone(),
                    },
                    other => fail(io::Error::other(format!(
                        "{}.lock: {other}",
                        path.display()
                    ))),
                })?;
                unix_path::clear_stale(path, &claim, address)?;
                let (socket, owned) = unix_path::bind(path, options.unix).map_err(fail)?;
                claim.record(owned.device, owned.inode).map_err(fail)?;
                // Only now, or somebody could connect who may not.
                socket.listen(backlog).map_err(fail)?;
                (socket, Some(owned), Some(claim))
            }
        };
        let local = socket.local_addr().map_err(fail)?.as_socket();
        Ok(Self {
            socket,
            asked: address.clone(),
            address: local.map_or_else(|| address.clone(), ListenAddress::Tcp),
            tenure: Tenure::Own,
            path,
            claim,
        })
    }

    /// A socket that another has opened. Two things are changed in it, for whoever else has it as
    /// well: accepting does not block, and connections do not wait to fill a segment.
    ///
    /// # Errors
    ///
    /// What it is instead of a stream socket that listens.
    pub(super) fn adopt(socket: OwnedFd) -> Result<Self, String> {
        let socket = Socket::from(socket);
        let listens = socket.is_listener().map_err(|error| error.to_string())?;
        if !listens || socket.r#type().ok() != Some(Type::STREAM) {
            return Err("a socket that does not".to_owned());
        }
        let local = socket.local_addr().map_err(|error| error.to_string())?;
        let address = match (local.as_socket(), local.as_pathname()) {
            (Some(tcp), _) => ListenAddress::Tcp(tcp),
            (None, Some(path)) => ListenAddress::Unix(path.to_owned()),
            (None, None) => {
                let name = local.as_abstract_namespace().unwrap_or_default();
                let name = String::from_utf8_lossy(name).replace('\0', "@");
                ListenAddress::Unix(format!("@{name}").into())
            }
        };
        socket
            .set_nonblocking(true)
            .map_err(|error| error.to_string())?;
        if local.is_ipv4() || local.is_ipv6() {
            // Answers arrive without these, only later, and cost more memory.
            let _ = socket.set_tcp_nodelay(true);
            let _ = socket.set_tcp_notsent_lowat(UNSENT);
        }
        Ok(Self {
            socket,
            asked: address.clone(),
            address,
            tenure: Tenure::Lent,
            path: None,
            claim: None,
        })
    }

    /// A listener that this process has opened as another program.
    pub(crate) fn inherit(left: LeftListener<OwnedFd>) -> Self {
        let LeftListener {
            socket,
            asked,
            address,
            path,
            claim,
        } = left;
        let (path, claim) = match &address {
            ListenAddress::Tcp(_) => (None, None),
            ListenAddress::Unix(name) => {
                let name = std::path::absolute(name).unwrap_or_else(|_| name.clone());
                let claim = claim.map(|file| Claim::adopt(file, &name));
                let owned = |(device, inode)| OwnedPath {
                    path: name,
                    device,
                    inode,
                };
                (path.map(owned), claim)
            }
        };
        Self {
            socket: socket.into(),
            asked,
            address,
            tenure: Tenure::Own,
            path,
            claim,
        }
    }

    /// What [`Listener::inherit`] needs to know of one of our own.
    pub(crate) fn leave(&self) -> LeftListener<BorrowedFd<'_>> {
        LeftListener {
            socket: self.as_fd(),
            asked: self.asked.clone(),
            address: self.address.clone(),
            path: self.path.as_ref().map(|path| (path.device, path.inode)),
            claim: self.claim.as_ref().map(Claim::file),
        }
    }

    /// Where it listens; a port that the kernel chose is filled in.
    pub(crate) fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// What was asked for when it was opened.
    pub(super) fn asked(&self) -> &ListenAddress {
        &self.asked
    }

    /// Whose it is.
    pub(crate) fn tenure(&self) -> Tenure {
        self.tenure
    }

    /// Whether it ends with us.
    pub(crate) fn is_own(&self) -> bool {
        self.tenure == Tenure::Own
    }

    /// Takes clients in when they have spoken, or at once: a process that is woken for a client with
    /// nothing to say yet is woken twice. Nothing is lost if the kernel cannot.
    pub(super) fn await_requests(&self, awaits: bool) {
        let seconds = if awaits { SILENCE } else { 0 };
        if let (ListenAddress::Tcp(address), Tenure::Own) = (&self.address, self.tenure)
            && let Err(error) = os::socket::defer_accept(self.as_fd(), seconds)
        {
            tracing::debug!("{address}: cannot wait for clients to speak: {error}");
        }
    }

    /// Begins the end of a listener of our own: nobody new gets in, whoever is in the backlog is still
    /// accepted. Then it is dropped.
    pub(crate) fn turn_newcomers_away(&self) {
        if let (ListenAddress::Tcp(address), Tenure::Own) = (&self.address, self.tenure)
            && let Err(error) = super::turn_away(self)
        {
            tracing::debug!("cannot turn newcomers away from {address}: {error}");
        }
    }

    /// Whether somebody has removed or replaced the path of a unix socket of our own. A listener is kept
    /// all the same: whoever moved its path elsewhere still connects there.
    pub(super) fn has_lost_its_path(&self) -> bool {
        self.path.as_ref().is_some_and(|path| !path.is_ours())
    }

    /// Changes what can be changed while it listens, if it is our own.
    pub(super) fn adjust(&self, options: &ListenOptions) -> io::Result<()> {
        if self.is_own() {
            self.socket.listen(backlog(options))?;
        }
        let path = self.path.as_ref();
        path.map_or(Ok(()), |path| path.give(options.unix))
    }

    /// The socket once more, for a serving loop in this process.
    ///
    /// # Errors
    ///
    /// The kernel's: too many open files.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(self.socket.try_clone()?.into())
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn bind_tcp(address: SocketAddr, backlog: i32) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?;
    // Connections of the last run in TIME_WAIT must not keep the next one from starting.
    socket.set_reuse_address(true)?;
    if let SocketAddr::V6(v6) = address {
        socket.set_only_v6(*v6.ip() != Ipv6Addr::UNSPECIFIED)?;
    }
    socket.bind(&address.into())?;
    // Accepted sockets inherit it, which saves a call for each.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(UNSENT)?;
    socket.listen(backlog)?;
    Ok(socket)
}

fn backlog(options: &ListenOptions) -> i32 {
    i32::try_from(options.backlog).unwrap_or(i32::MAX)
}

/// Bytes that the kernel takes of an answer beyond what is on its way: a client that does not read
/// holds so much of our memory, where the kernel's own bound is 4 MB.
const UNSENT: u32 = 1 << 20;

/// How long a client may say nothing until it is accepted all the same, in seconds; the kernel rounds.
const SILENCE: i32 = 1;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::TcpStream;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;

    use rustix::fs::{CWD, RenameFlags, renameat_with};

    use super::super::options::UnixAccess;
    use super::*;

    const OPTIONS: ListenOptions = ListenOptions {
        backlog: 16,
        unix: UnixAccess {
            mode: 0o666,
            user: None,
            group: None,
        },
    };

    fn unix(path: &Path) -> ListenAddress {
        ListenAddress::Unix(path.to_owned())
    }

    #[test]
    fn who_has_to_speak_is_accepted_behind_the_first_word_and_others_at_once() {
        use std::io::{ErrorKind, Write};

        let any = ListenAddress::parse("127.0.0.1:0").unwrap();
        let listener = Listener::bind(&any, &OPTIONS).unwrap();
        let ListenAddress::Tcp(address) = *listener.address() else {
            panic!()
        };
        listener.await_requests(true);
        let mut client = TcpStream::connect(address).unwrap();
        let early = listener.socket.accept().unwrap_err();
        assert_eq!(early.kind(), ErrorKind::WouldBlock);
        client.write_all(b"hello").unwrap();
        listener.socket.set_nonblocking(false).unwrap();
        listener.socket.accept().unwrap();
        listener.await_requests(false);
        let _silent = TcpStream::connect(address).unwrap();
        listener.socket.accept().unwrap();
    }

    #[test]
    fn a_port_that_the_kernel_chose_is_told_and_connects() {
        let any = ListenAddress::parse("127.0.0.1:0").unwrap();
        let listener = Listener::bind(&any, &OPTIONS).unwrap();
        let ListenAddress::Tcp(address) = listener.address() else {
            panic!()
        };
        assert_ne!(address.port(), 0);
        TcpStream::connect(address).unwrap();
    }

    #[test]
    fn a_peer_that_reads_nothing_holds_little_memory() {
        let any = ListenAddress::parse("127.0.0.1:0").unwrap();
        let listener = Listener::bind(&any, &OPTIONS).unwrap();
        let ListenAddress::Tcp(address) = listener.address() else {
            panic!()
        };
        let _peer = TcpStream::connect(address).unwrap();
        let (accepted, _) = listener.socket.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let piece = vec![0; 64 << 10];
        let taken: usize = std::iter::from_fn(|| accepted.send(&piece).ok()).sum();
        assert!(taken < 2 * UNSENT as usize, "{taken}");
    }

    #[test]
    fn an_address_in_use_is_named() {
        let any = ListenAddress::parse("127.0.0.1:0").unwrap();
        let holder = Listener::bind(&any, &OPTIONS).unwrap();
        let error = Listener::bind(holder.address(), &OPTIONS).unwrap_err();
        assert!(matches!(error, BindError::InUse { .. }));
        assert!(error.to_string().contains(&holder.address().to_string()));
    }

    #[test]
    fn the_unspecified_v6_address_takes_v4_as_well() {
        let any = ListenAddress::parse("[::]:0").unwrap();
        // A machine without IPv6 has nothing to test.
        let Ok(listener) = Listener::bind(&any, &OPTIONS) else {
            return;
        };
        let ListenAddress::Tcp(address) = listener.address() else {
            panic!()
        };
        TcpStream::connect(("127.0.0.1", address.port())).unwrap();
    }

    #[test]
    fn a_unix_path_of_a_live_server_is_refused_and_a_stale_one_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let live = UnixListener::bind(&path).unwrap();
        let refused = Listener::bind(&unix(&path), &OPTIONS).unwrap_err();
        assert!(matches!(refused, BindError::InUse { .. }));
        drop(live);
        let listener = Listener::bind(&unix(&path), &OPTIONS).unwrap();
        UnixStream::connect(&path).unwrap();
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_path_is_had_as_soon_as_its_master_is_gone_whoever_still_accepts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let lock = folder.path().join("s.lock");
        let master = Listener::bind(&unix(&path), &OPTIONS).unwrap();
        let worker = master.duplicate().unwrap();
        let refused = Listener::bind(&unix(&path), &OPTIONS).unwrap_err();
        assert!(matches!(refused, BindError::InUse { .. }));
        // As a kill leaves it: the files stay, the lock does not.
        let left = fs::read(&lock).unwrap();
        let before = UnixStream::connect(&path).unwrap();
        fs::hard_link(&path, folder.path().join("kept")).unwrap();
        drop(master);
        fs::rename(folder.path().join("kept"), &path).unwrap();
        fs::write(&lock, left).unwrap();
        let _successor = Listener::bind(&unix(&path), &OPTIONS).unwrap();
        UnixStream::connect(&path).unwrap();
        drop((before, worker));
    }

    #[test]
    fn a_file_that_is_no_socket_is_never_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        fs::write(&path, "precious").unwrap();
        let refused = Listener::bind(&unix(&path), &OPTIONS).unwrap_err();
        assert!(matches!(refused, BindError::NotASocket { .. }));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_path_that_has_become_anothers_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = Listener::bind(&unix(&path), &OPTIONS).unwrap();
        fs::remove_file(&path).unwrap();
        let _successor = UnixListener::bind(&path).unwrap();
        drop(listener);
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn the_path_has_the_mode_that_was_asked_for_at_once_and_after_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        let listener = Listener::bind(&unix(&path), &OPTIONS).unwrap();
        assert_eq!(mode(), 0o666);
        let mut options = OPTIONS;
        options.unix.mode = 0o600;
        listener.adjust(&options).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn no_file_is_changed_that_takes_the_place_of_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let [path, link, victim] = ["s", "link", "victim"].map(|name| folder.path().join(name));
        fs::write(&victim, "precious").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&victim, &link).unwrap();
        let listener = Listener::bind(&unix(&path), &OPTIONS).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Whoever has the folder exchanges the two as fast as they can.
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    renameat_with(CWD, &path, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                }
            });
            for _ in 0..20_000 {
                listener.adjust(&OPTIONS).unwrap();
            }
            done.store(true, Relaxed);
        });
        assert_eq!(fs::metadata(&victim).unwrap().mode() & 0o777, 0o600);
    }
}
