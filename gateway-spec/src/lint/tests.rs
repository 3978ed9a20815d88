//! Every rule that `Lint` checks is broken here, and each breach is reported by its own name.

use std::future::{Future, pending};
use std::io::Write as _;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::body::{BodyWatch, Side};
use super::fields::Line;
use super::request::RequestFacts;
use super::response::ResponseFacts;
use super::violation::Reports;
use super::{Lint, Violation};
use crate::body::{Body, FileRegion, Frame};
use crate::error::{Error, ErrorKind};
use crate::exchange::Exchange;
use crate::exchange_host::HostExchange;
use crate::fields::Fields;
use crate::gateway::Gateway;
use crate::request::Request;
use crate::response::Response;
use crate::rules::{self, Check, RULES, Rule};

/// Collects what is reported.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Violation>>>);

impl Collected {
    fn reports(&self) -> Reports {
        let this = self.clone();
        Reports::new(move |violation| this.push(violation))
    }

    fn push(&self, violation: Violation) {
        self.0.lock().unwrap().push(violation);
    }

    /// The rules reported, each once.
    fn rules(&self) -> Vec<&'static Rule> {
        let mut rules: Vec<_> = self
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|found| found.rule)
            .collect();
        rules.dedup();
        rules
    }
}

fn reported(watch: impl FnOnce(&Reports)) -> Vec<&'static Rule> {
    let collected = Collected::default();
    watch(&collected.reports());
    collected.rules()
}

fn line<'a>(name: &'a str, value: &'a str) -> Line<'a> {
    Line {
        name: name.as_bytes(),
        value: value.as_bytes(),
    }
}

// ---- request heads --------------------------------------------------------------------------

fn good_request() -> RequestFacts<'static> {
    RequestFacts {
        method: b"POST",
        target: b"/shop/a%2Fb/../c?x=1?&y",
        path: b"/shop/a%2Fb/../c",
        query: Some("x=1?&y".as_bytes()),
        mount: b"/shop",
        authority: b"example.org:8000",
        protocol: None,
        fields: vec![
            line("host", "Example.org:8000"),
            line("accept", "a"),
            line("accept", "b"),
            line("content-length", "5"),
            line("te", "trailers"),
        ],
        version: (1, 1),
        is_absolute_form: false,
        content_length: Some(5),
        has_body: true,
        peer_is_client: true,
        client_is_forwarded: false,
        is_homemade: false,
    }
}

#[test]
fn requests_that_keep_the_rules_are_not_reported() {
    let http10 = RequestFacts {
        version: (1, 0),
        fields: vec![],
        authority: b"",
        content_length: Some(0),
        has_body: false,
        ..good_request()
    };
    let absolute = RequestFacts {
        target: b"http://example.org:8000/shop/x",
        path: b"/shop/x",
        query: None,
        is_absolute_form: true,
        ..good_request()
    };
    let asterisk = RequestFacts {
        method: b"OPTIONS",
        target: b"*",
        path: b"*",
        query: None,
        mount: b"",
        ..good_request()
    };
    let connect = RequestFacts {
        method: b"CONNECT",
        target: b"example.org:8000",
        path: b"",
        query: None,
        mount: b"",
        ..good_request()
    };
    let websocket = RequestFacts {
        protocol: Some("websocket".as_bytes()),
        ..good_request()
    };
    let proxied = RequestFacts {
        peer_is_client: false,
        client_is_forwarded: true,
        ..good_request()
    };
    let url_in_query = RequestFacts {
        target: b"/shop?to=http://example.org/",
        path: b"/shop",
        query: Some("to=http://example.org/".as_bytes()),
        ..good_request()
    };
    let all = [
        good_request(),
        http10,
        absolute,
        asterisk,
        connect,
        websocket,
        proxied,
        url_in_query,
    ];
    for request in all {
        assert_eq!(
            reported(|to| request.check(to)),
            [] as [&Rule; 0],
            "{request:?}"
        );
    }
}

