//! An application with addresses of its own has workers, an environment and a user of its own.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use gateway_tests::DEADLINE;
use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::run;
use gateway_tests::websocket::{self, Frame, Sent, opcode};
use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};

use super::Site;

const SITE: &str = "\
bind = '127.0.0.1:0'
workers = 2
linger = '200ms'
env = ['SHARED=server']
[[app]]
name = 'site'
path = 'probe.so'
[[app]]
name = 'shop'
path = 'probe.so'
mount = '/shop'
[[app]]
name = 'admin'
path = 'probe.so'
bind = 'unix:admin.sock'
workers = 1
env = ['ONLY_ADMIN=yes']
config.which = 'admin'
[[app]]
name = 'ws'
path = 'ws.so'
bind = 'unix:admin.sock'
mount = '/ws'
[[app]]
name = 'other'
path = 'probe.so'
bind = ['unix:other.sock']
config.which = 'other'
";

fn site(text: &str) -> Site {
    let modules = [("probe.so", "probe"), ("ws.so", "websocket-echo")];
    Site::serve(text, &modules, &["--log-level", "debug"])
}

impl Site {
    fn unix(&self, name: &str) -> Address {
        Address::Unix(self.path(name))
    }

    fn ask(&self, socket: &str, target: &str) -> String {
        Client::get(&self.unix(socket), target).text().to_owned()
    }

    /// The workers that answer there, so many of them if one asks for long enough.
    fn pids(&self, address: &Address, target: &str, workers: usize) -> BTreeSet<String> {
        let mut pids = BTreeSet::new();
        let deadline = Instant::now() + DEADLINE;
        for asked in 0.. {
            if asked >= 20 && (pids.len() >= workers || Instant::now() > deadline) {
                break;
            }
            pids.insert(Client::get(address, target).text().to_owned());
        }
        assert_eq!(pids.len(), workers, "{address:?} {target}: {pids:?}");
        pids
    }
}

#[test]
fn an_application_with_an_address_of_its_own_has_workers_and_variables_of_its_own() {
    let site = site(SITE);
    assert_eq!(site.server.workers().len(), 2 + 1 + 2);
    let main = site.pids(&site.server.address, "/pid", 2);
    assert_eq!(site.pids(&site.server.address, "/shop/pid", 2), main);
    let admin = site.pids(&site.unix("admin.sock"), "/pid", 1);
    let other = site.pids(&site.unix("other.sock"), "/pid", 2);
    assert!(main.is_disjoint(&admin) && main.is_disjoint(&other) && admin.is_disjoint(&other));
    // Neither knows the others' places.
    assert_eq!(
        Client::get(&site.unix("other.sock"), "/shop/pid").status,
        404
    );
    assert_eq!(site.ask("admin.sock", "/startup"), "\nwhich=admin");
    assert_eq!(site.ask("other.sock", "/startup"), "\nwhich=other");
    let admins = site.ask("admin.sock", "/environment");
    let theirs = site.get("a", "/environment");
    let has = |text: &str, name: &str| text.lines().any(|line| line == name);
    assert!(has(&admins, "ONLY_ADMIN") && !has(theirs.text(), "ONLY_ADMIN"));
    assert!(has(theirs.text(), "SHARED"));
    let mut client = websocket::open(&site.unix("admin.sock"), "/ws/echo", "");
    client.send(Sent::new(opcode::TEXT, "tea").bytes());
    assert_eq!(Frame::read(&mut client).unwrap().unwrap().payload, b"tea");
    drop(client);
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("5 workers ready"), "{said}");
}

