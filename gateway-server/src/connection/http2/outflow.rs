//! [`Outflow`]: a response body on its way into a stream of HTTP/2.
//!
//! A frame of the application's is asked for once the one before it is sent, and is sent as far as the
//! client's windows allow: a client that does not read stops the application.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use gateway_spec::abi::Field;
use gateway_spec::{Fields, FileRegion};
use h2::SendStream;

use super::super::content::Content;
use super::super::label::Label;
use super::super::source::Piece;
use crate::http1::{BodyFraming, Outgoing, encode};
use crate::http2::{Budget, trailers_of};

/// What is left of a response behind its head.
#[derive(Debug)]
pub(super) struct Outflow {
    pub(super) send: SendStream<Bytes>,
    source: Content,
    /// What is to be sent next.
    waiting: Bytes,
    file: Option<FileRegion>,
    trailers: Option<Fields>,
    /// Bytes that the client's windows have let through.
    passed: u64,
    ended: bool,
}

impl Outflow {
    /// `waiting` goes first.
    pub(super) fn new(send: SendStream<Bytes>, source: Content, waiting: Bytes) -> Self {
        Self {
            send,
            source,
            waiting,
            file: None,
            trailers: None,
            passed: 0,
            ended: false,
        }
    }

    /// For a response that ended with its head.
    pub(super) fn ended(send: SendStream<Bytes>, source: Content) -> Self {
        Self {
            ended: true,
            ..Self::new(send, source, Bytes::new())
        }
    }

    /// Whether all of it, and its end, were sent.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether something waits for the client's windows.
    pub(super) fn is_blocked(&self) -> bool {
        !self.waiting.is_empty() || self.file.is_some()
    }

    /// Whether the application has given all of it.
    pub(super) fn is_given(&self) -> bool {
        self.source.is_ended()
    }

    /// Bytes of the body.
    pub(super) fn sent(&self) -> u64 {
        self.source.sent()
    }

    /// Bytes that the client's windows have let through.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Sends as much as can be sent; ready once the end was sent, or with an error if it cannot be.
    pub(super) fn poll(
        &mut self,
        label: &Label,
        budget: &Budget,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), ()>> {
        while !self.ended {
            if self.is_blocked() {
                if ready!(self.poll_send(budget, cx)).is_err() {
                    return Poll::Ready(Err(()));
                }
                continue;
            }
            if self.source.is_ended() {
                self.end(label)?;
                break;
            }
            match ready!(self.source.poll_next(label, cx)) {
                Ok(None) => {}
                Ok(Some(Piece::Data(buffer))) => self.waiting = buffer.into(),
                Ok(Some(Piece::File(region))) => self.file = Some(region),
                Ok(Some(Piece::End(trailers))) => self.trailers = Some(trailers),
                Err(error) => {
                    tracing::error!("{label}: the response was broken off: {error}");
                    return Poll::Ready(Err(()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends some of what waits.
    fn poll_send(&mut self, budget: &Budget, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let left = self.file.as_ref().map_or(0, |file| file.length);
        let wanted = self
            .waiting
            .len()
            .max(usize::try_from(left).unwrap_or(usize::MAX));
        self.send.reserve_capacity(wanted.min(AT_ONCE));
        let room = match self.send.capacity() {
            0 => match ready!(self.send.poll_capacity(cx)) {
                Some(Ok(room)) => room,
                _ => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            },
            room => room,
        };
        if self.waiting.is_empty()
            && let Some(file) = &mut self.file
        {
            self.waiting = read(file, room.min(AT_ONCE))?;
            if file.length == 0 {
                self.file = None;
            }
        }
        let data = self.waiting.split_to(room.min(self.waiting.len()));
        self.passed += data.len() as u64;
        budget.credit_exchange();
        // The end goes with the last content, if it is known by then.
        let ends = !self.is_blocked() && self.source.is_ended() && !self.has_trailers();
        self.ended |= ends;
        let sent = self.send.send_data(data, ends);
        Poll::Ready(sent.map_err(io::Error::other))
    }

    fn has_trailers(&self) -> bool {
        self.trailers.as_ref().is_some_and(|all| !all.is_empty())
    }

    fn end(&mut self, label: &Label) -> Result<(), ()> {
        self.ended = true;
        let trailers = self.trailers.take().unwrap_or_default();
        // As in HTTP/1, a response of declared length has no place for them.
        let sent = if trailers.is_empty() || self.source.framing() != BodyFraming::Chunked {
            self.send.send_data(Bytes::new(), true)
        } else {
            let lines: Vec<_> = trailers
                .iter()
                .map(|(name, value)| Field::new(0, name.as_str().as_bytes(), value.as_bytes()))
                .collect();
            let mut text = Outgoing::default();
            if let Err(error) = encode::trailer_section(&mut text, &lines) {
                tracing::error!("{label}: trailers were left out: {error}");
            }
            match trailers_of(&text) {
                Some(fields) if !fields.is_empty() => self.send.send_trailers(fields),
                _ => self.send.send_data(Bytes::new(), true),
            }
        };
        sent.map_err(|_| ())
    }
}

/// The next bytes of a part of a file, at most so many.
fn read(region: &mut FileRegion, most: usize) -> io::Result<Bytes> {
    let count = usize::try_from(region.length)
        .unwrap_or(usize::MAX)
        .min(most);
    let mut data = BytesMut::zeroed(count);
    let read = read_some(&region.file, &mut data, region.offset)?;
    data.truncate(read);
    region.offset += read as u64;
    region.length -= read as u64;
    Ok(data.freeze())
}

fn read_some(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    match file.read_at(into, offset)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => Ok(count),
    }
}

/// Bytes that are handed over at once, which is also what a stream holds for a slow client.
pub(super) const AT_ONCE: usize = 64 * 1024;
