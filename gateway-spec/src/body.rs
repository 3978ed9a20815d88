//! [`Body`]: bytes that one side pulls from the other, frame by frame.

use std::fmt;
use std::fs::File;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use crate::error::{Error, ErrorKind};
use crate::fields::Fields;

/// The body of a request or a response: nothing, bytes at hand, or frames that are pulled.
///
/// The reader sets the pace: nothing is produced, and nothing read from a socket beyond one
/// bounded buffer, until it polls. The end, an error and a disconnect are three different answers.
pub struct Body {
    repr: Repr,
}

/// Two levels, because the inner one then finds room beside the niche of `Bytes`: a body is as
/// small as that.
enum Repr {
    Bytes(Bytes),
    Other(Other),
}

enum Other {
    Static(&'static [u8]),
    /// As an application made them, which is the least work.
    Owned(Vec<u8>),
    Stream(Box<Stream>),
}

struct Stream {
    first: Bytes,
    /// The rest of a region whose beginning was read.
    file: Option<FileRegion>,
    // A mutex that is never locked, only opened by `get_mut`: it makes `Body` `Sync`, so that a
    // handler may hold `&Request` across an await, without asking streams to be `Sync`.
    frames: Mutex<Pin<Box<dyn BodyStream>>>,
    length: Option<u64>,
    ended: bool,
}

/// A source of frames, implemented by whoever produces a body.
pub trait BodyStream: Send + 'static {
    /// The next frame; `None` is the end. Not called again after `None` or an error.
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>)
    -> Poll<Option<Result<Frame, Error>>>;

    /// Bytes of content to come, if they are known in advance.
    fn length(&self) -> Option<u64> {
        None
    }
}

/// A body by how it is kept, for whoever hands it on.
pub(crate) enum Content {
    Static(&'static [u8]),
    Owned(Vec<u8>),
    Bytes(Bytes),
    /// Frames have to be pulled, maybe behind bytes at hand.
    Frames(Body),
}

/// One frame of a body.
#[non_exhaustive]
#[derive(Debug)]
pub enum Frame {
    /// Content.
    Data(Bytes),
    /// Content that stands in a file; on plaintext HTTP/1 the kernel sends it.
    File(FileRegion),
    /// Trailer fields, once, after all content.
    Trailers(Fields),
}

/// A range of a regular file. The file's own position is neither used nor moved.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "these three say all that there is to a range of a file; applications build it"
)]
pub struct FileRegion {
    /// The file, opened for reading.
    pub file: File,
    /// First byte.
    pub offset: u64,
    /// Number of bytes; a file that ends earlier breaks the response off.
    pub length: u64,
}

impl Body {
    /// No content.
    #[must_use]
    pub const fn empty() -> Self {
        Self::from_static(&[])
    }

