//! What no well-behaved front sends, and what every one may: bytes on a socket.

mod logged;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::Client;
use gateway_tests::fronts::{
    ABORT_REQUEST, BEGIN_REQUEST, GET, GET_VALUES, Pair, STDIN, answer, fastcgi, fastcgi_head,
    record, record_of, scgi, uwsgi,
};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::hosts;
use gateway_tests::until;
use nix::sys::signal::Signal;

use crate::alike::breaches;

const PROTOCOLS: [&str; 3] = ["fastcgi", "scgi", "uwsgi"];

/// HTTP at the first address, then the three.
fn serve(module: &str, arguments: &[&str]) -> Gatewayd {
    let mut command = program();
    command.args(["--bind", "127.0.0.1:0", "--workers", "1"]);
    for protocol in PROTOCOLS {
        command
            .arg("--bind")
            .arg(format!("{protocol}://127.0.0.1:0"));
    }
    command
        .arg(Artefacts::built().module(module))
        .args(arguments);
    Gatewayd::start(&mut command)
}

fn connect(server: &Gatewayd, protocol: &str) -> Client {
    let at = PROTOCOLS.iter().position(|one| *one == protocol).unwrap();
    Client::connect(&server.addresses[at + 1])
}

/// The next answer of FastCGI on a connection that stays.
fn next(client: &mut Client) -> String {
    let mut bytes = Vec::new();
    loop {
        bytes.extend(client.some());
        if let Some((text, true)) = answer(&bytes) {
            return text;
        }
    }
}

/// An answer behind which the connection ends, without the records of FastCGI.
fn last(mut client: Client, protocol: &str) -> String {
    let bytes = client.rest();
    match protocol {
        "fastcgi" => answer(&bytes).expect("whole records").0,
        _ => String::from_utf8(bytes).unwrap(),
    }
}

fn request(protocol: &str, pairs: &[Pair<'_>], body: &[u8]) -> Vec<u8> {
    match protocol {
        "fastcgi" => fastcgi(pairs, body),
        "scgi" => scgi(pairs, body),
        _ => uwsgi(pairs, body),
    }
}

/// The usual variables with some of them said otherwise.
fn with<'a>(more: &[Pair<'a>]) -> Vec<Pair<'a>> {
    let is_said = |name: &str| more.iter().any(|(other, _)| *other == name);
    let usual = GET.into_iter().filter(|(name, _)| !is_said(name));
    usual.chain(more.iter().copied()).collect()
}

fn echoed(answer: &str) -> serde_json::Value {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
    serde_json::from_str(body).expect("what the echo saw")
}

#[test]
fn a_kept_connection_of_fastcgi_takes_request_after_request_in_any_pieces() {
    let server = serve("echo", &[]);
    let mut client = connect(&server, "fastcgi");
    let body = vec![b'b'; 150_000];
    let length = body.len().to_string();
    let post = [
        ("REQUEST_METHOD", "POST"),
        ("CONTENT_LENGTH", length.as_str()),
    ];
    for _ in 0..3 {
        client.send(fastcgi(&GET, b""));
        let text = next(&mut client);
        assert!(text.starts_with("Status: 200 OK\r\n"), "{text}");
        for piece in fastcgi(&with(&post), &body).chunks(1_777) {
            client.send(piece);
        }
        assert_eq!(echoed(&next(&mut client))["body_len"], body.len());
        // Of unknown length.
        client.send(fastcgi(&with(&[("REQUEST_METHOD", "PUT")]), &body));
        assert_eq!(echoed(&next(&mut client))["body_len"], body.len());
    }
    assert_eq!(server.stop().0, 0);
}

