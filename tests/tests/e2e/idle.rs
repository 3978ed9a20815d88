//! A connection that waits for its next request costs next to nothing, in clear text and within TLS.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::client::get;
use gateway_tests::gatewayd::{Gatewayd, program};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Bytes that each of many connections costs the worker, once a request was answered on it.
fn each<Held>(server: &Gatewayd, open: impl Fn() -> Held) -> u64 {
    let worker = server.workers()[0];
    // What is there once, however many there are.
    let _first: Vec<Held> = (0..100).map(|_| open()).collect();
    let before = resident(worker);
    let _held: Vec<Held> = (0..MANY).map(|_| open()).collect();
    resident(worker).saturating_sub(before) * 1024 / MANY
}

/// Kibibytes of a process that are in memory.
fn resident(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("a number of kB").parse().unwrap()
}

#[test]
fn in_clear_text_it_holds_at_most_1200_bytes() {
    let hello = Artefacts::built().module("hello");
    let server = Gatewayd::serve(hello, &["--workers", "1", "--keep-alive", "10m"]);
    let open = || {
        let mut client = server.connect();
        client.send(get("/"));
        assert_eq!(client.response().status, 200);
        client
    };
    let each = each(&server, open);
    assert!(each <= 1_200, "an idle connection holds {each} bytes");
}

#[test]
fn within_tls_it_holds_little_more_than_the_library_does() {
    let certificates = Certificates::new();
    certificates.issue("site", &["site.test"]);
    let server = Gatewayd::start(
        program()
            .args(["--workers", "1", "--bind", "https://127.0.0.1:0"])
            .args(["--keep-alive", "10m"])
            .args(certificates.arguments("site"))
            .arg(Artefacts::built().module("hello")),
    );
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(certificates.path("ca.crt")).unwrap();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let open = || {
        let name = ServerName::try_from("site.test").unwrap();
        let client = ClientConnection::new(Arc::clone(&config), name).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", server.address.port())).unwrap();
        let mut stream = StreamOwned::new(client, stream);
        stream.write_all(get("/").as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        stream
    };
    let each = each(&server, open);
    assert!(
        each <= LIBRARY + 1_200,
        "an idle connection holds {each} bytes"
    );
}

/// Connections at once.
const MANY: u64 = 1_000;
/// Bytes that the library's own side of an idle connection of TLS 1.3 holds, measured alone.
const LIBRARY: u64 = 3_700;