    /// Bytes that live for ever: they cross the ABI without a copy or a release.
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self {
            repr: Repr::Other(Other::Static(bytes)),
        }
    }

    /// Frames pulled from `stream`.
    pub fn stream(stream: impl BodyStream) -> Self {
        Self::chained(Bytes::new(), stream.length(), Box::pin(stream))
    }

    /// Frames pulled from a function, for short producers:
    /// `Body::from_fn(move |cx| ...)` answers as [`BodyStream::poll_frame`] does.
    pub fn from_fn<F>(poll: F) -> Self
    where
        F: FnMut(&mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> + Send + Unpin + 'static,
    {
        struct FromFn<F>(F);
        impl<F> BodyStream for FromFn<F>
        where
            F: FnMut(&mut Context<'_>) -> Poll<Option<Result<Frame, Error>>>
                + Send
                + Unpin
                + 'static,
        {
            fn poll_frame(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame, Error>>> {
                (self.0)(cx)
            }
        }
        Self::stream(FromFn(poll))
    }

    /// A range of a file.
    #[must_use]
    pub fn file(region: FileRegion) -> Self {
        let length = region.length;
        let mut region = Some(region);
        Self::from_fn(move |_| Poll::Ready(region.take().map(|region| Ok(Frame::File(region)))))
            .with_length(length)
    }

    /// The same body with a declared length, for streams that know it.
    #[must_use]
    pub fn with_length(mut self, length: u64) -> Self {
        if let Repr::Other(Other::Stream(stream)) = &mut self.repr {
            stream.length = Some(length);
        }
        self
    }

    pub(crate) fn chained(
        first: Bytes,
        length: Option<u64>,
        frames: Pin<Box<dyn BodyStream>>,
    ) -> Self {
        Self {
            repr: Repr::Other(Other::Stream(Box::new(Stream {
                first,
                file: None,
                frames: Mutex::new(frames),
                length,
                ended: false,
            }))),
        }
    }

    /// Bytes of content still to come, if they are known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match &self.repr {
            Repr::Bytes(bytes) => Some(bytes.len() as u64),
            Repr::Other(Other::Static(bytes)) => Some(bytes.len() as u64),
            Repr::Other(Other::Owned(bytes)) => Some(bytes.len() as u64),
            Repr::Other(Other::Stream(stream)) => stream.length,
        }
    }

    /// Whether it is known that no frame will come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.repr {
            Repr::Bytes(bytes) => bytes.is_empty(),
            Repr::Other(Other::Static(bytes)) => bytes.is_empty(),
            Repr::Other(Other::Owned(bytes)) => bytes.is_empty(),
            Repr::Other(Other::Stream(stream)) => stream.ended && stream.first.is_empty(),
        }
    }

    /// Polls for the next frame; `None` is the end, and stays the answer after it.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        match &mut self.repr {
            Repr::Other(Other::Stream(stream)) => stream.poll_frame(cx),
            Repr::Other(Other::Static(_) | Other::Owned(_)) | Repr::Bytes(_) => {
                let bytes = self.take_bytes();
                Poll::Ready((!bytes.is_empty()).then_some(Ok(Frame::Data(bytes))))
            }
        }
    }

    /// The next frame; `None` is the end.
    ///
    /// # Errors
    ///
    /// What broke the body off: [`ErrorKind::Closed`] if the client went away,
    /// [`ErrorKind::Protocol`], [`ErrorKind::Limit`], [`ErrorKind::Timeout`].
    pub async fn frame(&mut self) -> Option<Result<Frame, Error>> {
        poll_fn(|cx| self.poll_frame(cx)).await
    }

    /// The next piece of content, trailers skipped and files read piece by piece; `None` is the end.
    ///
    /// # Errors
    ///
    /// As [`Body::frame`].
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        loop {
            match self.frame().await? {
                Ok(Frame::Data(bytes)) => return Some(Ok(bytes)),
                Ok(Frame::File(region)) => return Some(self.read(region)),
                Ok(Frame::Trailers(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The whole content, at most `limit` bytes of it.
    ///
    /// # Errors
    ///
    /// As [`Body::frame`]; [`ErrorKind::Limit`] if there is more than `limit`, before the excess
    /// has been stored.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, Error> {
        let too_long = || {
            Error::new(
                ErrorKind::Limit,
                format!("a body of more than {limit} bytes"),
            )
        };
        if self.length().is_some_and(|length| length > limit as u64) {
            return Err(too_long());
        }
        let Some(first) = self.data().await.transpose()? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.data().await.transpose()? else {
            return if first.len() <= limit {
                Ok(first)
            } else {
                Err(too_long())
            };
        };
        let mut whole = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(piece) = next {
            if whole.len() + piece.len() > limit {
                return Err(too_long());
            }
            whole.extend_from_slice(&piece);
            next = self.data().await.transpose()?;
        }
        Ok(whole.freeze())
    }

    /// The beginning of a region that was pulled; what follows it is pulled next.
    fn read(&mut self, mut region: FileRegion) -> Result<Bytes, Error> {
        let bytes = region.read()?;
        if region.length > 0
            && let Repr::Other(Other::Stream(stream)) = &mut self.repr
        {
            let left = |length: u64| length.saturating_add(region.length);
            stream.length = stream.length.map(left);
            stream.file = Some(region);
        }
        Ok(bytes)
    }

    /// The bytes at hand, taken out; what remains are the frames to pull.
    pub(crate) fn take_bytes(&mut self) -> Bytes {
        match &mut self.repr {
            Repr::Other(Other::Stream(stream)) => stream.take_first(),
            Repr::Other(Other::Static(bytes)) => Bytes::from_static(std::mem::take(bytes)),
            Repr::Other(Other::Owned(bytes)) => Bytes::from(std::mem::take(bytes)),
            Repr::Bytes(bytes) => std::mem::take(bytes),
        }
    }

    /// The body by how it is kept.
    #[inline]
    pub(crate) fn into_content(self) -> Content {
        match self.repr {
            Repr::Other(Other::Static(bytes)) => Content::Static(bytes),
            Repr::Other(Other::Owned(bytes)) => Content::Owned(bytes),
            Repr::Bytes(bytes) => Content::Bytes(bytes),
            Repr::Other(Other::Stream(mut stream)) if stream.ended => {
                Content::Bytes(stream.take_first())
            }
            Repr::Other(Other::Stream(_)) => Content::Frames(self),
        }
    }

    /// Whether frames have to be pulled beyond the bytes at hand.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(&self.repr, Repr::Other(Other::Stream(stream)) if !stream.ended)
    }

    /// Whether it is as [`empty`](Self::empty) makes it, so that nothing needs dropping.
    #[inline]
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self.repr, Repr::Other(Other::Static(&[])))
    }
}

