//! An application of axum's, unchanged, answers under gatewayd as under axum's own server.

use std::process::Command;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::curl::curl;
use gateway_tests::frames::{HEADERS, Http2Client, field, headers, request};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::hosts::Host;
use gateway_tests::matrix::traffic::Turn;
use gateway_tests::matrix::{Answer, whole};
use gateway_tests::websocket::{Frame, Sent, opcode, open};

use crate::websockets::conformance::carrier::Wire;
use crate::websockets::conformance::http2;

fn own() -> Host {
    let mut program = Command::new(Artefacts::built().program("axum-app"));
    Host::start(program.arg("127.0.0.1:0"))
}

fn module(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("axum-app");
    Gatewayd::serve(module, &[&["--workers", "1"], arguments].concat())
}

#[test]
fn it_answers_alike_under_axum_and_gatewayd() {
    let (own, gatewayd) = (own(), module(&["--lint"]));
    for turn in traffic() {
        let wanted = Answer::of(&whole(&own.address, &turn));
        let found = Answer::of(&whole(&gatewayd.address, &turn));
        let sorted = |mut answer: Answer| {
            answer.fields.sort();
            answer
        };
        assert_eq!(sorted(found), sorted(wanted), "{}", turn.name);
    }
    let (code, said) = gatewayd.stop();
    assert_eq!(code, 0, "{said}");
    // How long a poll takes is the machine's affair here.
    let is_breach = |line: &&str| line.contains("ERROR [") && !line.contains("[CALL-05]");
    let breaches: Vec<&str> = said.lines().filter(is_breach).collect();
    assert_eq!(breaches, [""; 0]);
}

