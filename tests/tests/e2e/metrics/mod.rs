//! What the server counts is what happened, whoever dies; health is told by a process that outlives
//! every worker; and a browser shows it.

mod apps;
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::chaos::{self, Chaos};
use gateway_tests::client::{Client, get, post};
use gateway_tests::gatewayd::{Gatewayd, program_at};
use gateway_tests::judges;
use gateway_tests::process::Process;
use gateway_tests::{DEADLINE, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;

/// A server, and where operators ask it.
struct Site {
    server: Gatewayd,
    admin: Address,
}

impl Site {
    fn serve(arguments: &[&str]) -> Self {
        let probe = Artefacts::built().module("probe");
        let arguments = [&["--admin", "127.0.0.1:0"], arguments].concat();
        Self::of(Gatewayd::serve(probe, &arguments))
    }

    fn of(server: Gatewayd) -> Self {
        let admin = admin_of(&server.process);
        let site = Self { server, admin };
        until("a server that is ready", || site.status("/readyz") == 200);
        site
    }

    fn status(&self, path: &str) -> u16 {
        Client::get(&self.admin, path).status
    }

    fn json(&self) -> Value {
        Client::get(&self.admin, "/status.json").json()
    }

    /// As Prometheus reads them.
    fn metrics(&self) -> BTreeMap<String, f64> {
        judges::metrics(Client::get(&self.admin, "/metrics").text(), "prometheus")
    }

    /// All answers that were counted.
    fn answers(&self) -> f64 {
        let counters = chaos::counters(&self.admin).into_iter();
        let answers = counters.filter(|(name, _)| name.starts_with("gatewayd_requests_total"));
        answers.map(|(_, count)| count).sum()
    }

    /// The process that answers here.
    fn admin_process(&self) -> Option<i32> {
        child(self.server.process.pid(), "--gatewayd-admin")
    }
}

/// Where a server says that operators may ask.
fn admin_of(process: &Process) -> Address {
    let line = process.line_with(ADMIN, 0);
    let (_, address) = line.split_once(ADMIN).unwrap();
    Address::Tcp(address.trim().parse().unwrap())
}

/// The child of a master whose first argument this is.
fn child(master: i32, role: &str) -> Option<i32> {
    let list = fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
    let list = list.unwrap_or_default();
    let mut pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.find(|pid: &i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).nth(1) == Some(role.as_bytes())
    })
}