#[test]
fn each_rule_of_request_heads_is_reported_when_a_host_breaks_it() {
    type Spoil = fn(&mut RequestFacts<'static>);
    let broken: &[(&Rule, Spoil)] = &[
        (rules::REQ_01, |it| it.method = b""),
        (rules::REQ_01, |it| it.method = b"GET POST"),
        (rules::REQ_02, |it| it.path = b"/shop/a/b/../c"),
        (rules::REQ_02, |it| it.path = b"/shop/c"),
        (rules::REQ_02, |it| {
            it.target = b"/shop/a%2Fb/../c?x=1?&y#frag"
        }),
        (rules::REQ_03, |it| {
            (it.target, it.query) = (b"/shop/a%2Fb/../c", Some("".as_bytes()))
        }),
        (rules::REQ_03, |it| {
            (it.path, it.query) = (b"/shop/a%2Fb/../c?x=1?&y", None)
        }),
        (rules::REQ_04, |it| {
            (it.target, it.path, it.query, it.mount) = (b"*", b"*", None, b"")
        }),
        (rules::REQ_04, |it| {
            (it.target, it.path, it.query, it.mount) = (b"x", b"x", None, b"")
        }),
        (rules::REQ_04, |it| {
            (it.target, it.path, it.query, it.mount) = (b"http://h/", b"http://h/", None, b"");
        }),
        (rules::REQ_05, |it| it.mount = b"/shop/"),
        (rules::REQ_05, |it| it.mount = b"/sh"),
        (rules::REQ_05, |it| it.mount = b"/other"),
        (rules::REQ_06, |it| it.fields.push(line("X-Upper", "1"))),
        (rules::REQ_06, |it| it.fields.push(line("x-lf", "a\nb: c"))),
        (rules::REQ_06, |it| it.fields.push(line("x-padded", " a"))),
        (rules::REQ_06, |it| it.fields.push(line("", "a"))),
        (rules::REQ_07, |it| {
            it.fields.push(line("host", "example.org:8000"))
        }),
        (rules::REQ_07, |it| {
            it.fields.retain(|line| line.name != b"host")
        }),
        (rules::REQ_07, |it| it.authority = b"elsewhere.org"),
        (rules::REQ_08, |it| {
            it.version = (2, 0);
            it.fields
                .extend([line("cookie", "a=1"), line("cookie", "b=2")]);
        }),
        (rules::REQ_09, |it| {
            it.fields.push(line("connection", "close"))
        }),
        (rules::REQ_09, |it| {
            it.fields.push(line("transfer-encoding", "chunked"))
        }),
        (rules::REQ_09, |it| it.fields.push(line("te", "gzip"))),
        (rules::REQ_11, |it| it.content_length = Some(6)),
        (rules::REQ_11, |it| it.content_length = None),
        (rules::REQ_11, |it| it.has_body = false),
        (rules::REQ_12, |it| it.peer_is_client = false),
        (rules::REQ_15, |it| it.protocol = Some("".as_bytes())),
        (rules::REQ_15, |it| {
            (it.version, it.protocol) = ((1, 0), Some("websocket".as_bytes()))
        }),
        (rules::REQ_15, |it| {
            (it.version, it.protocol) = ((2, 0), Some("websocket".as_bytes()))
        }),
    ];
    for (rule, spoil) in broken {
        let mut request = good_request();
        spoil(&mut request);
        let found = reported(|to| request.check(to));
        assert!(found.contains(rule), "{rule}: {found:?} for {request:?}");
    }
    let pseudo = RequestFacts {
        fields: vec![line(":path", "/")],
        ..good_request()
    };
    assert!(reported(|to| { pseudo.check(to) }).contains(&rules::REQ_07));
}

// ---- response heads -------------------------------------------------------------------------

fn good_response() -> ResponseFacts<'static> {
    ResponseFacts {
        status: 200,
        fields: vec![
            line("content-type", "text/plain"),
            line("content-length", "5"),
        ],
        at_hand: 5,
        has_more: false,
        declared: None,
        switches_to: None,
        offered: Some("h2c, websocket".as_bytes()),
        answers_head: false,
    }
}

#[test]
fn responses_that_keep_the_rules_are_not_reported() {
    let streamed = ResponseFacts {
        has_more: true,
        at_hand: 2,
        ..good_response()
    };
    let switch = ResponseFacts {
        status: 101,
        fields: vec![],
        at_hand: 0,
        switches_to: Some("WebSocket".as_bytes()),
        ..good_response()
    };
    let head = ResponseFacts {
        answers_head: true,
        at_hand: 0,
        ..good_response()
    };
    let not_modified = ResponseFacts {
        status: 304,
        at_hand: 0,
        ..good_response()
    };
    for response in [good_response(), streamed, switch, head, not_modified] {
        let found = reported(|to| {
            response.check(to);
        });
        assert_eq!(found, [] as [&Rule; 0], "{response:?}");
    }
}

