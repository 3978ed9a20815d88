//! [`SharedWire`]: a wire for a protocol engine of others, which owns what it reads and writes.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Wire;

/// A wire, and what was read of it before. It wakes nobody: whoever hears of the socket's readiness
/// notes it here and polls the engine.
#[derive(Clone, Debug)]
pub(crate) struct SharedWire(Rc<RefCell<Shared>>);

#[derive(Debug)]
struct Shared {
    wire: Wire,
    ahead: BytesMut,
}

impl SharedWire {
    /// A wire from which `ahead` was read already.
    pub(crate) fn new(wire: Wire, ahead: BytesMut) -> Self {
        Self(Rc::new(RefCell::new(Shared { wire, ahead })))
    }

    /// Does something with the wire itself, which nobody else does meanwhile.
    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut Wire) -> T) -> T {
        action(&mut self.0.borrow_mut().wire)
    }
}

impl AsyncRead for SharedWire {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Shared { wire, ahead } = &mut *self.0.borrow_mut();
        if !ahead.is_empty() {
            let count = ahead.len().min(into.remaining());
            into.put_slice(&ahead[..count]);
            ahead.advance(count);
            if ahead.is_empty() {
                *ahead = BytesMut::new();
            }
            return Poll::Ready(Ok(()));
        }
        // Asked first: an engine looks again and again, and to have memory ready has a price.
        if !wire.may_read() {
            return Poll::Pending;
        }
        let count = ready!(wire.poll_read(into.initialize_unfilled()))?;
        into.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SharedWire {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().wire.poll_write(bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().wire.poll_write_all_of(buffers)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was taken has been sent.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().wire.shut_down_output();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::task::Waker;

    use super::*;
    use crate::wire::{Readiness, Socket};

    #[test]
    fn what_was_read_before_comes_first_and_readiness_is_noted_from_outside() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let wire = Wire::plain(Socket::new(ours.into()));
        let shared = SharedWire::new(wire, BytesMut::from(&b"before"[..]));
        let mut engine = shared.clone();
        let mut cx = Context::from_waker(Waker::noop());
        let mut room = [0; 100];
        let mut read = || {
            let mut into = ReadBuf::new(&mut room);
            match Pin::new(&mut engine).poll_read(&mut cx, &mut into) {
                Poll::Ready(outcome) => outcome.map(|()| Some(into.filled().to_vec())),
                Poll::Pending => Ok(None),
            }
        };
        assert_eq!(read().unwrap().as_deref(), Some(&b"before"[..]));
        theirs.write_all(b"now").unwrap();
        assert_eq!(read().unwrap(), None);
        shared.with(|wire| {
            wire.note(Readiness {
                readable: true,
                writable: true,
                ended: false,
                gone: false,
            });
        });
        assert_eq!(read().unwrap().as_deref(), Some(&b"now"[..]));
        let wrote = Pin::new(&mut engine).poll_write(&mut cx, b"answer");
        assert!(matches!(wrote, Poll::Ready(Ok(6))));
        let ended = Pin::new(&mut engine).poll_shutdown(&mut cx);
        assert!(matches!(ended, Poll::Ready(Ok(()))));
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "answer");
    }
}
