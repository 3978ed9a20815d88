//! Thousands of clients that do nothing, or nothing in time, leave everybody else served.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use gateway_tests::address::Stream;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::load::{Connections, Load, Plan};
use gateway_tests::response::{Response, To};
use gateway_tests::until;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::SockRef;

fn serve(arguments: &[&str]) -> Gatewayd {
    let module = Artefacts::built().module("probe");
    raise_file_limit();
    Gatewayd::serve(module, arguments)
}

/// The `nth` connection, from one of ten addresses so that no other test wants for ports. When it is
/// dropped, nothing of it stays behind in the kernel.
fn connect(server: &Gatewayd, nth: usize) -> Stream {
    let source = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + 1 + nth as u32 % 10);
    let stream = server.address.connect_from(Some(source.into())).unwrap();
    let socket = SockRef::from(tcp(&stream));
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    stream
}

fn tcp(stream: &Stream) -> &TcpStream {
    match stream {
        Stream::Tcp(stream) => stream,
        Stream::Unix(_) => panic!("the server listens on a port"),
    }
}

fn response(stream: &mut Stream) -> Response {
    Response::read(stream, &mut Vec::new(), To::Other).unwrap()
}

/// Requests that go on while something else happens.
fn victims(server: &Gatewayd, connections: Connections) -> Load {
    Load::start(&Plan {
        clients: 2,
        pace: Duration::from_millis(10),
        connections,
        ..Plan::new(&server.address, get("/version"))
    })
}

#[test]
fn ten_thousand_idle_connections_are_kept_and_others_served() {
    let server = serve(&["--workers", "2", "--max-connections", "10000"]);
    let mut idle: Vec<_> = (0..10_000).map(|nth| connect(&server, nth)).collect();
    for stream in &mut idle {
        stream.write_all(get("/version").as_bytes()).unwrap();
    }
    for stream in &mut idle {
        assert_eq!(response(stream).status, 200);
    }
    assert_eq!(server.get("/version").status, 200);
    // None of them was forgotten.
    for stream in idle.iter_mut().step_by(100) {
        stream.write_all(get("/version").as_bytes()).unwrap();
        assert_eq!(response(stream).status, 200);
    }
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn five_thousand_stalled_clients_are_cut_off_and_nobody_else_is() {
    let timeouts = ["--head-timeout", "--body-timeout", "--write-timeout"].map(|name| [name, "2s"]);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let to_log = ["--workers", "1", "--access-log", log.to_str().unwrap()];
    let server = serve(&[&to_log, timeouts.as_flattened()].concat());
    let kept = victims(&server, Connections::Kept);
    let fresh = victims(&server, Connections::Fresh);
    let stall = |count: usize, words: &str| -> Vec<_> {
        let streams = (0..count).map(|nth| {
            let mut stream = connect(&server, nth);
            // What a slow reader does not read is not to fill this machine's memory.
            SockRef::from(tcp(&stream))
                .set_recv_buffer_size(4096)
                .unwrap();
            stream.write_all(words.as_bytes()).unwrap();
            stream
        });
        streams.collect()
    };
    let heads = stall(2_400, "GET /version HTTP/1.1\r\nHost: ");
    let post = "POST /spawned HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf";
    let bodies = stall(2_500, post);
    let readers = stall(100, &get("/chunks/10000"));
    for mut stream in heads {
        assert_eq!(response(&mut stream).status, 408);
    }
    for mut stream in bodies {
        assert_eq!(response(&mut stream).status, 400);
    }
    // Whoever reads again is no longer stalled: not before all of them have been given up.
    let given_up = || fs::read_to_string(&log).unwrap_or_default();
    until("end of the readers", || {
        given_up().matches("/chunks/10000").count() == 100
    });
    for mut stream in readers {
        assert!(read_to_reset(&mut stream) < 1_000_000);
    }
    for load in [kept, fresh] {
        load.more(20);
        load.stop().expect_no_failure();
    }
}

#[test]
fn a_pool_whose_threads_all_sleep_stops_no_asynchronous_request() {
    let server = serve(&["--workers", "1"]);
    let sleeping: Vec<_> = (0..4)
        .map(|_| {
            let mut client = server.connect();
            client.send(get("/pooled/1500"));
            client
        })
        .collect();
    let mut behind = server.connect();
    behind.send(get("/pooled/0"));
    let mut other = server.connect();
    for _ in 0..100 {
        other.send(get("/sleep/1"));
        assert_eq!(other.response().text(), "slept");
    }
    for mut client in sleeping {
        assert_eq!(client.response().text(), "slept");
    }
    assert_eq!(behind.response().text(), "slept");
}

/// How many bytes come until the connection is reset.
fn read_to_reset(stream: &mut Stream) -> usize {
    let (mut all, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => panic!("expected a reset, found an end"),
            Ok(count) => all += count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
                return all;
            }
        }
    }
}

/// Lets this process, and the servers that it starts, have as many files as the system allows.
fn raise_file_limit() {
    static RAISED: OnceLock<()> = OnceLock::new();
    RAISED.get_or_init(|| {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert!(
            hard >= 12_000,
            "expected that a process may open 12000 files, found {hard}: run `ulimit -Hn 20000` as root, or \
             raise LimitNOFILE of the service that runs the tests"
        );
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    });
}
