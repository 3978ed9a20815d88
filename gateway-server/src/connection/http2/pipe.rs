//! [`StreamPipe`]: a stream of HTTP/2 as the pipe of a tunnel.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use h2::{RecvStream, SendStream};

use super::super::tunnel::Pipe;

/// Both directions of a stream. The client may send as much as was read, so that it is slowed down
/// by an application that does not read.
#[derive(Debug)]
pub(super) struct StreamPipe {
    pub(super) send: SendStream<Bytes>,
    pub(super) recv: RecvStream,
    /// What came and was not read yet.
    held: Bytes,
    ended: bool,
}

impl StreamPipe {
    pub(super) fn new(send: SendStream<Bytes>, recv: RecvStream) -> Self {
        Self {
            send,
            recv,
            held: Bytes::new(),
            ended: false,
        }
    }
}

impl Pipe for StreamPipe {
    fn poll_read(&mut self, into: &mut [u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while self.held.is_empty() {
            match ready!(self.recv.poll_data(cx)) {
                None => return Poll::Ready(Ok(0)),
                Some(data) => self.held = data.map_err(broken)?,
            }
        }
        let count = self.held.len().min(into.len());
        self.held.copy_to_slice(&mut into[..count]);
        let released = self.recv.flow_control().release_capacity(count);
        released.map_err(broken)?;
        Poll::Ready(Ok(count))
    }

    fn poll_write(
        &mut self,
        buffers: &[IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let wanted: usize = buffers.iter().map(|buffer| buffer.len()).sum();
        self.send.reserve_capacity(wanted);
        let room = match self.send.capacity() {
            0 => match ready!(self.send.poll_capacity(cx)) {
                Some(room) => room.map_err(broken)?,
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            },
            room => room,
        };
        let mut data = BytesMut::with_capacity(wanted.min(room));
        for buffer in buffers {
            let left = (room - data.len()).min(buffer.len());
            data.extend_from_slice(&buffer[..left]);
        }
        let count = data.len();
        self.send.send_data(data.freeze(), false).map_err(broken)?;
        Poll::Ready(Ok(count))
    }

    fn shut_down_output(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            // A client that has gone needs no goodbye.
            let _ = self.send.send_data(Bytes::new(), true);
        }
    }
}

fn broken(error: h2::Error) -> io::Error {
    if error.is_io() {
        error
            .into_io()
            .unwrap_or_else(|| io::ErrorKind::Other.into())
    } else {
        io::Error::new(io::ErrorKind::ConnectionReset, error)
    }
}
