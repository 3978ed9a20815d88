//! Proxies that pass bytes on say for whom: in the PROXY protocol, once, before anything else.

use std::net::SocketAddr;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::client::{Client, get};
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::{Gatewayd, program, run};
use gateway_tests::haproxy::{Haproxy, Relay};
use gateway_tests::nginx::Nginx;
use gateway_tests::until;

/// A server whose one address takes introductions.
fn probe(bind: &str, arguments: &[&str]) -> Gatewayd {
    let common = ["--workers", "1", "--lint", "--bind", bind];
    let mut command = program();
    command.args(common).args(arguments);
    Gatewayd::start(command.arg(Artefacts::built().module("probe")))
}

fn trusting(bind: &str) -> Gatewayd {
    probe(bind, &["--trusted-proxies", "127.0.0.1"])
}

/// What curl gets of `/facts`, having come from `source`.
fn facts(source: &str, url: &str, more: &[&str]) -> String {
    let told = curl(&[&["--interface", source, url], more].concat());
    assert_eq!(told.code, 0, "{told:?}");
    told.stdout
}

#[track_caller]
fn expect(text: &str, facts: &[&str]) {
    for fact in facts {
        assert!(text.lines().any(|line| line == *fact), "{fact} in\n{text}");
    }
}

/// Whom the application sees: `client: ` and an address with its port.
fn client(text: &str) -> SocketAddr {
    let line = text.lines().find_map(|line| line.strip_prefix("client: "));
    line.and_then(|text| text.parse().ok()).expect(text)
}

/// A header of version 2 from 192.0.2.7:54321, with TLVs.
fn record(tlvs: &[u8]) -> Vec<u8> {
    let length = u16::try_from(12 + tlvs.len()).unwrap().to_be_bytes();
    let addresses = [192, 0, 2, 7, 127, 0, 0, 1, 0xD4, 0x31, 0, 80];
    [SIGN, &[0x21, 0x11], &length, &addresses, tlvs].concat()
}

const SIGN: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const LINE: &str = "PROXY TCP4 192.0.2.7 127.0.0.1 54321 80\r\n";

#[test]
fn behind_haproxy_in_both_versions_by_both_families_and_over_everything() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let [cert, key, ca] = ["site.crt", "site.key", "ca.crt"].map(|name| certificates.text(name));
    let log = folder.path().join("access.log");
    let socket = folder.path().join("app.sock").display().to_string();
    let server = probe(
        "proxy+http://127.0.0.1:0",
        &[
            "--bind",
            "proxy+https://127.0.0.1:0",
            "--bind",
            &format!("proxy+http://unix:{socket}"),
            "--tls-cert",
            &cert,
            "--tls-key",
            &key,
            "--trusted-proxies",
            "127.0.0.1,unix",
            "--access-log",
            log.to_str().unwrap(),
        ],
    );
    let [clear, secured, unix] = &server.addresses[..] else {
        panic!("{:?}", server.addresses);
    };
    let both = [cert, key].map(|path| std::fs::read_to_string(path).unwrap());
    let pem = folder.path().join("site.pem");
    std::fs::write(&pem, both.concat()).unwrap();
    let ssl = format!("ssl crt {}", pem.display());
    let everything =
        "send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,crc32c,authority,unique-id";
    let relay = |from, listening, to, sending| Relay {
        from,
        listening,
        to,
        sending,
    };
    let relays = [
        relay("127.0.0.1", "", clear, "send-proxy"),
        relay("127.0.0.1", "", clear, "send-proxy-v2"),
        relay("127.0.0.1", "", clear, everything),
        relay("::1", "", clear, "send-proxy"),
        relay("::1", "", clear, everything),
        relay("127.0.0.1", "", unix, everything),
        relay("127.0.0.1", &ssl, clear, everything),
        relay("127.0.0.1", "", secured, "send-proxy"),
        relay("127.0.0.1", "", secured, everything),
    ];
    let haproxy = Haproxy::relay(&relays, folder.path());
    let (inner, outer) = haproxy.addresses.split_at(6);
    for address in inner {
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let source = match address {
                Address::Tcp(address) if address.is_ipv6() => "::1",
                _ => "127.1.2.3",
            };
            let text = facts(source, &format!("http://{address}/facts"), &[version]);
            assert_eq!(client(&text).ip().to_string(), source, "{address}: {text}");
            expect(
                &text,
                &[
                    "client_is_peer: false",
                    "client_is_forwarded: true",
                    "scheme: http",
                ],
            );
        }
    }
    for (address, ended) in outer.iter().zip([true, false, false]) {
        for version in ["--http1.1", "--http2"] {
            let place = format!("site.test:{}:127.0.0.1", address.port());
            let url = format!("https://site.test:{}/facts", address.port());
            let more = ["--cacert", &ca, "--resolve", &place, version];
            let text = facts("127.1.2.4", &url, &more);
            assert_eq!(client(&text).ip().to_string(), "127.1.2.4", "{text}");
            // Where the proxy has ended TLS, it is the proxy who knows of it.
            let forwarded = format!("scheme_is_forwarded: {ended}");
            expect(&text, &["scheme: https", &forwarded]);
        }
    }
    let logged = || std::fs::read_to_string(&log).unwrap();
    until("lines of both clients", || {
        ["127.1.2.3 ", "127.1.2.4 ", "::1 "]
            .iter()
            .all(|client| logged().lines().any(|line| line.starts_with(client)))
    });
    assert!(!logged().contains("127.0.0.1 -"), "{}", logged());
}

