//! No panic crosses, and none ends more than its call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use gateway_spec::{Body, ErrorKind, Frame, Gateway, Request, Response};

use super::host::{block_on, call, content, get, module, start};

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("a drop's panic");
        }
    }
}

async fn app(request: Request) -> Response {
    match request.path() {
        b"/call" => panic!("a call's panic"),
        b"/payload" => std::panic::panic_any(PanicsInDrop),
        b"/drop" => {
            let _late = PanicsInDrop;
            std::future::pending().await
        }
        b"/body" => {
            let mut frames = 0;
            Response::new(Body::from_fn(move |_| {
                frames += 1;
                assert!(frames < 2, "a body's panic");
                Poll::Ready(Some(Ok(Frame::Data("one".into()))))
            }))
        }
        b"/body-drop" => {
            let late = PanicsInDrop;
            Response::new(Body::from_fn(move |_| {
                let _late = &late;
                Poll::Ready(Some(Ok(Frame::Data("one".into()))))
            }))
        }
        b"/after" => Response::text("given").after(async { panic!("a late panic") }),
        _ => Response::text("well"),
    }
}

#[test]
fn a_panic_is_contained_wherever_it_happens() {
    let app = start(module!(app));
    let is_well = || assert_eq!(content(call(&app, get("/"))), b"well");

    for path in ["/call", "/payload"] {
        if cfg!(miri) && path == "/payload" {
            // What is left of such a payload is leaked, which miri reports.
            continue;
        }
        assert_eq!(call(&app, get(path)).status_code(), 500);
        is_well();
    }

    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = Box::pin(Gateway::call(&*app, get("/drop")));
    assert!(future.as_mut().poll(&mut cx).is_pending());
    drop(future);
    is_well();

    let mut response = call(&app, get("/body"));
    assert!(block_on(response.body_mut().data()).unwrap().is_ok());
    let error = block_on(response.body_mut().data()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panic);
    assert!(block_on(response.body_mut().data()).is_none());
    is_well();

    let mut response = call(&app, get("/body-drop"));
    assert!(block_on(response.body_mut().data()).unwrap().is_ok());
    drop(response);
    is_well();

    let mut response = call(&app, get("/after"));
    if let Some(after) = response.take_after() {
        block_on(after);
    }
    assert_eq!(content(response), b"given");
    is_well();
}

#[test]
fn work_behind_the_answer_runs_once_the_answer_is_given() {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let app = start(module!(async |_: Request| {
        let mut waited = false;
        Response::text("given").after(async move {
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut waited, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            DONE.fetch_add(1, Ordering::SeqCst);
        })
    }));
    let mut response = call(&app, get("/"));
    assert_eq!(DONE.load(Ordering::SeqCst), 0);
    let after = response.take_after().expect("work goes on");
    assert_eq!(content(response), b"given");
    block_on(after);
    assert_eq!(DONE.load(Ordering::SeqCst), 1);

    drop(call(&app, get("/")));
    assert_eq!(
        DONE.load(Ordering::SeqCst),
        1,
        "work that nobody polls is dropped"
    );
}
