//! TLS, as openssl, curl and Python speak it.

mod addresses;
mod clients;
mod grade;
mod renewal;
mod tickets;

use std::io::Write as _;
use std::process::{Command, Stdio};

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::{Gatewayd, program};

fn probe() -> &'static str {
    Artefacts::built().module("probe").to_str().unwrap()
}

fn port(address: &Address) -> u16 {
    match address {
        Address::Tcp(address) => address.port(),
        Address::Unix(_) => panic!("expected a port"),
    }
}

fn start(arguments: &[&str]) -> Gatewayd {
    let common = ["--workers", "1", "--bind", "https://127.0.0.1:0"];
    Gatewayd::start(program().args(common).args(arguments).arg(probe()))
}

/// What curl gets from `/pid` as `name`, with the connection's facts.
fn ask(certificates: &Certificates, server: &Gatewayd, name: &str, more: &[&str]) -> (i32, String) {
    let port = port(&server.address);
    let (ca, place) = (
        certificates.text("ca.crt"),
        format!("{name}:{port}:127.0.0.1"),
    );
    let url = format!("https://{name}:{port}/pid");
    let mut words = vec!["--http1.1", "--cacert", &ca, "--resolve", &place, "-v"];
    words.extend_from_slice(more);
    words.push(&url);
    let told = curl(&words);
    (told.code, told.stdout + &told.stderr)
}

/// Certificates for `site.test`, and the words that have a server use them.
fn site() -> (Certificates, [String; 4]) {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let words = ["--tls-cert", "site.crt", "--tls-key", "site.key"];
    let words = words.map(|word| match word.strip_prefix("--") {
        Some(_) => word.to_owned(),
        None => certificates.text(word),
    });
    (certificates, words)
}

/// What `openssl s_client` says of one request for `path`, answer included.
fn s_client(server: &Gatewayd, path: &str, more: &[&str]) -> String {
    let place = format!("127.0.0.1:{}", port(&server.address));
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-ign_eof",
            "-connect",
            &place,
            "-servername",
            "site.test",
        ])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl to be installed");
    let request = format!("GET {path} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n");
    // One who is refused closes its end.
    let _ = client.stdin.take().unwrap().write_all(request.as_bytes());
    let output = client.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

/// The body of the answer in what `s_client` said, which goes on behind it without a line end.
fn body(said: &str) -> &str {
    let answer = said.find("HTTP/1.1 200 OK").map(|at| &said[at..]);
    let parts = answer.and_then(|answer| answer.split_once("\r\n\r\n"));
    let (head, rest) = parts.unwrap_or_else(|| panic!("no answer: {said}"));
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok());
    &rest[..length.expect("a length")]
}
