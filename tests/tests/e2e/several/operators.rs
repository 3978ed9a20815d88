//! Operators see each pool by itself, and can turn to one application or one pool alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gateway_tests::address::Address;
use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::client::{Client, get};
use gateway_tests::gatewayd::program;
use gateway_tests::{judges, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::Site;

const SITE: &str = "\
bind = '127.0.0.1:0'
workers = 2
linger = '200ms'
[[app]]
name = 'site'
path = 'probe.so'
[[app]]
name = 'shop'
path = 'shop.so'
mount = '/shop'
[[app]]
name = 'admin'
path = 'admin.so'
bind = 'unix:admin.sock'
workers = 1
";

/// The site, and what its operators use.
struct Observed {
    site: Site,
    /// Where metrics are.
    metrics: Address,
    own: Address,
}

impl Observed {
    fn serve() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let control = folder.path().join("control");
        let modules = [
            ("probe.so", "probe"),
            ("shop.so", "probe"),
            ("admin.so", "probe"),
        ];
        let arguments = [
            "--admin",
            "127.0.0.1:0",
            "--control",
            control.to_str().unwrap(),
        ];
        let mut site = Site::serve(SITE, &modules, &arguments);
        let line = site.server.process.line_with(ADMIN, 0);
        let (_, address) = line.split_once(ADMIN).unwrap();
        let metrics = Address::Tcp(address.trim().parse().unwrap());
        let own = Address::Unix(site.path("admin.sock"));
        site.more.push(folder);
        until("a server that is ready", || {
            Client::get(&metrics, "/readyz").status == 200
        });
        Self { site, metrics, own }
    }

    /// Runs `gatewayd ctl`: its exit status and what it says.
    fn ctl(&self, words: &[&str]) -> (i32, String) {
        let control = self.site.more[0].path().join("control");
        let ran = program()
            .arg("ctl")
            .args(words)
            .env("GATEWAYD_CONTROL", control)
            .output()
            .unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    fn status(&self) -> Value {
        let (code, said) = self.ctl(&["status", "--json"]);
        assert_eq!(code, 0, "{said}");
        let reply: Value = serde_json::from_str(&said).unwrap();
        reply["status"].clone()
    }

    fn metrics(&self) -> BTreeMap<String, f64> {
        judges::metrics(Client::get(&self.metrics, "/metrics").text(), "prometheus")
    }

    /// The processes of a pool's workers that serve, as the status has them.
    fn pids(&self, pool: &str) -> BTreeSet<i64> {
        let status = self.status();
        let workers = status["workers"].as_array().unwrap().iter();
        let own = workers.filter(|one| one["pool"] == pool && one["phase"] == "ready");
        own.map(|one| one["pid"].as_i64().unwrap()).collect()
    }
}

#[test]
fn each_pool_has_figures_of_its_own_through_deaths_and_upgrades() {
    let all = Observed::serve();
    for target in ["/version", "/shop/version", "/version"] {
        assert_eq!(all.site.get("a", target).status, 200);
    }
    assert_eq!(Client::get(&all.own, "/status/404").status, 404);
    let answers = |pool: &str, status: &str| {
        format!("gatewayd_requests_total{{method=GET,pool={pool},status={status}}}")
    };
    let expected = [
        (answers("site", "2xx"), 3.0),
        (answers("admin", "4xx"), 1.0),
    ];
    // An answer may be read before it is counted.
    let counted = || {
        let now = all.metrics();
        expected
            .iter()
            .all(|(name, count)| now.get(name) == Some(count))
    };
    until("four answers counted", counted);
    let now = all.metrics();
    assert_eq!(now["gatewayd_workers{pool=site,state=ready}"], 2.0);
    assert_eq!(now["gatewayd_workers_wanted{pool=admin}"], 1.0);
    let rows = now
        .keys()
        .filter(|name| name.starts_with("gatewayd_worker_connections{"));
    let named: BTreeSet<_> = rows
        .map(|name| {
            let mut labels = name.split([',', '{', '}']);
            let mut label = |of: &str| labels.find_map(|one| one.strip_prefix(of)).unwrap();
            (label("pool=").to_owned(), label("worker=").to_owned())
        })
        .collect();
    let status = all.status();
    let workers = status["workers"].as_array().unwrap().iter();
    let told = workers.map(|one| {
        (
            one["pool"].as_str().unwrap().to_owned(),
            one["id"].to_string(),
        )
    });
    let told: BTreeSet<_> = told.collect();
    assert_eq!(told.len(), 3, "{status}");
    assert_eq!(named, told);
    // Whoever dies, its pool keeps what it has counted.
    let admin = *all.pids("admin").first().unwrap();
    kill(
        Pid::from_raw(i32::try_from(admin).unwrap()),
        Signal::SIGKILL,
    )
    .unwrap();
    until("another worker", || {
        let now = all.pids("admin");
        now.len() == 1 && !now.contains(&admin)
    });
    assert!(counted());
    all.site.server.process.signal(Signal::SIGUSR2);
    all.site
        .server
        .process
        .line_with("all workers run generation", 0);
    until("the same after an upgrade", counted);
    let status = all.status();
    let pools: Vec<_> = status["pools"].as_array().unwrap().iter().collect();
    assert_eq!(pools[0]["name"], "site");
    assert_eq!(pools[0]["apps"].to_string(), r#"["site","shop"]"#);
    assert_eq!(
        (&pools[0]["workers_ready"], &pools[0]["requests"]),
        (&2.into(), &3.into())
    );
    assert_eq!(
        (&pools[1]["workers_wanted"], &pools[1]["requests"]),
        (&1.into(), &1.into())
    );
    let address = pools[1]["addresses"][0].as_str().unwrap();
    assert!(address.ends_with("admin.sock"), "{address}");
    let (_, said) = all.ctl(&["status"]);
    assert!(
        said.contains("site shop") && said.contains("pool "),
        "{said}"
    );
    let json = Client::get(&all.metrics, "/status.json").json();
    assert_eq!(json["pools"][0]["answered"], 3);
    assert_eq!(json["pools"][1]["apps"][0], "admin");
    let of_admin = |worker: &&Value| worker["pool"] == "admin";
    assert_eq!(
        json["workers"]
            .as_array()
            .unwrap()
            .iter()
            .filter(of_admin)
            .count(),
        1
    );
}

#[test]
fn one_application_is_loaded_anew_and_one_pool_scaled_by_name() {
    let all = Observed::serve();
    let (site, admin) = (all.pids("site"), all.pids("admin"));
    install(
        Artefacts::built().module("hello"),
        &all.site.path("admin.so"),
    );
    install(
        Artefacts::built().module("hello"),
        &all.site.path("shop.so"),
    );
    let (code, said) = all.ctl(&["reload", "--app", "admin", "--wait"]);
    assert_eq!((code, &*said), (0, "reload done, generation 2 serves\n"));
    until("the other application", || {
        Client::get(&all.own, "/").text() == "Hello, World!"
    });
    assert_eq!(all.pids("site"), site);
    assert!(all.pids("admin").is_disjoint(&admin));
    // The other file of the pool that is not asked for stays what it was.
    let (code, said) = all.ctl(&["reload", "--app", "site", "--wait", "--json"]);
    let reply: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &reply["operation"]["outcome"]), (0, &"done".into()));
    assert_eq!(all.site.get("a", "/shop/version").status, 200);
    assert!(all.pids("site").is_disjoint(&site));
    fs::write(all.site.path("shop.so"), "no program").unwrap();
    let before = all.pids("site");
    let (code, said) = all.ctl(&["reload", "--app", "shop", "--wait"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("shop.so"), "{said}");
    assert_eq!(all.pids("site"), before);
    let (code, said) = all.ctl(&["reload", "--app", "shpo"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("there is no application shpo; there are site, shop, admin"),
        "{said}"
    );
    // Either name means the workers that load it.
    assert_eq!(all.ctl(&["scale", "3", "--app", "admin"]).0, 0);
    until("three workers", || all.pids("admin").len() == 3);
    assert_eq!(all.ctl(&["scale", "1", "--app", "shop"]).0, 0);
    until("one worker", || all.pids("site").len() == 1);
    assert_eq!(all.ctl(&["scale", "2", "--pool", "admin", "--json"]).0, 0);
    until("two workers", || all.pids("admin").len() == 2);
    // Without a name it is about the server's own addresses.
    assert_eq!(all.ctl(&["scale", "2"]).0, 0);
    until("two workers", || {
        all.pids("site").len() == 2 && all.pids("admin").len() == 2
    });
    let (code, said) = all.ctl(&["scale", "2", "--pool", "other"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no application other"), "{said}");
    let (code, said) = all.ctl(&["scale", "2", "--pool", "admin", "--app", "admin"]);
    assert_eq!(code, 2, "{said}");
    let wanted = all.status()["pools"].as_array().unwrap().clone();
    let wanted: Vec<_> = wanted
        .iter()
        .map(|pool| pool["workers_wanted"].as_u64())
        .collect();
    assert_eq!(wanted, [Some(2), Some(2)]);
}

#[test]
fn requests_in_flight_are_told_with_their_age_and_without_their_query() {
    let all = Observed::serve();
    let mut waits = all.site.server.connect();
    waits.send(get("/shop/sleep/60000?token=secret"));
    let mut hangs = Client::connect(&all.own);
    hangs.send(get("/block/60000?token=secret"));
    let told = || {
        all.status()["requests_in_flight"]
            .as_array()
            .unwrap()
            .clone()
    };
    until("both requests", || told().len() == 2);
    until("some age", || {
        told()
            .iter()
            .any(|one| one["age_seconds"].as_f64() > Some(0.2))
    });
    let now = told();
    // Of one that has not come back from its first call nobody knows the age: it stands first.
    assert_eq!(
        (&now[0]["method"], &now[0]["path"]),
        (&"GET".into(), &"/block/60000".into())
    );
    assert_eq!(
        (&now[0]["running"], &now[0]["age_seconds"]),
        (&true.into(), &Value::Null)
    );
    assert_eq!(
        (&now[1]["app"], &now[1]["path"]),
        (&"shop".into(), &"/shop/sleep/60000".into())
    );
    assert_eq!(now[1]["running"], false);
    assert!(now[1]["id"].as_str().unwrap().contains('-'));
    let (_, said) = all.ctl(&["status"]);
    assert!(said.contains("shop: GET /shop/sleep/60000"), "{said}");
    assert!(
        said.contains("GET /block/60000") && !said.contains("secret"),
        "{said}"
    );
    let json = Client::get(&all.metrics, "/status.json");
    assert!(!json.text().contains("secret"));
    let json = json.json();
    assert_eq!(json["requests_in_flight"][0]["path"], "/block/60000");
    assert_eq!(json["requests_in_flight"][1]["app"], "shop");
    drop((waits, hangs));
    all.site.server.process.signal(Signal::SIGQUIT);
    assert_eq!(all.site.server.process.end().0, 0);
}

const ADMIN: &str = "admin at http://";