impl Default for Body {
    #[inline]
    fn default() -> Self {
        Self::empty()
    }
}

impl Stream {
    fn take_first(&mut self) -> Bytes {
        let first = std::mem::take(&mut self.first);
        self.length = self
            .length
            .map(|length| length.saturating_sub(first.len() as u64));
        first
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::Data(self.take_first()))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let frames = self
            .frames
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let answer = match self.file.take() {
            Some(rest) => Poll::Ready(Some(Ok(Frame::File(rest)))),
            None => frames.as_mut().poll_frame(cx),
        };
        match &answer {
            Poll::Ready(None | Some(Err(_))) => self.ended = true,
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = match frame {
                    Frame::Data(bytes) => bytes.len() as u64,
                    Frame::File(region) => region.length,
                    Frame::Trailers(_) => 0,
                };
                self.length = self.length.map(|length| length.saturating_sub(bytes));
            }
            Poll::Pending => {}
        }
        answer
    }
}

impl FileRegion {
    /// Reads its beginning, which is taken off it.
    fn read(&mut self) -> Result<Bytes, Error> {
        use std::os::unix::fs::FileExt;
        let count = self.length.min(FILE_PIECE as u64);
        let mut bytes = BytesMut::zeroed(usize::try_from(count).unwrap_or(FILE_PIECE));
        self.file.read_exact_at(&mut bytes, self.offset)?;
        self.offset = self.offset.saturating_add(count);
        self.length -= count;
        Ok(bytes.freeze())
    }
}

/// Bytes of a file that are read at once.
const FILE_PIECE: usize = 256 * 1024;

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self {
            repr: Repr::Bytes(bytes),
        }
    }
}

impl From<Vec<u8>> for Body {
    #[inline]
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            repr: Repr::Other(Other::Owned(bytes)),
        }
    }
}

impl From<String> for Body {
    #[inline]
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from_static(text.as_bytes())
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::from_static(bytes)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length() {
            Some(length) => write!(f, "Body({length} bytes)"),
            None => f.write_str("Body(stream)"),
        }
    }
}

// Responses are moved a few times on their way, and their bodies with them.
const _: () = assert!(size_of::<Body>() == size_of::<Bytes>());

/// `http_body::Body` both ways, for tower's world.
#[cfg(feature = "http-body")]
mod http_body_conversions {
    use super::{Body, BodyStream, Bytes, Context, Error, ErrorKind, Fields, Frame, Pin, Poll};

    impl http_body::Body for Body {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
            let polled = Self::poll_frame(&mut self, cx);
            polled.map(|frame| {
                frame.map(|frame| match frame? {
                    Frame::Data(bytes) => Ok(http_body::Frame::data(bytes)),
                    Frame::File(region) => self.read(region).map(http_body::Frame::data),
                    Frame::Trailers(fields) => Ok(http_body::Frame::trailers(fields.into())),
                })
            })
        }

        fn is_end_stream(&self) -> bool {
            self.is_empty()
        }

        fn size_hint(&self) -> http_body::SizeHint {
            self.length().map_or_else(
                http_body::SizeHint::default,
                http_body::SizeHint::with_exact,
            )
        }
    }

    impl Body {
        /// A body that pulls its frames from an [`http_body::Body`].
        pub fn from_http_body<B>(body: B) -> Self
        where
            B: http_body::Body + Send + 'static,
            B::Data: Send,
            B::Error: std::fmt::Display,
        {
            Self::stream(Foreign(Box::pin(body)))
        }
    }

    struct Foreign<B>(Pin<Box<B>>);

    impl<B> BodyStream for Foreign<B>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: std::fmt::Display,
    {
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame, Error>>> {
            self.0.as_mut().poll_frame(cx).map(|frame| {
                frame.map(|frame| {
                    let frame =
                        frame.map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;
                    let frame = match frame.into_data() {
                        Ok(mut data) => {
                            let length = bytes::Buf::remaining(&data);
                            return Ok(Frame::Data(bytes::Buf::copy_to_bytes(&mut data, length)));
                        }
                        Err(frame) => frame,
                    };
                    let trailers = frame.into_trailers().unwrap_or_default();
                    Ok(Frame::Trailers(Fields::from(trailers)))
                })
            })
        }

        fn length(&self) -> Option<u64> {
            self.0.size_hint().exact()
        }
    }
}
