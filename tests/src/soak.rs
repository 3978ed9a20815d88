//! A server under steady load while its operator does everything that operators do to one: reloads,
//! upgrades, more workers, fewer workers. Whatever is lost shows up in the figures.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::address::Address;
use crate::artefacts::{Artefacts, install, root};
use crate::client::{get, post};
use crate::gatewayd::{Gatewayd, program_at};
use crate::load::{Connections, Load, Plan, Tally};
use crate::nginx::Nginx;
use crate::until;

/// How much of everything.
#[derive(Clone, Debug)]
pub struct Soak {
    pub workers: u32,
    /// Requests that are answered at least.
    pub requests: u64,
    /// Requests a second, of all clients together.
    pub rate: u32,
    /// Times the application is replaced and loaded anew.
    pub reloads: u32,
    /// Times the server's own program is replaced.
    pub upgrades: u32,
    /// Times a worker is added or taken away.
    pub scalings: u32,
    /// More arguments for the server.
    pub arguments: Vec<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Figures {
    /// One for each kind of client.
    pub loads: Vec<(&'static str, Tally)>,
    pub took: Duration,
    /// What nginx had to complain of.
    pub complaints: Vec<String>,
    /// The exit code of the server after TERM, and everything it said.
    pub end: (i32, String),
}

/// What an operator does next.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Reload,
    Upgrade,
    More,
    Fewer,
}

impl Soak {
    /// Does all of it, the deeds spread evenly over the requests, each one's effect awaited.
    ///
    /// # Panics
    /// When an effect does not come.
    #[must_use]
    pub fn run(&self) -> Figures {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let site = Site::new(folder.path());
        let mut command = program_at(&site.program);
        command
            .args(["--bind", "127.0.0.1:0", "--log-level", "debug"])
            .args(["--workers", &self.workers.to_string()])
            .args(&self.arguments)
            .arg(&site.app);
        let server = Gatewayd::start(&mut command);
        let nginx = Nginx::start(&server.address, folder.path());
        let before = Instant::now();
        let loads = self.loads(&server.address, &nginx.address);
        let deeds = self.deeds();
        let share = self.requests / loads.len() as u64 / (deeds.len() as u64 + 1);
        for (number, deed) in deeds.iter().enumerate() {
            for (_, load) in &loads {
                let goal = share * (number as u64 + 1);
                load.until("steady answers", |tally| tally.total() >= goal);
            }
            site.perform(*deed, &server);
        }
        for (_, load) in &loads {
            let goal = self.requests.div_ceil(loads.len() as u64);
            load.until("last answers", |tally| tally.total() >= goal);
        }
        let loads = loads
            .into_iter()
            .map(|(name, load)| (name, load.stop()))
            .collect();
        Figures {
            loads,
            took: before.elapsed(),
            complaints: complaints(&nginx),
            end: server.stop(),
        }
    }

    fn loads(&self, direct: &Address, nginx: &Address) -> Vec<(&'static str, Load)> {
        let body: Vec<u8> = (0..3000u32).map(|at| b'a' + (at % 26) as u8).collect();
        let kinds = [
            ("direct, kept", direct, Connections::Kept),
            ("direct, new", direct, Connections::Fresh),
            ("nginx, kept", nginx, Connections::Kept),
            ("nginx, new", nginx, Connections::Fresh),
        ];
        let plan = |address, connections| Plan {
            clients: CLIENTS,
            pace: Duration::from_secs(1) * (kinds.len() * 2 * CLIENTS) as u32 / self.rate,
            connections,
            sources: (1..=SOURCES)
                .map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 1, last)))
                .collect(),
            ..Plan::new(address, get("/version"))
        };
        let mut loads = Vec::new();
        for (name, address, connections) in kinds {
            let get = plan(address, connections);
            let post = Plan {
                request: post("/mirror", &body),
                expected: Some(body.clone()),
                ..get.clone()
            };
            loads.push((name, Load::start(&get)));
            loads.push((name, Load::start(&post)));
        }
        loads
    }

    /// All deeds, each kind spread evenly over the whole.
    fn deeds(&self) -> Vec<Deed> {
        let mut deeds = Vec::new();
        let mut spread = |count: u32, deed: fn(u32) -> Deed| {
            for number in 0..count {
                let place = (f64::from(number) + 0.5) / f64::from(count);
                deeds.push((place, deed(number)));
            }
        };
        spread(self.reloads, |_| Deed::Reload);
        spread(self.upgrades, |_| Deed::Upgrade);
        spread(self.scalings, |number| match number % 2 {
            0 => Deed::More,
            _ => Deed::Fewer,
        });
        deeds.sort_by(|one, other| one.0.total_cmp(&other.0));
        deeds.into_iter().map(|(_, deed)| deed).collect()
    }
}