#[test]
fn each_rule_of_response_heads_is_reported_when_an_application_breaks_it() {
    type Spoil = fn(&mut ResponseFacts<'static>);
    let broken: &[(&Rule, Spoil)] = &[
        (rules::RES_04, |it| it.status = 103),
        (rules::RES_04, |it| it.status = 101),
        (rules::RES_04, |it| it.status = 600),
        (rules::RES_05, |it| {
            it.fields.push(line("x-split", "a\r\nset-cookie: b"))
        }),
        (rules::RES_05, |it| it.fields.push(line("X-Upper", "a"))),
        (rules::RES_05, |it| it.fields.push(line("x y", "a"))),
        (rules::RES_05, |it| it.fields.push(line("x-padded", "a "))),
        (rules::RES_07, |it| {
            it.fields.push(line("connection", "close"))
        }),
        (rules::RES_07, |it| {
            it.fields.push(line("transfer-encoding", "chunked"))
        }),
        (rules::RES_08, |it| (it.status, it.fields) = (304, vec![])),
        (rules::RES_09, |it| it.at_hand = 4),
        (rules::RES_09, |it| it.declared = Some(6)),
        (rules::RES_09, |it| (it.has_more, it.at_hand) = (true, 6)),
        (rules::RES_09, |it| {
            it.fields.push(line("content-length", "5"))
        }),
        (rules::RES_09, |it| it.fields[1].value = b"+5"),
        (rules::UPG_01, |it| {
            (it.status, it.switches_to) = (101, Some("h3".as_bytes()))
        }),
    ];
    for (rule, spoil) in broken {
        let mut response = good_response();
        spoil(&mut response);
        assert_eq!(
            reported(|to| {
                response.check(to);
            }),
            [*rule],
            "{response:?}"
        );
    }
}

// ---- bodies ---------------------------------------------------------------------------------

fn watched(
    side: Side,
    declared: Option<u64>,
    feed: impl FnOnce(&mut BodyWatch),
) -> Vec<&'static Rule> {
    reported(|to| feed(&mut BodyWatch::new(side, to.clone(), declared, 0)))
}

#[test]
fn bodies_that_keep_the_rules_are_not_reported() {
    for side in [Side::Request, Side::Response] {
        let found = watched(side, Some(5), |body| {
            body.poll();
            body.data(2);
            body.data(0);
            body.data(3);
            body.trailers(&[line("x-sum", "1")]);
            body.end();
        });
        assert_eq!(found, [] as [&Rule; 0]);
    }
}

#[test]
fn a_body_of_another_length_than_declared_is_reported_against_its_side() {
    for (side, rule) in [
        (Side::Request, rules::BODY_05),
        (Side::Response, rules::RES_09),
    ] {
        let short = watched(side, Some(5), |body| {
            body.data(4);
            body.end();
        });
        assert_eq!(short, [rule]);
        let long = watched(side, Some(5), |body| {
            body.data(6);
            body.data(1);
            body.end();
        });
        assert_eq!(long, [rule]);
    }
}

#[test]
fn trailers_that_are_misplaced_or_unfit_are_reported() {
    let twice = watched(Side::Request, None, |body| {
        body.trailers(&[]);
        body.trailers(&[]);
    });
    let middle = watched(Side::Response, None, |body| {
        body.trailers(&[]);
        body.data(1);
    });
    let framing = watched(Side::Request, None, |body| {
        body.trailers(&[line("content-length", "1")])
    });
    let split = watched(Side::Response, None, |body| {
        body.trailers(&[line("x", "a\nb")])
    });
    for found in [twice, middle, framing, split] {
        assert_eq!(found, [rules::BODY_06]);
    }
}

#[test]
fn polling_after_the_end_and_files_in_requests_are_reported() {
    let after = watched(Side::Request, None, |body| {
        body.end();
        body.poll();
    });
    assert_eq!(after, [rules::BODY_09]);
    let file = watched(Side::Request, None, |body| {
        body.file(&file_of(b"ten bytes!"), 0, 10)
    });
    assert_eq!(file, [rules::BODY_10]);
}

#[test]
fn file_ranges_beyond_the_file_and_files_that_are_none_are_reported() {
    let within = watched(Side::Response, None, |body| {
        body.file(&file_of(b"ten bytes!"), 4, 6)
    });
    assert_eq!(within, [] as [&Rule; 0]);
    let beyond = watched(Side::Response, None, |body| {
        body.file(&file_of(b"ten bytes!"), 4, 7)
    });
    let wrapped = watched(Side::Response, None, |body| {
        body.file(&file_of(b""), u64::MAX, 7)
    });
    let folder = std::fs::File::open("/").unwrap();
    let irregular = watched(Side::Response, None, |body| body.file(&folder, 0, 0));
    for found in [beyond, wrapped, irregular] {
        assert_eq!(found, [rules::RES_18]);
    }
}

fn file_of(content: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}

// ---- whole gateways -------------------------------------------------------------------------

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

#[test]
fn every_rule_that_lint_checks_is_broken_in_this_file() {
    let this_file = include_str!("tests.rs");
    for rule in RULES.iter().filter(|rule| rule.check == Check::Lint) {
        let name = format!("rules::{}", rule.id.replace('-', "_"));
        assert!(this_file.contains(&name), "nothing here breaks {rule}");
    }
}

/// Long enough for any poll that does not block, also on a busy machine.
const PATIENCE: Duration = Duration::from_millis(700);
