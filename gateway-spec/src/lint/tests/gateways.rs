//! Whole gateways, deliberately bad ones and one that is good.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{Method, StatusCode, Version};

use super::{Collected, file_of};
use crate::body::{Body, FileRegion, Frame};
use crate::error::{Error, ErrorKind};
use crate::exchange::Exchange;
use crate::exchange_host::HostExchange;
use crate::fields::Fields;
use crate::gateway::Gateway;
use crate::lint::Lint;
use crate::request::Request;
use crate::response::Response;
use crate::rules::{self, Rule};

fn run<T>(future: impl Future<Output = T>) -> T {
    match poll_once(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("expected an answer at once"),
    }
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn get(target: &str) -> Request {
    Request::build(Method::GET, target).unwrap()
}

/// Calls a gateway through a lint, reads the response to its end, and says what was reported.
fn serve(gateway: impl Gateway, request: Request) -> Vec<&'static Rule> {
    let collected = Collected::default();
    let sink = collected.clone();
    let lint = Lint::new(gateway, move |violation| sink.push(violation)).with_patience(PATIENCE);
    run(async {
        let mut body = lint.call(request).await.into_body();
        let mut frames = 0;
        while let Some(Ok(_)) = std::future::poll_fn(|cx| body.poll_frame(cx)).await {
            frames += 1;
            assert!(frames < 100, "a body without end");
        }
        lint.shutdown().await;
    });
    collected.rules()
}

fn stream(frames: Vec<Result<Frame, Error>>) -> Body {
    let mut frames = frames.into_iter();
    Body::from_fn(move |_| Poll::Ready(frames.next()))
}

#[test]
fn a_gateway_that_keeps_the_rules_is_changed_in_nothing() {
    let request = get("/echo?x").with_body(stream(vec![
        Ok(Frame::Data(Bytes::from_static(b"hello"))),
        Ok(Frame::Trailers(Fields::new())),
    ]));
    let echo = Lint::panicking(async |mut request: Request| Response::new(request.take_body()));
    let body = run(async {
        echo.call(request)
            .await
            .into_body()
            .collect(100)
            .await
            .unwrap()
    });
    assert_eq!(body, b"hello"[..]);
}

#[test]
fn bad_responses_of_a_gateway_are_reported_by_rule() {
    let framing =
        async |_: Request| Response::text("x").with(CONNECTION, HeaderValue::from_static("close"));
    assert_eq!(serve(framing, get("/")), [rules::RES_07]);

    let lying =
        async |_: Request| Response::text("x").with(CONTENT_LENGTH, HeaderValue::from_static("2"));
    assert_eq!(serve(lying, get("/")), [rules::RES_09]);

    let padded = async |_: Request| {
        Response::text("x").with(
            HeaderName::from_static("x-pad"),
            HeaderValue::from_static(" a"),
        )
    };
    assert_eq!(serve(padded, get("/")), [rules::RES_05]);

    let informal = async |_: Request| Response::status(StatusCode::EARLY_HINTS);
    assert_eq!(serve(informal, get("/")), [rules::RES_04]);

    let talkative = async |_: Request| Response::text("x").with_status(StatusCode::NO_CONTENT);
    assert_eq!(serve(talkative, get("/")), [rules::RES_08]);

    let switching =
        async |_: Request| Response::upgrade(HeaderValue::from_static("websocket"), async |_| ());
    assert_eq!(serve(switching, get("/")), [rules::UPG_01]);
    assert_eq!(
        serve(switching, get("/").with_protocol("websocket")),
        [] as [&Rule; 0]
    );

    let unaware = async |_: Request| Response::text("x");
    let connect = Request::build(Method::CONNECT, "/")
        .unwrap()
        .with_version(Version::HTTP_2)
        .with_protocol("websocket");
    assert_eq!(serve(unaware, connect), [rules::UPG_05]);
}