#[test]
fn haproxy_looks_after_us_in_its_own_name() {
    for sending in ["send-proxy", "send-proxy-v2"] {
        let folder = tempfile::tempdir().unwrap();
        let server = trusting("proxy+http://127.0.0.1:0");
        let relay = Relay {
            from: "127.0.0.1",
            listening: "\n option httpchk GET /facts",
            to: &server.address,
            sending: &format!("{sending} check check-send-proxy inter 50ms fall 1"),
        };
        let haproxy = Haproxy::relay(&[relay], folder.path());
        let found = || haproxy.tell("show stat json");
        until("good look", || found().contains("L7OK"));
        let said = server.process.said();
        assert!(!said.contains("PROXY"), "{said}");
    }
}

#[test]
fn behind_nginx_that_relays_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let server = trusting("proxy+http://127.0.0.1:0");
    let nginx = Nginx::relay(&server.address, folder.path());
    // Its clients are on a unix socket, for which version 1 has no word.
    let text = Client::get(&nginx.address, "/facts").text().to_owned();
    expect(
        &text,
        &["client_is_peer: true", "client_is_forwarded: false"],
    );
    assert_eq!(client(&text).ip().to_string(), "127.0.0.1");
}

#[test]
fn curl_introduces_itself() {
    let server = trusting("proxy+http://127.0.0.1:0");
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let more = [
            "--haproxy-protocol",
            version,
            "--write-out",
            "%{local_port}",
        ];
        let text = facts("127.0.0.1", &server.url("/facts"), &more);
        expect(
            &text,
            &["client_is_peer: true", "client_is_forwarded: true"],
        );
        assert!(text.ends_with(&client(&text).port().to_string()), "{text}");
    }
}

#[test]
fn a_header_comes_in_pieces_and_together_with_what_follows() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("app.sock").display().to_string();
    let server = probe(
        "proxy+http://127.0.0.1:0",
        &[
            "--bind",
            &format!("proxy+http://unix:{socket}"),
            "--trusted-proxies",
            "127.0.0.1,unix",
        ],
    );
    let ssl = b"\x20\0\x05\x01\0\0\0\0";
    for address in &server.addresses {
        for header in [LINE.as_bytes().to_vec(), record(b""), record(ssl)] {
            let whole = [&header, get("/facts").as_bytes()].concat();
            let said_tls = header.ends_with(ssl);
            let judge = |client: &mut Client| {
                let scheme = if said_tls {
                    "scheme: https"
                } else {
                    "scheme: http"
                };
                expect(
                    client.response().text(),
                    &["client: 192.0.2.7:54321", "client_is_peer: false", scheme],
                );
            };
            for split in 0..=header.len() + 1 {
                let mut client = Client::connect(address);
                client.send(&whole[..split]);
                client.send(&whole[split..]);
                judge(&mut client);
            }
            let mut client = Client::connect(address);
            whole.iter().for_each(|byte| client.send([*byte]));
            judge(&mut client);
            // Once for all requests of the connection.
            client.send([get("/facts"), get("/facts")].concat());
            judge(&mut client);
            judge(&mut client);
        }
    }
}

#[test]
fn a_second_header_is_a_bad_request() {
    let server = trusting("proxy+http://127.0.0.1:0");
    for second in [LINE.as_bytes().to_vec(), record(b"")] {
        for between in ["", &get("/facts")] {
            let mut client = server.connect();
            let after = get("/facts");
            let bytes = [
                LINE.as_bytes(),
                between.as_bytes(),
                &second,
                after.as_bytes(),
            ];
            client.send(bytes.concat());
            if !between.is_empty() {
                expect(client.response().text(), &["client: 192.0.2.7:54321"]);
            }
            let refused = client.response();
            assert_eq!((refused.status, refused.closes()), (400, true));
            client.expect_end();
        }
    }
}

