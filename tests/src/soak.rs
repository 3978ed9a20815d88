//! A server under steady load while its operator does everything that operators do to one: reloads,
//! upgrades, more workers, fewer workers. Whatever is lost shows up in the figures.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::address::Address;
use crate::artefacts::{Artefacts, install, root};
use crate::client::{get, post};
use crate::control_group::ControlGroup;
use crate::gatewayd::{Gatewayd, program_at};
use crate::isolation::Isolation;
use crate::load::{Connections, Load, Plan, Tally};
use crate::network::Network;
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
    /// Times the whole server is stopped for longer than its `--worker-timeout`, as a paused container
    /// is; only where it has a control group.
    pub pauses: u32,
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
    Pause,
}

impl Soak {
    /// Does all of it, the deeds spread evenly over the requests, each one's effect awaited.
    ///
    /// # Panics
    /// When an effect does not come.
    #[must_use]
    pub fn run(&self, built: &Artefacts, isolation: Option<&Isolation>) -> Figures {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let site = Site::new(built, folder.path());
        let network = isolation.and_then(|one| one.network.as_ref());
        let host = network.map_or(Ipv4Addr::LOCALHOST, Network::server);
        let mut command = program_at(&site.program);
        command
            .args(["--bind", &format!("{host}:0"), "--log-level", "debug"])
            .args(["--workers", &self.workers.to_string()])
            .args(&self.arguments)
            .arg(&site.app);
        if let Some(isolation) = isolation {
            command = isolation.wrap(&command);
        }
        let server = Gatewayd::start(&mut command);
        let operator = Operator {
            master: isolation.map_or(server.process.pid(), |one| one.master(&server)),
            group: isolation.and_then(|one| one.group.as_ref()),
            site,
            server: &server,
        };
        let nginx = Nginx::start(&server.address, folder.path());
        let before = Instant::now();
        let sources = network.map_or_else(loopback_sources, Network::sources);
        let loads = self.loads(&server.address, &nginx.address, &sources);
        let deeds = self.deeds();
        let share = self.requests / loads.len() as u64 / (deeds.len() as u64 + 1);
        for (number, deed) in deeds.iter().enumerate() {
            for (_, load) in &loads {
                let goal = share * (number as u64 + 1);
                load.until("steady answers", |tally| tally.total() >= goal);
            }
            operator.perform(*deed);
        }
        for (_, load) in &loads {
            let goal = self.requests.div_ceil(loads.len() as u64);
            load.until("last answers", |tally| tally.total() >= goal);
        }
        let loads = loads
            .into_iter()
            .map(|(name, load)| (name, load.stop()))
            .collect();
        let took = before.elapsed();
        operator.signal(Signal::SIGTERM);
        Figures {
            loads,
            took,
            complaints: complaints(&nginx),
            end: server.process.end(),
        }
    }

    fn loads(
        &self,
        direct: &Address,
        nginx: &Address,
        sources: &[IpAddr],
    ) -> Vec<(&'static str, Load)> {
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
            sources: sources.to_owned(),
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
        spread(self.pauses, |_| Deed::Pause);
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
    /// What the program is replaced with.
    newest: PathBuf,
}

/// Who does things to a running server.
struct Operator<'a> {
    site: Site,
    server: &'a Gatewayd,
    /// The master's number.
    master: i32,
    group: Option<&'a ControlGroup>,
}

impl Site {
    fn new(built: &Artefacts, folder: &Path) -> Self {
        let target = root().join("target/another");
        let target = target.to_str().expect("a path of UTF-8");
        let flags = ["-p", "probe", "--target-dir", target];
        let another = Artefacts::build(&flags, &[("PROBE_VERSION", "another")]);
        let site = Self {
            program: folder.join("gatewayd"),
            app: folder.join("app.so"),
            builds: [built, &another].map(|built| built.module("probe").to_owned()),
            newest: built.program("gatewayd").to_owned(),
        };
        install(&site.newest, &site.program);
        install(&site.builds[0], &site.app);
        site
    }
}

impl Operator<'_> {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.master), signal).expect("a master that lives");
    }

    fn perform(&self, deed: Deed) {
        let (site, server) = (&self.site, self.server);
        let process = &server.process;
        let from = process.lines_so_far();
        match deed {
            Deed::Reload => {
                let old = server.get("/version").text().to_owned();
                let new = usize::from(old == "unset");
                install(&site.builds[new], &site.app);
                self.signal(Signal::SIGHUP);
                process.line_with("all workers run generation", from);
                // The last worker to retire may not have heard of it yet.
                until("new version", || server.get("/version").text() != old);
            }
            Deed::Upgrade => {
                install(&site.newest, &site.program);
                self.signal(Signal::SIGUSR2);
                process.line_with("all workers run generation", from);
            }
            Deed::More => {
                self.signal(Signal::SIGTTIN);
                process.line_with("workers from now on", from);
                process.line_with("is ready at place", from);
            }
            Deed::Fewer => {
                self.signal(Signal::SIGTTOU);
                process.line_with("workers from now on", from);
                process.line_with("is done", from);
            }
            Deed::Pause => {
                let Some(group) = self.group.filter(|group| group.freeze().is_ok()) else {
                    return;
                };
                thread::park_timeout(PAUSE);
                group.thaw();
                process.line_with("was held up for", from);
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
        assert_eq!(self.loud(), None, "{said}");
    }

    /// The first line of the log that tells of an error, or of a worker that did not end by itself.
    #[must_use]
    pub fn loud(&self) -> Option<&str> {
        let signs = ["ERROR", "is stuck", "was ended by", "exited with"];
        let is_loud = |line: &&str| signs.iter().any(|sign| line.contains(sign));
        self.end.1.lines().find(is_loud)
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
             workers recycled, {} pauses",
            told("all workers run generation"),
            told("has taken over"),
            told("workers from now on"),
            self.recycled(),
            told("was held up for")
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
/// Longer than the `--worker-timeout` of who is paused.
const PAUSE: Duration = Duration::from_secs(3);

/// Addresses that clients connect from, so that they do not run out of ports.
fn loopback_sources() -> Vec<IpAddr> {
    let address = |last| IpAddr::V4(Ipv4Addr::new(127, 0, 1, last));
    (1..=8).map(address).collect()
}
