//! What only hosts of the Rust world have: mounts, tunnels, HTTP/2, TLS.

use std::io::{Read as _, Write as _};
use std::process::Command;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::curl::curl;
use gateway_tests::hosts::{Host, Kind};

use super::hosting::probe;

#[test]
fn connections_switch_under_hyper_and_axum() {
    for kind in [Kind::Hyper, Kind::Axum] {
        let host = probe(kind);
        for (request, status) in [
            (
                "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: mirror\r\n\r\n",
                101,
            ),
            ("CONNECT mirror:1 HTTP/1.1\r\nHost: mirror:1\r\n\r\n", 200),
        ] {
            let mut client = host.connect();
            // Bytes that come with the request are the stream's first.
            client.send([request, "ahead "].concat());
            let response = client.response_to_connect();
            assert_eq!(response.status, status, "{request}");
            client.write_all(b"and behind").unwrap();
            let mut echo = [0; 16];
            client.read_exact(&mut echo).unwrap();
            assert_eq!(&echo, b"ahead and behind", "{request}");
            client.finish();
            client.expect_end();
        }
        // Nothing that the client did not offer.
        assert_eq!(host.get("/upgrade").status, 500);
        let mut client = host.connect();
        client.send("CONNECT other:1 HTTP/1.1\r\nHost: other:1\r\n\r\n");
        assert_eq!(client.response_to_connect().status, 403);
        // A stream hears of the drain.
        let mut client = host.connect();
        client.send(
            "GET /part HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: mirror\r\n\r\n",
        );
        assert_eq!(client.response_to_connect().status, 101);
        let (code, said) = host.stop();
        assert_eq!(code, 0, "{said}");
        assert_eq!(client.rest(), b"draining");
    }
}

#[test]
fn axum_and_actix_mount_an_application_beside_their_own_routes() {
    for (kind, own) in [(Kind::Axum, "axum's own"), (Kind::Actix, "actix-web's own")] {
        let host = probe(kind);
        assert_eq!(host.get("/own").text(), own);
        let facts = |target: &str| {
            let response = host.get(target);
            let fact = |name: &str| {
                let mut lines = response.text().lines();
                let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.unwrap_or_default().to_owned()
            };
            [fact("mount"), fact("path"), fact("target"), fact("client")].join(" ")
        };
        let told = facts("/mounted/facts/a%2Fb?x=/y");
        assert!(
            told.starts_with("/mounted /mounted/facts/a%2Fb /mounted/facts/a%2Fb?x=/y 127.0.0.1:"),
            "{own}: {told}"
        );
        let told = facts("/facts");
        assert!(
            told.starts_with(" /facts /facts 127.0.0.1:"),
            "{own}: {told}"
        );
        // The mount itself is the root of what is below: here, a tunnel that nobody asked for.
        assert_eq!(host.get("/mounted").status, 403, "{own}");
        // What only begins like it is not below it.
        assert_eq!(host.get("/mountedly/facts").status, 404, "{own}");
    }
}

#[test]
fn hyper_serves_it_by_http_2_and_tls() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let [certificate, key, ca] =
        ["site.crt", "site.key", "ca.crt"].map(|name| certificates.text(name));
    let mut program = Command::new(Artefacts::built().program("bare-hyper"));
    program.arg(Artefacts::built().module("echo"));
    program.args(["127.0.0.1:0", &certificate, &key]);
    let secure = Host::start(&mut program);
    let port = secure.address.port();
    let (place, url) = (
        format!("site.test:{port}:127.0.0.1"),
        format!("https://site.test:{port}/a?b"),
    );
    let asked = [
        "--cacert",
        &ca,
        "--resolve",
        &place,
        "-b",
        "a=1",
        "-w",
        "%{http_version}",
    ];
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let told = curl(&[&[flag], &asked[..], &[&url]].concat());
        assert_eq!(told.code, 0, "{told:?}");
        assert!(told.stdout.ends_with(&format!("}}{version}")), "{told:?}");
        let host = format!("[\"host\",\"site.test:{port}\"]");
        assert!(told.stdout.contains(&host), "{told:?}");
        assert!(told.stdout.contains("\"target\":\"/a?b\""), "{told:?}");
    }
    // In clear text, by prior knowledge: uploads, and trailers of responses.
    let host = probe(Kind::Hyper);
    let url = |target: &str| format!("http://{}{target}", host.address);
    let told = curl(&[
        "--http2-prior-knowledge",
        "--data-binary",
        "hello",
        &url("/spawned"),
    ]);
    assert_eq!(told.stdout, "5", "{told:?}");
    let told = curl(&["--http2-prior-knowledge", "-v", &url("/trailers")]);
    assert!(told.stderr.contains("< x-sum: 5"), "{told:?}");
}
