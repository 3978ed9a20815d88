//! A server whose processes are killed at random under load: its counters only grow, nobody is left
//! behind, and after its master another one starts at once.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::address::Address;
use crate::artefacts::Artefacts;
use crate::client::{Client, get};
use crate::gatewayd::{Gatewayd, program_at};
use crate::load::{Connections, Load, Plan};
use crate::{DEADLINE, until};

/// What is to be done to a server.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// For how long its workers and its admin process are killed.
    pub time: Duration,
    pub workers: u32,
    /// What chance begins from; never 0.
    pub seed: u64,
}

/// What has come of it.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub workers_killed: u32,
    pub admins_killed: u32,
    /// Requests that were answered, and those whose connection broke.
    pub answered: u64,
    pub broken: usize,
    /// Answers that the server has counted.
    pub counted: u64,
    /// From the death of the master until the next one served.
    pub next_start: Duration,
    /// From then until nobody of before was left.
    pub cleared: Duration,
}

/// A server and where its figures are.
struct Site {
    server: Gatewayd,
    admin: Address,
    mark: String,
}

impl Chaos {
    /// Does it.
    ///
    /// # Panics
    /// When a counter falls, a process is left, or a server does not recover.
    #[must_use]
    pub fn run(&self, built: &Artefacts) -> Figures {
        let mut figures = Figures::default();
        let first = Site::start(built, self.workers, "127.0.0.1:0", "first");
        let kept = Load::start(&Plan {
            clients: 4,
            pace: Duration::from_millis(2),
            ..Plan::new(&first.server.address, get("/version"))
        });
        let fresh = Load::start(&Plan {
            clients: 2,
            connections: Connections::Fresh,
            ..Plan::new(&first.server.address, get("/sleep/20"))
        });
        kept.more(50);
        self.kill_at_random(&first, &mut figures);
        first.expect_all_well(self.workers);
        kept.more(50);
        let tallies = [kept.stop(), fresh.stop()];
        figures.answered = tallies.iter().map(|tally| tally.total()).sum();
        figures.broken = tallies.iter().map(|tally| tally.failures.len()).sum();
        // What a killed worker had counted stays. An answer is counted behind its last byte: of each that was
        // killed, one may have been read and not counted.
        let lost = u64::from(figures.workers_killed);
        until("the count of every answer", || {
            figures.counted = first.answers();
            figures.counted + lost >= figures.answered
        });
        self.kill_the_master(built, first, &mut figures);
        figures
    }

    fn kill_at_random(&self, site: &Site, figures: &mut Figures) {
        let mut chance = Chance(self.seed);
        let mut before = counters(&site.admin);
        let end = Instant::now() + self.time;
        while Instant::now() < end {
            let workers = site.server.workers();
            // An admin process that dies young is replaced a second later, and figures have to wait for that.
            let victim = match chance.below(6) {
                0 => site.admin_process().inspect(|_| figures.admins_killed += 1),
                _ if workers.is_empty() => None,
                _ => {
                    figures.workers_killed += 1;
                    Some(workers[chance.below(workers.len())])
                }
            };
            victim.into_iter().for_each(end_now);
            thread::park_timeout(Duration::from_millis(chance.below(PAUSE_MS) as u64));
            let now = counters(&site.admin);
            for (name, value) in &before {
                let then = now.get(name).unwrap_or_else(|| panic!("{name} is gone"));
                assert!(then >= value, "{name} was {value} and is {then}; {self:?}");
            }
            before = now;
        }
    }

    /// Another master starts where the killed one has listened, at once, and says that it is another.
    fn kill_the_master(&self, built: &Artefacts, mut first: Site, figures: &mut Figures) {
        let load = Load::start(&Plan {
            clients: 4,
            connections: Connections::Fresh,
            ..Plan::new(&first.server.address, get("/version"))
        });
        load.more(50);
        let started = first.started();
        let killed = Instant::now();
        first.server.process.signal(Signal::SIGKILL);
        let bind = first.server.address.to_string();
        let second = Site::start(built, self.workers, &bind, "second");
        figures.next_start = killed.elapsed();
        assert!(second.started() > started);
        load.more(50);
        until("the end of all who were there before", || {
            marked(&first.mark).is_empty()
        });
        figures.cleared = killed.elapsed();
        assert!(!first.server.process.wait().success());
        second.expect_all_well(self.workers);
        assert!(second.answers() < figures.counted);
        drop(load.stop());
        let Site { server, mark, .. } = second;
        assert_eq!(server.stop().0, 0);
        let left = marked(&mark);
        assert!(left.is_empty(), "{left:?} are left");
    }
}