#[test]
fn what_is_no_header_closes_the_connection_with_a_line_in_the_log() {
    let server = probe(
        "proxy+http://127.0.0.1:0",
        &["--trusted-proxies", "127.0.0.1", "--head-timeout", "300ms"],
    );
    let endless = format!("PROXY UNKNOWN {}", "f".repeat(100));
    let mut checksum = record(b"\x03\0\x04abcd");
    checksum.extend_from_slice(get("/").as_bytes());
    let cases: [(&[u8], &str); 8] = [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "found something else"),
        (
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "expected `PROXY TCP4|TCP6",
        ),
        (endless.as_bytes(), "a line of at most 107 bytes"),
        (&[SIGN, &[0x31, 0x11, 0, 0]].concat(), "found 0x31"),
        (
            &[SIGN, &[0x21, 0x11, 0xFF, 0xFF]].concat(),
            "at most 4096 bytes",
        ),
        (&checksum, "expected the CRC32c"),
        (b"PROXY TCP4 ", "found a part of it"),
        (b"", ""),
    ];
    for (bytes, words) in cases {
        let from = server.process.lines_so_far();
        let mut client = server.connect();
        client.send(bytes);
        assert_eq!(client.rest(), b"", "{words}");
        // Whoever says nothing at all may just have connected early.
        if !words.is_empty() {
            let line = server
                .process
                .line_with("of the proxy 127.0.0.1 is closed", from);
            assert!(line.contains(words.trim_start_matches("a line ")), "{line}");
        }
    }
    let half = server.process.lines_so_far();
    let mut client = server.connect();
    client.send(b"PROXY TC");
    client.finish();
    assert_eq!(client.rest(), b"");
    server.process.line_with("found the end within it", half);
    assert_eq!(
        server.process.said().matches("is closed").count(),
        cases.len()
    );
}

#[test]
fn nobody_else_may_connect() {
    let server = probe(
        "proxy+http://127.0.0.1:0",
        &["--trusted-proxies", "127.0.0.9", "--bind", "127.0.0.1:0"],
    );
    let mut client = server.connect();
    let _sent = client.try_send([LINE, &get("/facts")].concat());
    assert_eq!(client.rest(), b"");
    server
        .process
        .line_with("is not one of the trusted-proxies", 0);
    // On an address without introductions there is none.
    let refused = Client::fetch(&server.addresses[1], [LINE, &get("/facts")].concat());
    assert_eq!(refused.status, 400);
    let text = Client::get(&server.addresses[1], "/facts");
    expect(text.text(), &["client_is_peer: true"]);
}

#[test]
fn fields_are_believed_of_a_client_that_is_a_proxy_itself() {
    let server = probe(
        "proxy+http://127.0.0.1:0",
        &["--trusted-proxies", "127.0.0.1,198.51.100.0/24"],
    );
    let request = "GET /facts HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.5\r\n\
                   X-Forwarded-Proto: https\r\n\r\n";
    for (source, client, scheme) in [
        ("192.0.2.7", "client: 192.0.2.7:1", "scheme: http"),
        ("198.51.100.4", "client: 203.0.113.5:0", "scheme: https"),
    ] {
        let line = format!("PROXY TCP4 {source} 127.0.0.1 1 2\r\n");
        let answer = server.fetch([&line, request].concat());
        expect(answer.text(), &[client, scheme]);
    }
    // The proxy speaks for itself.
    let own = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00".as_slice();
    let answer = server.fetch([own, request.as_bytes()].concat());
    expect(answer.text(), &["client: 203.0.113.5:0", "scheme: https"]);
    // For whom it speaks it does not know: nobody is believed, whatever his fields say.
    let unspecified = b"\r\n\r\n\0\r\nQUIT\n\x21\x00\x00\x00".as_slice();
    for header in [b"PROXY UNKNOWN\r\n".as_slice(), unspecified] {
        let answer = server.fetch([header, request.as_bytes()].concat());
        expect(answer.text(), &["client_is_peer: true", "scheme: http"]);
    }
}

#[test]
fn such_an_address_needs_a_proxy() {
    let (code, said) = run(&["--bind", "proxy+http://127.0.0.1:0", "app.so"]);
    assert_eq!(code, 2, "{said}");
    let expected =
        "--bind (command line): expected trusted-proxies for a proxy+ address, found none";
    assert!(said.contains(expected), "{said}");
}
