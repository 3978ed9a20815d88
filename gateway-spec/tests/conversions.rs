//! Requests, responses and bodies become those of `http` and `http-body`, and come back.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use gateway_spec::{Body, Exchange, Request, Response, Scheme};
use http::header::{HOST, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode, Version};
use proptest::prelude::*;

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("these bodies are at hand"),
    }
}

fn content(body: Body) -> Vec<u8> {
    now(body.collect(1 << 20)).unwrap().to_vec()
}

#[test]
fn a_request_becomes_one_of_http_and_comes_back() {
    let request = Request::build(Method::PUT, "/a%20b?c=d")
        .unwrap()
        .with_version(Version::HTTP_2)
        .with(&HOST, &HeaderValue::from_static("host:1"))
        .with(&SET_COOKIE, &HeaderValue::from_static("a=1"))
        .with(&SET_COOKIE, &HeaderValue::from_bytes(b"b=\xff").unwrap())
        .with_body("content");
    let there = http::Request::<Body>::try_from(request).unwrap();
    assert_eq!(
        (there.method(), there.uri().to_string()),
        (&Method::PUT, "/a%20b?c=d".into())
    );
    assert_eq!(there.headers().get_all(SET_COOKIE).iter().count(), 2);
    assert!(there.extensions().get::<Exchange>().is_some());

    let mut back = Request::try_from(there).unwrap();
    assert_eq!(back.target(), b"/a%20b?c=d");
    assert_eq!(
        (back.path(), back.query()),
        (&b"/a%20b"[..], Some(&b"c=d"[..]))
    );
    assert_eq!(back.version(), Version::HTTP_2);
    assert_eq!(back.authority(), b"host:1");
    assert_eq!(back.headers().get_all(SET_COOKIE).iter().count(), 2);
    assert_eq!(back.content_length(), Some(7));
    assert_eq!(content(back.take_body()), b"content");
}

#[test]
fn an_absolute_uri_gives_authority_and_scheme() {
    let uri = "https://host:8443";
    let request = Request::try_from(http::Request::get(uri).body("").unwrap()).unwrap();
    assert_eq!(request.target(), b"/");
    assert_eq!(request.authority(), b"host:8443");
    assert_eq!(request.scheme(), Scheme::Https);
    assert!(!request.has_body());
}

#[test]
fn extensions_survive_both_ways() {
    #[derive(Clone, Debug, PartialEq)]
    struct User(u32);
    let mut request = Request::build(Method::GET, "/").unwrap();
    request.extensions_mut().insert(User(7));
    let there = http::Request::<Body>::try_from(request).unwrap();
    let back = Request::try_from(there).unwrap();
    assert_eq!(back.extensions().get(), Some(&User(7)));

    let mut response = Response::text("x");
    response.extensions_mut().insert(User(8));
    let there = http::Response::<Body>::from(response);
    let mut back = Response::from(there);
    assert_eq!(back.extensions_mut().get(), Some(&User(8)));
}

#[test]
fn a_response_becomes_one_of_http_and_comes_back() {
    let response = Response::text("hello")
        .with_status(StatusCode::IM_A_TEAPOT)
        .with(SET_COOKIE, HeaderValue::from_static("a=1"))
        .with(SET_COOKIE, HeaderValue::from_static("b=2"));
    let there = http::Response::<Body>::from(response);
    assert_eq!(there.status(), 418);
    let back = Response::from(there);
    assert_eq!(back.status_code(), 418);
    let cookies: Vec<_> = back.fields().get_all(&SET_COOKIE).collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(content(back.into_body()), b"hello");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn heads_survive_the_way_through_http(
        path in "/[a-zA-Z0-9/._~%-]{0,40}",
        query in prop::option::of("[a-z0-9=&+]{0,20}"),
        lines in prop::collection::vec(("[a-z][a-z0-9-]{0,20}", "[!-~]{0,20}"), 0..20),
    ) {
        let target = query.as_ref().map_or(path.clone(), |query| format!("{path}?{query}"));
        let mut request = Request::build(Method::GET, &target).unwrap();
        for (name, value) in &lines {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.with(&name, &HeaderValue::from_str(value).unwrap());
        }
        let back = Request::try_from(http::Request::<Body>::try_from(request).unwrap()).unwrap();
        prop_assert_eq!(back.target(), target.as_bytes());
        prop_assert_eq!(back.query(), query.as_deref().map(str::as_bytes));
        // A map groups the lines of one name; among those the order stays.
        for (name, _) in &lines {
            let sent = lines.iter().filter(|(other, _)| other == name);
            let sent: Vec<_> = sent.map(|(_, value)| value.as_bytes()).collect();
            let came = back.fields().filter(|(other, _)| other == name);
            prop_assert_eq!(came.map(|(_, value)| value).collect::<Vec<_>>(), sent);
        }
    }
}

