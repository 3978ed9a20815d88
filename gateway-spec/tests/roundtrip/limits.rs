//! More than fits the places that are there for the common case.

use gateway_spec::{Request, Response};
use http::header::{HeaderName, HeaderValue, SET_COOKIE};
use proptest::prelude::*;

use super::host::{call, content, get, module, start};

#[test]
fn hundreds_of_fields_cross_in_order() {
    let app = start(module!(async |request: Request| {
        let mut response = Response::default();
        for (name, value) in request.fields() {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_bytes(value).unwrap();
            response.fields_mut().append(name, value);
        }
        response
    }));
    let lines: Vec<(HeaderName, HeaderValue)> = (0..300)
        .map(|n| {
            let name = match n % 3 {
                0 => SET_COOKIE,
                1 => HeaderName::from_static("x-of-our-own"),
                _ => HeaderName::from_bytes(format!("x-{n}").as_bytes()).unwrap(),
            };
            (name, HeaderValue::from_str(&"v".repeat(n)).unwrap())
        })
        .collect();
    for count in [0, 1, 24, 25, 300] {
        let mut request = get("/");
        for (name, value) in &lines[..count] {
            request = request.with(name, value);
        }
        let response = call(&app, request);
        let back: Vec<_> = response.fields().iter().collect();
        let sent: Vec<_> = lines[..count]
            .iter()
            .map(|(name, value)| (name, value))
            .collect();
        assert_eq!(back, sent);
    }
}

/// Holds a value of this size across a wait, so that the call's state is as large.
async fn holding<const SIZE: usize>(request: Request) -> Response {
    let held = std::hint::black_box([7_u8; SIZE]);
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
    let sum = held.iter().filter(|byte| **byte == 7).count();
    Response::text(format!("{sum} {}", request.path().escape_ascii()))
}

#[repr(align(64))]
#[derive(Clone, Copy)]
struct Aligned(u8);

async fn aligned(request: Request) -> Response {
    let held = std::hint::black_box(Aligned(9));
    let before = (&raw const held).addr();
    holding::<1>(request).await;
    assert_eq!(before, (&raw const held).addr(), "a call does not move");
    Response::text(format!("{} {}", before % 64, held.0))
}

#[test]
fn calls_stand_in_the_slot_or_on_the_heap_as_they_fit() {
    for (module, expected) in [
        (module!(holding::<16>), "16 /s"),
        (module!(holding::<900>), "900 /s"),
        (module!(holding::<1024>), "1024 /s"),
        (module!(holding::<5000>), "5000 /s"),
        (module!(aligned), "0 9"),
    ] {
        let app = start(module);
        assert_eq!(content(call(&app, get("/s"))), expected.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    #[cfg_attr(miri, ignore = "miri is too slow for many cases")]
    fn heads_cross_unchanged(
        target in "/[!-~]{0,60}",
        lines in prop::collection::vec(("[a-z][a-z0-9-]{0,40}", "[!-~]{0,40}"), 0..40),
    ) {
        let app = start(module!(async |request: Request| {
            let mut text = request.target().to_vec();
            for (name, value) in request.fields() {
                text.extend_from_slice(format!("\n{name}:").as_bytes());
                text.extend_from_slice(value);
            }
            Response::new(text)
        }));
        let mut expected = target.clone();
        let mut request = get(&target);
        for (name, value) in &lines {
            let parsed = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.with(&parsed, &HeaderValue::from_str(value).unwrap());
            expected.push_str(&format!("\n{name}:{value}"));
        }
        prop_assert_eq!(content(call(&app, request)), expected.into_bytes());
    }
}
