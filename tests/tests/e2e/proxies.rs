//! What proxies say of their clients: believed of those that are trusted, in the fields that they set,
//! and of nobody else.

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::nginx::Nginx;
use gateway_tests::response::Response;

const EVERYTHING: &str = "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\
                          X-Forwarded-Host: example.org\r\nX-Forwarded-Prefix: /app\r\n\
                          Forwarded: for=198.51.100.9;proto=https;host=example.net\r\n";

fn probe(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("probe");
    Gatewayd::serve(module, &[&["--workers", "1", "--lint"], arguments].concat())
}

fn ask(server: &Gatewayd, fields: &str) -> Response {
    server.fetch(format!(
        "GET /facts?a=b HTTP/1.1\r\nHost: inner\r\n{fields}\r\n"
    ))
}

#[track_caller]
fn expect(response: &Response, facts: &[(&str, &str)]) {
    let text = response.text();
    for (name, value) in facts {
        let line = format!("{name}: {value}");
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

const UNTOUCHED: [(&str, &str); 8] = [
    ("client_is_peer", "true"),
    ("client_is_forwarded", "false"),
    ("scheme", "http"),
    ("scheme_is_forwarded", "false"),
    ("authority", "inner"),
    ("host", "inner"),
    ("mount", ""),
    ("target", "/facts?a=b"),
];

#[test]
fn nobody_is_believed_who_is_not_trusted() {
    for arguments in [&[][..], &["--trusted-proxies", "10.0.0.0/8,unix"]] {
        let server = probe(arguments);
        expect(&ask(&server, EVERYTHING), &UNTOUCHED);
    }
}

#[test]
fn a_trusted_proxy_is_believed_in_the_fields_that_it_sets() {
    let server = probe(&["--trusted-proxies", "127.0.0.0/8"]);
    expect(
        &ask(&server, EVERYTHING),
        &[
            ("client", "192.0.2.7:0"),
            ("client_is_peer", "false"),
            ("client_is_forwarded", "true"),
            ("scheme", "https"),
            ("scheme_is_forwarded", "true"),
            ("authority", "inner"),
            ("host", "inner"),
            ("mount", ""),
            ("target", "/facts?a=b"),
        ],
    );
    expect(&ask(&server, ""), &UNTOUCHED);
    expect(
        &ask(
            &server,
            "X-Forwarded-For: unknown\r\nX-Forwarded-Proto: gopher\r\n",
        ),
        &UNTOUCHED,
    );
}

#[test]
fn host_and_prefix_are_believed_where_the_proxies_set_them() {
    let fields = "x-forwarded-for,x-forwarded-proto,x-forwarded-host,x-forwarded-prefix";
    let server = probe(&["--trusted-proxies", "127.0.0.1", "--proxy-fields", fields]);
    expect(
        &ask(&server, EVERYTHING),
        &[
            ("authority", "example.org"),
            ("host", "example.org"),
            ("mount", "/app"),
            ("path", "/app/facts"),
            ("target", "/app/facts?a=b"),
        ],
    );
    // A request without Host gets the one that the proxy names.
    let old = "GET /facts HTTP/1.0\r\nX-Forwarded-Host: example.org\r\n\r\n";
    expect(
        &server.fetch(old),
        &[("authority", "example.org"), ("host", "example.org")],
    );
}

#[test]
fn forwarded_is_believed_where_the_proxies_set_it() {
    let server = probe(&[
        "--trusted-proxies",
        "127.0.0.1",
        "--proxy-fields",
        "forwarded",
    ]);
    expect(
        &ask(&server, EVERYTHING),
        &[
            ("client", "198.51.100.9:0"),
            ("scheme", "https"),
            ("authority", "example.net"),
            ("host", "example.net"),
        ],
    );
}

#[test]
fn hops_are_counted_where_addresses_are_not_known() {
    let server = probe(&["--trusted-proxies", "127.0.0.1", "--proxy-hops", "2"]);
    expect(&ask(&server, EVERYTHING), &[("client", "6.6.6.6:0")]);
}

#[test]
fn the_access_log_names_the_client() {
    let server = probe(&["--trusted-proxies", "127.0.0.1", "--access-log", "-"]);
    assert_eq!(ask(&server, EVERYTHING).status, 200);
    let line = server.process.line_with("GET /facts?a=b", 0);
    assert!(line.contains("192.0.2.7 - - ["), "{line}");
}

#[test]
fn behind_nginx_on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = Address::Unix(folder.path().join("app.sock"));
    let fields = "x-forwarded-for,x-forwarded-proto,x-forwarded-prefix";
    let _server = probe(&[
        "--bind",
        &socket.to_string(),
        "--trusted-proxies",
        "unix",
        "--proxy-fields",
        fields,
    ]);
    let site = format!(
        "upstream gateway {{ server {socket}; }}
        server {{
            listen 80;
            location /app/ {{
                proxy_pass http://gateway/;
                proxy_set_header X-Forwarded-For \"$http_x_forwarded_for, 192.0.2.7\";
                proxy_set_header X-Forwarded-Proto https;
                proxy_set_header X-Forwarded-Prefix /app;
                proxy_set_header Host $http_host;
            }}
        }}"
    );
    let nginx = Nginx::serve(&site, folder.path());
    let mut client = Client::connect(&nginx.address);
    let request = get("/app/facts").replace("\r\n\r\n", "\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n");
    client.send(request);
    expect(
        &client.response(),
        &[
            ("client", "192.0.2.7:0"),
            ("scheme", "https"),
            ("mount", "/app"),
            ("path", "/app/facts"),
        ],
    );
}
