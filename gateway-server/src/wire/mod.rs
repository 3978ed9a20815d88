//! [`Wire`]: the layer of IO under a connection. Whoever reads and writes bytes here need not know how
//! they travel.

mod fronted;
mod shared;
mod socket;
mod tls;

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::task::Poll;

use bytes::BytesMut;
use gateway_spec::TlsInfo;

pub(crate) use fronted::PROTOCOL;
pub(crate) use shared::SharedWire;
pub(crate) use socket::{Readiness, Socket};

use self::fronted::Fronted;
use self::tls::Tls;
use crate::fronts::{Front, Report};
use crate::tls::{Fault, Session};

/// A client's end of a connection: in clear text, within TLS, or in a front's protocol.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: Socket,
    layer: Option<Layer>,
}

/// What stands between the socket and HTTP.
#[derive(Debug)]
enum Layer {
    Tls(Box<Tls>),
    Front(Box<Fronted>),
}

impl Wire {
    /// Bytes travel as they are.
    pub(crate) fn plain(socket: Socket) -> Self {
        Self {
            socket,
            layer: None,
        }
    }

    /// Bytes travel within TLS, once [`Wire::poll_handshake`] is over.
    pub(crate) fn secured(socket: Socket, session: Session) -> Self {
        Self {
            socket,
            layer: Some(Layer::Tls(Box::new(Tls::new(session)))),
        }
    }

    /// Bytes are a front's, and what is read and written here is what HTTP/1 would say instead.
    pub(crate) fn fronted(socket: Socket, front: Front) -> Self {
        Self {
            socket,
            layer: Some(Layer::Front(Box::new(Fronted::new(front)))),
        }
    }

    /// What a front says beside that, if there is one.
    pub(crate) fn report(&self) -> Option<&Rc<Report>> {
        match self.layer.as_ref()? {
            Layer::Front(fronted) => Some(fronted.report()),
            Layer::Tls(_) => None,
        }
    }

    /// Whether bytes travel within TLS.
    pub(crate) fn is_secured(&self) -> bool {
        matches!(&self.layer, Some(Layer::Tls(_)))
    }

    /// Looks at the first bytes of the connection, which travel as they are whatever follows, without
    /// taking them; the next look waits until more have come.
    pub(crate) fn poll_peek(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_peek(into)
    }

    /// Takes such bytes, all of `into`.
    ///
    /// # Errors
    ///
    /// They are not there any more.
    pub(crate) fn take_seen(&mut self, into: &mut [u8]) -> io::Result<()> {
        self.socket.take_seen(into)
    }

    /// Whether the peer has ended its output.
    pub(crate) fn has_ended(&self) -> bool {
        self.socket.has_ended()
    }

