//! The access log says what happened, to programs as to people, whatever clients send and whoever dies.

use std::fs;
use std::io::Read as _;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{get, post};
use gateway_tests::gatewayd::{Gatewayd, run};
use gateway_tests::load::{Load, Plan};
use gateway_tests::{DEADLINE, until};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use serde_json::Value;

fn probe(arguments: &[&str]) -> Gatewayd {
    Gatewayd::serve(Artefacts::built().module("probe"), arguments)
}

/// The probe with one worker, whose log in the file `path` has lines of this format.
fn logging(path: &str, format: &str, more: &[&str]) -> Gatewayd {
    let log = ["--access-log", path, "--access-log-format", format];
    probe(&[&["--workers", "1"][..], &log, more].concat())
}

/// The lines of a log that is to have so many, each as JSON.
fn lines(path: &Path, count: usize) -> Vec<Value> {
    let read = || fs::read_to_string(path).unwrap_or_default();
    until("all lines", || read().lines().count() >= count);
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    read().lines().map(parse).collect()
}

#[test]
fn a_host_of_a_system_log_that_nobody_knows_is_told_before_anything_is_served() {
    let probe = Artefacts::built().module("probe").to_str().unwrap();
    for words in [&[][..], &["check-config"], &["--workers", "0"]] {
        let log = ["--access-log", "syslog:nohost.invalid:514"];
        let bind = ["--bind", "127.0.0.1:0", probe];
        let (code, said) = run(&[words, &log, &bind].concat());
        assert_eq!(code, 2, "{said}");
        let told = "gatewayd: --access-log (command line): expected a host that can be found, found \
                    `nohost.invalid:514`: ";
        assert!(
            said.starts_with(told) && said.lines().count() == 1,
            "{said}"
        );
    }
}

#[test]
fn no_field_of_a_client_forges_a_line_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let path = log.to_str().unwrap();
    let server = logging(path, "json", &[]);
    let forged = "x\",\"status\":500,\"a\":\"\\";
    let long = "y".repeat(5_000);
    for agent in [forged, "\u{e4}\u{2028}", &long] {
        let request = format!(
            "GET /version?a=\"b HTTP/1.1\r\nHost: h\r\nUser-Agent: {agent}\r\nReferer: {agent}\r\n\r\n"
        );
        assert_eq!(server.fetch(request).status, 200);
    }
    assert_eq!(server.fetch(post("/unread", b"12345")).status, 200);
    assert_eq!(server.get("/sleep/20").status, 200);
    assert_eq!(server.fetch("NONSENSE {\"\r\n\r\n").status, 400);
    let lines = lines(&log, 6);
    assert_eq!(lines.len(), 6);
    for line in &lines {
        assert!(
            line["status"].is_u64() && line["worker"] == 1 && line["app"] == "probe",
            "{line}"
        );
        assert!(
            line["duration_ms"].is_f64() && line["queue_ms"].is_f64(),
            "{line}"
        );
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
    }
    assert_eq!(lines[0]["user_agent"], forged);
    assert_eq!(lines[0]["target"], "/version?a=\"b");
    assert_eq!(lines[1]["referer"], "\u{e4}\u{2028}");
    assert!(lines[2]["user_agent"].as_str().unwrap().ends_with('…'));
    assert_eq!(
        (&lines[3]["method"], &lines[3]["bytes_in"]),
        (&"POST".into(), &5.into())
    );
    assert!(
        lines[4]["duration_ms"].as_f64().unwrap() >= 20.0,
        "{}",
        lines[4]
    );
    assert_eq!(lines[5]["status"], 400);
    let mut ids: Vec<_> = lines
        .iter()
        .map(|line| line["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_format_of_ones_own_says_what_was_asked_for_and_only_of_whom() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let path = log.to_str().unwrap();
    let format = "%(m)s %U %>s %{X-Tag}i";
    let sample = [
        "--access-log-sample",
        "0",
        "--access-log-always",
        "5xx,slow",
    ];
    let slow = ["--access-log-slow", "1s"];
    let server = logging(path, format, &[&sample[..], &slow].concat());
    for target in ["/version", "/status/404", "/status/500", "/sleep/1100"] {
        let request = format!("GET {target}?q HTTP/1.1\r\nHost: h\r\nX-Tag: t \r\n\r\n");
        assert_ne!(server.fetch(request).status, 400);
    }
    let read = || fs::read_to_string(&log).unwrap_or_default();
    until("two lines", || read().lines().count() == 2);
    assert_eq!(read(), "GET /status/500 500 t\nGET /sleep/1100 200 t\n");
    let wrong = ["--access-log-format", "%z"];
    let (code, said) = run(&wrong);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("--access-log-format") && said.contains("found `%z`"),
        "{said}"
    );
}

