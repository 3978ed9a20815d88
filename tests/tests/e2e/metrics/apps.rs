//! What applications count is what operators read, whoever dies and whatever is asked for.

use std::collections::BTreeMap;
use std::fs;

use gateway_tests::artefacts::{self, Artefacts, install};
use gateway_tests::client::Client;
use gateway_tests::gatewayd::{Gatewayd, program, program_at};
use gateway_tests::{judges, until};
use nix::sys::signal::Signal;

use super::{Site, Statsd, end, weight};

/// Asks each of two applications' servers `count` times for an order of this size.
fn order(site: &Site, target: &str, count: usize) {
    for _ in 0..count {
        assert_eq!(site.server.get(target).text(), "kept");
    }
}

fn expect(samples: &BTreeMap<String, f64>, name: &str, value: f64) {
    assert_eq!(samples.get(name), Some(&value), "{name}: {samples:?}");
}

#[test]
fn what_applications_count_survives_workers_reloads_and_upgrades() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("gatewayd");
    install(Artefacts::built().program("gatewayd"), &binary);
    let mut command = program_at(&binary);
    let arguments = [
        "--bind",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--workers",
        "2",
    ];
    command
        .args(arguments)
        .arg(Artefacts::built().module("probe"));
    let site = Site::of(Gatewayd::start(&mut command));
    order(&site, "/metered/3", 4);
    order(&site, "/metered/ann/30", 1);
    let open = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n";
    let open = Client::fetch(&site.admin, open).text().to_owned();
    for samples in [site.metrics(), judges::metrics(&open, "openmetrics")] {
        expect(&samples, "orders_total{}", 5.0);
        expect(&samples, "queue_depth{}", 5.0);
        expect(&samples, "order_size_bucket{le=1.0}", 0.0);
        expect(&samples, "order_size_bucket{le=10.0}", 4.0);
        expect(&samples, "order_size_bucket{le=+Inf}", 5.0);
        expect(&samples, "order_size_sum{}", 42.0);
        expect(&samples, "waited_seconds_count{customer=ann}", 1.0);
        expect(&samples, "waited_seconds_sum{customer=ann}", 0.05);
        assert!(samples.contains_key("orders is a counter"), "{samples:?}");
    }
    // Counters stay when a worker dies; what there was of it at the time is gone.
    for pid in site.server.workers() {
        end(pid);
    }
    until("no gauge of the dead", || {
        site.metrics().get("queue_depth{}") == Some(&0.0)
    });
    expect(&site.metrics(), "orders_total{}", 5.0);
    order(&site, "/metered/3", 1);
    let from = site.server.process.lines_so_far();
    site.server.process.signal(Signal::SIGHUP);
    site.server
        .process
        .line_with("all workers run generation 2", from);
    order(&site, "/metered/3", 1);
    expect(&site.metrics(), "orders_total{}", 7.0);
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
    order(&site, "/metered/3", 1);
    let samples = site.metrics();
    expect(&samples, "orders_total{}", 8.0);
    expect(&samples, "order_size_count{}", 8.0);
    expect(&samples, "order_size_sum{}", 51.0);
    // The sheets of those who have left serve those who came: there are no more of them than workers.
    assert_eq!(site.server.stop().0, 0);
}

#[test]
fn applications_of_one_server_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Artefacts::built().module("probe").display();
    let text = format!(
        "bind = '127.0.0.1:0'\nworkers = 1\nadmin = '127.0.0.1:0'\n\
         [[app]]\nname = 'shop'\npath = '{probe}'\nmount = '/shop'\n\
         [[app]]\nname = 'bank'\npath = '{probe}'\nmount = '/bank'\n"
    );
    let file = folder.path().join("g.toml");
    fs::write(&file, text).unwrap();
    let site = Site::of(Gatewayd::start(program().arg("--config").arg(file)));
    order(&site, "/shop/metered/1", 2);
    order(&site, "/bank/metered/1", 1);
    let samples = site.metrics();
    expect(&samples, "orders_total{app=shop}", 2.0);
    expect(&samples, "orders_total{app=bank}", 1.0);
}