fn end(pid: i32) {
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

#[test]
fn prometheus_reads_what_happened() {
    let site = Site::serve(&["--workers", "2", "--limit-request-line", "100"]);
    for target in ["/version", "/status/404", "/status/503", "/sleep/1"] {
        assert_ne!(site.server.get(target).status, 400);
    }
    let refused = ["NONSENSE\r\n\r\n".to_owned(), get(&"/x".repeat(100))];
    let refused = refused.map(|request| site.server.fetch(request).status);
    assert_eq!(refused, [400, 414]);
    assert_eq!(site.server.fetch(post("/unread", b"12345")).status, 200);
    // An answer may be read before it is counted.
    until("seven answers counted", || site.answers() == 7.0);
    let open_metrics =
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n";
    let answer = Client::fetch(&site.admin, open_metrics);
    let kind = answer.field("content-type").unwrap().to_owned();
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    let open = judges::metrics(answer.text(), "openmetrics");
    for samples in [site.metrics(), open] {
        let expect = |name: &str, value: f64| {
            assert_eq!(samples.get(name), Some(&value), "{name}: {samples:?}");
        };
        expect(
            "gatewayd_requests_total{method=GET,pool=probe,status=2xx}",
            2.0,
        );
        expect(
            "gatewayd_requests_total{method=GET,pool=probe,status=4xx}",
            1.0,
        );
        expect(
            "gatewayd_requests_total{method=GET,pool=probe,status=5xx}",
            1.0,
        );
        expect(
            "gatewayd_requests_total{method=POST,pool=probe,status=2xx}",
            1.0,
        );
        expect(
            "gatewayd_requests_total{method=other,pool=probe,status=4xx}",
            2.0,
        );
        expect(
            "gatewayd_refused_requests_total{pool=probe,reason=malformed}",
            1.0,
        );
        expect(
            "gatewayd_refused_requests_total{pool=probe,reason=target_too_long}",
            1.0,
        );
        expect("gatewayd_request_duration_seconds_count{pool=probe}", 5.0);
        expect(
            "gatewayd_request_duration_seconds_bucket{le=+Inf,pool=probe}",
            5.0,
        );
        expect("gatewayd_request_body_bytes_total{pool=probe}", 5.0);
        expect("gatewayd_connections_accepted_total{pool=probe}", 7.0);
        expect("gatewayd_workers{pool=probe,state=ready}", 2.0);
        assert!(samples.contains_key("gatewayd_requests is a counter"));
        assert!(samples["gatewayd_request_duration_seconds_sum{pool=probe}"] >= 0.001);
        assert!(samples["process_start_time_seconds{}"] > 1.7e9);
    }
}

#[test]
fn health_is_told_while_every_worker_is_stuck_and_while_the_server_drains() {
    let site = Site::serve(&[
        "--workers",
        "1",
        "--worker-timeout",
        "0",
        "--drain-delay",
        "30s",
    ]);
    assert_eq!([site.status("/livez"), site.status("/readyz")], [200, 200]);
    let mut hangs = site.server.connect();
    hangs.send(get("/block/60000"));
    until("a worker found stuck", || site.status("/readyz") == 503);
    assert_eq!(site.status("/livez"), 200);
    assert_eq!(site.json()["workers"][0]["state"], "ready");
    for pid in site.server.workers() {
        end(pid);
    }
    until("another worker", || site.status("/readyz") == 200);
    assert_eq!(
        site.metrics()["gatewayd_worker_restarts_total{cause=died}"],
        1.0
    );
    let errors = site.json()["errors"].to_string();
    assert!(errors.contains("was ended by SIGKILL"), "{errors}");
    site.server.process.signal(Signal::SIGTERM);
    until("a server that drains", || site.status("/readyz") == 503);
    assert_eq!(site.json()["stage"], "draining");
    assert_eq!(site.server.get("/version").status, 200);
    site.server.process.signal(Signal::SIGINT);
    assert_eq!(site.server.process.end().0, 0);
}

#[test]
fn a_server_without_workers_by_order_says_so() {
    let site = Site::serve(&["--workers", "2"]);
    site.server.process.signal(Signal::SIGWINCH);
    until("rest", || site.json()["stage"] == "resting");
    let answer = Client::get(&site.admin, "/readyz");
    assert_eq!((answer.status, answer.text()), (503, "resting\n"));
    site.server.process.signal(Signal::SIGTTIN);
    until("work", || site.status("/readyz") == 200);
    assert_eq!(site.json()["stage"], "serving");
}

#[test]
fn who_says_nothing_keeps_no_operator_from_an_answer_and_nobody_gives_it() {
    let site = Site::serve(&["--workers", "1"]);
    if geteuid().is_root() {
        // It reads requests from anywhere, so a server of root's has it be nobody.
        let pid = site.admin_process().unwrap();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        for line in ["Uid", "Gid"].map(|id| format!("{id}:\t65534\t65534\t65534\t65534\n")) {
            assert!(status.contains(&line), "{status}");
        }
        assert!(status.contains("CapEff:\t0000000000000000\n"), "{status}");
    }
    // As many as are kept, and one more for the question.
    let mut silent: Vec<Client> = (0..64).map(|_| Client::connect(&site.admin)).collect();
    assert_eq!(site.status("/livez"), 200);
    let mut others = silent.split_off(1);
    assert!(silent[0].some().is_empty(), "the oldest was ended for it");
    let last = others.last_mut().unwrap();
    last.send(get("/livez"));
    assert_eq!(last.response().status, 200);
}

#[test]
fn counters_only_grow_whoever_is_killed_under_load_and_nobody_is_left_behind() {
    let chaos = Chaos {
        time: Duration::from_secs(8),
        workers: 2,
        seed: 1,
    };
    let figures = chaos.run(Artefacts::built());
    assert!(
        figures.workers_killed > 2 && figures.admins_killed > 0,
        "{figures}"
    );
}

#[test]
fn an_upgrade_keeps_the_address_the_start_and_the_counters() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("gatewayd");
    install(Artefacts::built().program("gatewayd"), &program);
    let mut command = program_at(&program);
    command.args([
        "--bind",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--workers",
        "1",
    ]);
    command.arg(Artefacts::built().module("probe"));
    let site = Site::of(Gatewayd::start(&mut command));
    for _ in 0..3 {
        assert_eq!(site.server.get("/version").status, 200);
    }
    let before = site.metrics();
    let admin = site.admin_process();
    let from = site.server.process.lines_so_far();
    site.server.process.signal(Signal::SIGUSR2);
    site.server
        .process
        .line_with("all workers run generation", from);
    until("another admin process", || {
        let now = site.admin_process();
        now.is_some() && now != admin
    });
    let after = site.metrics();
    for name in [
        "process_start_time_seconds{}",
        "gatewayd_requests_total{method=GET,pool=probe,status=2xx}",
        "gatewayd_request_duration_seconds_count{pool=probe}",
    ] {
        assert_eq!(after[name].to_bits(), before[name].to_bits(), "{name}");
    }
    assert_eq!(after["gatewayd_upgrades_total{outcome=ok}"], 1.0);
    assert_eq!(site.json()["last_reload"]["good"], true);
}

