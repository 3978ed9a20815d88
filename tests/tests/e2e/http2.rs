//! HTTP/2 brings what HTTP/1 brings, to the clients that people use.

use std::fs;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::curl::{Outcome, curl};
use gateway_tests::frames::{
    DATA, END_STREAM, GOAWAY, HEADERS, Http2Client, WINDOW_UPDATE, field, frame, headers, request,
};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::load::{Connections, Load};
use gateway_tests::{until, websocket};
use http::HeaderMap;
use nix::sys::signal::Signal;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

/// curl, which begins with HTTP/2 without asking.
fn curl2(arguments: &[&str]) -> Outcome {
    curl(&[&["--http2-prior-knowledge"], arguments].concat())
}

#[test]
fn curl_gets_the_same_answers_as_over_http1() {
    let server = probe(&["--workers", "2"]);
    for (path, status) in [
        ("/version", "200"),
        ("/chunks/50", "200"),
        ("/file", "200"),
        ("/sleep/5", "200"),
        ("/status/204", "204"),
        ("/nothing", "404"),
        ("/panic-later", "500"),
    ] {
        let url = server.url(path);
        let both = ["--http1.1", "--http2-prior-knowledge"].map(|version| {
            let told = ["--write-out", "\n%{http_code} %{http_version}"];
            let outcome = curl(&[&[version, &url], &told[..]].concat());
            assert_eq!(outcome.code, 0, "{outcome:?}");
            let (body, told) = outcome.stdout.rsplit_once('\n').unwrap();
            (body.to_owned(), told.to_owned())
        });
        assert_eq!(both[0].0, both[1].0, "{path}");
        assert_eq!(both[0].1, format!("{status} 1.1"));
        assert_eq!(both[1].1, format!("{status} 2"));
    }
}

#[test]
fn bodies_go_both_ways_with_hints_before_and_trailers_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upload");
    fs::write(&file, vec![b'x'; 3_000_000]).unwrap();
    let file = file.to_str().unwrap();
    let server = probe(&["--workers", "1"]);
    let counted = curl2(&["--upload-file", file, &server.url("/spawned")]);
    assert_eq!((counted.code, counted.stdout.as_str()), (0, "3000000"));
    let mirrored = curl2(&["--upload-file", file, &server.url("/mirror")]);
    assert_eq!((mirrored.code, mirrored.stdout.len()), (0, 3_000_000));
    let asked = ["--data", "abc", "--header", "Expect: 100-continue"];
    let continued = curl2(&[&asked, &["--include", &server.url("/spawned")][..]].concat());
    assert!(continued.stdout.starts_with("HTTP/2 100"), "{continued:?}");
    let hinted = curl2(&["--include", &server.url("/hints")]);
    assert!(hinted.stdout.starts_with("HTTP/2 103"), "{hinted:?}");
    let trailers = curl2(&["--include", &server.url("/trailers")]);
    assert!(trailers.stdout.contains("hellox-sum: 5"), "{trailers:?}");
}

/// How many clients are connected, as the kernel has it.
fn connections(server: &Gatewayd) -> usize {
    let all = fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{:04X}", server.address.port());
    let ours = all.lines().filter(|line| {
        let mut words = line.split_whitespace().skip(1);
        // The third is the state; 1 is established.
        words.next().is_some_and(|word| word.ends_with(&local)) && words.nth(1) == Some("01")
    });
    ours.count()
}

#[test]
fn a_stop_under_load_answers_every_request_that_was_begun() {
    let server = probe(&["--workers", "2"]);
    let load = Load::streams(&server.address, "/sleep/2", (4, 20), Connections::Once);
    // Who is connected when the signal comes is answered; who comes later may be refused.
    until("four connections", || connections(&server) == 4);
    load.more(500);
    server.process.signal(Signal::SIGTERM);
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    let tally = load.stop();
    tally.expect_no_failure();
    // What the server has begun is what the clients have.
    let served = format!("stopped; {} requests served", tally.total());
    assert!(said.contains(&served), "{tally:?}\n{said}");
}

