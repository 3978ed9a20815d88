//! Rules of SPEC.md that show only in a whole server, and the switch that shows breaches of the rest.

use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{self, Artefacts, compile};
use gateway_tests::client::{Client, get};
use gateway_tests::curl::curl;
use gateway_tests::frames::{END_STREAM, HEADERS, Http2Client, field, headers, request};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::{DEADLINE, until};
use tempfile::TempDir;

/// The hostile module, built into the folder, behind one worker.
fn hostile(folder: &TempDir, arguments: &[&str]) -> Gatewayd {
    let module = artefacts::hostile(&[], &[], folder.path());
    Gatewayd::serve(&module, &[&["--workers", "1"], arguments].concat())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for temporary files")
}

#[test]
fn under_lint_a_breach_is_logged_with_the_rules_name() {
    let folder = folder();
    let server = hostile(&folder, &["--lint"]);
    assert_eq!(server.get("/ok").text(), "ok");
    assert_eq!(server.get("/twice").text(), "first");
    assert_eq!(server.get("/leak/ctx").text(), "leaked");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("[RES-02] the application: a second response"),
        "{said}"
    );
    assert!(
        said.contains("[RES-14] one side: 1 exchanges not given back"),
        "{said}"
    );
}

#[test]
fn under_lint_a_success_alone_in_answer_to_connect_is_named_and_not_sent() {
    let folder = folder();
    let server = hostile(&folder, &["--lint"]);
    let mut client = Http2Client::connect(&server.address, &[]);
    let ask = |stream, path| {
        let asked = [request("CONNECT", path), field(":protocol", "websocket")].concat();
        headers(stream, END_STREAM, &asked)
    };
    for (stream, path, status) in [(1, "/ok", INDEXED_500), (3, "/missing", INDEXED_404)] {
        client.send(&ask(stream, path));
        let answer = client.frame_of(HEADERS).expect("an answer");
        assert_eq!(answer.payload[0], status, "{path}");
    }
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    let breach = "[UPG-05] the application: status 200 without an upgrade in answer to CONNECT";
    assert_eq!(said.matches(breach).count(), 1, "{said}");
    assert!(!said.contains("[RES-06]"), "{said}");
}

/// How HTTP/2 says these statuses (RFC 7541, appendix A).
const INDEXED_404: u8 = 0x8d;
const INDEXED_500: u8 = 0x8e;

#[test]
fn under_lint_server_and_examples_keep_every_rule() {
    let examples = folder();
    let requests = [
        "GET / HTTP/1.1\r\nHost: Example.ORG:80\r\nTE: trailers\r\nConnection: te\r\n\r\n",
        "HEAD /a%2Fb/../c?x=?y HTTP/1.1\r\nHost: [::1]\r\nCookie: a\r\nCookie: b\r\n\r\n",
        "GET http://example.org/p?q HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        "POST /u HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "POST /u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ];
    for module in modules(&examples) {
        let server = Gatewayd::serve(&module, &["--workers", "1", "--lint"]);
        for request in requests {
            let mut client = server.connect();
            client.send(request);
            let response = match request.starts_with("HEAD") {
                true => client.response_to_head(),
                false => client.response(),
            };
            assert!(response.status < 500, "{request}");
        }
        expect_no_breach(server, &module);
    }
}

#[test]
fn under_lint_the_rules_are_kept_over_http2_too() {
    let examples = folder();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for module in modules(&examples) {
        let server = Gatewayd::serve(&module, &["--workers", "1", "--lint"]);
        runtime.block_on(async {
            let asked = tokio::time::timeout(DEADLINE, ask_over_http2(&server));
            asked.await.expect("answers to all requests");
        });
        expect_no_breach(server, &module);
    }
}

#[test]
fn under_lint_a_breach_is_logged_over_http2_too() {
    let folder = folder();
    let server = hostile(&folder, &["--lint"]);
    let outcome = curl(&["--http2-prior-knowledge", &server.url("/twice")]);
    assert_eq!(outcome.stdout, "first", "{outcome:?}");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    let breach = "[RES-02] the application: a second response";
    assert!(said.contains(breach), "{said}");
}

/// What serves the server's own rules: examples in Rust, C and C++.
fn modules(folder: &TempDir) -> [PathBuf; 4] {
    [
        Artefacts::built().module("hello").to_owned(),
        Artefacts::built().module("echo").to_owned(),
        compile(&["examples/hello-c/hello.c"], &[], folder.path()),
        compile(&["examples/stream-cpp/stream.cpp"], &[], folder.path()),
    ]
}

fn expect_no_breach(server: Gatewayd, module: &Path) {
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    // How long a poll takes is the machine's affair here.
    let is_breach = |line: &&str| line.contains("ERROR [") && !line.contains("[CALL-05]");
    let breaches: Vec<&str> = said.lines().filter(is_breach).collect();
    assert_eq!(breaches, [""; 0], "{}", module.display());
}

/// The requests of the run over HTTP/1, as HTTP/2 has them: one after another, then all at once.
async fn ask_over_http2(server: &Gatewayd) {
    let Address::Tcp(address) = &server.address else {
        panic!("expected a TCP address")
    };
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move { connection.await.expect("a connection that ends well") });
    for one in requests_of_http2() {
        client = client.ready().await.unwrap();
        let answer = ask(&mut client, one);
        answer.await;
    }
    let mut answers = Vec::new();
    for one in requests_of_http2() {
        client = client.ready().await.unwrap();
        answers.push(ask(&mut client, one));
    }
    for answer in answers {
        answer.await;
    }
}