#[test]
fn a_unix_socket_is_the_users_own_and_one_process_has_no_admin() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin");
    let place = format!("unix:{}", socket.display());
    let probe = Artefacts::built().module("probe");
    let server = Gatewayd::serve(probe, &["--workers", "1", "--admin", &place]);
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let admin = Address::Unix(socket.clone());
    until("a server that is ready", || {
        Client::get(&admin, "/readyz").status == 200
    });
    assert_eq!(
        Client::fetch(&admin, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").status,
        405
    );
    assert_eq!(Client::fetch(&admin, "GET / HTTP/1.1\r\n\r\n").status, 400);
    assert_eq!(server.stop().0, 0);
    assert!(!socket.exists());
    let mut command = gateway_tests::gatewayd::program();
    command
        .args(["--workers", "0", "--admin", &place])
        .arg(probe);
    let (code, said) = Process::start(&mut command).end();
    assert_eq!(code, 2, "{said}");
    let expected = "--admin (command line): expected workers beside it, at least 1, found 0";
    assert!(said.contains(expected), "{said}");
}

/// A server that tells StatsD, and what is told there.
struct Statsd {
    ear: UdpSocket,
    server: Gatewayd,
}

impl Statsd {
    fn serve(more: &[&str]) -> Self {
        let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
        ear.set_read_timeout(Some(DEADLINE)).unwrap();
        let place = ear.local_addr().unwrap().to_string();
        let told = ["--statsd", &place, "--statsd-interval", "200ms"];
        let probe = Artefacts::built().module("probe");
        let server = Gatewayd::serve(probe, &[&["--workers", "1"][..], &told, more].concat());
        Self { ear, server }
    }

    /// The next lines: name, value, and what stands behind it.
    fn hear(&self) -> Vec<(String, f64, String)> {
        let mut datagram = [0; 2_000];
        let length = self.ear.recv(&mut datagram).unwrap();
        let text = str::from_utf8(&datagram[..length]).unwrap();
        let line = |line: &str| {
            let (name, rest) = line.split_once(':').unwrap();
            let (value, kind) = rest.split_once('|').unwrap();
            (name.to_owned(), value.parse().unwrap(), kind.to_owned())
        };
        text.lines().map(line).collect()
    }
}

/// How many values a line of a timing or a histogram stands for.
fn weight(kind: &str) -> f64 {
    let rate = kind.split('|').find_map(|part| part.strip_prefix('@'));
    rate.map_or(1.0, |rate| 1.0 / rate.parse::<f64>().unwrap())
}

#[test]
fn statsd_is_told_what_has_been_added() {
    let statsd = Statsd::serve(&["--statsd-tags"]);
    for _ in 0..3 {
        assert_eq!(statsd.server.get("/version").status, 200);
    }
    let (mut counted, mut timed) = (0.0, 0.0);
    while counted < 3.0 || timed < 2.9 {
        for (name, value, kind) in statsd.hear() {
            match &*name {
                "gatewayd.requests" => {
                    assert_eq!(kind, "c|#method:GET,status:2xx");
                    counted += value;
                }
                "gatewayd.request_duration" => {
                    assert!(kind == "ms" || kind.starts_with("ms|@"), "{kind}");
                    assert!(value > 0.0, "{value}");
                    timed += weight(&kind);
                }
                _ => {}
            }
        }
    }
    assert_eq!((counted, timed.round()), (3.0, 3.0));
}

