//! [`Socket`]: the small layer of IO under a connection, TCP or unix.

use std::fs::File;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use nix::sys::sendfile::sendfile64;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connected stream socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Reads some bytes; 0 is the end of input.
    #[inline]
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        ready!(match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        })?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Reads some bytes behind those in `into`, whose spare capacity bounds them.
    pub(super) fn poll_read_behind(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => tokio_util::io::poll_read_buf(Pin::new(stream), cx, into),
            Self::Unix(stream) => tokio_util::io::poll_read_buf(Pin::new(stream), cx, into),
        }
    }

    /// Writes some of `bytes`.
    #[inline]
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Writes some of `buffers`, in order.
    pub(super) fn poll_write_all_of(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    /// Sends some bytes of a file from `offset` on, without passing them through this process; 0 is
    /// the file's end.
    pub(super) fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        let count = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(SENDFILE_BYTES);
        let mut at = i64::try_from(offset).map_err(io::Error::other)?;
        loop {
            let sent = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(Interest::WRITABLE, || {
                        Ok(sendfile64(stream.as_fd(), file, Some(&mut at), count)?)
                    })
                }
                Self::Unix(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(Interest::WRITABLE, || {
                        Ok(sendfile64(stream.as_fd(), file, Some(&mut at), count)?)
                    })
                }
            };
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    /// Ends the output; the peer may go on sending.
    pub(super) fn shut_down_output(&self) {
        // A peer that is gone needs no goodbye.
        let _ = match self {
            Self::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Self::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
        };
    }
}

/// Bytes of one sendfile call: a fast reader must not keep the loop from other connections.
const SENDFILE_BYTES: usize = 1 << 20;