#[test]
fn without_anybody_who_reads_them_or_with_no_room_applications_have_no_metrics() {
    let probe = Artefacts::built().module("probe");
    let server = Gatewayd::serve(probe, &["--workers", "1"]);
    assert_eq!(server.get("/metered/1").text(), "not kept");
    let site = Site::serve(&["--workers", "1", "--metric-series", "0"]);
    assert_eq!(site.server.get("/metered/1").text(), "not kept");
    // Room for the first three that the probe asks for.
    let site = Site::serve(&["--workers", "1", "--metric-series", "3"]);
    order(&site, "/metered/ann/1", 1);
    site.server
        .process
        .line_with("metric waited_seconds is not kept: there are too many", 0);
    expect(&site.metrics(), "order_size_count{}", 1.0);
    assert!(
        !site
            .metrics()
            .contains_key("waited_seconds_count{customer=ann}")
    );
}

#[test]
fn what_an_application_asks_for_never_hurts_the_exposition() {
    let folder = tempfile::tempdir().unwrap();
    let module = artefacts::hostile(&["meter"], &["-DHOSTILE_METRICS"], folder.path());
    let arguments = ["--workers", "1", "--admin", "127.0.0.1:0"];
    let site = Site::of(Gatewayd::serve(&module, &arguments));
    let play = |kind: &str| {
        let answer = site.server.get(&format!("/metrics/{kind}"));
        assert_eq!((answer.status, answer.text()), (200, "done"), "{kind}");
        site.server.get("/notes").text().to_owned()
    };
    let notes = play("grammar");
    let (invalid, ready): (Vec<_>, Vec<_>) = notes.lines().partition(|line| line.ends_with("-3"));
    assert_eq!(
        ready,
        ["sizes 0", "sizes_sum key 0", "odd key 0"],
        "{notes}"
    );
    assert_eq!(invalid.len(), 15, "{notes}");
    let samples = site.metrics();
    expect(&samples, "sizes_bucket{le=1.0}", 1.0);
    expect(&samples, "sizes_count{}", 1.0);
    expect(&samples, "odd{key=\"} 1\nforged_total 1\n\\}", -1.5e300);
    assert!(
        !samples.keys().any(|name| name.starts_with("forged")),
        "{samples:?}"
    );
    assert!(!samples.contains_key("sizes_sum{key=x}"), "{samples:?}");
    // Three are there already.
    assert!(play("flood").contains("flood 997 kept 4003 refused"));
    assert_eq!(site.metrics().len() - samples.len(), 998);
    // Whatever stands where the metrics were, the server's own are right, and all of it is Prometheus'.
    let answers = site.metrics()["gatewayd_requests_total{method=GET,pool=hostile,status=2xx}"];
    for seed in 0..8 {
        play(&format!("scribble/{seed}"));
        site.metrics();
    }
    assert!(play("scribble/0").contains("scribbled 1"));
    let after = site.metrics()["gatewayd_requests_total{method=GET,pool=hostile,status=2xx}"];
    assert_eq!((after - answers).to_bits(), 18_f64.to_bits());
    // Another worker goes on where nothing can be read, and counts.
    end(site.server.workers()[0]);
    until("another worker", || site.status("/readyz") == 200);
    play("grammar");
    expect(&site.metrics(), "sizes_count{}", 1.0);
}

#[test]
fn statsd_is_told_what_applications_count() {
    let statsd = Statsd::serve(&[]);
    for _ in 0..2 {
        assert_eq!(statsd.server.get("/metered/a:b|c/1").text(), "kept");
    }
    let mut totals: BTreeMap<String, f64> = BTreeMap::new();
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    let wanted = [
        "queue_depth",
        "orders",
        "waited_seconds_count.a_b_c",
        "waited_seconds.a_b_c",
    ];
    let wanted = wanted.map(|name| format!("gatewayd.{name}"));
    while !wanted.iter().all(|name| totals.get(name) == Some(&2.0)) {
        for (name, value, kind) in statsd.hear() {
            let total = totals.entry(name.clone()).or_default();
            *total = match kind.split('|').next() {
                Some("c") => *total + value,
                Some("ms") => *total + weight(&kind),
                _ => value,
            };
            kinds.insert(name, kind);
        }
    }
    assert!(
        kinds["gatewayd.waited_seconds.a_b_c"].starts_with("ms"),
        "{kinds:?}"
    );
}