#[test]
fn who_goes_on_for_another_admin_process_does_not_tell_statsd_all_of_it_again() {
    let statsd = Statsd::serve(&[]);
    let master = statsd.server.process.pid();
    let added = || {
        let lines = statsd.hear().into_iter();
        let answers = lines.filter(|(name, ..)| name == "gatewayd.requests.GET.2xx");
        answers.map(|(_, count, _)| count).sum::<f64>()
    };
    for _ in 0..MANY {
        assert_eq!(statsd.server.get("/version").status, 200);
    }
    let mut counted = 0.0;
    while counted < f64::from(MANY) {
        counted += added();
    }
    let killed = || end(child(master, "--gatewayd-admin").unwrap());
    let upgraded = || {
        statsd.server.process.signal(Signal::SIGUSR2);
        statsd.server.process.line_with("has taken over", 0);
    };
    let ways: [&dyn Fn(); 2] = [&killed, &upgraded];
    for way in ways {
        let before = child(master, "--gatewayd-admin");
        way();
        until("another admin process", || {
            child(master, "--gatewayd-admin").is_some_and(|pid| Some(pid) != before)
        });
        // What comes later is told, and no more.
        let (mut asked, mut told) = (0.0, 0.0);
        while told == 0.0 {
            assert_eq!(statsd.server.get("/version").status, 200);
            asked += 1.0;
            told += added();
        }
        assert!(told <= asked, "{told} of {asked}");
    }
}

/// Requests that cannot be taken for those of a moment.
const MANY: u32 = 1_000;

#[test]
fn a_master_that_does_not_turn_is_told() {
    let site = Site::serve(&["--workers", "1"]);
    let master = Pid::from_raw(site.server.process.pid());
    kill(master, Signal::SIGSTOP).unwrap();
    until("word of it", || site.status("/livez") == 503);
    let told = Client::get(&site.admin, "/livez");
    assert_eq!(told.text(), "the master process does not turn\n");
    assert_eq!(site.server.get("/version").status, 200);
    kill(master, Signal::SIGCONT).unwrap();
    until("a master that turns", || site.status("/livez") == 200);
    assert_eq!(site.server.stop().0, 0);
}

#[test]
fn health_is_told_while_the_server_boots() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let hook = format!("until [ -e '{}' ]; do sleep 0.05; done", gate.display());
    let mut command = gateway_tests::gatewayd::program();
    command
        .args(["--workers", "1", "--bind", "127.0.0.1:0"])
        .args(["--admin", "127.0.0.1:0", "--hook-boot", &hook])
        .arg(Artefacts::built().module("probe"));
    let process = Process::start(&mut command);
    let admin = admin_of(&process);
    until("word of the master", || {
        Client::get(&admin, "/status.json").status == 200
    });
    let ready = Client::get(&admin, "/readyz");
    assert_eq!((ready.status, ready.text()), (503, "booting\n"));
    assert_eq!(Client::get(&admin, "/livez").status, 200);
    let status = Client::get(&admin, "/status.json").json();
    assert_eq!(
        (&status["stage"], &status["ready"]),
        (&"booting".into(), &false.into())
    );
    fs::write(&gate, "").unwrap();
    until("a server that is ready", || {
        Client::get(&admin, "/readyz").status == 200
    });
    process.signal(Signal::SIGTERM);
    assert_eq!(process.end().0, 0);
}

#[test]
fn errors_of_workers_are_told_while_they_live_and_when_they_are_gone() {
    let site = Site::serve(&["--workers", "1"]);
    assert_eq!(site.server.get("/panic").status, 500);
    let told = || site.json()["errors"].to_string();
    until("the worker's error", || told().contains("panic in call"));
    assert!(told().contains("\"worker 1: "), "{}", told());
    end(site.server.workers()[0]);
    until("the master's error", || {
        told().contains("was ended by SIGKILL")
    });
    assert!(told().contains("panic in call"), "{}", told());
}

const ADMIN: &str = "admin at http://";
