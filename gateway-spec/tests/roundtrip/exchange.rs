//! What a request offers beside its head and body.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;

use gateway_spec::{Address, Fields, Gateway, Request, Response, Scheme};
use http::header::{HeaderName, HeaderValue, LINK};
use http::{Method, StatusCode, Version};

use super::host::{DEADLINE, Noted, block_on, call, content, get, module, start};

fn link(target: &'static str) -> Fields {
    [(LINK, HeaderValue::from_static(target))]
        .into_iter()
        .collect()
}

#[test]
fn all_parts_of_a_head_cross() {
    let app = start(module!(async |request: Request| {
        let lines: Vec<_> = request
            .fields()
            .map(|(name, value)| format!("{name}={}", value.escape_ascii()))
            .collect();
        Response::text(format!(
            "{:?} {} {} {:?} {} {} {:?} {} {:?} {} {} {} {}",
            request,
            request.path().escape_ascii(),
            request.mount().escape_ascii(),
            request
                .query()
                .map(<[u8]>::escape_ascii)
                .map(|text| text.to_string()),
            request.authority().escape_ascii(),
            request.id().escape_ascii(),
            request
                .protocol()
                .map(<[u8]>::escape_ascii)
                .map(|text| text.to_string()),
            lines.join(","),
            request.scheme(),
            request.peer(),
            request.client(),
            request.local(),
            request.content_length().is_some(),
        ))
    }));
    let address = |text: &str| Address::Ip(text.parse::<SocketAddr>().unwrap());
    let request = Request::build(Method::from_bytes(b"PURGE").unwrap(), "/m/a%20b?")
        .unwrap()
        .with(
            &HeaderName::from_static("x-own"),
            &HeaderValue::from_bytes(b"\xe9").unwrap(),
        )
        .with(&http::header::HOST, &HeaderValue::from_static("h:1"))
        .with_version(Version::HTTP_2)
        .with_scheme(Scheme::Https)
        .with_id("id-1")
        .with_protocol("websocket")
        .with_addresses(
            &Address::Unix(b"/run/x"[..].into()),
            &address("[2001:db8::1]:7"),
            &address("127.0.0.1:80"),
        )
        .with_mount(b"/m")
        .unwrap();
    let expected = "PURGE /m/a%20b? HTTP/2.0 /m/a%20b /m Some(\"\") h:1 id-1 Some(\"websocket\") \
                    x-own=\\xe9,host=h:1 Https unix:/run/x [2001:db8::1]:7 127.0.0.1:80 true";
    assert_eq!(
        String::from_utf8(content(call(&app, request))).unwrap(),
        expected
    );
}

#[test]
fn informs_come_in_order_and_before_the_response() {
    let app = start(module!(async |request: Request| {
        for target in ["</a>", "</b>"] {
            request
                .inform(StatusCode::EARLY_HINTS, &link(target))
                .unwrap();
        }
        assert!(
            request
                .inform(StatusCode::CONTINUE, &Fields::new())
                .is_err()
        );
        assert!(
            request
                .inform(StatusCode::SWITCHING_PROTOCOLS, &Fields::new())
                .is_err()
        );
        Response::text("done")
    }));
    let noted = Noted::new();
    let response = call(&app, get("/").with_exchange(noted.exchange()));
    assert_eq!(content(response), b"done");
    let line = |target: &[u8]| (103, vec![("link".to_owned(), target.to_vec())]);
    assert_eq!(
        *noted.informed.lock().unwrap(),
        [line(b"</a>"), line(b"</b>")]
    );
}

#[test]
fn a_wish_to_finish_is_passed_on() {
    let app = start(module!(async |request: Request| {
        request.finish_on_disconnect();
        Response::default()
    }));
    let noted = Noted::new();
    drop(call(&app, get("/").with_exchange(noted.exchange())));
    assert!(noted.finishes.load(Ordering::SeqCst));
}

#[test]
fn a_disconnect_and_a_drain_wake_from_other_threads() {
    let app = start(module!(async |mut request: Request| {
        let exchange = request.exchange();
        exchange.draining().await;
        request.closed().await;
        Response::text("both")
    }));
    let noted = Noted::new();
    let request = get("/").with_exchange(noted.exchange());
    let (polled, was_polled) = mpsc::channel();
    let other = thread::spawn(move || {
        was_polled.recv_timeout(DEADLINE).unwrap();
        noted.drain();
        noted.close();
    });
    let mut future = Box::pin(app.call(request));
    let response = block_on(std::future::poll_fn(|cx| {
        let answer = future.as_mut().poll(cx);
        let _ = polled.send(());
        answer
    }));
    assert_eq!(content(response), b"both");
    other.join().unwrap();
}

#[test]
fn a_handle_hears_of_the_end_of_its_exchange() {
    static HANDLES: std::sync::Mutex<Option<mpsc::Sender<&'static str>>> =
        std::sync::Mutex::new(None);
    let (sender, receiver) = mpsc::channel();
    *HANDLES.lock().unwrap() = Some(sender);
    let app = start(module!(async |mut request: Request| {
        let exchange = request.exchange();
        let sender = HANDLES.lock().unwrap().take().unwrap();
        let waits = exchange.clone();
        thread::spawn(move || {
            block_on(waits.closed());
            block_on(waits.draining());
            let informed = waits.inform(StatusCode::PROCESSING, &Fields::new());
            let kind = informed.unwrap_err().kind();
            // The waiters are woken while the exchange is being closed: until that is done the
            // response is what stands in the way.
            use gateway_spec::ErrorKind::{Closed, TooLate};
            assert!(matches!(kind, Closed | TooLate), "{kind:?}");
            sender.send("over").unwrap();
        });
        Response::text("answered")
    }));
    drop(call(&app, get("/").with_exchange(Noted::new().exchange())));
    assert_eq!(receiver.recv_timeout(DEADLINE), Ok("over"));
}
