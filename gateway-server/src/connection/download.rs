//! [`Download`]: a response body of HTTP/1 on its way to the client, piece by piece.

use std::task::{Context, Poll, ready};

use gateway_spec::abi::{Field, OwnedBuffer};
use gateway_spec::{Error, Fields, FileRegion};

use super::answer::Rest;
use super::content::Content;
use super::label::Label;
use super::output::Output;
use super::source::Piece;
use crate::http1::{BodyFraming, encode};

/// What is left of a response behind its head.
#[derive(Debug)]
pub(super) struct Download {
    content: Content,
}

impl Download {
    pub(super) fn new(framing: BodyFraming, rest: Option<Box<Rest>>, sent: u64) -> Self {
        Self {
            content: Content::new(framing, rest, sent),
        }
    }

    /// Bytes of the body that were handed to the output.
    pub(super) fn sent(&self) -> u64 {
        self.content.sent()
    }

    /// Whether everything has been handed to the output.
    pub(super) fn is_ended(&self) -> bool {
        self.content.is_ended()
    }

    /// Whether only the connection's end tells the client that it is whole.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.content.framing() == BodyFraming::UntilClose
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
        match ready!(self.content.poll_next(label, cx))? {
            None => {}
            Some(Piece::Data(buffer)) => self.data(output, buffer),
            Some(Piece::File(region)) => self.file(output, region),
            Some(Piece::End(trailers)) => self.end(label, output, &trailers),
        }
        Poll::Ready(Ok(()))
    }

    fn data(&self, output: &mut Output, buffer: OwnedBuffer) {
        self.begin_chunk(output, buffer.len() as u64);
        output.push(buffer);
        self.end_chunk(output);
    }

    fn file(&self, output: &mut Output, region: FileRegion) {
        self.begin_chunk(output, region.length);
        output.push_file(region);
        self.end_chunk(output);
    }

    fn is_chunked(&self) -> bool {
        self.content.framing() == BodyFraming::Chunked
    }

    fn begin_chunk(&self, output: &mut Output, length: u64) {
        if self.is_chunked() {
            encode::chunk_head(&mut output.bytes, length);
        }
    }

    fn end_chunk(&self, output: &mut Output) {
        if self.is_chunked() {
            output.bytes.extend_from_slice(encode::CHUNK_END);
        }
    }

    fn end(&self, label: &Label, output: &mut Output, trailers: &Fields) {
        if !self.is_chunked() {
            return;
        }
        let lines: Vec<_> = trailers
            .iter()
            .map(|(name, value)| Field::new(0, name.as_str().as_bytes(), value.as_bytes()))
            .collect();
        encode::trailer_section(&mut output.bytes, &lines).unwrap_or_else(|error| {
            tracing::error!("{label}: trailers were left out: {error}");
            output.bytes.extend_from_slice(encode::LAST_CHUNK);
        });
    }
}