/// What its own users ask of it, in an order that means something.
fn traffic() -> Vec<Turn> {
    let json = |method: &str, target: &str, body: &str| {
        let fields = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        Turn::new(method, target, &fields, body.as_bytes())
    };
    let gets = [
        "/",
        "/hello/a%20b%2Fc",
        "/hello/%C3%A9?x=1",
        "/client",
        "/nested/where?x=%20",
        "/numbers/1000",
        "/numbers/0",
        "/events",
        "/slow",
        "/old",
        "/todos",
        "/todos/7",
        "/todos/none",
        "/missing",
        "/socket",
    ];
    let mut turns: Vec<Turn> = gets.iter().map(|target| Turn::get(target)).collect();
    for target in ["/", "/numbers/5", "/todos", "/missing"] {
        turns.push(Turn::new("HEAD", target, "", b""));
    }
    for method in ["OPTIONS", "PUT", "DELETE"] {
        turns.push(Turn::new(method, "/todos", "", b""));
    }
    let fields = "X-B: 1\r\nX-A: 2\r\nX-B: 3\r\nX-Latin: \u{e9}\r\nConnection: x-hop\r\n";
    turns.push(Turn::new("GET", "/headers", fields, b""));
    turns.push(json("POST", "/todos", r#"{"text":"sleep"}"#));
    turns.push(json("POST", "/todos", r#"{"text":"eat"}"#));
    turns.push(json("POST", "/todos", r#"{"txt":1}"#));
    turns.push(json("POST", "/todos", "no json"));
    turns.push(json("PATCH", "/todos/1", r#"{"is_done":true}"#));
    turns.push(Turn::get("/todos?offset=1&limit=1"));
    turns.push(Turn::get("/todos?limit=x"));
    turns.push(Turn::new("DELETE", "/todos/2", "", b""));
    turns.push(Turn::get("/todos"));
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n";
    turns.push(Turn::new("POST", "/form", form, b"text=a%20b"));
    let big = vec![b'x'; 3 << 20];
    // axum's own limit is two mebibytes.
    turns.push(Turn::sized("POST", "/length", &big[..1 << 20]));
    turns.push(Turn::sized("POST", "/length", &big));
    turns.push(Turn::sized("POST", "/echo", &big));
    turns.push(Turn::chunked(
        "POST",
        "/echo",
        &[b"a", &big[..100_000], b"b"],
    ));
    let upload = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\n\r\n\
        some text\r\n--b\r\nContent-Disposition: form-data; name=\"g\"\r\n\r\n\r\n--b--\r\n";
    let fields = format!(
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n",
        upload.len()
    );
    turns.push(Turn::new("POST", "/upload", &fields, upload.as_bytes()));
    turns.push(Turn::new(
        "POST",
        "/upload",
        "Content-Length: 3\r\n",
        b"abc",
    ));
    turns
}

#[test]
fn its_websockets_converse_under_gatewayd() {
    let (own, gatewayd) = (own(), module(&[]));
    for address in [&own.address, &gatewayd.address] {
        let fields = "Sec-WebSocket-Protocol: quiet, loud\r\n";
        converse(&mut open(address, "/socket", fields));
    }
    // In streams of one connection, which axum's own server has not been built to speak.
    let streams = http2::carrier(&gatewayd.address, "/socket");
    let mut first = streams.open();
    converse(streams.open().as_mut());
    converse(first.as_mut());
    // Who opens one and goes away keeps nobody from stopping.
    drop(open(&gatewayd.address, "/socket", ""));
    drop(streams.open());
    let (code, said) = gatewayd.stop();
    assert_eq!(code, 0, "{said}");
}

fn converse(client: &mut dyn Wire) {
    // At once, in pieces, and larger than any buffer.
    let large = "x".repeat(200_000);
    for text in ["hello", "", &large] {
        let sent = Sent::new(opcode::TEXT, text);
        client.write_all(&sent.bytes()).unwrap();
        let answer = Frame::read(client).unwrap().expect("an answer");
        assert_eq!(answer.opcode, opcode::TEXT);
        assert!(answer.payload == text.to_uppercase().as_bytes());
    }
    let sent = Sent::new(opcode::PING, "here");
    client.write_all(&sent.bytes()).unwrap();
    let answer = Frame::read(client).unwrap().expect("an answer");
    assert_eq!(
        (answer.opcode, &*answer.payload),
        (opcode::PONG, &b"here"[..])
    );
    client.write_all(&Sent::close(1000, "bye").bytes()).unwrap();
    let answer = Frame::read(client).unwrap().expect("a goodbye");
    assert_eq!((answer.opcode, answer.code()), (opcode::CLOSE, Some(1000)));
    assert_eq!(Frame::read(client).unwrap(), None);
}

#[test]
fn another_protocol_that_it_does_not_take_is_not_implemented() {
    let gatewayd = module(&["--lint"]);
    let mut client = Http2Client::connect(&gatewayd.address, &[]);
    let fields = [
        field(":protocol", "websocket"),
        field("sec-websocket-version", "13"),
    ];
    // A view that knows of GET alone answers it with 200, which HTTP/1.1 takes for a refusal.
    let ask = [request("CONNECT", "/"), fields.concat()].concat();
    client.send(&headers(1, 0, &ask));
    let answer = client.frame_of(HEADERS).expect("an answer");
    assert_eq!(answer.payload[..4], STATUS_501);
    let (code, said) = gatewayd.stop();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("[UPG-05]"), "{said}");
}

/// How a server of HTTP/2 says that status (RFC 7541, section 6.2.1 and appendix B).
const STATUS_501: [u8; 4] = [0x48, 0x82, 0x6c, 0x01];

#[test]
fn it_speaks_http_2_and_sees_clients_behind_proxies() {
    let gatewayd = module(&[
        "--trusted-proxies",
        "127.0.0.1",
        "--proxy-fields",
        "x-forwarded-for",
    ]);
    let Address::Tcp(address) = gatewayd.address else {
        panic!("expected a port")
    };
    let url = format!("http://{address}/client");
    let named = [
        "--http2-prior-knowledge",
        "-H",
        "X-Forwarded-For: 192.0.2.7",
        &url,
    ];
    assert_eq!(curl(&named).stdout, "192.0.2.7");
    assert_eq!(curl(&[&url]).stdout, "127.0.0.1");
}