#[test]
fn path_and_exact_target_are_told_apart() {
    let server = serve("probe", &[]);
    for protocol in PROTOCOLS {
        let facts = |pairs: &[Pair<'_>]| {
            let mut client = connect(&server, protocol);
            client.send(request(protocol, &with(pairs), b""));
            match protocol {
                "fastcgi" => next(&mut client),
                _ => last(client, protocol),
            }
        };
        for (pairs, mount, path, target) in [
            (
                &[
                    ("REQUEST_URI", "/m%20n/facts?q"),
                    ("SCRIPT_NAME", "/m n"),
                    ("PATH_INFO", "/facts"),
                ][..],
                "/m%20n",
                "/m%20n/facts",
                "/m%20n/facts?q",
            ),
            // The server has rewritten the path.
            (
                &[
                    ("REQUEST_URI", "/old?q=1"),
                    ("SCRIPT_NAME", ""),
                    ("PATH_INFO", "/facts"),
                    ("QUERY_STRING", "q=1"),
                ],
                "",
                "/facts",
                "/facts?q=1",
            ),
            // It has only decoded it.
            (
                &[
                    ("REQUEST_URI", "/facts/%2F%ff"),
                    ("SCRIPT_NAME", "/facts/"),
                    ("QUERY_STRING", ""),
                ],
                "",
                "/facts/",
                "/facts/",
            ),
            (
                &[("REQUEST_URI", "//fac%74s"), ("SCRIPT_NAME", "/facts")],
                "",
                "//fac%74s",
                "//fac%74s",
            ),
            (
                &[("REQUEST_URI", ""), ("PATH_INFO", "/facts/a b")],
                "",
                "/facts/a%20b",
                "/facts/a%20b",
            ),
        ] {
            let text = facts(pairs);
            if path == "//fac%74s" {
                // An application that does not tidy up does not know it.
                assert!(text.contains(" 404 "), "{protocol}: {text}");
                continue;
            }
            let expected = format!("mount: {mount}\npath: {path}\ntarget: {target}\n");
            assert!(text.ends_with(&expected), "{protocol}: {text}");
        }
    }
}