#[test]
fn bad_bodies_of_a_gateway_are_reported_by_rule() {
    let data = || Ok(Frame::Data(Bytes::from_static(b"12345")));
    let short =
        move |_: Request| async move { Response::new(stream(vec![data()]).with_length(10)) };
    assert_eq!(serve(short, get("/")), [rules::RES_09]);

    let late = move |_: Request| async move {
        Response::new(stream(vec![Ok(Frame::Trailers(Fields::new())), data()]))
    };
    assert_eq!(serve(late, get("/")), [rules::BODY_06]);

    let file = |_: Request| async {
        let region = FileRegion {
            file: file_of(b"ten bytes!"),
            offset: 5,
            length: 6,
        };
        Response::new(Body::file(region))
    };
    assert_eq!(serve(file, get("/")), [rules::RES_18]);

    let failing = move |_: Request| async move {
        let error = Error::new(ErrorKind::Io, "the disk is gone");
        Response::new(stream(vec![data(), Err(error)]).with_length(10))
    };
    assert_eq!(
        serve(failing, get("/")),
        [] as [&Rule; 0],
        "an error is no breach"
    );
}

#[test]
fn a_host_that_delivers_another_length_than_it_declared_is_reported() {
    let request = get("/")
        .with_body(stream(vec![Ok(Frame::Data(Bytes::from_static(b"123")))]).with_length(5));
    let reader = async |mut request: Request| {
        let _ = request.take_body().collect(100).await;
        Response::text("read")
    };
    assert_eq!(serve(reader, request), [rules::BODY_05]);
}

#[test]
fn a_poll_that_blocks_is_reported() {
    let busy = async |_: Request| {
        let end = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() <= end {
            std::hint::spin_loop();
        }
        Response::text("done")
    };
    assert_eq!(serve(busy, get("/")), [rules::CALL_05]);
}

#[test]
fn a_host_that_ends_the_lifespan_out_of_order_is_reported() {
    let collected = Collected::default();
    let sink = collected.clone();
    let stuck = |_: Request| pending::<Response>();
    let lint = Lint::new(stuck, move |violation| sink.push(violation));
    {
        let mut call = pin!(lint.call(get("/")));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
        run(lint.shutdown());
    }
    assert_eq!(
        collected.rules(),
        [rules::LIFE_03],
        "shutdown during a call"
    );
    assert!(poll_once(lint.call(get("/"))).is_pending());
    assert_eq!(
        collected.rules(),
        [rules::LIFE_03, rules::LIFE_02],
        "a call after shutdown"
    );
}

struct Silent;

impl HostExchange for Silent {
    fn inform(&self, _: StatusCode, _: &Fields) -> Result<(), Error> {
        Ok(())
    }

    fn poll_closed(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_draining(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn finish_on_disconnect(&self) {}
}

#[test]
fn interim_responses_out_of_range_or_out_of_time_are_reported() {
    let request = || {
        get("/")
            .with_authority("example.org")
            .with(
                &http::header::HOST,
                &HeaderValue::from_static("example.org"),
            )
            .with_exchange(Exchange::new(Arc::new(Silent)))
    };
    let hinting = async |request: Request| {
        request
            .inform(StatusCode::EARLY_HINTS, &Fields::new())
            .unwrap();
        Response::text("x")
    };
    assert_eq!(serve(hinting, request()), [] as [&Rule; 0]);

    let continuing = async |request: Request| {
        request
            .inform(StatusCode::CONTINUE, &Fields::new())
            .unwrap();
        Response::text("x")
    };
    assert_eq!(serve(continuing, request()), [rules::RES_16]);

    let late = async |mut request: Request| {
        let exchange = request.exchange();
        let body = Body::from_fn(move |_| {
            exchange
                .inform(StatusCode::EARLY_HINTS, &Fields::new())
                .unwrap();
            Poll::Ready(None)
        });
        Response::new(body)
    };
    assert_eq!(serve(late, request()), [rules::RES_16]);
}

/// Long enough for any poll that does not block, also on a busy machine.
const PATIENCE: Duration = Duration::from_millis(700);
