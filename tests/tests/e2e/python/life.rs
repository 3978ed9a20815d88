//! Start, work behind answers, disconnects and the end.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::post;
use gateway_tests::curl::curl;
use gateway_tests::hosts::Host;
use gateway_tests::python::{self, Kind};
use gateway_tests::until;

use crate::alike::hostile;

pub(super) fn the_application_is_started_and_ended(kind: Kind) {
    let probe = Artefacts::built().module("probe");
    let server = kind.serve(probe, &[("GATEWAY_ARGUMENT", "told")]);
    assert_eq!(server.get("/startup").text(), "told");
    assert_eq!(server.get("/after/100").text(), "answered");
    until("work behind the answer", || {
        server.get("/count").text() == "1"
    });
    uploads_side_by_side(&server);
    if kind.is_asgi() {
        a_client_that_leaves_is_noticed(&server);
    }
    let said = server.words();
    assert!(
        !said.contains("Traceback") && !said.contains("panicked"),
        "{said}"
    );

    let (_folder, module) = hostile();
    until("a shutdown that fails", || {
        let argument = [("GATEWAY_ARGUMENT", "shutdown-fail")];
        let server = kind.serve(&module, &argument);
        assert_eq!(server.get("/ok").text(), "ok");
        let said = server.words();
        let is_told = said.contains("hostile: shutdown failed: IO");
        // uWSGI leaves exit functions out of a worker that is busy, as it is behind an answer.
        assert!(is_told || kind == Kind::Uwsgi, "{said}");
        is_told
    });

    let argument = [("GATEWAY_ARGUMENT", "startup-fail")];
    let server = kind.start(&module, &argument);
    if !kind.is_asgi() {
        // WSGI has no start: the first request is.
        until("a listener", || server.address.connect().is_ok());
        let mut client = server.connect();
        let _refused = client.try_send(gateway_tests::client::get("/ok"));
        assert!(
            client.rest().is_empty(),
            "an answer of an application that did not start"
        );
    }
    let words = "hostile: start-up failed: hostile: startup failed\\nforged: on purpose";
    server.process.line_with(words, 0);
    if kind != Kind::Uwsgi {
        // uWSGI's master tries again for ever.
        let (code, said) = server.process.end();
        let granian = matches!(kind, Kind::Granian | Kind::GranianAsgi);
        assert_eq!(code, if granian { 1 } else { 3 }, "{said}");
    }
}

fn uploads_side_by_side(server: &Host) {
    let body = vec![b'u'; 100_000];
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(server.fetch(post("/spawned", &body)).text(), "100000");
                }
            });
        }
    });
}

fn a_client_that_leaves_is_noticed(server: &Host) {
    let number = |target| server.get(target).text().parse::<u64>().unwrap();
    let requests: [&[u8]; 3] = [
        b"GET /cancelled HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /finished HTTP/1.1\r\nHost: h\r\n\r\n",
        b"POST /cancelled HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nunread",
    ];
    for request in requests {
        let [begun, ended] = ["/begun", "/count"].map(number);
        let mut client = server.connect();
        client.send(request);
        until("the call", || number("/begun") == begun + 1);
        drop(client);
        until("the end of the call", || number("/count") == ended + 1);
    }
    let mut client = server.connect();
    client.send("GET /chunks/100000000 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(!client.some().is_empty());
    drop(client);
    assert_eq!(server.get("/pid").status, 200);
}

#[test]
fn gunicorn_forks_before_the_application_is_started() {
    let (_folder, module) = hostile();
    let callable = |options: &str| format!("load({:?}{options})", module.display().to_string());
    let server = python::gunicorn(&callable(""), &["--preload", "--workers", "2"]);
    server.process.line_with("Booting worker", 0);
    assert_eq!(server.get("/ok").text(), "ok");
    server.words();

    let server = python::gunicorn(&callable(", eager=True"), &[]);
    server.process.line_with("Booting worker", 0);
    assert_eq!(server.get("/ok").text(), "ok");
    server.words();

    let failing = callable(", eager=True, argument=b'create-fail'");
    let (code, said) = python::gunicorn(&failing, &[]).process.end();
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("hostile: create failed: hostile: create failed on purpose"),
        "{said}"
    );

    let server = python::gunicorn(&callable(", eager=True"), &["--preload"]);
    server.process.line_with("Booting worker", 0);
    let _refused = server.connect().try_send(gateway_tests::client::get("/ok"));
    let (code, said) = server.process.end();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("has to be started behind the fork"), "{said}");
}

#[test]
fn a_worker_that_gunicorn_gives_up_is_replaced() {
    let (_folder, module) = hostile();
    let callable = format!("load({:?})", module.display().to_string());
    let server = python::gunicorn(&callable, &["--timeout", "1"]);
    server.process.line_with("Booting worker", 0);
    let mut client = server.connect();
    // Longer than the worker is given: the signal comes while native code runs.
    client.send("GET /block/2500 HTTP/1.1\r\nHost: h\r\n\r\n");
    server.process.line_with("WORKER TIMEOUT", 0);
    assert_eq!(server.get("/ok").text(), "ok");
}

#[test]
fn trailers_and_early_hints_go_where_the_server_takes_them() {
    let server = python::uvicorn_http2(Artefacts::built().module("probe"));
    let socket = server.address.to_string();
    let socket = socket.trim_start_matches("unix:");
    let ask = |target: &str| {
        let url = format!("http://test{target}");
        let flags = ["--http2-prior-knowledge", "--unix-socket", socket];
        // Trailers are shown where the fields are.
        let outcome = curl(&[&flags[..], &["-H", "TE: trailers", "-D", "-", &url]].concat());
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        outcome.stdout
    };
    let answer = ask("/trailers");
    assert!(
        answer.contains("hello") && answer.contains("x-sum: 5"),
        "{answer}"
    );
    let answer = ask("/hints");
    assert!(
        answer.contains("HTTP/2 103") && answer.contains("link: </a.css>"),
        "{answer}"
    );
}

#[test]
fn what_is_no_application_is_refused_in_words() {
    let server = Kind::Uvicorn.start("/etc/passwd".as_ref(), &[]);
    let (code, said) = server.process.end();
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("/etc/passwd: expected an ELF shared object"),
        "{said}"
    );
}