#[test]
fn a_format_may_name_fields_of_responses_but_shows_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let path = log.to_str().unwrap();
    let format = "%U %{X-Tag}o %s %({content-type}o)s %{x-secret}o";
    let server = logging(path, format, &[]);
    let forged = "/lines/1?x-tag=a\"b&x-tag=second&content-type=text/x";
    for target in [
        forged,
        "/version",
        "/lines-streamed/1?x-tag=late",
        "/sleep/1",
    ] {
        assert_eq!(server.get(target).status, 200);
    }
    assert_eq!(server.fetch("NONSENSE\r\n\r\n").status, 400);
    let expected = [
        "/lines/1 a\\\"b 200 text/x -",
        "/version - 200 text/plain; charset=utf-8 -",
        "/lines-streamed/1 late 200 - -",
        "/sleep/1 - 200 text/plain; charset=utf-8 -",
        "- - 400 - -",
    ];
    let read = || fs::read_to_string(&log).unwrap_or_default();
    until("all lines", || read().lines().count() == expected.len());
    assert_eq!(read().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_trusted_proxys_id_is_the_applications_and_the_logs_and_nobody_elses_is() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let path = log.to_str().unwrap();
    let named = ["--request-id-field", "X-Request-Id"];
    let request = "GET /id HTTP/1.1\r\nHost: h\r\nX-Request-Id: from-the-proxy-7\r\n\r\n";
    let proxies = ["--trusted-proxies", "127.0.0.1"];
    let trusted = logging(path, "%i", &[&named[..], &proxies].concat());
    assert_eq!(trusted.fetch(request).text(), "from-the-proxy-7");
    // A proxy that appends its own leaves the client's before it.
    let appended = request.replace(
        "X-Request-Id",
        "X-Request-Id: of-the-client\r\nX-Request-Id",
    );
    assert_eq!(trusted.fetch(appended).text(), "from-the-proxy-7");
    let forged = "GET /id HTTP/1.1\r\nHost: h\r\nX-Request-Id: a\"b\r\n\r\n";
    let made = trusted.fetch(forged).text().to_owned();
    assert_eq!(trusted.stop().0, 0);
    let stranger = logging(path, "%i", &named);
    let own = stranger.fetch(request).text().to_owned();
    assert_eq!(stranger.stop().0, 0);
    assert_ne!(own, "from-the-proxy-7");
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(
        said,
        format!("from-the-proxy-7\nfrom-the-proxy-7\n{made}\n{own}\n")
    );
}

#[test]
fn only_the_bytes_of_a_body_count_as_its_bytes_and_clients_that_leave_are_no_errors() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let path = log.to_str().unwrap();
    let server = logging(path, "%m %I", &[]);
    for (length, body) in [
        ("Content-Length: 3", "abc"),
        ("Transfer-Encoding: chunked", "3;a=b\r\nabc\r\n0\r\n\r\n"),
    ] {
        let mut client = server.connect();
        client.send(format!(
            "POST /spawned HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{length}\r\n\r\n"
        ));
        assert_eq!(client.response().status, 100);
        client.send([body, &get("/version"), &get("/version")].concat());
        for expected in ["3", "unset", "unset"] {
            assert_eq!(client.response().text(), expected);
        }
    }
    let mut leaver = server.connect();
    leaver.send("POST /mirror HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        let more = leaver.some();
        assert!(!more.is_empty(), "{}", String::from_utf8_lossy(&answer));
        answer.extend(more);
    }
    drop(leaver);
    let read = || fs::read_to_string(&log).unwrap_or_default();
    until("all lines", || read().lines().count() == 7);
    let (code, said) = server.stop();
    assert_eq!(code, 0);
    assert!(!said.contains("broken off"), "{said}");
    let expected = "POST 3\nGET 0\nGET 0\nPOST 3\nGET 0\nGET 0\nPOST 5\n";
    assert_eq!(read(), expected);
}

