//! [`Download`]: a response body on its way to the client, frame by frame.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use gateway_spec::abi::{Field, ForeignBody, ForeignFrame, OwnedBuffer};
use gateway_spec::{Error, ErrorKind, Fields, FileRegion};

use super::answer::Rest;
use super::label::Label;
use super::output::Output;
use crate::http1::{BodyFraming, encode};

/// What is left of a response behind its head.
#[derive(Debug)]
pub(super) struct Download {
    framing: BodyFraming,
    first: Option<OwnedBuffer>,
    rest: Option<ForeignBody>,
    pub(super) sent: u64,
    /// The last chunk's data is written and its line end is not.
    line_end_due: bool,
    ended: bool,
}

impl Download {
    pub(super) fn new(framing: BodyFraming, rest: Option<Box<Rest>>, sent: u64) -> Self {
        let ended = match framing {
            BodyFraming::None | BodyFraming::Upgraded => true,
            BodyFraming::Sized(length) => rest.is_none() && sent == length,
            _ => false,
        };
        let (first, rest) = rest.map_or((None, None), |rest| (rest.first, rest.frames));
        Self {
            framing,
            first,
            rest,
            sent,
            line_end_due: false,
            ended,
        }
    }

    /// Whether everything has been handed to the output.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether only the connection's end tells the client that it is whole.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.framing == BodyFraming::UntilClose
    }

    /// Hands one more frame, or the end, to `output`, which must have room.
    ///
    /// # Errors
    ///
    /// The response cannot be finished: the application failed or gave too little.
    pub(super) fn poll_next(
        &mut self,
        label: &Label,
        output: &mut Output,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if let Some(first) = self.first.take() {
            self.data(label, output, first);
        } else if let Some(rest) = &mut self.rest {
            match ready!(rest.poll_frame(cx)).transpose()? {
                Some(ForeignFrame::Data(buffer)) => self.data(label, output, buffer),
                Some(ForeignFrame::File(region)) => self.file(label, output, region),
                Some(ForeignFrame::Trailers(fields)) => {
                    self.end(label, output, &fields)?;
                }
                _ => self.rest = None,
            }
        } else {
            self.end(label, output, &Fields::new())?;
        }
        if self.is_full_length() {
            self.ended = true;
        }
        Poll::Ready(Ok(()))
    }

    fn is_full_length(&self) -> bool {
        // The end of the body is asked for all the same if there may be more: too much is an error
        // of the application's that belongs into the log.
        self.rest.is_none() && self.first.is_none() && self.framing == BodyFraming::Sized(self.sent)
    }

    fn data(&mut self, label: &Label, output: &mut Output, buffer: OwnedBuffer) {
        let length = self.allowed(label, buffer.len() as u64);
        if length == 0 {
            return;
        }
        self.before(output, length);
        if length < buffer.len() as u64 {
            let kept = usize::try_from(length).unwrap_or(usize::MAX);
            output.push(Bytes::from(buffer).slice(..kept).into());
        } else {
            output.push(buffer);
        }
        self.behind(output);
    }

    fn file(&mut self, label: &Label, output: &mut Output, mut region: FileRegion) {
        region.length = self.allowed(label, region.length);
        if region.length == 0 {
            return;
        }
        self.before(output, region.length);
        output.push_file(region);
        self.behind(output);
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

    fn before(&mut self, output: &mut Output, length: u64) {
        if self.framing == BodyFraming::Chunked {
            self.finish_chunk(output);
            encode::chunk_head(&mut output.bytes, length);
        }
    }

    fn behind(&mut self, output: &mut Output) {
        if self.framing == BodyFraming::Chunked {
            self.line_end_due = true;
            if !output.has_tail() {
                self.finish_chunk(output);
            }
        }
    }

    fn finish_chunk(&mut self, output: &mut Output) {
        if std::mem::take(&mut self.line_end_due) {
            output.bytes.extend_from_slice(encode::CHUNK_END);
        }
    }

    fn end(&mut self, label: &Label, output: &mut Output, trailers: &Fields) -> Result<(), Error> {
        self.rest = None;
        self.ended = true;
        match self.framing {
            BodyFraming::Sized(whole) if self.sent < whole => {
                let sent = self.sent;
                let message = format!("expected {whole} bytes of body, found {sent}");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            BodyFraming::Chunked => {
                self.finish_chunk(output);
                let lines: Vec<_> = trailers
                    .iter()
                    .map(|(name, value)| Field::new(0, name.as_str().as_bytes(), value.as_bytes()))
                    .collect();
                encode::trailer_section(&mut output.bytes, &lines).unwrap_or_else(|error| {
                    tracing::error!("{label}: trailers were left out: {error}");
                    output.bytes.extend_from_slice(encode::LAST_CHUNK);
                });
            }
            _ => {}
        }
        Ok(())
    }
}
