//! Clients show who they are where they are asked to, and the application is told of it and of the
//! connection.

use std::process::Command;

use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program};

use super::{ask, body, port, probe, s_client, site};

#[test]
fn the_application_is_told_of_the_connection() {
    let (_certificates, words) = site();
    let server = Gatewayd::start(
        program()
            .args(["--workers", "1", "--lint", "--bind", "https://127.0.0.1:0"])
            .args(["--bind", "127.0.0.1:0"])
            .args(&words)
            .arg(probe()),
    );
    let said = s_client(
        &server,
        "/tls",
        &[
            "-tls1_3",
            "-alpn",
            "http/1.1",
            "-ciphersuites",
            "TLS_AES_128_GCM_SHA256",
        ],
    );
    assert_eq!(body(&said), "Https 0304 1301 http/1.1 site.test 0 false");
    // The server's order decides, not the client's.
    let order = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
    let said = s_client(&server, "/tls", &["-tls1_3", "-ciphersuites", order]);
    assert_eq!(body(&said), "Https 0304 1302  site.test 0 false");
    let suite = ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"];
    let said = s_client(&server, "/tls", &suite);
    assert_eq!(body(&said), "Https 0303 c02c  site.test 0 false");
    assert_eq!(Client::get(&server.addresses[1], "/tls").text(), "Http");
    let (_, log) = server.stop();
    assert!(!log.contains("EXT-01"), "{log}");
}

#[test]
fn clients_show_certificates_where_they_are_asked_to() {
    let (certificates, words) = site();
    certificates.issue("alice", &["alice.test"]);
    certificates.issue("mallory", &["mallory.test"]);
    certificates.revoke(&["mallory"]);
    let stranger = gateway_tests::certificates::Certificates::new();
    stranger.issue("eve", &["eve.test"]);
    let path = |name: &str| certificates.text(name);
    let alice = [path("alice.crt"), path("alice.key")];
    let mallory = [path("mallory.crt"), path("mallory.key")];
    let eve = [stranger.text("eve.crt"), stranger.text("eve.key")];
    for (demand, without) in [("optional", true), ("required", false)] {
        let server = Gatewayd::start(
            program()
                .args(["--workers", "2", "--bind", "https://127.0.0.1:0"])
                .args([
                    "--tls-client-auth",
                    demand,
                    "--tls-client-ca",
                    &path("ca.crt"),
                ])
                .args(["--tls-crl", &path("crl.pem")])
                .args(&words)
                .arg(probe()),
        );
        for version in ["-tls1_2", "-tls1_3"] {
            let shows = |[cert, key]: &[String; 2]| {
                s_client(&server, "/tls", &[version, "-cert", cert, "-key", key])
            };
            let said = shows(&alice);
            assert!(body(&said).ends_with(" site.test 1 true"), "{said}");
            for other in [&mallory, &eve] {
                let said = shows(other);
                assert!(!said.contains("200 OK") && said.contains("alert"), "{said}");
            }
            let said = s_client(&server, "/tls", &[version]);
            assert_eq!(said.contains("200 OK"), without, "{said}");
            // A client shows its certificate each time.
            let file = path("session");
            let keys = ["-cert", &alice[0], "-key", &alice[1]];
            let out = [&[version, "-sess_out", &file][..], &keys].concat();
            let _first = s_client(&server, "/tls", &out);
            let again = match std::fs::exists(&file).unwrap() {
                true => s_client(
                    &server,
                    "/tls",
                    &[&[version, "-sess_in", &file][..], &keys].concat(),
                ),
                false => s_client(&server, "/tls", &[&[version][..], &keys].concat()),
            };
            assert!(
                again.contains("New, ") && again.contains("200 OK"),
                "{again}"
            );
        }
    }
}

#[test]
fn python_speaks_it_for_many_requests_and_large_bodies() {
    let (certificates, words) = site();
    let server = super::start(&words.each_ref().map(String::as_str));
    let script = r#"
import http.client, socket, ssl, sys
port, ca = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=ca)
class Connection(http.client.HTTPSConnection):
    def connect(self):
        plain = socket.create_connection(("127.0.0.1", port))
        self.sock = context.wrap_socket(plain, server_hostname="site.test")
connection = Connection("site.test", port)
for size in [1, 100, 16384, 16385, 100_000, 300_000] * 2:
    sent = bytes(at * at % 251 for at in range(size))
    connection.request("POST", "/mirror", body=sent)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read() == sent, size
connection.request("GET", "/file")
answer = connection.getresponse()
assert answer.read() == b"f" * 5_000
# Many requests at once, and one byte at a time.
connection.sock.sendall(b"GET /pid HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
seen = b""
while seen.count(b"200 OK") < 200:
    seen += connection.sock.recv(65536)
for byte in b"GET /pid HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
    connection.sock.sendall(bytes([byte]))
last = b""
while more := connection.sock.recv(65536):
    last += more
assert b"200 OK" in last
print("good")
"#;
    let output = Command::new("python3")
        .args([
            "-c",
            script,
            &port(&server.address).to_string(),
            &certificates.text("ca.crt"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"good\n", "{said}");
    let (code, said) = ask(&certificates, &server, "site.test", &["--tlsv1.3"]);
    assert_eq!(code, 0, "{said}");
}
