//! How evenly workers share connections, and how many of them each newcomer wakes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::thread;

use crate::address::Address;
use crate::client::{Client, get};
use crate::gatewayd::{Gatewayd, program_at};

/// What was measured with so many workers.
#[derive(Debug)]
pub struct Evenness {
    pub workers: u32,
    /// Connections of the worker that has most, against the mean.
    pub kept: f64,
    /// The same for connections of one request, many at once.
    pub fresh: f64,
    /// Times that all workers together were woken for one connection with one request, while nothing
    /// else happened.
    pub woken: f64,
}

impl Evenness {
    /// Measures it on a server of its own: this program with the probe.
    ///
    /// # Panics
    /// When the server fails a request.
    #[must_use]
    pub fn measure(program: &Path, probe: &Path, workers: u32) -> Self {
        let mut command = program_at(program);
        command
            .args(["--bind", "127.0.0.1:0", "--workers", &workers.to_string()])
            .arg(probe);
        let server = Gatewayd::start(&mut command);
        // Warm, so that what happens once is not measured.
        let _warm = fresh(&server.address, workers as usize * 8);
        let before = switches(&server);
        for _ in 0..ALONE {
            assert_eq!(server.get("/version").status, 200);
        }
        let woken = (switches(&server) - before) as f64 / f64::from(ALONE);
        let fresh = unevenness(&fresh(&server.address, FRESH_EACH), workers);
        let count = workers as usize * KEPT_EACH;
        let mut clients: Vec<Client> = (0..count).map(|_| server.connect()).collect();
        let mut kept = BTreeMap::new();
        for client in &mut clients {
            *kept.entry(pid_from(client)).or_default() += 1;
        }
        drop(clients);
        assert_eq!(server.stop().0, 0);
        Self {
            workers,
            kept: unevenness(&kept, workers),
            fresh,
            woken,
        }
    }
}

impl fmt::Display for Evenness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workers,
            kept,
            fresh,
            woken,
        } = self;
        write!(
            f,
            "{workers:2} workers: most loaded against the mean {kept:.2} (kept connections), {fresh:.2} \
             (new ones); {woken:.1} wake-ups a lone connection"
        )
    }
}

/// Answers by worker, to clients that connect for each request.
fn fresh(address: &Address, each: usize) -> BTreeMap<u32, u64> {
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let address = address.clone();
            thread::spawn(move || {
                let mut by_worker = BTreeMap::<u32, u64>::new();
                for _ in 0..each {
                    let mut client = Client::connect(&address);
                    *by_worker.entry(pid_from(&mut client)).or_default() += 1;
                }
                by_worker
            })
        })
        .collect();
    let mut all = BTreeMap::new();
    for client in clients {
        for (pid, count) in client.join().expect("clients do not panic") {
            *all.entry(pid).or_default() += count;
        }
    }
    all
}

fn pid_from(client: &mut Client) -> u32 {
    client.send(get("/pid"));
    client.response().text().parse().expect("a process number")
}

fn unevenness(by_worker: &BTreeMap<u32, u64>, workers: u32) -> f64 {
    let most = by_worker.values().max().copied().unwrap_or_default() as f64;
    let sum: u64 = by_worker.values().sum();
    most * f64::from(workers) / sum as f64
}

/// How often the workers' event loops have gone to sleep.
fn switches(server: &Gatewayd) -> u64 {
    let of = |pid: &i32| -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/task/{pid}/status"));
        let status = status.expect("a worker that lives");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.expect("a count").trim().parse().expect("a number")
    };
    server.workers().iter().map(of).sum()
}

/// Connections opened one after the other, nobody else about.
const ALONE: u32 = 500;
/// Clients that connect anew for each request.
const CLIENTS: usize = 32;
/// Requests of each of those.
const FRESH_EACH: usize = 200;
/// Kept connections for each worker.
const KEPT_EACH: usize = 50;
