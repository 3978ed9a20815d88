//! [`Source`]: a response body as the application gives it, held to the length that was announced.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use gateway_spec::abi::{ForeignBody, ForeignFrame, OwnedBuffer};
use gateway_spec::{Error, ErrorKind, Fields, FileRegion};

use super::answer::Rest;
use super::label::Label;
use crate::http1::BodyFraming;

/// What is left of a response behind its head.
#[derive(Debug)]
pub(super) struct Source {
    framing: BodyFraming,
    first: Option<OwnedBuffer>,
    rest: Option<ForeignBody>,
    own: Option<FileRegion>,
    /// Bytes of it so far.
    sent: u64,
    ended: bool,
}

/// A piece of it, none of them empty.
#[derive(Debug)]
pub(super) enum Piece {
    Data(OwnedBuffer),
    File(FileRegion),
    /// There is nothing behind these, which may be none.
    End(Fields),
}

impl Source {
    pub(super) fn new(framing: BodyFraming, rest: Option<Box<Rest>>, sent: u64) -> Self {
        let ended = match framing {
            BodyFraming::None | BodyFraming::Upgraded => true,
            BodyFraming::Sized(length) => rest.is_none() && sent == length,
            _ => false,
        };
        let (first, rest, own) = match rest {
            Some(rest) => (rest.first, rest.frames, rest.file),
            None => (None, None, None),
        };
        Self {
            framing,
            first,
            rest,
            own,
            sent,
            ended,
        }
    }

    /// How it is written.
    pub(super) fn framing(&self) -> BodyFraming {
        self.framing
    }

    /// Bytes that were handed out, and those that went with the head.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether everything has been handed out.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// The next piece, or `None` if there is to be another look at once.
    ///
    /// # Errors
    ///
    /// The response cannot be finished: the application failed or gave too little.
    pub(super) fn poll_next(
        &mut self,
        label: &Label,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Piece>, Error>> {
        let piece = if let Some(first) = self.first.take() {
            self.data(label, first)
        } else if let Some(own) = self.own.take() {
            self.file(label, own)
        } else if let Some(rest) = &mut self.rest {
            match ready!(rest.poll_frame(cx)).transpose()? {
                Some(ForeignFrame::Data(buffer)) => self.data(label, buffer),
                Some(ForeignFrame::File(region)) => self.file(label, region),
                Some(ForeignFrame::Trailers(fields)) => Some(self.end(fields)?),
                _ => {
                    self.rest = None;
                    None
                }
            }
        } else {
            Some(self.end(Fields::new())?)
        };
        if self.is_full_length() {
            self.ended = true;
        }
        Poll::Ready(Ok(piece))
    }

    fn is_full_length(&self) -> bool {
        // The end of the body is asked for all the same if there may be more: too much is an error
        // of the application's that belongs into the log.
        let given = self.rest.is_none() && self.first.is_none() && self.own.is_none();
        given && self.framing == BodyFraming::Sized(self.sent)
    }

    fn data(&mut self, label: &Label, buffer: OwnedBuffer) -> Option<Piece> {
        let length = self.allowed(label, buffer.len() as u64);
        if length == 0 {
            return None;
        }
        if length < buffer.len() as u64 {
            let kept = usize::try_from(length).unwrap_or(usize::MAX);
            return Some(Piece::Data(Bytes::from(buffer).slice(..kept).into()));
        }
        Some(Piece::Data(buffer))
    }

    fn file(&mut self, label: &Label, mut region: FileRegion) -> Option<Piece> {
        region.length = self.allowed(label, region.length);
        (region.length > 0).then_some(Piece::File(region))
    }

    /// How much of so many bytes may be sent; what exceeds a declared length is cut (RES-10).
    fn allowed(&mut self, label: &Label, length: u64) -> u64 {
        let allowed = match self.framing {
            BodyFraming::Sized(whole) => length.min(whole - self.sent),
            _ => length,
        };
        if allowed < length {
            tracing::error!(
                "{label}: the response has more bytes than its content-length of {}: cut",
                self.sent + allowed
            );
            self.rest = None;
        }
        self.sent += allowed;
        allowed
    }

    fn end(&mut self, trailers: Fields) -> Result<Piece, Error> {
        self.rest = None;
        self.ended = true;
        match self.framing {
            BodyFraming::Sized(whole) if self.sent < whole => {
                let sent = self.sent;
                let message = format!("expected {whole} bytes of body, found {sent}");
                Err(Error::new(ErrorKind::Invalid, message))
            }
            _ => Ok(Piece::End(trailers)),
        }
    }
}