#[test]
fn http2_that_is_turned_off_is_refused_as_http1() {
    let server = probe(&["--workers", "1", "--http1-only"]);
    let refused = curl2(&[&server.url("/version")]);
    assert_ne!(refused.code, 0);
    assert_eq!(server.get("/version").status, 200);
}

#[test]
fn tls_leads_to_http2_who_offers_it() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let ca = certificates.text("ca.crt");
    let mut command = gateway_tests::gatewayd::program();
    command
        .args(["--workers", "1", "--bind", "https://127.0.0.1:0"])
        .args(certificates.arguments("site"))
        .arg(Artefacts::built().module("probe"));
    let server = Gatewayd::start(&mut command);
    let port = server.address.port();
    let (url, place) = (
        format!("https://site.test:{port}/chunks/500"),
        format!("site.test:{port}:127.0.0.1"),
    );
    for (flag, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let told = [
            "--cacert",
            &ca,
            "--resolve",
            &place,
            "--output",
            "/dev/null",
        ];
        let sizes = [
            "--write-out",
            "%{http_version} %{size_download}",
            flag,
            &url,
        ];
        let outcome = curl(&[&told[..], &sizes[..]].concat());
        assert_eq!(outcome.stdout, format!("{version} 500000"), "{outcome:?}");
    }
}

#[test]
fn a_websocket_is_spoken_on_a_stream_and_told_of_a_drain() {
    let server = Gatewayd::serve(
        Artefacts::built().module("websocket-echo"),
        &["--workers", "1", "--lint"],
    );
    let mut client = Http2Client::connect(&server.address, &[]);
    let opening = [
        request("CONNECT", "/echo"),
        field(":protocol", "websocket"),
        field("sec-websocket-version", "13"),
    ]
    .concat();
    // Beside it, the connection serves others.
    client.send(&headers(1, 0, &opening));
    let answer = client.frame_of(HEADERS).unwrap();
    // `:status: 200` in the static table.
    assert_eq!((answer.stream, answer.payload[0]), (1, 0x88));
    client.get(3, "/");
    assert_eq!(client.frame_of(HEADERS).unwrap().stream, 3);
    let text = websocket::Sent::new(1, "over HTTP/2").masked([1, 2, 3, 4]);
    client.send(&frame(DATA, 0, 1, &text.bytes()));
    let echo = loop {
        let data = client.frame_of(DATA).unwrap();
        if data.stream == 1 {
            break data.payload;
        }
    };
    assert_eq!(
        echo,
        websocket::Sent::new(1, "over HTTP/2").unmasked().bytes()
    );
    server.process.signal(Signal::SIGTERM);
    let mut going = false;
    let goodbye = loop {
        let next = client.frame().expect("a goodbye");
        going |= next.kind == GOAWAY;
        if next.kind == DATA && !next.payload.is_empty() {
            break next.payload;
        }
    };
    // Close, with 1001.
    let expected = websocket::Sent::close(1001, &goodbye[4..]).unmasked();
    assert_eq!(goodbye, expected.bytes());
    let close = websocket::Sent::close(1001, "").masked([1, 2, 3, 4]);
    client.send(&frame(DATA, END_STREAM, 1, &close.bytes()));
    let rest = client.end();
    assert!(going || rest.is_some());
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("ERROR"), "{said}");
}

#[test]
fn a_drain_is_told_finished_and_followed_by_the_end() {
    let server = probe(&["--workers", "1"]);
    let mut client = Http2Client::connect(&server.address, &[]);
    client.get(1, "/draining");
    // It waits, while another is answered.
    client.get(3, "/version");
    assert_eq!(client.frame_of(DATA).unwrap().stream, 3);
    server.process.signal(Signal::SIGTERM);
    let answered = client.frame_of(DATA).unwrap();
    assert_eq!(
        (answered.stream, &answered.payload[..]),
        (1, &b"draining"[..])
    );
    assert_eq!(client.end(), Some(0));
    assert_eq!(server.process.end().0, 0);
}