#[test]
fn a_body_longer_or_shorter_than_was_said_is_a_protocol_error() {
    let server = serve("probe", &[]);
    for (length, body) in [("5", &b"hell"[..]), ("5", b"hello!"), ("100000", b"hello")] {
        let mut client = connect(&server, "fastcgi");
        let pairs = [
            ("REQUEST_METHOD", "POST"),
            ("REQUEST_URI", "/spawned"),
            ("CONTENT_LENGTH", length),
        ];
        client.send(fastcgi(&with(&pairs), body));
        let text = last(client, "fastcgi");
        assert!(text.starts_with("Status: 400 Bad Request\r\n"), "{text}");
        assert!(text.contains("Protocol"), "{text}");
    }
    let mut client = connect(&server, "fastcgi");
    let pairs = [("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "0")];
    client.send(fastcgi(&with(&pairs), b"more"));
    let text = last(client, "fastcgi");
    assert!(text.starts_with("Status: 400 Bad Request\r\n"), "{text}");
}

#[test]
fn a_server_may_ask_abort_and_begin_twice() {
    let server = serve("probe", &[]);
    let mut client = connect(&server, "fastcgi");
    // Values, and what nobody knows.
    client.send(record_of(GET_VALUES, 0, b"\x0f\0FCGI_MPXS_CONNS"));
    let values = client.some();
    assert_eq!(
        (values[1], &values[8..]),
        (10, &b"\x0f\x01FCGI_MPXS_CONNS0"[..])
    );
    client.send(record_of(99, 0, b""));
    let unknown = client.some();
    assert_eq!((unknown[1], unknown[8]), (11, 99));
    // A second request while the first goes on.
    let endless = with(&[("REQUEST_URI", "/cancelled")]);
    client.send(fastcgi(&endless, b""));
    client.send(record_of(BEGIN_REQUEST, 2, &[0, 1, 1, 0, 0, 0, 0, 0]));
    let refused = client.some();
    assert_eq!(
        (refused[1], refused[3], refused[12]),
        (3, 2, 1),
        "FCGI_CANT_MPX_CONN"
    );
    // The first is wanted no more: its call ends, and so does the connection.
    assert_eq!(server.get("/count").text(), "0");
    client.send(record(ABORT_REQUEST, b""));
    let (text, ended) = answer(&client.rest()).expect("whole records");
    assert_eq!((text.as_str(), ended), ("", true));
    until("the call to be dropped", || {
        server.get("/count").text() == "1"
    });
    // Another role than that of a responder.
    let mut client = connect(&server, "fastcgi");
    client.send(record(BEGIN_REQUEST, &[0, 2, 0, 0, 0, 0, 0, 0]));
    assert_eq!(client.some()[12], 3, "FCGI_UNKNOWN_ROLE");
}

#[test]
fn a_front_of_fastcgi_that_goes_cancels_the_call() {
    let server = serve("probe", &[]);
    let mut client = connect(&server, "fastcgi");
    client.send(fastcgi(&with(&[("REQUEST_URI", "/cancelled")]), b""));
    until("the call", || server.get("/begun").text() == "1");
    drop(client);
    until("the call to be dropped", || {
        server.get("/count").text() == "1"
    });
}

#[test]
fn bodies_stream_both_ways_at_once_and_wait_for_who_does_not_read() {
    let server = serve("probe", &[]);
    for protocol in PROTOCOLS {
        let mut client = connect(&server, protocol);
        let post = [
            ("REQUEST_METHOD", "POST"),
            ("REQUEST_URI", "/mirror"),
            ("CONTENT_LENGTH", "10"),
        ];
        let post = if protocol == "scgi" {
            &post[..2]
        } else {
            &post[..]
        };
        let whole = request(protocol, &with(post), b"helloworld");
        let cut = whole.len() - 5 - if protocol == "fastcgi" { 8 } else { 0 };
        let hears = |client: &mut Client, text: &str| {
            let mut heard = String::new();
            until(text, || {
                heard += &String::from_utf8_lossy(&client.some());
                heard.contains(text)
            });
        };
        if protocol == "fastcgi" {
            client.send(fastcgi_head(&with(post), true));
            client.send(record(STDIN, b"hello"));
            hears(&mut client, "hello");
            client.send(record(STDIN, b"world"));
            // The last byte waits for the end of the stream.
            hears(&mut client, "worl");
            client.send(record(STDIN, b""));
            hears(&mut client, "d");
        } else {
            client.send(&whole[..cut]);
            hears(&mut client, "hello");
            client.send(&whole[cut..]);
            hears(&mut client, "world");
        }
        // Who does not read stops the application; who reads at last gets it all.
        let mut slow = connect(&server, protocol);
        slow.send(request(
            protocol,
            &with(&[("REQUEST_URI", "/mebibytes/20")]),
            b"",
        ));
        assert_eq!(server.get("/version").status, 200);
        let mut length = 0;
        let text = match protocol {
            "fastcgi" => {
                let mut bytes = Vec::new();
                loop {
                    bytes.extend(slow.some());
                    if bytes.len() > 20 << 20
                        && let Some((text, true)) = answer(&bytes)
                    {
                        break text;
                    }
                }
            }
            _ => last(slow, protocol),
        };
        length += text.split_once("\r\n\r\n").unwrap().1.len();
        assert_eq!(length, 20 << 20, "{protocol}");
    }
}

#[test]
fn what_comes_before_an_answer_has_no_way_and_is_left_out() {
    let server = serve("probe", &[]);
    for protocol in PROTOCOLS {
        let mut client = connect(&server, protocol);
        client.send(request(protocol, &with(&[("REQUEST_URI", "/hints")]), b""));
        let text = match protocol {
            "fastcgi" => next(&mut client),
            _ => last(client, protocol),
        };
        let line = text.lines().next().unwrap();
        assert!(
            line.ends_with(" 200 OK") && text.ends_with("hinted"),
            "{text}"
        );
        assert!(!text.contains("link:"), "{text}");
    }
}

#[test]
fn a_connection_ends_behind_the_answer_unless_it_is_to_be_kept() {
    let server = serve("hello", &[]);
    let mut client = connect(&server, "fastcgi");
    let mut bytes = fastcgi_head(&GET, false);
    bytes.extend(record(STDIN, b""));
    client.send(bytes);
    let (text, ended) = answer(&client.rest()).unwrap();
    assert!(text.ends_with("Hello, World!") && ended, "{text}");
    for protocol in ["scgi", "uwsgi"] {
        let mut client = connect(&server, protocol);
        client.send(request(protocol, &GET, b""));
        let text = last(client, protocol);
        let first = if protocol == "scgi" {
            "Status: 200 OK\r\n"
        } else {
            "HTTP/1.1 200 OK\r\n"
        };
        assert!(
            text.starts_with(first) && text.ends_with("\r\n\r\nHello, World!"),
            "{text}"
        );
    }
}

#[test]
fn a_connection_ends_behind_an_answer_of_full_length_though_the_body_does_not() {
    let server = serve("probe", &[]);
    for protocol in PROTOCOLS {
        let mut client = connect(&server, protocol);
        let target = [("REQUEST_URI", "/unended"), ("PATH_INFO", "/unended")];
        client.send(request(protocol, &with(&target), b""));
        let text = last(client, protocol);
        assert!(text.ends_with("\r\n\r\nunended"), "{text}");
    }
}

#[test]
fn chunks_of_uwsgi_are_a_body() {
    let server = serve("echo", &[]);
    let mut client = connect(&server, "uwsgi");
    let pairs = [
        ("REQUEST_METHOD", "POST"),
        ("HTTP_TRANSFER_ENCODING", "chunked"),
    ];
    client.send(uwsgi(
        &with(&pairs),
        b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    ));
    assert_eq!(echoed(&last(client, "uwsgi"))["body_len"], 11);
}

#[test]
fn what_is_no_request_is_refused_and_what_is_too_much_is_too_large() {
    let server = serve("hello", &["--max-body", "1000"]);
    let long = "x".repeat(9_000);
    let many = "y".repeat(300_000);
    for protocol in PROTOCOLS {
        let status = |pairs: &[Pair<'_>], body: &[u8]| {
            let mut client = connect(&server, protocol);
            let _ = client.try_send(request(protocol, &with(pairs), body));
            let text = last(client, protocol);
            let line = text.lines().next().unwrap_or_default();
            line.split_whitespace()
                .nth(1)
                .unwrap_or_default()
                .to_owned()
        };
        for (pairs, expected) in [
            (&[("REQUEST_METHOD", "")][..], "400"),
            (
                &[("REQUEST_METHOD", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET")],
                "400",
            ),
            (&[("REQUEST_METHOD", "CONNECT")], "501"),
            (&[("REQUEST_URI", "/ HTTP/1.1\r\nx: y")], "400"),
            (&[("HTTP_X", "a\r\nhost: other")], "400"),
            (&[("HTTP_HOST", "a b")], "400"),
            (&[("HTTP_LONG", &long)], "431"),
            (&[("REQUEST_URI", &format!("/{long}"))], "414"),
        ] {
            assert_eq!(status(pairs, b""), expected, "{protocol}: {pairs:?}");
        }
        let post = [("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "1001")];
        let post = if protocol == "scgi" {
            &post[..1]
        } else {
            &post[..]
        };
        assert_eq!(status(post, &[b'b'; 1001]), "413", "{protocol}");
        if protocol != "uwsgi" {
            assert_eq!(status(&[("MANY", &many)], b""), "431", "{protocol}");
        }
    }
    // What speaks another protocol altogether.
    for protocol in PROTOCOLS {
        let mut client = connect(&server, protocol);
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        let rest = String::from_utf8(client.rest()).unwrap();
        let refused = match protocol {
            "fastcgi" => rest.is_empty(),
            _ => rest.contains(" 400 Bad Request\r\n"),
        };
        assert!(refused, "{protocol}: {rest}");
    }
    assert_eq!(server.get("/").text(), "Hello, World!");
    assert_eq!(server.stop().0, 0);
}

#[test]
fn variables_that_stay_incomplete_are_answered_408_and_an_idle_connection_is_closed() {
    let server = serve("hello", &["--head-timeout", "1s", "--keep-alive", "1s"]);
    let mut client = connect(&server, "fastcgi");
    client.send(fastcgi(&GET, b""));
    next(&mut client);
    let whole = fastcgi(&GET, b"");
    client.send(&whole[..40]);
    let text = last(client, "fastcgi");
    assert!(
        text.starts_with("Status: 408 Request Timeout\r\n"),
        "{text}"
    );
    for protocol in ["scgi", "uwsgi"] {
        let mut client = connect(&server, protocol);
        client.send(&request(protocol, &GET, b"")[..20]);
        let text = last(client, protocol);
        assert!(text.contains(" 408 Request Timeout\r\n"), "{text}");
    }
    let mut idle = connect(&server, "fastcgi");
    idle.send(fastcgi(&GET, b""));
    next(&mut idle);
    idle.expect_end();
}

#[test]
fn a_drain_answers_what_was_asked_and_ends_kept_connections() {
    let server = serve("probe", &[]);
    let mut idle = connect(&server, "fastcgi");
    idle.send(fastcgi(&with(&[("REQUEST_URI", "/version")]), b""));
    next(&mut idle);
    let mut waiting = connect(&server, "fastcgi");
    waiting.send(fastcgi(&with(&[("REQUEST_URI", "/draining")]), b""));
    // The call has begun once another one is answered behind it.
    assert_eq!(server.get("/version").status, 200);
    server.process.signal(Signal::SIGTERM);
    let (text, ended) = answer(&waiting.rest()).unwrap();
    assert!(text.ends_with("draining") && ended, "{text}");
    idle.expect_end();
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn under_lint_every_wire_keeps_every_rule() {
    let server = serve("echo", &["--lint"]);
    for (protocol, address) in PROTOCOLS.iter().zip(&server.addresses[1..]) {
        ask_by_the_rules(address, protocol);
    }
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    let breaches: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("ERROR ["))
        .collect();
    assert_eq!(breaches, [""; 0]);
}

#[test]
fn a_host_of_ones_own_keeps_every_rule_on_every_wire() {
    let echo = Artefacts::built().module("echo").to_str().unwrap();
    let watch = Artefacts::built().module("watch");
    for protocol in PROTOCOLS {
        let host = hosts::front(protocol, watch, &[("GATEWAY_WATCHED", echo)]);
        ask_by_the_rules(&host.address, protocol);
        if protocol != "fastcgi" {
            // What follows a body is nobody's.
            let post = [("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "3")];
            let post = if protocol == "scgi" {
                &post[..1]
            } else {
                &post
            };
            let mut client = Client::connect(&host.address);
            client.send([request(protocol, &with(post), b"abc"), b"xyz".to_vec()].concat());
            assert_eq!(echoed(&last(client, protocol))["body_len"], 3);
        }
        let (code, said) = host.stop();
        assert_eq!(code, 0, "{said}");
        assert_eq!(breaches(&said), [""; 0], "{protocol}");
    }
}

/// What a front may say, one request after the other.
fn ask_by_the_rules(address: &Address, protocol: &str) {
    for pairs in [
        &[("HTTP_TE", "trailers"), ("HTTP_HOST", "Example.ORG:80")][..],
        &[
            ("REQUEST_METHOD", "HEAD"),
            ("REQUEST_URI", "/a%2Fb/../c?x=?y"),
            ("HTTP_HOST", "[::1]"),
        ],
        &[
            ("REQUEST_URI", "http://example.org/p?q"),
            ("HTTP_HOST", "example.org"),
        ],
        &[("REQUEST_METHOD", "OPTIONS"), ("REQUEST_URI", "*")],
        &[
            ("SERVER_PROTOCOL", "HTTP/1.0"),
            ("HTTP_EXPECT", "100-continue"),
        ],
        &[
            ("SERVER_PROTOCOL", "HTTP/2.0"),
            ("REMOTE_ADDR", "::1"),
            ("HTTPS", "on"),
        ],
        &[
            ("REQUEST_URI", "/m/x"),
            ("SCRIPT_NAME", "/m"),
            ("PATH_INFO", "/x"),
        ],
        &[
            ("HTTP_UPGRADE", "websocket"),
            ("HTTP_CONNECTION", "upgrade"),
        ],
    ] {
        let mut client = Client::connect(address);
        client.send(request(protocol, &with(pairs), b""));
        let text = match protocol {
            "fastcgi" => next(&mut client),
            _ => last(client, protocol),
        };
        assert!(text.contains(" 200 OK\r\n"), "{protocol} {pairs:?}: {text}");
    }
}
