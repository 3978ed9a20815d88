//! hyper's upgraded connection as the interface's stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use gateway_spec::Duplex;
use gateway_spec::hosting::Draining;
use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::Upgraded;

pub(crate) struct Tunnel {
    upgraded: Upgraded,
    draining: Draining,
}

impl Tunnel {
    pub(crate) fn new(upgraded: Upgraded, draining: Draining) -> Self {
        Self { upgraded, draining }
    }

    fn pinned(&mut self) -> Pin<&mut Upgraded> {
        Pin::new(&mut self.upgraded)
    }
}

impl Duplex for Tunnel {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(self.pinned().poll_read(cx, buffer.unfilled()))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pinned().poll_write_vectored(cx, buffers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pinned().poll_shutdown(cx)
    }

    fn poll_draining(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.draining.poll(cx)
    }
}
