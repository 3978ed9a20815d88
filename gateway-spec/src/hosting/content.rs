//! [`Content`]: a response's body as a server writes it: bytes and trailers, no more and no less
//! than declared.

use std::fmt;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use super::exchange::Attendance;
use super::life::{Phase, Watch};
use crate::body::{Body, FileRegion, Frame};
use crate::error::{Error, ErrorKind};

/// A response's content. Files are read here, in pieces of up to 256 KiB; dropping it before its
/// end tells that the client has gone.
pub struct Content {
    body: Body,
    /// What remains of a file.
    file: Option<FileRegion>,
    /// Bytes to come, where they are known.
    left: Option<u64>,
    attendance: Option<Attendance>,
    watch: Option<Watch>,
}

impl Content {
    pub(super) fn empty() -> Self {
        Self::refusal(Body::empty())
    }

    /// Content that no application has made.
    pub(super) fn refusal(body: Body) -> Self {
        Self {
            left: body.length(),
            body,
            file: None,
            attendance: None,
            watch: None,
        }
    }

    pub(super) fn new(body: Body, length: Option<u64>, attendance: Attendance) -> Self {
        // Whole contents need no exchange any more.
        let attendance = body.is_stream().then_some(attendance);
        Self {
            body,
            file: None,
            left: length,
            attendance,
            watch: None,
        }
    }

    /// Bytes to come, if they are known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.left
    }

    /// Whether no frame will come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.file.is_none() && self.body.is_empty()
    }

    /// The next frame, DATA or TRAILERS; `None` is the end.
    ///
    /// # Errors
    ///
    /// The response is to be broken off: the application failed, the content is shorter than
    /// declared, or the gateway's life is over.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            if let Some(piece) = self.read_file() {
                return Poll::Ready(Some(self.checked(piece.map(Frame::Data))));
            }
            // A body that panicked is not polled again: it is dropped.
            let polled = catch_unwind(AssertUnwindSafe(|| self.body.poll_frame(cx)));
            let polled = polled.unwrap_or_else(|_| {
                let error = Error::new(ErrorKind::Panic, "a response's body panicked");
                Poll::Ready(Some(Err(error)))
            });
            if polled.is_pending() {
                ready!(self.poll_over(cx));
                let what = "the server ends before the response does";
                return Poll::Ready(Some(self.checked(Err(Error::new(ErrorKind::Closed, what)))));
            }
            match ready!(polled) {
                Some(Ok(Frame::File(region))) => self.file = Some(region),
                Some(frame) => return Poll::Ready(Some(self.checked(frame))),
                None => return Poll::Ready(self.end()),
            }
        }
    }

    /// Ready once the gateway's life is over.
    fn poll_over(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(attendance) = &self.attendance else {
            return Poll::Pending;
        };
        let life = attendance.life();
        let watch = self.watch.get_or_insert_with(|| Watch::new(life));
        watch.poll(Phase::Over, cx)
    }

    /// A frame that fits what is left; an error ends the content.
    fn checked(&mut self, frame: Result<Frame, Error>) -> Result<Frame, Error> {
        let frame = match (frame, self.left) {
            (Ok(Frame::Data(mut bytes)), Some(left)) => {
                if bytes.len() as u64 > left {
                    log::error!(target: "gateway", "content beyond the declared length is cut off");
                    bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                    self.body = Body::empty();
                    self.file = None;
                }
                self.left = Some(left - bytes.len() as u64);
                Ok(Frame::Data(bytes))
            }
            (frame, _) => frame,
        };
        if frame.is_err() {
            self.body = Body::empty();
            self.file = None;
            self.attendance = None;
        }
        frame
    }

    fn end(&mut self) -> Option<Result<Frame, Error>> {
        self.attendance = None;
        match self.left.take() {
            None | Some(0) => None,
            Some(left) => {
                let what = format!("the content ended {left} bytes short of its length");
                Some(Err(Error::new(ErrorKind::Internal, what)))
            }
        }
    }

    fn read_file(&mut self) -> Option<Result<Bytes, Error>> {
        let region = self.file.as_mut()?;
        if region.length == 0 {
            self.file = None;
            return None;
        }
        let wanted = usize::try_from(region.length).map_or(PIECE, |length| length.min(PIECE));
        let mut bytes = BytesMut::zeroed(wanted);
        if let Err(error) = region.file.read_exact_at(&mut bytes, region.offset) {
            return Some(Err(error.into()));
        }
        region.offset += wanted as u64;
        region.length -= wanted as u64;
        Some(Ok(bytes.freeze()))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.left {
            Some(left) => write!(f, "Content({left} bytes)"),
            None => f.write_str("Content(stream)"),
        }
    }
}

/// Bytes of a file that are read at once: what a socket takes at best.
const PIECE: usize = 256 * 1024;
