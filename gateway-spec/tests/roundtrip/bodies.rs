//! Bodies both ways: pieces, trailers, files, lengths.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use gateway_spec::{Body, Error, ErrorKind, Fields, FileRegion, Frame, Request, Response};
use http::{HeaderName, HeaderValue, Method};

use super::host::{block_on, call, content, get, module, start};

/// A body whose frames a test feeds one by one.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<Fed>>);

/// Frames to come, `None` for the end, and who waits for them.
type Fed = (VecDeque<Option<Frame>>, Option<Waker>);

impl Feed {
    fn put(&self, frame: Option<Frame>) {
        let mut feed = self.0.lock().unwrap();
        feed.0.push_back(frame);
        if let Some(waker) = feed.1.take() {
            waker.wake();
        }
    }

    fn data(&self, bytes: &'static [u8]) {
        self.put(Some(Frame::Data(bytes.into())));
    }

    fn body(&self) -> Body {
        let feed = self.clone();
        Body::from_fn(move |cx| {
            let mut feed = feed.0.lock().unwrap();
            match feed.0.pop_front() {
                Some(frame) => Poll::Ready(frame.map(Ok)),
                None => {
                    feed.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
    }
}

fn post(body: impl Into<Body>) -> Request {
    Request::build(Method::POST, "/").unwrap().with_body(body)
}

/// Answers with the request's body while it comes in.
async fn echo(mut request: Request) -> Response {
    let mut body = request.take_body();
    let length = body.length();
    let echo = Body::from_fn(move |cx| body.poll_frame(cx));
    Response::new(match length {
        Some(length) => echo.with_length(length),
        None => echo,
    })
}

#[test]
fn a_body_at_hand_crosses_as_the_same_bytes() {
    let app = start(module!(async |mut request: Request| {
        let body = request.take_body();
        assert_eq!(body.length(), Some(5));
        assert_eq!(request.content_length(), Some(5));
        Response::new(body)
    }));
    let response = call(&app, post("12345"));
    assert_eq!(response.body().length(), Some(5));
    assert_eq!(content(response), b"12345");
    let long = vec![7; 100_000];
    assert_eq!(content(call(&app, post(vec![7; 5]))), &long[..5]);
}

#[test]
fn pieces_are_passed_on_one_by_one() {
    let app = start(module!(echo));
    let feed = Feed::default();
    feed.data(b"first");
    let mut response = call(&app, post(feed.body()));
    let body = response.body_mut();
    assert_eq!(body.length(), None);
    assert_eq!(block_on(body.data()).unwrap().unwrap(), "first");
    let feeder = feed.clone();
    let thread = std::thread::spawn(move || feeder.data(b"second"));
    assert_eq!(block_on(body.data()).unwrap().unwrap(), "second");
    thread.join().unwrap();
    feed.put(None);
    assert!(block_on(body.frame()).is_none());
    assert!(block_on(body.frame()).is_none(), "the end stays");
}

#[test]
fn declared_lengths_cross_both_ways() {
    let app = start(module!(echo));
    let feed = Feed::default();
    feed.data(b"1234567");
    feed.put(None);
    let response = call(&app, post(feed.body().with_length(7)));
    assert_eq!(response.body().length(), Some(7));
    assert_eq!(content(response), b"1234567");
}

#[test]
fn a_length_may_be_announced_without_a_body() {
    let app = start(module!(async |_: Request| {
        Response::new(Body::from_fn(|_| Poll::Ready(None)).with_length(1000))
    }));
    let response = call(&app, get("/"));
    assert_eq!(response.body().length(), Some(1000));
    assert_eq!(content(response), b"");
}

#[test]
fn trailers_cross_both_ways() {
    let app = start(module!(echo));
    let feed = Feed::default();
    feed.data(b"x");
    let name = HeaderName::from_static("digest");
    let mut secret = HeaderValue::from_static("crc=1");
    secret.set_sensitive(true);
    let fields: Fields = [
        (name.clone(), secret),
        (name.clone(), HeaderValue::from_bytes(b"\xff").unwrap()),
    ]
    .into_iter()
    .collect();
    feed.put(Some(Frame::Trailers(fields)));
    feed.put(None);
    let mut response = call(&app, post(feed.body()));
    let body = response.body_mut();
    assert!(matches!(block_on(body.frame()), Some(Ok(Frame::Data(_)))));
    let Some(Ok(Frame::Trailers(trailers))) = block_on(body.frame()) else {
        panic!("expected trailers");
    };
    let values: Vec<_> = trailers.get_all(&name).collect();
    assert_eq!(values[1].as_bytes(), b"\xff");
    assert!(values[0].is_sensitive() && !values[1].is_sensitive());
    assert!(block_on(body.frame()).is_none());
}

#[test]
fn a_region_of_a_file_crosses_as_a_descriptor() {
    let app = start(module!(echo));
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let region = FileRegion {
        file,
        offset: 3,
        length: 4,
    };
    let mut response = call(&app, post(Body::file(region)));
    assert_eq!(response.body().length(), Some(4));
    match block_on(response.body_mut().frame()) {
        Some(Ok(Frame::File(region))) => {
            assert_eq!((region.offset, region.length), (3, 4));
            assert_eq!(
                &block_on(Body::file(region).collect(10)).unwrap()[..],
                b"3456"
            );
        }
        other => panic!("expected a file, found {other:?}"),
    }
}

#[test]
fn a_file_is_read_piece_by_piece_and_never_beyond_its_end() {
    let region = |length| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'f'; 600_000]).unwrap();
        FileRegion {
            file,
            offset: 100_000,
            length,
        }
    };
    let mut body = Body::file(region(500_000));
    let mut pieces = Vec::new();
    while let Some(piece) = block_on(body.data()) {
        pieces.push(piece.unwrap().len());
        let read: usize = pieces.iter().sum();
        assert_eq!(body.length(), Some(500_000 - read as u64));
    }
    assert_eq!(pieces, [262_144, 237_856]);
    // Nothing is reserved for what is only said to be there.
    let told_less = Body::from_fn({
        let mut region = Some(region(u64::MAX));
        move |_| Poll::Ready(region.take().map(|region| Ok(Frame::File(region))))
    });
    let kind = block_on(told_less.collect(usize::MAX)).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::Io);
}

#[test]
fn an_error_of_a_body_keeps_its_kind() {
    let app = start(module!(async |mut request: Request| {
        let error = request.take_body().collect(10).await.unwrap_err();
        let answer = Body::from_fn(move |_| {
            let again = Error::new(error.kind(), "as it came");
            Poll::Ready(Some(Err(again)))
        });
        Response::new(answer)
    }));
    for kind in [
        ErrorKind::Closed,
        ErrorKind::Protocol,
        ErrorKind::Limit,
        ErrorKind::Timeout,
    ] {
        let broken = Body::from_fn(move |_| Poll::Ready(Some(Err(Error::new(kind, "broken off")))));
        let response = call(&app, post(broken));
        let error = block_on(response.into_body().collect(10)).unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}