#[cfg(feature = "http-body")]
mod http_body_crate {
    use std::pin::Pin;

    use bytes::Bytes;
    use gateway_spec::{Error, ErrorKind, Fields, FileRegion, Frame};
    use http::HeaderMap;
    use http_body::Body as _;

    use super::*;

    /// What a body of `http-body` yields, frame by frame.
    fn frames<B: http_body::Body<Data = Bytes> + Unpin>(
        mut body: B,
    ) -> Vec<Result<http_body::Frame<Bytes>, B::Error>> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut frames = Vec::new();
        while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut cx) {
            frames.push(frame);
        }
        frames
    }

    fn from_frames(frames: Vec<Result<Frame, Error>>) -> Body {
        let mut frames = frames.into_iter();
        Body::from_fn(move |_| Poll::Ready(frames.next()))
    }

    fn trailers() -> Fields {
        let digest = HeaderName::from_static("digest");
        [(digest, HeaderValue::from_static("crc"))]
            .into_iter()
            .collect()
    }

    #[test]
    fn data_files_and_trailers_come_out() {
        use std::io::Write;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'f'; 300_000]).unwrap();
        let region = FileRegion {
            file,
            offset: 2,
            length: 262_146,
        };
        let body = from_frames(vec![
            Ok(Frame::Data("data".into())),
            Ok(Frame::File(region)),
            Ok(Frame::Trailers(trailers())),
        ]);
        let frames: Vec<_> = frames(body).into_iter().map(Result::unwrap).collect();
        assert_eq!(frames[0].data_ref().unwrap(), "data");
        // A file comes piece by piece.
        assert_eq!(frames[1].data_ref().unwrap().len(), 262_144);
        assert_eq!(frames[2].data_ref().unwrap(), "ff");
        assert_eq!(frames[3].trailers_ref().unwrap()["digest"], "crc");
        assert_eq!(frames.len(), 4);
    }

    #[test]
    fn lengths_and_ends_are_known_where_the_body_knows_them() {
        let body = Body::from("12345");
        assert_eq!(body.size_hint().exact(), Some(5));
        assert!(!body.is_end_stream());
        assert!(Body::empty().is_end_stream());
        assert_eq!(from_frames(vec![]).size_hint().exact(), None);
        let foreign = Body::from_http_body(Body::from("12345"));
        assert_eq!(foreign.length(), Some(5));
        assert_eq!(content(foreign), b"12345");
    }

    #[test]
    fn a_foreign_body_comes_in_with_trailers_and_errors() {
        let body = from_frames(vec![
            Ok(Frame::Data("one".into())),
            Ok(Frame::Trailers(trailers())),
            Err(Error::new(ErrorKind::Protocol, "broken off")),
        ]);
        let mut body = Body::from_http_body(body);
        assert!(matches!(now(body.frame()), Some(Ok(Frame::Data(bytes))) if bytes == "one"));
        let Some(Ok(Frame::Trailers(fields))) = now(body.frame()) else {
            unreachable!("trailers follow");
        };
        assert_eq!(HeaderMap::from(fields)["digest"], "crc");
        let error = now(body.frame()).unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Io, "broken off".into())
        );
        assert!(now(body.frame()).is_none());
    }
}
