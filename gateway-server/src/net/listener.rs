//! Listening sockets: opened once by the master, which holds them for as long as it lives.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::ListenAddress;
use super::claim::Claim;
use super::lock::LockError;

/// A socket that accepts connections: nonblocking, close-on-exec, TCP_NODELAY passed on to what it
/// accepts. A unix socket's path is removed on drop, unless it has become another's.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    /// As the operator wrote it.
    asked: ListenAddress,
    /// What it has come to.
    address: ListenAddress,
    #[expect(dead_code, reason = "held to be dropped")]
    path: Option<OwnedPath>,
    #[expect(dead_code, reason = "held to be dropped, behind the path")]
    claim: Option<Claim>,
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    ///
    /// The address and what is wrong with it.
    pub(crate) fn bind(address: &ListenAddress, backlog: u32) -> Result<Self, BindError> {
        let fail = |cause| BindError::Socket {
            address: address.clone(),
            cause,
        };
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        match address {
            ListenAddress::Tcp(tcp) => {
                let socket = bind_tcp(*tcp, backlog).map_err(|error| match error.kind() {
                    io::ErrorKind::AddrInUse => BindError::InUse {
                        address: address.clone(),
                    },
                    _ => fail(error),
                })?;
                let local = socket.local_addr().map_err(fail)?.as_socket();
                Ok(Self {
                    socket,
                    asked: address.clone(),
                    address: ListenAddress::Tcp(local.unwrap_or(*tcp)),
                    path: None,
                    claim: None,
                })
            }
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
                clear_stale(path, &claim, address)?;
                let socket = bind_unix(path, backlog).map_err(|error| match error.kind() {
                    io::ErrorKind::AddrInUse => BindError::InUse {
                        address: address.clone(),
                    },
                    _ => fail(error),
                })?;
                let bound = fs::symlink_metadata(path).map_err(fail)?;
                claim.record(&bound).map_err(fail)?;
                let path = Some(OwnedPath::of(path).map_err(fail)?);
                Ok(Self {
                    socket,
                    asked: address.clone(),
                    address: address.clone(),
                    path,
                    claim: Some(claim),
                })
            }
        }
    }

    /// Binds all addresses, in their order.
    ///
    /// # Errors
    ///
    /// The first address that cannot be had; those before it are given back.
    pub(crate) fn bind_all(
        addresses: &[ListenAddress],
        backlog: u32,
    ) -> Result<Vec<Self>, BindError> {
        addresses
            .iter()
            .map(|address| Self::bind(address, backlog))
            .collect()
    }

    /// Where it listens; a port that the kernel chose is filled in.
    pub(crate) fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Begins the end of a server: nobody new gets in, whoever is in the backlog is still accepted.
    /// Then the listener is dropped.
    pub(crate) fn turn_newcomers_away(&self) {
        if let ListenAddress::Tcp(address) = &self.address
            && let Err(error) = super::turn_away(self)
        {
            tracing::debug!("cannot turn newcomers away from {address}: {error}");
        }
    }

    /// What was asked for when it was opened.
    pub(crate) fn asked(&self) -> &ListenAddress {
        &self.asked
    }

    /// Changes how many connections may wait to be accepted.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(crate) fn set_backlog(&self, backlog: u32) -> io::Result<()> {
        self.socket
            .listen(i32::try_from(backlog).unwrap_or(i32::MAX))
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

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Another socket has the address.
    #[error("cannot listen on {address}: the address is in use")]
    InUse {
        /// The address.
        address: ListenAddress,
    },
    /// The path of a unix socket is something else.
    #[error("cannot listen on {address}: expected a socket or nothing at this path, found a file")]
    NotASocket {
        /// The address.
        address: ListenAddress,
    },
    /// Everything else, in the kernel's words.
    #[error("cannot listen on {address}: {cause}")]
    Socket {
        /// The address.
        address: ListenAddress,
        /// What the kernel said.
        cause: io::Error,
    },
}

impl BindError {
    /// Whether somebody else has the address, and may give it back.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}

fn bind_tcp(address: SocketAddr, backlog: i32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), stream(), Some(Protocol::TCP))?;
    // Connections of the last run in TIME_WAIT must not keep the next one from starting.
    socket.set_reuse_address(true)?;
    if let SocketAddr::V6(v6) = address {
        socket.set_only_v6(*v6.ip() != Ipv6Addr::UNSPECIFIED)?;
    }
    socket.bind(&address.into())?;
    // Accepted sockets inherit it, which saves a call for each.
    socket.set_tcp_nodelay(true)?;
    socket.listen(backlog)?;
    Ok(socket)
}

