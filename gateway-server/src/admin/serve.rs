//! The socket that operators connect to: one request a connection, and little patience.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::answer::{Asked, answer};
use super::figures::Watch;
use crate::http1::Head;
use crate::limits::{ADMIN_CONNECTIONS, ADMIN_TIME, HeadLimits};
use crate::net::ListenAddress;

/// What is listened on.
#[derive(Debug)]
pub(super) enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Door {
    /// Takes a listening, nonblocking socket.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub(super) fn new(listener: OwnedFd, address: &ListenAddress) -> io::Result<Self> {
        Ok(match address {
            ListenAddress::Tcp(_) => Self::Tcp(TcpListener::from_std(listener.into())?),
            ListenAddress::Unix(_) => Self::Unix(UnixListener::from_std(listener.into())?),
        })
    }

    async fn accept(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(door) => Stream::Tcp(door.accept().await?.0),
            Self::Unix(door) => Stream::Unix(door.accept().await?.0),
        })
    }
}

/// Answers everybody, for ever.
pub(super) async fn serve(door: Door, watch: Rc<Watch>) {
    let mut served = VecDeque::new();
    loop {
        match door.accept().await {
            Ok(stream) => {
                served.retain(|one: &JoinHandle<()>| !one.is_finished());
                // Who says nothing keeps nobody from an answer, which takes no time.
                if served.len() >= ADMIN_CONNECTIONS
                    && let Some(oldest) = served.pop_front()
                {
                    oldest.abort();
                }
                let watch = Rc::clone(&watch);
                served.push_back(tokio::task::spawn_local(async move {
                    // Whoever is late or goes away needs no word.
                    let _ = tokio::time::timeout(ADMIN_TIME, converse(&stream, &watch)).await;
                }));
            }
            Err(error) => {
                tracing::debug!("the admin process cannot accept: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: &Stream, watch: &Watch) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(4096);
    let mut head = Head::default();
    let limits = HeadLimits::default();
    let answered = loop {
        if stream.read(&mut buffer).await? == 0 {
            return Ok(());
        }
        match head.parse(&mut buffer, &limits) {
            Ok(None) => {}
            Ok(Some(length)) => {
                let asked = Asked::of(&head, &buffer[..length]);
                break answer(&asked, watch).await;
            }
            Err(error) => break super::answer::refusal(error.status()),
        }
    };
    stream.write_all(&answered).await?;
    stream.part().await
}

impl Stream {
    /// Reads behind what stands in `buffer`.
    async fn read(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let mut piece = [0; 4096];
        loop {
            let read = match self {
                Self::Tcp(stream) => {
                    stream.readable().await?;
                    stream.try_read(&mut piece)
                }
                Self::Unix(stream) => {
                    stream.readable().await?;
                    stream.try_read(&mut piece)
                }
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
                Ok(length) => {
                    buffer.extend_from_slice(&piece[..length]);
                    return Ok(length);
                }
            }
        }
    }

    async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match self {
                Self::Tcp(stream) => {
                    stream.writable().await?;
                    stream.try_write(bytes)
                }
                Self::Unix(stream) => {
                    stream.writable().await?;
                    stream.try_write(bytes)
                }
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
                Ok(length) => bytes = &bytes[length..],
            }
        }
        Ok(())
    }

    /// Ends the connection so that the client can read all of the answer, whatever it has sent behind
    /// its head.
    async fn part(&self) -> io::Result<()> {
        let ways = std::net::Shutdown::Write;
        match self {
            Self::Tcp(stream) => socket2::SockRef::from(stream).shutdown(ways)?,
            Self::Unix(stream) => socket2::SockRef::from(stream).shutdown(ways)?,
        }
        let mut rest = Vec::new();
        while self.read(&mut rest).await? > 0 {
            rest.clear();
        }
        Ok(())
    }
}