type Asking = (http::Request<()>, &'static [u8], Option<http::HeaderMap>);

fn requests_of_http2() -> Vec<Asking> {
    let build = |method: &str, uri: &str, fields: &[(&str, &str)]| {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    };
    let mut websocket = build("CONNECT", "http://h/ws", &[]);
    let protocol = h2::ext::Protocol::from_static("websocket");
    websocket.extensions_mut().insert(protocol);
    let sum = [("x-sum".parse().unwrap(), "1".parse().unwrap())];
    let cookies = [("cookie", "a"), ("cookie", "b")];
    vec![
        (
            build("GET", "http://Example.ORG:80/", &[("te", "trailers")]),
            b"",
            None,
        ),
        (
            build("HEAD", "http://[::1]/a%2Fb/../c?x=?y", &cookies),
            b"",
            None,
        ),
        (
            build(
                "OPTIONS",
                "http://h/",
                &[("expect", "100-continue"), ("content-length", "0")],
            ),
            b"",
            None,
        ),
        (
            build("POST", "http://h/u", &[("content-length", "5")]),
            b"hello",
            None,
        ),
        (
            build("POST", "http://h/u", &[]),
            b"abc",
            Some(sum.into_iter().collect()),
        ),
        (websocket, b"", None),
    ]
}

/// Sends one; its answer is waited for by whoever polls what this returns.
fn ask(
    client: &mut h2::client::SendRequest<bytes::Bytes>,
    (request, content, trailers): Asking,
) -> impl Future<Output = ()> + use<> {
    let shown = format!("{} {}", request.method(), request.uri());
    // A 200 would open a tunnel: who answers with that and none is refused.
    let is_connect = request.method() == http::Method::CONNECT;
    let ends = content.is_empty() && trailers.is_none();
    let (response, mut send) = client.send_request(request, ends).unwrap();
    if !content.is_empty() {
        let content = bytes::Bytes::from_static(content);
        send.send_data(content, trailers.is_none()).unwrap();
    }
    if let Some(trailers) = trailers {
        send.send_trailers(trailers).unwrap();
    }
    async move {
        let response = response.await.unwrap();
        let is_good = is_connect || response.status().as_u16() < 500;
        assert!(is_good, "{shown}: {response:?}");
        let mut body = response.into_body();
        while let Some(piece) = body.data().await {
            let count = piece.unwrap().len();
            body.flow_control().release_capacity(count).unwrap();
        }
    }
}

#[test]
fn a_log_record_cannot_forge_another() {
    let folder = folder();
    let server = hostile(&folder, &[]);
    assert_eq!(server.get("/log").text(), "logged");
    let (_, said) = server.stop();
    assert!(
        said.contains("forged line"),
        "the record itself is logged: {said}"
    );
    let is_bare = |line: &str| line.trim_start().starts_with("forged line");
    assert!(!said.lines().any(is_bare), "{said}");
    let is_raw = |byte: char| byte.is_control() && byte != '\n';
    assert!(!said.contains(is_raw), "{}", said.escape_debug());
}

#[test]
fn fields_keep_their_order_and_repeated_ones_their_lines() {
    let folder = folder();
    let response = hostile(&folder, &[]).get("/order");
    let ours = ["set-cookie", "x-between"];
    let lines = response.fields.iter().filter_map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        ours.contains(&name.as_str())
            .then(|| format!("{name}: {value}"))
    });
    let lines: Vec<String> = lines.collect();
    let given = [
        "set-cookie: a=1",
        "x-between: 1",
        "set-cookie: b=2",
        "set-cookie: a=3",
    ];
    assert_eq!(lines, given);
}