fn bind_unix(path: &Path, backlog: i32) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, stream(), None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    socket.listen(backlog)?;
    Ok(socket)
}

fn stream() -> Type {
    Type::STREAM.nonblocking().cloexec()
}

/// Removes a socket file that a server left behind; one that another program answers on stays.
fn clear_stale(path: &Path, claim: &Claim, address: &ListenAddress) -> Result<(), BindError> {
    let fail = |cause| BindError::Socket {
        address: address.clone(),
        cause,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket {
                address: address.clone(),
            });
        }
        Ok(found) if claim.is_left_behind(&found) => {
            return fs::remove_file(path).map_err(fail);
        }
        Ok(_) => {}
    }
    let probe = Socket::new(Domain::UNIX, stream(), None).map_err(fail)?;
    match probe.connect(&SockAddr::unix(path).map_err(fail)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(fail)
        }
        // A full backlog (EAGAIN) and a socket of another type (EPROTOTYPE) have an owner, too.
        _ => Err(BindError::InUse {
            address: address.clone(),
        }),
    }
}

/// The path of a socket that this process has bound.
#[derive(Debug)]
struct OwnedPath {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl OwnedPath {
    fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let found = fs::symlink_metadata(&path)?;
        Ok(Self {
            path,
            device: found.dev(),
            inode: found.ino(),
        })
    }
}

impl Drop for OwnedPath {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    fn unix(path: &Path) -> ListenAddress {
        ListenAddress::Unix(path.to_owned())
    }

    #[test]
    fn a_port_that_the_kernel_chose_is_told_and_connects() {
        let any = ListenAddress::parse("127.0.0.1:0").unwrap();
        let listener = Listener::bind(&any, 16).unwrap();
        let ListenAddress::Tcp(address) = listener.address() else {
            panic!()
        };
        assert_ne!(address.port(), 0);
        TcpStream::connect(address).unwrap();
    }

    #[test]
    fn an_address_in_use_is_named() {
        let any = ListenAddress::parse("127.0.0.1:0").unwrap();
        let holder = Listener::bind(&any, 16).unwrap();
        let error = Listener::bind(holder.address(), 16).unwrap_err();
        assert!(matches!(error, BindError::InUse { .. }));
        assert!(error.to_string().contains(&holder.address().to_string()));
    }

    #[test]
    fn the_unspecified_v6_address_takes_v4_as_well() {
        let any = ListenAddress::parse("[::]:0").unwrap();
        // A machine without IPv6 has nothing to test.
        let Ok(listener) = Listener::bind(&any, 16) else {
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
        let refused = Listener::bind(&unix(&path), 16).unwrap_err();
        assert!(matches!(refused, BindError::InUse { .. }));
        drop(live);
        let listener = Listener::bind(&unix(&path), 16).unwrap();
        UnixStream::connect(&path).unwrap();
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_path_is_had_as_soon_as_its_master_is_gone_whoever_still_accepts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let lock = folder.path().join("s.lock");
        let master = Listener::bind(&unix(&path), 16).unwrap();
        let worker = master.duplicate().unwrap();
        let refused = Listener::bind(&unix(&path), 16).unwrap_err();
        assert!(matches!(refused, BindError::InUse { .. }));
        // As a kill leaves it: the files stay, the lock does not.
        let left = fs::read(&lock).unwrap();
        let before = UnixStream::connect(&path).unwrap();
        fs::hard_link(&path, folder.path().join("kept")).unwrap();
        drop(master);
        fs::rename(folder.path().join("kept"), &path).unwrap();
        fs::write(&lock, left).unwrap();
        let _successor = Listener::bind(&unix(&path), 16).unwrap();
        UnixStream::connect(&path).unwrap();
        drop((before, worker));
    }

    #[test]
    fn a_file_that_is_no_socket_is_never_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        fs::write(&path, "precious").unwrap();
        let refused = Listener::bind(&unix(&path), 16).unwrap_err();
        assert!(matches!(refused, BindError::NotASocket { .. }));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_path_that_has_become_anothers_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = Listener::bind(&unix(&path), 16).unwrap();
        fs::remove_file(&path).unwrap();
        let _successor = UnixListener::bind(&path).unwrap();
        drop(listener);
        UnixStream::connect(&path).unwrap();
    }
}