impl Site {
    fn start(built: &Artefacts, workers: u32, bind: &str, name: &str) -> Self {
        let mark = format!("{MARK}={}-{name}", std::process::id());
        let mut command = program_at(built.program("gatewayd"));
        command
            .env(MARK, mark.split_once('=').map_or("", |(_, value)| value))
            .args(["--bind", bind, "--admin", "127.0.0.1:0", "--workers"])
            .arg(workers.to_string())
            .args(["--graceful-timeout", "2s"])
            .arg(built.module("probe"));
        let server = Gatewayd::start(&mut command);
        let line = server.process.line_with(ADMIN, 0);
        let address = line.split_once(ADMIN).map(|(_, address)| address.trim());
        let address = address.and_then(|address| address.parse().ok());
        Self {
            server,
            admin: Address::Tcp(address.expect("an address")),
            mark,
        }
    }

    /// Waits until each place is held by a worker that serves, and by no other process.
    fn expect_all_well(&self, workers: u32) {
        let mut seen = String::new();
        let end = Instant::now() + DEADLINE;
        loop {
            let status = Client::get(&self.admin, "/status.json").json();
            let rows = status["workers"].as_array().into_iter().flatten();
            let mut told: Vec<_> = rows.clone().filter_map(|one| one["pid"].as_i64()).collect();
            let ready = rows.filter(|one| one["state"] == "ready").count();
            let pids = self.server.workers().into_iter().map(i64::from);
            let mut there: Vec<_> = pids.collect();
            told.sort_unstable();
            there.sort_unstable();
            // The master, the admin process, and nobody else.
            let all = marked(&self.mark).len();
            if ready == workers as usize && told == there && all == ready + 2 {
                return;
            }
            seen.clone_from(&status.to_string());
            assert!(Instant::now() < end, "{there:?} of {all} processes: {seen}");
        }
    }

    /// All answers that were counted.
    fn answers(&self) -> u64 {
        let counters = counters(&self.admin).into_iter();
        let answers = counters.filter(|(name, _)| name.starts_with("gatewayd_requests_total"));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        answers.map(|(_, count)| count as u64).sum()
    }

    /// `process_start_time_seconds`.
    fn started(&self) -> f64 {
        samples(&self.admin)["process_start_time_seconds"]
    }

    fn admin_process(&self) -> Option<i32> {
        let mut others = children_of(self.server.process.pid()).into_iter();
        others.find(|pid| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split(|byte| *byte == 0).nth(1) == Some(b"--gatewayd-admin")
        })
    }
}

/// The counters that a server tells of at its admin address, by name and labels.
///
/// # Panics
/// When it does not.
#[must_use]
pub fn counters(admin: &Address) -> BTreeMap<String, f64> {
    let mut samples = samples(admin);
    let endings = ["_total", "_bucket", "_count"];
    samples.retain(|name, _| endings.iter().any(|part| name.contains(part)));
    samples
}

fn samples(admin: &Address) -> BTreeMap<String, f64> {
    let answer = Client::get(admin, "/metrics");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let samples = answer.text().lines().filter(|line| !line.starts_with('#'));
    let samples = samples.filter_map(|line| line.rsplit_once(' '));
    samples
        .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
        .collect()
}

fn children_of(master: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{master}/task/{master}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// The processes with this in their environment, whoever their parents are; none that has ended.
fn marked(mark: &str) -> Vec<i32> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has = |pid: &i32| {
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables
            .split(|byte| *byte == 0)
            .any(|one| one == mark.as_bytes())
    };
    pids.filter(has).collect()
}

fn end_now(pid: i32) {
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}

/// Numbers that look like chance, the same for the same beginning (Marsaglia's xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 32) % end as u64).unwrap_or_default()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workers_killed,
            admins_killed,
            answered,
            broken,
            counted,
            next_start,
            cleared,
        } = self;
        writeln!(
            f,
            "{workers_killed} workers and {admins_killed} admin processes killed: no counter fell"
        )?;
        writeln!(
            f,
            "{answered} answers, {broken} broken connections, {counted} answers counted"
        )?;
        write!(
            f,
            "the master killed: the next one served after {} ms, nobody of before was left after {} ms",
            next_start.as_millis(),
            cleared.as_millis()
        )
    }
}

/// Longest pause between two deaths, in milliseconds.
const PAUSE_MS: usize = 300;
/// What the log says before the admin address.
const ADMIN: &str = "admin at http://";
/// The variable by which processes are known.
const MARK: &str = "GATEWAY_TEST_CHAOS";
