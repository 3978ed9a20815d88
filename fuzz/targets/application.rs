//! What answers behind a rehearsal: an application that does, by the length of a request's path, what
//! applications do.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::task::Poll;

use gateway_server::internal::worker::Rehearsal;
use gateway_spec::abi::export::{NoRuntime, linked};
use gateway_spec::bytes::Bytes;
use gateway_spec::http::header::{HeaderName, HeaderValue, LINK};
use gateway_spec::http::{Method, StatusCode};
use gateway_spec::{Body, Fields, Frame, Request, Response, Upgraded};

/// The application behind this thread's own rehearsal, with a watch on every rule of SPEC.md.
pub(crate) fn rehearse<T>(with: impl FnOnce(&Rehearsal) -> T) -> T {
    thread_local! {
        static REHEARSAL: OnceCell<Rehearsal> = const { OnceCell::new() };
    }
    REHEARSAL.with(|cell| {
        let rehearsal = cell.get_or_init(|| {
            let module = linked::<_, _, _, NoRuntime>("fuzzed", "1", || answer);
            let settings = [("lint", "true"), ("max-body", "10000")];
            Rehearsal::of(module, &settings).expect("it can be served")
        });
        let outcome = with(rehearsal);
        assert_eq!(rehearsal.rest(), 0, "something outlives its connection");
        let mut breaches = rehearsal.breaches();
        // How long a poll takes is the machine's to say, which does other things too.
        breaches.retain(|breach| breach.rule.id != "CALL-05");
        assert!(breaches.is_empty(), "{breaches:?}");
        outcome
    })
}

async fn answer(mut request: Request) -> Response {
    let offered = request
        .protocol()
        .map(|list| list.split(|byte| *byte == b','));
    let first =
        offered.and_then(|mut list| HeaderValue::from_bytes(list.next()?.trim_ascii()).ok());
    if let Some(protocol) = first {
        return Response::upgrade(protocol, mirror);
    }
    if *request.method() == Method::CONNECT {
        return Response::upgrade(HeaderValue::from_static("tunnel"), mirror);
    }
    match request.path().len() % 7 {
        0 => Response::text(vec![b'l'; 100_000]),
        1 => Response::text("hello"),
        2 => echo(&mut request).await,
        3 => streamed(),
        4 => informed(&request),
        5 => Response::status(StatusCode::NO_CONTENT),
        _ => {
            Response::text("done").after(async move { while body(&mut request).await.is_some() {} })
        }
    }
}

async fn echo(request: &mut Request) -> Response {
    let mut whole = Vec::new();
    while let Some(piece) = body(request).await {
        whole.extend_from_slice(&piece);
    }
    Response::text(whole)
}

/// What comes next of it; nothing after an error.
async fn body(request: &mut Request) -> Option<Bytes> {
    request.body_mut().data().await?.ok()
}

/// Three pieces and trailers.
fn streamed() -> Response {
    let trailer = (
        HeaderName::from_static("x-sum"),
        HeaderValue::from_static("3"),
    );
    let mut frames = VecDeque::from([
        Frame::Data("one".into()),
        Frame::Data("two".into()),
        Frame::Data("three".into()),
        Frame::Trailers([trailer].into_iter().collect()),
    ]);
    Response::new(Body::from_fn(move |_| {
        Poll::Ready(frames.pop_front().map(Ok))
    }))
}

fn informed(request: &Request) -> Response {
    let link = (LINK, HeaderValue::from_static("</style.css>; rel=preload"));
    let fields: Fields = [link].into_iter().collect();
    // A client of HTTP/1.0 is not informed.
    let _ = request.inform(StatusCode::EARLY_HINTS, &fields);
    Response::text("informed")
}

async fn mirror(mut stream: Upgraded) {
    let mut buffer = [0; 100];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    // The client has gone, or sees the end.
    let _ = stream.shutdown().await;
}
