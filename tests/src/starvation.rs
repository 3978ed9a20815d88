//! A server that reaches the limits of its control group: what it begins fails and is told, what runs
//! goes on.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::artefacts::Artefacts;
use crate::control_group::ControlGroup;
use crate::gatewayd::{Gatewayd, program_at, workers_of};
use crate::isolation::Isolation;
use crate::network::Network;
use crate::until;

/// A server in a group of its own, with what it needs to be reloaded.
struct Starved<'a> {
    server: Gatewayd,
    group: &'a ControlGroup,
    master: Pid,
}

/// Takes processes away: reloads and upgrades fail and say why, and succeed once there is room.
///
/// # Panics
/// When anything else happens.
///
/// # Errors
/// There is no such limit here.
pub fn without_processes(built: &Artefacts, isolation: &Isolation) -> Result<(), String> {
    let group = isolation.group.as_ref().ok_or("no control group")?;
    let starved = Starved::start(built, isolation, group);
    group.limit_tasks(group.tasks().ok_or("no count of processes")?)?;
    for signal in [Signal::SIGHUP, Signal::SIGUSR2, Signal::SIGTTIN] {
        let line = starved.expect(signal, "Resource temporarily unavailable");
        println!("  without another process, {signal}: {}", words(&line));
        starved.serves();
    }
    group.limit_tasks(1000)?;
    until("three workers", || starved.workers() == 3);
    starved.expect(Signal::SIGHUP, "all workers run generation");
    starved.expect(Signal::SIGUSR2, "all workers run generation");
    starved.stop();
    Ok(())
}

/// Takes memory away: the kernel kills the worker that wants more, which is told as such, and the
/// others serve.
///
/// # Panics
/// When anything else happens.
///
/// # Errors
/// There is no such limit here.
pub fn without_memory(built: &Artefacts, isolation: &Isolation) -> Result<(), String> {
    let group = isolation.group.as_ref().ok_or("no control group")?;
    group.limit_memory(256 << 20)?;
    let starved = Starved::start(built, isolation, group);
    let mut greedy = starved.server.connect();
    greedy.send("GET /hoard/1024 HTTP/1.1\r\nhost: test\r\n\r\n");
    let process = &starved.server.process;
    let line = process.line_with("by the kernel, for want of memory", 0);
    println!("  without memory: {}", words(&line));
    let said = process.said();
    assert!(said.contains("GET /hoard/1024"), "{said}");
    starved.serves();
    starved.expect(Signal::SIGHUP, "all workers run generation");
    starved.expect(Signal::SIGUSR2, "all workers run generation");
    starved.stop();
    Ok(())
}

impl<'a> Starved<'a> {
    fn start(built: &Artefacts, isolation: &Isolation, group: &'a ControlGroup) -> Self {
        let mut command = program_at(built.program("gatewayd"));
        let host = isolation.network.as_ref().map(Network::server);
        let host = host.map_or("127.0.0.1".to_owned(), |host| host.to_string());
        command
            .args(["--workers", "2", "--bind", &format!("{host}:0")])
            .args(["--linger", "0s"])
            .arg(built.module("probe"));
        let server = Gatewayd::start(&mut isolation.wrap(&command));
        Self {
            master: Pid::from_raw(isolation.master(&server)),
            server,
            group,
        }
    }

    fn expect(&self, signal: Signal, text: &str) -> String {
        let from = self.server.process.lines_so_far();
        kill(self.master, signal).expect("a master that lives");
        self.server.process.line_with(text, from)
    }

    fn workers(&self) -> usize {
        workers_of(self.master.as_raw()).len()
    }

    fn serves(&self) {
        for _ in 0..20 {
            assert_eq!(self.server.get("/version").status, 200);
        }
    }

    fn stop(self) {
        kill(self.master, Signal::SIGTERM).expect("a master that lives");
        let (code, said) = self.server.process.end();
        assert_eq!(code, 0, "{said}");
        let left = self.group.tasks();
        assert!(matches!(left, None | Some(0)), "{left:?} are left behind");
    }
}

/// A line of the log without time and process.
fn words(line: &str) -> &str {
    line.splitn(4, ' ').last().unwrap_or(line).trim()
}
