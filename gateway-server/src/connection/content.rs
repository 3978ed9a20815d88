//! [`Content`]: a response body as it is sent: as the application gives it, or compressed on its way.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use gateway_spec::abi::OwnedBuffer;
use gateway_spec::{Error, ErrorKind, Fields, FileRegion};

use super::answer::Rest;
use super::label::Label;
use super::packing::Packer;
use super::source::{Piece, Source};
use crate::http1::BodyFraming;

/// What is left of a response behind its head, as it is sent.
#[derive(Debug)]
pub(super) enum Content {
    Plain(Source),
    Packed(Box<Packed>),
}

/// A body that is compressed piece by piece: each piece of the application's is sent on at once.
#[derive(Debug)]
pub(super) struct Packed {
    framing: BodyFraming,
    /// The body as it is given.
    source: Source,
    packer: Packer,
    /// What was given and is not compressed yet.
    given: Given,
    trailers: Fields,
    /// Compressed bytes that were handed out.
    sent: u64,
    /// Bytes that were compressed since others had their turn.
    worked: usize,
    finished: bool,
    ended: bool,
}

#[derive(Debug)]
enum Given {
    Nothing,
    Buffer(OwnedBuffer, usize),
    File(FileRegion),
}

impl Content {
    pub(super) fn new(framing: BodyFraming, rest: Option<Box<Rest>>, sent: u64) -> Self {
        let mut rest = rest;
        let packer = rest.as_mut().and_then(|rest| rest.packer.take());
        let Some(packer) = packer else {
            return Self::Plain(Source::new(framing, rest, sent));
        };
        // The application is held to the length that it has announced, which nobody else hears of.
        let announced = match packer.length {
            Some(length) => BodyFraming::Sized(length),
            None => BodyFraming::Chunked,
        };
        Self::Packed(Box::new(Packed {
            framing,
            source: Source::new(announced, rest, 0),
            packer: *packer,
            given: Given::Nothing,
            trailers: Fields::new(),
            sent: 0,
            worked: 0,
            finished: false,
            ended: false,
        }))
    }

    /// How it is written.
    pub(super) fn framing(&self) -> BodyFraming {
        match self {
            Self::Plain(source) => source.framing(),
            Self::Packed(packed) => packed.framing,
        }
    }

    /// Bytes that were handed out, and those that went with the head.
    pub(super) fn sent(&self) -> u64 {
        match self {
            Self::Plain(source) => source.sent(),
            Self::Packed(packed) => packed.sent,
        }
    }

    /// Whether everything has been handed out.
    pub(super) fn is_ended(&self) -> bool {
        match self {
            Self::Plain(source) => source.is_ended(),
            Self::Packed(packed) => packed.ended,
        }
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
        match self {
            Self::Plain(source) => source.poll_next(label, cx),
            Self::Packed(packed) => packed.poll_next(label, cx),
        }
    }
}

impl Packed {
    fn poll_next(
        &mut self,
        label: &Label,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Piece>, Error>> {
        if self.finished {
            self.ended = true;
            return Poll::Ready(Ok(Some(Piece::End(std::mem::take(&mut self.trailers)))));
        }
        if self.worked >= TURN {
            self.worked = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if matches!(self.given, Given::Nothing) && !self.source.is_ended() {
            match ready!(self.source.poll_next(label, cx))? {
                None => {}
                Some(Piece::Data(buffer)) => self.given = Given::Buffer(buffer, 0),
                Some(Piece::File(region)) => self.given = Given::File(region),
                Some(Piece::End(trailers)) => self.trailers = trailers,
            }
        }
        if let Err(error) = self.work() {
            let message = format!("the body cannot be compressed: {error}");
            return Poll::Ready(Err(Error::new(ErrorKind::Invalid, message)));
        }
        let packed = self.packer.encoder.take();
        self.sent += packed.len() as u64;
        let piece = (!packed.is_empty()).then(|| Piece::Data(Bytes::from(packed).into()));
        Poll::Ready(Ok(piece))
    }

    /// Compresses some of what was given; its end is sent on at once, and so is the body's.
    fn work(&mut self) -> io::Result<()> {
        let encoder = &mut self.packer.encoder;
        let over = match &mut self.given {
            Given::Nothing => false,
            Given::Buffer(buffer, at) => {
                let end = buffer.len().min(*at + PIECE);
                encoder.write(&buffer[*at..end])?;
                self.worked += end - *at;
                *at = end;
                end == buffer.len()
            }
            Given::File(region) => {
                let count = usize::try_from(region.length)
                    .unwrap_or(usize::MAX)
                    .min(PIECE);
                let mut content = vec![0; count];
                region.file.read_exact_at(&mut content, region.offset)?;
                encoder.write(&content)?;
                self.worked += count;
                region.offset += count as u64;
                region.length -= count as u64;
                region.length == 0
            }
        };
        if over {
            self.given = Given::Nothing;
            encoder.flush()?;
        }
        if matches!(self.given, Given::Nothing) && self.source.is_ended() {
            encoder.finish()?;
            self.finished = true;
        }
        Ok(())
    }
}

/// Bytes that are compressed at once.
const PIECE: usize = 32 * 1024;
/// Bytes that are compressed before others have their turn.
const TURN: usize = 128 * 1024;