    /// Goes on with the handshake, before anything is read or written; ready once it is over, at once
    /// where there is none.
    ///
    /// # Errors
    ///
    /// There will be no connection.
    pub(crate) fn poll_handshake(&mut self) -> Poll<Result<(), Fault>> {
        match &mut self.layer {
            Some(Layer::Tls(tls)) => tls.poll_handshake(&mut self.socket),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// The protocol that the handshake has agreed upon, if any.
    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        match self.layer.as_ref()? {
            Layer::Tls(tls) => tls.protocol(),
            Layer::Front(_) => None,
        }
    }

    /// What the handshake has come to; nothing in clear text.
    pub(crate) fn facts(&self) -> Option<TlsInfo> {
        match self.layer.as_ref()? {
            Layer::Tls(tls) => Some(tls.facts()),
            Layer::Front(_) => None,
        }
    }

    /// What follows is sent and received as it is: no TLS has come about.
    pub(crate) fn give_up_tls(&mut self) {
        self.layer = None;
    }

    /// Notes what the kernel said.
    #[inline]
    pub(crate) fn note(&mut self, readiness: Readiness) {
        self.socket.note(readiness);
    }

    /// Lets the next read ask the kernel, whatever it said before.
    pub(crate) fn expect_input(&mut self) {
        self.socket.expect_input();
    }

    /// Begins a turn: a peer that is as fast as we are must not keep the loop from other
    /// connections, so that after some bytes nothing moves until the next.
    #[inline]
    pub(crate) fn begin_turn(&mut self) {
        self.socket.begin_turn();
    }

    /// Whether the turn ended by itself: no event will say that there is more to do.
    #[inline]
    pub(crate) fn was_held_back(&self) -> bool {
        self.socket.was_held_back()
    }

    /// Whether the kernel said that the connection is lost, both ways.
    pub(crate) fn is_gone(&self) -> bool {
        self.socket.is_gone()
    }

    /// Whether a read may bring something.
    #[inline]
    pub(crate) fn may_read(&mut self) -> bool {
        self.layer.as_ref().is_some_and(|layer| layer.has_input()) || self.socket.may_read()
    }

    /// Reads some bytes; 0 is the end of input.
    #[inline]
    pub(crate) fn poll_read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            None => self.socket.poll_read(into),
            Some(Layer::Tls(tls)) => tls.poll_read(&mut self.socket, into),
            Some(Layer::Front(front)) => front.poll_read(&mut self.socket, into),
        }
    }

    /// Reads some bytes behind those in `into`, whose spare capacity bounds them.
    pub(crate) fn poll_read_behind(&mut self, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            None => self.socket.poll_read_behind(into),
            Some(Layer::Tls(tls)) => behind(into, |room| tls.poll_read(&mut self.socket, room)),
            Some(Layer::Front(front)) => {
                behind(into, |room| front.poll_read(&mut self.socket, room))
            }
        }
    }

    /// Writes some of `bytes`. One who is told to wait comes back with the same bytes, and perhaps with
    /// more behind them.
    #[inline]
    pub(crate) fn poll_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            None => self.socket.poll_write(bytes),
            Some(Layer::Tls(tls)) => tls.poll_write(&mut self.socket, [bytes]),
            Some(Layer::Front(front)) => front.poll_write(&mut self.socket, [bytes]),
        }
    }

    /// As [`Wire::poll_write`], where more is written at once: both may travel together.
    pub(crate) fn poll_write_ahead(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            None => self.socket.poll_write_ahead(bytes),
            Some(_) => self.poll_write(bytes),
        }
    }

    /// Writes some of `buffers`, in order, as [`Wire::poll_write`] does.
    pub(crate) fn poll_write_all_of(&mut self, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            None => self.socket.poll_write_all_of(buffers),
            Some(layer) => {
                let parts = buffers.iter().map(|one| &**one);
                match layer {
                    Layer::Tls(tls) => tls.poll_write(&mut self.socket, parts),
                    Layer::Front(front) => front.poll_write(&mut self.socket, parts),
                }
            }
        }
    }

    /// Sends some bytes of a file from `offset` on, as [`Wire::poll_write`] does; 0 is the file's end.
    pub(crate) fn poll_send_file(
        &mut self,
        file: &File,
        offset: u64,
        length: u64,
    ) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            None => self.socket.poll_send_file(file, offset, length),
            Some(Layer::Tls(tls)) => tls.poll_send_file(&mut self.socket, file, offset, length),
            Some(Layer::Front(front)) => {
                front.poll_send_file(&mut self.socket, file, offset, length)
            }
        }
    }

    /// Bytes that were written and that the peer has not taken yet.
    pub(crate) fn unsent(&self) -> u64 {
        self.socket.unsent()
    }

    /// Decides how the connection ends when it is closed, be it by the end of this process: with a
    /// reset, so that what was sent so far cannot pass for the whole, or as usual.
    pub(crate) fn end_with_reset(&self, reset: bool) {
        self.socket.end_with_reset(reset);
    }

    /// Ends the output; the peer may go on sending.
    pub(crate) fn shut_down_output(&mut self) {
        match &mut self.layer {
            None => self.socket.shut_down_output(),
            Some(layer) => layer.shut_down_output(&mut self.socket),
        }
    }

    /// The connection is about to be closed: says goodbye where that takes a word.
    pub(crate) fn part(&mut self) {
        match &mut self.layer {
            Some(Layer::Tls(tls)) => tls.shut_down_output(&mut self.socket),
            Some(Layer::Front(front)) => front.part(&mut self.socket),
            None => {}
        }
    }

    /// A turn is over, and the connection stays.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if let Some(Layer::Front(front)) = &mut self.layer {
            front.settle(&self.socket);
        }
    }
}

impl Layer {
    fn has_input(&self) -> bool {
        match self {
            Self::Tls(tls) => tls.has_input(),
            Self::Front(front) => front.has_input(),
        }
    }

    fn shut_down_output(&mut self, socket: &mut Socket) {
        match self {
            Self::Tls(tls) => tls.shut_down_output(socket),
            Self::Front(front) => front.shut_down_output(socket),
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Has `read` put bytes behind those in `into`, whose spare capacity bounds them.
fn behind(
    into: &mut BytesMut,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    let (before, room) = (into.len(), into.capacity() - into.len());
    into.resize(before + room, 0);
    let read = read(&mut into[before..]);
    let count = match &read {
        Poll::Ready(Ok(count)) => *count,
        _ => 0,
    };
    into.truncate(before + count);
    read
}