#[test]
fn an_untrusted_client_cannot_forge_facts() {
    let folder = folder();
    let server = hostile(&folder, &[]);
    let forged = "GET https://evil.example/facts HTTP/1.1\r\nHost: evil.example\r\n\
        X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /x\r\n\
        X-Real-IP: 6.6.6.6\r\nX-Script-Name: /x\r\nForwarded: for=6.6.6.6;proto=https\r\n\r\n";
    let response = server.fetch(forged);
    assert_eq!(
        response.text(),
        "scheme 0, client is peer, forwarded 0, mount 0"
    );
}

#[test]
fn a_body_cut_off_is_an_error_not_an_end() {
    let folder = folder();
    let server = hostile(&folder, &[]);
    let head =
        |framing: &str| format!("POST /reqbody/thread HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n");
    let whole = server.fetch(head("Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(whole.text(), "3 bytes");
    assert_eq!(notes(&server, 1), ["read 0"]);

    for (count, cut) in [
        (2, head("Transfer-Encoding: chunked") + "3\r\nabc\r\n"),
        (3, head("Content-Length: 10") + "abc"),
    ] {
        let mut client = server.connect();
        client.send(cut);
        client.finish();
        let notes = notes(&server, count);
        assert!(notes[count - 1].starts_with("read -"), "{notes:?}");
    }
}

#[test]
fn a_body_kept_beyond_the_exchange_answers_closed() {
    let folder = folder();
    let server = hostile(&folder, &[]);
    let mut client = server.connect();
    client.send("POST /reqbody/later HTTP/1.1\r\nHost: h\r\nContent-Length: 60000000\r\n\r\nabc");
    assert_eq!(client.response().text(), "later");
    until("the thread's read", || {
        let said = server.get("/notes");
        said.text().lines().any(|line| line == "later -4")
    });
}

#[test]
fn each_error_code_before_the_head_has_its_status() {
    let folder = folder();
    let server = hostile(&folder, &[]);
    let statuses = [
        (-1, 500),
        (-2, 500),
        (-3, 500),
        (-4, 500),
        (-5, 500),
        (-6, 413),
        (-7, 408),
        (-8, 400),
        (-9, 500),
        (-10, 503),
        (-11, 500),
        (-12, 500),
        (-99, 500),
    ];
    for (code, status) in statuses {
        let response = server.get(&format!("/code/{code}"));
        assert_eq!(response.status, status, "{code}");
        let code = code.to_string();
        assert!(!response.text().contains(&code), "{response:?}");
    }
}

/// The first so many reads that the module has noted.
fn notes(server: &Gatewayd, count: usize) -> Vec<String> {
    let mut notes = Vec::new();
    until(&format!("{count} reads"), || {
        let said = Client::get(&server.address, "/notes");
        let reads = said.text().lines().filter(|line| line.starts_with("read "));
        notes = reads.map(str::to_owned).collect();
        notes.len() >= count
    });
    notes
}

#[test]
fn a_body_that_nobody_polls_stops_its_sender() {
    let folder = folder();
    let server = hostile(&folder, &[]);
    let Address::Tcp(address) = &server.address else {
        panic!("expected a TCP address")
    };
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let head = get("/pending").replacen("GET", "POST", 1);
    let head = head.trim_end().to_owned() + "\r\nContent-Length: 60000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let (piece, mut sent) = (vec![b'.'; 1 << 20], 0);
    let error = loop {
        match stream.write(&piece) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
        assert!(sent < BOUND, "{sent} bytes were taken and nobody read them");
    };
    assert!(
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{error}"
    );
}

/// More than the socket buffers of both ends and the server's own bound.
const BOUND: usize = 32 << 20;