#[test]
fn a_body_that_nobody_takes_stops_its_stream_and_no_other() {
    let server = probe(&["--workers", "1", "--http2-stream-window", "64KiB"]);
    let mut client = Http2Client::connect(&server.address, &[]);
    // The connection's window is opened first.
    assert!(client.frame_of(WINDOW_UPDATE).is_some());
    client.send(&headers(1, 0, &request("POST", "/sleep/100000")));
    for _ in 0..3 {
        client.send(&frame(DATA, 0, 1, &[b'x'; 16_384]));
    }
    client.send(&headers(3, 0, &request("POST", "/spawned")));
    for _ in 0..3 {
        client.send(&frame(DATA, 0, 3, &[b'x'; 16_384]));
    }
    client.send(&frame(DATA, END_STREAM, 3, b""));
    let answer = client.frame_of(DATA).unwrap();
    assert_eq!((answer.stream, &answer.payload[..]), (3, &b"49152"[..]));
}

#[test]
fn reloads_and_an_upgrade_under_load_fail_no_stream() {
    let server = probe(&["--workers", "2"]);
    let load = Load::streams(&server.address, "/version", (4, 10), Connections::Kept);
    load.more(500);
    for signal in [Signal::SIGHUP, Signal::SIGUSR2, Signal::SIGHUP] {
        let (from, ends) = (server.process.lines_so_far(), load.tally().idle_ends);
        server.process.signal(signal);
        server.process.line_with("all workers run generation", from);
        // The workers of before have served them all.
        load.until("replaced connections", |tally| tally.idle_ends > ends);
        load.more(500);
    }
    load.stop().expect_no_failure();
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
}

/// Sends a body with trailers behind it by a client's library; the answer's status, body and trailers.
fn exchange(server: &Gatewayd, path: &str, length: usize) -> (u16, usize, Option<HeaderMap>) {
    let Address::Tcp(address) = server.address else {
        panic!("expected a TCP address, found {:?}", server.address);
    };
    let url = format!("http://test{path}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    let exchanged = async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (asks, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::post(url).header("te", "trailers");
        let (response, mut send) = asks
            .ready()
            .await
            .unwrap()
            .send_request(request.body(()).unwrap(), false)
            .unwrap();
        send.send_data(vec![b'x'; length].into(), false).unwrap();
        let trailers = [("x-sum", "7"), ("content-length", "1")];
        let trailers =
            trailers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        send.send_trailers(trailers.into_iter().collect()).unwrap();
        let (head, mut recv) = response.await.unwrap().into_parts();
        let mut received = 0;
        while let Some(data) = recv.data().await {
            received += data.unwrap().len();
        }
        let trailers = recv.trailers().await.unwrap();
        (head.status.as_u16(), received, trailers)
    };
    runtime.unwrap().block_on(exchanged)
}

#[test]
fn trailers_of_a_request_reach_the_application_without_what_may_not_be_one() {
    let server = probe(&["--workers", "1"]);
    let (status, received, trailers) = exchange(&server, "/mirror", 1000);
    assert_eq!((status, received), (200, 1000));
    let expected: HeaderMap = [("x-sum", "7")]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
    assert_eq!(trailers, Some(expected));
}

#[test]
fn a_body_of_the_limit_passes_and_a_longer_one_is_413_with_and_without_a_length() {
    let lab = Artefacts::built().module("lab");
    let server = Gatewayd::serve(lab, &["--workers", "1", "--max-body", "1000"]);
    // Its length is not told.
    assert_eq!(exchange(&server, "/upload", 1000).0, 200);
    assert_eq!(exchange(&server, "/upload", 1001).0, 413);
    let told = |length: usize| {
        let body = "x".repeat(length);
        let code = ["--write-out", "%{http_code}", "--output", "/dev/null"];
        curl2(&[&["--data", &body, &server.url("/upload")], &code[..]].concat()).stdout
    };
    assert_eq!(told(1000), "200");
    assert_eq!(told(1001), "413");
}
