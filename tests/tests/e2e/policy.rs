//! One policy for fields: the same request has the same verdict in HTTP/1 and in HTTP/2, and so has what an
//! application sends.

use gateway_tests::artefacts::{Artefacts, compile};
use gateway_tests::curl::curl;
use gateway_tests::frames::{
    DATA, END_STREAM, HEADERS, Http2Client, RST_STREAM, field, headers, request,
};
use gateway_tests::gatewayd::Gatewayd;
use serde_json::{Value, json};

/// What a client is told.
#[derive(Debug, PartialEq)]
enum Verdict {
    Refused,
    /// The fields that the application saw, but for those that are made from the request's target.
    Seen(Vec<Value>),
}

fn over_http1(server: &Gatewayd, method: &str, fields: &[(&str, &str)]) -> Verdict {
    let lines: String = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let answer = server.fetch(format!("{method} / HTTP/1.1\r\nHost: test\r\n{lines}\r\n"));
    match answer.status {
        200 => Verdict::Seen(seen(&answer.json())),
        400 => Verdict::Refused,
        other => panic!("{other} for {fields:?}"),
    }
}

fn over_http2(server: &Gatewayd, method: &str, fields: &[(&str, &str)]) -> Verdict {
    let fields: Vec<u8> = fields
        .iter()
        .flat_map(|(name, value)| field(name, value))
        .collect();
    let mut client = Http2Client::connect(&server.address, &[]);
    client.send(&headers(
        1,
        END_STREAM,
        &[request(method, "/"), fields].concat(),
    ));
    let mut body = Vec::new();
    loop {
        let frame = client.frame().expect("an answer");
        match frame.kind {
            // What HTTP/2 itself has no room for.
            RST_STREAM => return Verdict::Refused,
            // 400 is number 12 of the static table.
            HEADERS if frame.payload[0] == 0x8c => return Verdict::Refused,
            DATA => {
                body.extend(frame.payload);
                if frame.flags & END_STREAM != 0 {
                    return Verdict::Seen(seen(&serde_json::from_slice(&body).unwrap()));
                }
            }
            _ => {}
        }
    }
}

fn seen(answer: &Value) -> Vec<Value> {
    let fields = answer["headers"].as_array().unwrap().clone();
    fields
        .into_iter()
        .filter(|field| field[0] != "host")
        .collect()
}

#[test]
fn requests_have_the_same_verdict_in_both_versions() {
    let server = Gatewayd::serve(Artefacts::built().module("echo"), &["--workers", "1"]);
    let refused: [&[(&str, &str)]; 12] = [
        // Once at most.
        &[("content-type", "a/b"), ("content-type", "a/b")],
        &[("authorization", "a"), ("authorization", "b")],
        &[("proxy-authorization", "a"), ("proxy-authorization", "b")],
        &[("origin", "http://a"), ("origin", "http://b")],
        &[("range", "bytes=0-1"), ("range", "bytes=2-3")],
        &[("content-length", "0"), ("content-length", "0")],
        // Host against the target.
        &[("host", "other")],
        &[("host", "test"), ("host", "other")],
        // Framing that is none.
        &[("content-length", "+0")],
        &[("content-length", "0, 0")],
        &[("transfer-encoding", "gzip, gzip;q=1")],
        // Bytes that no field has.
        &[("x", "a\u{1}b")],
    ];
    for fields in refused {
        // In HTTP/1 a second Host field is one too many, whatever it says.
        assert_eq!(
            over_http1(&server, "GET", fields),
            Verdict::Refused,
            "{fields:?}"
        );
        if fields[0].0 == "x" {
            // The library that reads frames ends the connection over it.
            let block = [request("GET", "/"), field("x", fields[0].1)].concat();
            let mut client = Http2Client::connect(&server.address, &[]);
            client.send(&headers(1, END_STREAM, &block));
            assert!(client.end().is_some(), "{fields:?}");
            continue;
        }
        assert_eq!(
            over_http2(&server, "GET", fields),
            Verdict::Refused,
            "{fields:?}"
        );
    }
    let kept: [(&[(&str, &str)], Value); 5] = [
        // Another field than the one with dashes.
        (&[("content_length", "5")], json!([["content_length", "5"]])),
        (
            &[("x_forwarded_for", "a"), ("transfer_encoding", "chunked")],
            json!([["x_forwarded_for", "a"], ["transfer_encoding", "chunked"]]),
        ),
        // Apart and in order.
        (
            &[("accept", "a/b"), ("accept", "c/d")],
            json!([["accept", "a/b"], ["accept", "c/d"]]),
        ),
        (&[("te", "trailers")], json!([["te", "trailers"]])),
        (&[("x", "caf\u{e9}")], json!([["x", "caf\u{c3}\u{a9}"]])),
    ];
    for (fields, expected) in kept {
        let expected = Verdict::Seen(expected.as_array().unwrap().clone());
        assert_eq!(over_http1(&server, "GET", fields), expected, "{fields:?}");
        assert_eq!(over_http2(&server, "GET", fields), expected, "{fields:?}");
    }
}

#[test]
fn fields_of_the_hop_are_removed_from_http1_and_no_part_of_http2() {
    let server = Gatewayd::serve(Artefacts::built().module("echo"), &["--workers", "1"]);
    for name in ["connection", "keep-alive", "proxy-connection", "upgrade"] {
        let fields = [(name, "x"), ("x-end", "1")];
        let expected = Verdict::Seen(vec![json!(["x-end", "1"])]);
        assert_eq!(over_http1(&server, "GET", &fields), expected, "{name}");
        assert_eq!(
            over_http2(&server, "GET", &fields),
            Verdict::Refused,
            "{name}"
        );
    }
}

#[test]
fn what_an_application_sends_is_held_to_the_same_rules_in_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let sources = ["hostile", "answers", "bodies", "async"];
    let sources = sources.map(|name| format!("tests/hostile/{name}.c"));
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let module = compile(&sources, &["-std=gnu11", "-pthread"], folder.path());
    let server = Gatewayd::serve(&module, &["--workers", "1"]);
    let (mut refusals, mut answers) = (0, 0);
    for path in [
        "/head/cr",
        "/head/lf",
        "/head/nul",
        "/head/space",
        "/head/colon",
        "/head/upper",
        "/head/empty",
        "/head/high",
        "/head/lead",
        "/head/trail",
        "/framing/connection",
        "/framing/keep-alive",
        "/framing/te",
        "/framing/trailer",
        "/framing/transfer-encoding",
        "/framing/upgrade",
        "/framing-id/named",
        "/status/101",
        "/status/199",
        "/status/600",
        "/length/two",
        "/length/words",
        "/head/many",
        "/head/odd-id",
        "/order",
        "/status/599",
    ] {
        let [first, second] = ["--http1.1", "--http2-prior-knowledge"].map(|version| {
            let told = curl(&[version, "--include", &server.url(path)]);
            assert_eq!(told.code, 0, "{path}: {told:?}");
            essence(&told.stdout)
        });
        assert_eq!(first, second, "{path}");
        match first.2.starts_with("refused -") {
            true => refusals += 1,
            false => answers += 1,
        }
    }
    assert_eq!((refusals, answers), (22, 4));
}

/// Status, fields and body of what curl shows, without what only one version says.
fn essence(answer: &str) -> (String, Vec<String>, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let mut fields: Vec<String> = lines
        .filter(|line| !line.starts_with("date:") && !line.starts_with("connection:"))
        .map(str::to_owned)
        .collect();
    fields.sort();
    (status, fields, body.to_owned())
}