/// The files that are replaced under the server.
struct Site {
    program: PathBuf,
    app: PathBuf,
    /// Builds of the application that can be told apart.
    builds: [PathBuf; 2],
}

impl Site {
    fn new(folder: &Path) -> Self {
        let target = root().join("target/another");
        let target = target.to_str().expect("a path of UTF-8");
        let flags = ["-p", "probe", "--target-dir", target];
        let another = Artefacts::build(&flags, &[("PROBE_VERSION", "another")]);
        let site = Self {
            program: folder.join("gatewayd"),
            app: folder.join("app.so"),
            builds: [Artefacts::built(), &another].map(|built| built.module("probe").to_owned()),
        };
        install(Artefacts::built().program("gatewayd"), &site.program);
        install(&site.builds[0], &site.app);
        site
    }

    fn perform(&self, deed: Deed, server: &Gatewayd) {
        let process = &server.process;
        let from = process.lines_so_far();
        match deed {
            Deed::Reload => {
                let old = server.get("/version").text().to_owned();
                let new = usize::from(old == "unset");
                install(&self.builds[new], &self.app);
                process.signal(Signal::SIGHUP);
                process.line_with("all workers run generation", from);
                // The last worker to retire may not have heard of it yet.
                until("new version", || server.get("/version").text() != old);
            }
            Deed::Upgrade => {
                install(Artefacts::built().program("gatewayd"), &self.program);
                process.signal(Signal::SIGUSR2);
                process.line_with("all workers run generation", from);
            }
            Deed::More => {
                process.signal(Signal::SIGTTIN);
                process.line_with("workers from now on", from);
                process.line_with("is ready at place", from);
            }
            Deed::Fewer => {
                process.signal(Signal::SIGTTOU);
                process.line_with("workers from now on", from);
                process.line_with("is done", from);
            }
        }
    }
}

impl Figures {
    /// Requests that were answered rightly.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.loads.iter().map(|(_, tally)| tally.total()).sum()
    }

    /// Workers that were replaced because they had reached a limit.
    #[must_use]
    pub fn recycled(&self) -> usize {
        self.end.1.matches(RECYCLED).count()
    }

    /// Everything that went wrong, with the kind of client that it happened to.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let of = |(name, tally): &(&str, Tally)| {
            let name = (*name).to_owned();
            let words = tally.failures.clone().into_iter();
            words.map(move |failure| format!("{name}: {failure}"))
        };
        let failures = self.loads.iter().flat_map(of);
        failures.chain(self.complaints.iter().cloned()).collect()
    }

    /// Asserts that nothing was lost and the server ended well.
    ///
    /// # Panics
    /// When anything was, with the first of it.
    pub fn expect_no_loss(&self) {
        let failures = self.failures();
        let first: Vec<_> = failures.iter().take(10).collect();
        let (code, said) = &self.end;
        assert!(first.is_empty(), "{self}\n{first:#?}\n{said}");
        assert_eq!(*code, 0, "{said}");
        let loud = said.lines().find(|line| line.contains("ERROR"));
        assert_eq!(loud, None, "{said}");
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answered, seconds) = (self.answered(), self.took.as_secs_f64());
        let rate = answered as f64 / seconds;
        writeln!(
            f,
            "{answered} answers in {seconds:.1} s, {rate:.0} a second"
        )?;
        let told = |what: &str| self.end.1.matches(what).count();
        writeln!(
            f,
            "{} generations, {} of them with a new program, {} changes of the number of workers, {} \
             workers recycled",
            told("all workers run generation"),
            told("has taken over"),
            told("workers from now on"),
            self.recycled()
        )?;
        for (name, tally) in &self.loads {
            writeln!(
                f,
                "{name}: {} answers {:?}, {} failures, {} kept connections ended while idle",
                tally.total(),
                tally.answers.values().collect::<Vec<_>>(),
                tally.failures.len(),
                tally.idle_ends
            )?;
        }
        write!(f, "nginx: {} complaints", self.complaints.len())
    }
}

/// What nginx logs of a failed upstream.
fn complaints(nginx: &Nginx) -> Vec<String> {
    let said = nginx.said();
    let bad = |line: &&str| line.contains("[error]") || line.contains("[crit]");
    said.lines().filter(bad).map(str::to_owned).collect()
}

/// What the log says of a worker that has reached a limit.
const RECYCLED: &str = "and will be replaced";
/// Clients of each kind.
const CLIENTS: usize = 6;
/// Addresses that clients connect from.
const SOURCES: u8 = 8;
