//! Response bodies of every kind, and a reader of request bodies.

use std::fs::File;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use gateway_spec::bytes::Bytes;
use gateway_spec::http::header::{HeaderName, HeaderValue};
use gateway_spec::{Body, BodyStream, Error, Fields, FileRegion, Frame};

/// "hello", then a panic.
pub(crate) fn panicking() -> Body {
    let mut first = true;
    Body::from_fn(move |_| {
        assert!(std::mem::take(&mut first), "probe: panic in a body");
        Poll::Ready(Some(Ok(Frame::Data(Bytes::from_static(b"hello")))))
    })
}

/// "hello", and a panic when the body is given up.
pub(crate) fn panicking_when_dropped() -> Body {
    struct Panics(Option<Bytes>);
    impl BodyStream for Panics {
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame, Error>>> {
            Poll::Ready(self.0.take().map(|bytes| Ok(Frame::Data(bytes))))
        }
    }
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("probe: panic in a drop");
        }
    }
    Body::stream(Panics(Some(Bytes::from_static(b"hello"))))
}

/// That many chunks of a thousand bytes, of no declared length, each after a turn of the loop.
pub(crate) fn chunks(mut left: u64) -> Body {
    let mut waited = false;
    Body::from_fn(move |cx| {
        waited = !waited;
        if waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        Poll::Ready(Some(Ok(Frame::Data(Bytes::from_static(&[b'c'; 1000])))))
    })
}

/// That many lines of a hundred bytes, all at once.
pub(crate) fn lines(count: u64) -> Body {
    Body::from((0..count).map(line).collect::<String>())
}

/// The same, line by line, of no declared length.
pub(crate) fn lines_one_by_one(count: u64) -> Body {
    let mut at = 0..count;
    Body::from_fn(move |_| {
        let line = at.next().map(line);
        Poll::Ready(line.map(|line| Ok(Frame::Data(Bytes::from(line)))))
    })
}

fn line(number: u64) -> String {
    format!("{number:<99}\n")
}

/// That many mebibytes, each in memory of its own, of a declared length.
pub(crate) fn mebibytes(count: u64) -> Body {
    let mut left = count;
    let body = Body::from_fn(move |_| {
        let more = left > 0;
        left = left.saturating_sub(1);
        Poll::Ready(more.then(|| Ok(Frame::Data(Bytes::from(vec![b'm'; MEBIBYTE])))))
    });
    body.with_length(count * MEBIBYTE as u64)
}

/// That many mebibytes of a file that is empty on disk.
pub(crate) fn hole(mebibytes: u64) -> io::Result<Body> {
    let file = tempfile::tempfile()?;
    let length = mebibytes * MEBIBYTE as u64;
    file.set_len(length)?;
    Ok(Body::file(FileRegion {
        file,
        offset: 0,
        length,
    }))
}

/// All that was announced, and nothing behind it: not even the end.
pub(crate) fn unended() -> Body {
    let mut whole = Some(Bytes::from_static(b"unended"));
    let body = Body::from_fn(move |_| match whole.take() {
        Some(whole) => Poll::Ready(Some(Ok(Frame::Data(whole)))),
        None => Poll::Pending,
    });
    body.with_length(7)
}

/// "hello" and a trailer.
pub(crate) fn with_trailers() -> Body {
    let trailer = (
        HeaderName::from_static("x-sum"),
        HeaderValue::from_static("5"),
    );
    let mut frames = vec![
        Frame::Trailers(Fields::from_iter([trailer])),
        Frame::Data(Bytes::from_static(b"hello")),
    ];
    Body::from_fn(move |_| Poll::Ready(frames.pop().map(Ok)))
}

/// Five thousand bytes from the middle of a file.
pub(crate) fn file(file: &File) -> io::Result<Body> {
    Ok(Body::file(FileRegion {
        file: file.try_clone()?,
        offset: 2_500,
        length: 5_000,
    }))
}

/// Reads a body to its end; for a spawned task.
pub(crate) async fn count(mut body: Body) -> Result<u64, Error> {
    let mut length = 0;
    while let Some(piece) = body.data().await.transpose()? {
        length += piece.len() as u64;
    }
    Ok(length)
}

const MEBIBYTE: usize = 1 << 20;