#[test]
fn a_systems_log_is_told_in_messages_of_rfc_5424() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("log");
    let unix = UnixDatagram::bind(&socket).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    unix.set_read_timeout(Some(DEADLINE)).unwrap();
    udp.set_read_timeout(Some(DEADLINE)).unwrap();
    let places = [
        format!("syslog:unix:{}", socket.display()),
        format!("syslog:{}", udp.local_addr().unwrap()),
    ];
    for (at, place) in places.iter().enumerate() {
        let server = probe(&["--workers", "1", "--access-log", place]);
        assert_eq!(server.get("/version").status, 200);
        let mut datagram = [0; 5_000];
        let length = match at {
            0 => unix.recv(&mut datagram).unwrap(),
            _ => udp.recv(&mut datagram).unwrap(),
        };
        let text = str::from_utf8(&datagram[..length]).unwrap();
        let pid = server.workers()[0].to_string();
        let words: Vec<_> = text.splitn(8, ' ').collect();
        assert_eq!([words[0], words[3], words[4]], ["<134>1", "gatewayd", &pid]);
        assert!(words[7].contains("\"GET /version HTTP/1.1\" 200"), "{text}");
    }
}

#[test]
fn standard_error_is_json_with_what_applications_add() {
    let server = probe(&["--workers", "1", "--log-format", "json"]);
    assert_eq!(server.get("/log").text(), "logged");
    let id = server.get("/id").text().to_owned();
    let (_, said) = server.stop();
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    let lines: Vec<Value> = said.lines().map(parse).collect();
    let find = |message: &str| {
        let found = lines
            .iter()
            .find(|line| line["message"].as_str() == Some(message));
        found.unwrap_or_else(|| panic!("{message}: {said}"))
    };
    let logged = find("by tracing");
    assert_eq!([&logged["level"], &logged["target"]], ["WARN", "probe"]);
    assert_eq!(logged["fields"]["name"], "a b");
    assert!(logged["request_id"].is_string(), "{logged}");
    let answering = find(&format!("answering {id}"));
    assert_eq!(answering["request_id"], id);
    assert_eq!(lines[0]["target"], "gatewayd");
}

#[test]
fn lines_of_several_workers_are_whole_and_outlive_them() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    mkfifo(&pipe, Mode::from_bits_truncate(0o600)).unwrap();
    let read = Arc::new(Mutex::new(Vec::new()));
    // With both ends held, nobody waits for the other one or finds it missing.
    let both = fs::File::options()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    let mut source = fs::File::open(&pipe).unwrap();
    let reader = thread::spawn({
        let read = Arc::clone(&read);
        move || {
            let mut piece = [0; 65_536];
            loop {
                match source.read(&mut piece).unwrap() {
                    0 => return,
                    length => read.lock().unwrap().extend_from_slice(&piece[..length]),
                }
            }
        }
    });
    let lines = || {
        read.lock()
            .unwrap()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count() as u64
    };
    let place = pipe.to_str().unwrap().to_owned();
    let arguments = [
        "--workers",
        "3",
        "--access-log",
        &place,
        "--access-log-format",
        "json",
    ];
    let server = probe(&arguments);
    drop(both);
    let mut plan = Plan::new(
        &server.address,
        get(&format!("/version?{}", "x".repeat(600))),
    );
    plan.clients = 6;
    let load = Load::start(&plan);
    load.more(2_000);
    let counted = load.stop().total();
    // What was counted is written within a tick; then a worker may die.
    until("a line for each", || lines() >= counted);
    kill(Pid::from_raw(server.workers()[0]), Signal::SIGKILL).unwrap();
    assert_eq!(server.stop().0, 0);
    reader.join().unwrap();
    let text = String::from_utf8(read.lock().unwrap().clone()).unwrap();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(line["status"], 200);
    }
}
