//! [`Upgraded`]: the duplex byte stream of a connection that switched protocols.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

/// Implemented by hosts: the two directions of an upgraded connection.
///
/// Each direction is used by one task at a time; both close independently.
pub trait Duplex: Send + 'static {
    /// Reads into `buffer`; 0 bytes for a non-empty buffer is the end of input.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some of `buffers`, in order; says how many bytes.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// Ready once everything written has been handed to the operating system.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Flushes, then ends the output; reading goes on.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ready once the server drains: say goodbye in the protocol's own way.
    fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// The byte stream behind `101 Switching Protocols` or an accepted `CONNECT`.
///
/// Bytes that the client sent ahead come first. Dropping it closes the connection. With the
/// feature `tokio` it implements `AsyncRead` and `AsyncWrite`.
pub struct Upgraded {
    stream: Box<dyn Duplex>,
}

impl Upgraded {
    /// Wraps a host's stream.
    pub fn new(stream: impl Duplex) -> Self {
        Self {
            stream: Box::new(stream),
        }
    }

    /// Reads some bytes; 0 is the end of input.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.stream.poll_read(cx, buffer)).await
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// The connection broke; [`io::ErrorKind::WriteZero`] if it takes no more.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let buffers = [IoSlice::new(bytes)];
            match poll_fn(|cx| self.stream.poll_write(cx, &buffers)).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        Ok(())
    }

    /// Waits until everything written has been handed to the operating system.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.stream.poll_flush(cx)).await
    }

    /// Ends the output; reading goes on.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.stream.poll_shutdown(cx)).await
    }

    /// Ready once the server drains.
    pub fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_draining(cx)
    }

    pub(crate) fn into_duplex(self) -> Box<dyn Duplex> {
        self.stream
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgraded")
    }
}

#[cfg(feature = "tokio")]
mod tokio_io {
    use super::{Context, IoSlice, Poll, Upgraded, io};
    use std::pin::Pin;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    impl AsyncRead for Upgraded {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let read = self.stream.poll_read(cx, buffer.initialize_unfilled());
            read.map_ok(|count| buffer.advance(count))
        }
    }

    impl AsyncWrite for Upgraded {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.stream.poll_write(cx, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffers: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.stream.poll_write(cx, buffers)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.stream.poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.stream.poll_shutdown(cx)
        }
    }
}
