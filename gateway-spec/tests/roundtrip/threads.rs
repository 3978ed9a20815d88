//! What moves to other threads, and stays there longer than the call.

use std::sync::{Mutex, mpsc};
use std::thread;

use gateway_spec::{Body, Gateway, Request, Response};
use http::Method;

use super::host::{DEADLINE, Noted, block_on, call, content, get, module, start};

type Gate = Mutex<Option<(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>)>>;

#[test]
fn a_request_lives_on_in_a_thread_after_its_call() {
    static GATE: Gate = Mutex::new(None);
    let (open, opened) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    *GATE.lock().unwrap() = Some((opened, tell));
    let app = start(module!(async |request: Request| {
        let (opened, tell) = GATE.lock().unwrap().take().unwrap();
        thread::spawn(move || {
            opened.recv_timeout(DEADLINE).unwrap();
            let target = request.target().to_vec();
            drop(request);
            tell.send(target).unwrap();
        });
        Response::text("answered")
    }));
    let request = get("/kept?for=long").with_exchange(Noted::new().exchange());
    assert_eq!(content(call(&app, request)), b"answered");
    open.send(()).unwrap();
    assert_eq!(told.recv_timeout(DEADLINE).unwrap(), b"/kept?for=long");
}

#[test]
fn a_body_is_read_by_a_thread_while_the_call_waits() {
    let app = start(module!(async |mut request: Request| {
        let body = request.take_body();
        let (tell, told) = futures_channel();
        thread::spawn(move || tell(block_on(body.collect(100)).unwrap().to_vec()));
        Response::new(told.await)
    }));
    let mut pieces = vec!["three", "two", "one"];
    let body = Body::from_fn(move |_| {
        let piece = pieces.pop();
        std::task::Poll::Ready(
            piece.map(|piece| Ok(gateway_spec::Frame::Data(piece.as_bytes().into()))),
        )
    });
    let request = Request::build(Method::POST, "/").unwrap().with_body(body);
    assert_eq!(content(call(&app, request)), b"onetwothree");
}

/// A value that a thread sends to a future.
fn futures_channel() -> (
    impl FnOnce(Vec<u8>) + Send,
    impl Future<Output = Vec<u8>> + Send,
) {
    use std::sync::Arc;
    use std::task::{Poll, Waker};
    type Slot = (Option<Vec<u8>>, Option<Waker>);
    let slot: Arc<Mutex<Slot>> = Arc::default();
    let sender = Arc::clone(&slot);
    let send = move |value| {
        let mut slot = sender.lock().unwrap();
        slot.0 = Some(value);
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    };
    let receive = std::future::poll_fn(move |cx| {
        let mut slot = slot.lock().unwrap();
        match slot.0.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    });
    (send, receive)
}

#[test]
fn calls_migrate_between_threads() {
    let app = start(module!(async |request: Request| {
        for _ in 0..3 {
            let mut polled = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut polled, true) {
                    return std::task::Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
        }
        Response::text(request.path().escape_ascii().to_string())
    }));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = Box::pin(app.call(get("/nomad")));
    assert!(future.as_mut().poll(&mut cx).is_pending());
    let response = thread::scope(|scope| {
        let first = scope.spawn(move || {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut cx).is_pending());
            future
        });
        let future = first.join().unwrap();
        scope.spawn(move || block_on(future)).join().unwrap()
    });
    assert_eq!(content(response), b"/nomad");
}

#[test]
fn many_threads_call_at_once() {
    let app = start(module!(async |request: Request| {
        Response::text(request.path().escape_ascii().to_string())
    }));
    let rounds = if cfg!(miri) { 3 } else { 200 };
    thread::scope(|scope| {
        for name in ["/a", "/b", "/c"] {
            let app = &app;
            scope.spawn(move || {
                for _ in 0..rounds {
                    assert_eq!(content(call(app, get(name))), name.as_bytes());
                }
            });
        }
    });
}

#[test]
fn threads_may_clone_the_borrowed_waker_of_one_poll() {
    let app = start(module!(async |_: Request| {
        std::future::poll_fn(|cx| {
            let waker = cx.waker();
            let clones: Vec<_> = thread::scope(|scope| {
                let threads = [(); 3].map(|()| scope.spawn(|| waker.clone()));
                threads.map(|thread| thread.join().unwrap()).into()
            });
            assert!(clones.iter().all(|clone| clone.will_wake(&clones[0])));
            std::task::Poll::Ready(())
        })
        .await;
        Response::text("cloned")
    }));
    assert_eq!(content(call(&app, get("/"))), b"cloned");
}