#[test]
fn reload_upgrade_and_signals_reach_every_pool_and_a_death_only_its_own() {
    let site = site(SITE);
    for (signal, end) in [
        (Signal::SIGHUP, "all workers run generation 2"),
        (Signal::SIGUSR2, "all workers run generation 3"),
    ] {
        site.server.process.signal(signal);
        site.server.process.line_with(end, 0);
        assert_eq!(site.ask("admin.sock", "/startup"), "\nwhich=admin");
        assert_eq!(site.ask("other.sock", "/startup"), "\nwhich=other");
        assert_eq!(site.get("a", "/shop/status/205").status, 205);
    }
    site.server.process.signal(Signal::SIGTTIN);
    site.server.process.line_with("3 workers from now on", 0);
    let before = site.server.process.lines_so_far();
    let mut client = Client::connect(&site.unix("admin.sock"));
    client.send("GET /abort HTTP/1.1\r\nHost: a\r\n\r\n");
    client.expect_end();
    site.server
        .process
        .line_with("was at admin: GET /abort", before);
    assert_eq!(site.ask("admin.sock", "/startup"), "\nwhich=admin");
    // Pools come, change and go with the configuration.
    let text = SITE
        .replace("workers = 1\n", "workers = 3\n")
        .replace("unix:other.sock", "unix:third.sock");
    super::write(site.folder.path(), &text);
    site.server.process.signal(Signal::SIGHUP);
    site.server
        .process
        .line_with("admin: 3 workers from now on", 0);
    site.server
        .process
        .line_with("all workers run generation 4", 0);
    assert_eq!(site.ask("third.sock", "/startup"), "\nwhich=other");
    assert!(!site.path("other.sock").exists());
    let only = SITE.split("[[app]]\nname = 'admin'").next().unwrap();
    super::write(site.folder.path(), only);
    site.server.process.signal(Signal::SIGHUP);
    site.server
        .process
        .line_with("all workers run generation 5", 0);
    assert!(!site.path("admin.sock").exists() && !site.path("third.sock").exists());
    site.until("/shop/status/205", 205);
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn an_application_that_is_loaded_anew_alone_leaves_other_pools_their_workers() {
    let text = SITE.replace("'other'\npath = 'probe.so'", "'other'\npath = 'other.so'");
    let modules = [
        ("probe.so", "probe"),
        ("ws.so", "websocket-echo"),
        ("other.so", "probe"),
    ];
    let site = Site::serve(&format!("reload = true\n{text}"), &modules, &[]);
    let (main, admin) = (site.server.address.clone(), site.unix("admin.sock"));
    let before = site.server.workers().into_iter();
    let before: BTreeSet<String> = before.map(|pid| pid.to_string()).collect();
    install(Artefacts::built().module("hello"), &site.path("other.so"));
    site.server
        .process
        .line_with("loading other anew, generation 2", 0);
    site.server
        .process
        .line_with("all workers run generation 2", 0);
    // No worker of before answers anybody new.
    for _ in 0..20 {
        assert_eq!(site.ask("other.sock", "/"), "Hello, World!");
    }
    assert!(site.pids(&main, "/pid", 2).is_subset(&before));
    assert!(site.pids(&admin, "/pid", 1).is_subset(&before));
    // A worker that is started later has the newest of each.
    site.server.process.signal(Signal::SIGTTIN);
    site.server.process.line_with("3 workers from now on", 0);
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn what_only_workers_of_its_own_could_have_is_refused_without_an_address_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    std::os::unix::fs::symlink(
        Artefacts::built().module("probe"),
        folder.path().join("p.so"),
    )
    .unwrap();
    let text = "bind = '127.0.0.1:1'\n[[app]]\npath = 'p.so'\nworkers = 3\n\
                [[app]]\nname = 'b'\npath = 'p.so'\nbind = '127.0.0.1:1'\nworkers = 0\n\
                [[app]]\nname = 'c'\npath = 'p.so'\nbind = '127.0.0.1:2'\nnice = 3\n\
                [[app]]\nname = 'd'\npath = 'p.so'\nmount = '/d'\nbind = '127.0.0.1:2'\nnice = 4\n\
                [[app]]\nname = 'e'\npath = 'p.so'\nbind = 'systemd'\nuser = 'nobody-of-that-name'\n";
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let (code, said) = run(&["check-config", "--config", file]);
    assert_eq!(code, 2, "{said}");
    let said = said.replace(file, "FILE");
    for expected in [
        "FILE:4: app.workers: expected a bind of the application's own beside it, found none",
        "FILE:9: workers: expected at least 1, found 0, which is one process",
        "FILE:8: app.bind: expected an address that is all shared, or all an application's own, found \
         127.0.0.1:1, which the server has too",
        "FILE:20: app.nice: expected the same as the application that shares its bind, found another than at \
         FILE:14",
        "FILE:24: bind: expected addresses, or sockets by number, found all sockets of systemd's",
        "FILE:25: user: expected",
    ] {
        assert!(said.contains(expected), "no {expected:?} in {said}");
    }
}

#[test]
fn a_pool_runs_as_a_user_of_its_own_and_the_others_do_not() {
    let text = SITE.replace("workers = 1\n", "workers = 1\nuser = 'nobody'\n");
    if !geteuid().is_root() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.toml");
        fs::write(&file, text).unwrap();
        let (code, said) = run(&["check-config", "--config", file.to_str().unwrap()]);
        assert!(
            code == 2 && said.contains("user: expected to be root"),
            "{said}"
        );
        return;
    }
    let site = site(&text);
    let user = |socket: &str| {
        let status = fs::read_to_string(format!("/proc/{}/status", site.ask(socket, "/pid")));
        let status = status.unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .unwrap();
        line.split_whitespace()
            .next()
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    let nobody = User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    assert_eq!((user("admin.sock"), user("other.sock")), (nobody, 0));
}
