//! A request body of HTTP/1 on its way to the application: the connection decodes, the application
//! polls.

use std::collections::VecDeque;
use std::ops::Range;
use std::task::Waker;

use bytes::{Buf as _, Bytes, BytesMut};
use gateway_spec::{Body, ErrorKind, Fields, Frame};
use http::header::{HeaderName, HeaderValue};

use super::inlet::{Inlet, Wish};
use super::output::COPIED;
use crate::http1::{BodyDecoder, BodyError, Decoded};
use crate::limits::UNREAD_BODY;

/// The connection's end.
#[derive(Debug)]
pub(super) struct Upload {
    decoder: BodyDecoder,
    inlet: Inlet,
    /// `100 Continue` is due when the body is first wanted.
    pub(super) continue_due: bool,
    failed: bool,
}

impl Upload {
    /// The two ends for a body of which `decoder` has not seen the end.
    pub(super) fn new(
        decoder: BodyDecoder,
        length: Option<u64>,
        continue_due: bool,
    ) -> (Self, Body) {
        let (inlet, body) = Inlet::new(length);
        let upload = Self {
            decoder,
            inlet,
            continue_due,
            failed: false,
        };
        (upload, body)
    }

    /// Whether nothing of the body is left to be read.
    pub(super) fn is_over(&self) -> bool {
        self.decoder.is_ended() || self.failed
    }

    /// Whether the connection is of no use for another request if the answer is given now: the
    /// client may or may not send its body yet, or too much of it is left to be thrown away.
    pub(super) fn spoils(&self) -> bool {
        self.continue_due
            || self.failed
            || self
                .decoder
                .remaining()
                .is_some_and(|left| left > UNREAD_BODY as u64)
    }

    /// Whether the body's framing broke, so that the connection cannot be used again.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// What the application wants.
    pub(super) fn wish(&self) -> Wish {
        self.inlet.wish()
    }

    /// The connection is driven; see [`Inlet::stay_awake`].
    pub(super) fn stay_awake(&self) {
        self.inlet.stay_awake();
    }

    /// The connection is about to sleep: whom to wake. False if there is something to do.
    pub(super) fn sleep(&self, connection: &Waker) -> bool {
        self.inlet.sleep(connection) || self.is_over()
    }

    /// Decodes what was read and queues it; what is left of `input` belongs to the next request. How many
    /// bytes of content there were.
    pub(super) fn feed(&mut self, input: &mut BytesMut) -> u64 {
        let mut frames = VecDeque::new();
        let mut content = 0;
        let mut end = None;
        while end.is_none() && !input.is_empty() {
            match self.decoder.decode(input) {
                Ok(Decoded::NeedMore { consumed }) => {
                    let _ = input.split_to(consumed);
                    break;
                }
                Ok(Decoded::Data { range, consumed }) => {
                    content += range.len() as u64;
                    frames.push_back(Frame::Data(take(input, range, consumed)));
                    if self.decoder.is_ended() {
                        end = Some(Ok(()));
                    }
                }
                Ok(Decoded::End { consumed }) => {
                    let _ = input.split_to(consumed);
                    if let Some(trailers) = trailers_of(&self.decoder) {
                        frames.push_back(Frame::Trailers(trailers));
                    }
                    end = Some(Ok(()));
                }
                Err(error) => {
                    self.failed = true;
                    end = Some(Err(kind_of(error)));
                }
            }
        }
        self.inlet.push(frames, end);
        content
    }

    /// Ends the body for the application, before its own end.
    pub(super) fn fail(&mut self, kind: ErrorKind) {
        if !self.is_over() {
            self.failed = true;
            self.inlet.fail(kind);
        }
    }
}

/// The whole body, if it is all in `input`, without trailers and without a fault; nothing is
/// consumed otherwise.
pub(super) fn whole(decoder: &mut BodyDecoder, input: &[u8]) -> Option<(Bytes, usize)> {
    let length = usize::try_from(decoder.remaining()?).ok()?;
    let content = input.get(..length)?;
    match decoder.decode(content) {
        Ok(Decoded::Data { consumed, .. }) if consumed == length => {
            Some((Bytes::copy_from_slice(content), length))
        }
        _ => None,
    }
}

/// Takes the bytes in `range` out of the first `consumed` bytes of `input`.
fn take(input: &mut BytesMut, range: Range<usize>, consumed: usize) -> Bytes {
    if range.len() > COPIED {
        let mut piece = input.split_to(consumed);
        return piece.split_off(range.start).freeze();
    }
    // Shared, a byte that an application keeps would keep the whole read buffer.
    let data = Bytes::copy_from_slice(&input[range]);
    input.advance(consumed);
    data
}

fn trailers_of(decoder: &BodyDecoder) -> Option<Fields> {
    let lines = decoder.trailers().filter_map(|field| {
        let name = HeaderName::from_bytes(field.name()).ok()?;
        Some((name, HeaderValue::from_bytes(field.value()).ok()?))
    });
    let fields: Fields = lines.collect();
    (!fields.is_empty()).then_some(fields)
}

fn kind_of(error: BodyError) -> ErrorKind {
    match error {
        BodyError::TooLarge | BodyError::TrailersTooLarge => ErrorKind::Limit,
        BodyError::Truncated => ErrorKind::Closed,
        _ => ErrorKind::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};

    use super::*;

    #[test]
    fn small_frames_that_are_kept_do_not_keep_the_read_buffer() {
        let (mut upload, mut body) = Upload::new(BodyDecoder::length(100_000), None, false);
        let mut input = BytesMut::with_capacity(64 * 1024);
        let mut next = || {
            let frame = std::pin::pin!(body.frame());
            match frame.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(Ok(Frame::Data(data)))) => data,
                other => unreachable!("{other:?}"),
            }
        };
        let before = input.as_ptr();
        let mut kept = Vec::new();
        for _ in 0..100 {
            input.extend_from_slice(b"x");
            upload.feed(&mut input);
            kept.push(next());
            assert!(input.try_reclaim(64 * 1024), "the buffer is shared");
        }
        assert_eq!(input.as_ptr(), before);
        assert_eq!(kept.concat(), [b'x'; 100]);
        input.extend_from_slice(&[b'y'; 50_000]);
        upload.feed(&mut input);
        assert_eq!(next(), [b'y'; 50_000][..]);
    }
}
