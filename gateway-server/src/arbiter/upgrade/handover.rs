//! The master's state as one program hands it to the next: `name=value` records that end with a NUL,
//! in a sealed memory file. The first names the version; records that a reader does not know are passed
//! over, so that a later program may add some.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::Pid;

use super::super::event::{Generation, WorkerId};
use super::super::recycling::Quota;
use super::super::roster::{Phase, Worker};
use super::super::state::Saved;
use crate::net::{Bind, LeftListener, ListenAddress};
use crate::scoreboard::Layout;

/// All that a new program needs to go on where the old one stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handover {
    /// Where the program is looked for at the next upgrade.
    pub(super) program: PathBuf,
    /// The master's clock, from which the deadlines count.
    pub(super) clock: Duration,
    /// Requests answered by workers that are gone.
    pub(super) requests: u64,
    /// What the arbiter knows.
    pub(super) state: Saved,
    /// Where the server listens, as it was asked to.
    pub(super) binds: Vec<Bind>,
    /// Its own listeners.
    pub(super) listeners: Vec<LeftListener<RawFd>>,
    /// The listeners that it was started with.
    pub(super) passed: Vec<PassedRecord>,
    /// The pid file and where it is.
    pub(super) pid_file: Option<(RawFd, PathBuf)>,
    /// The processes behind the workers.
    pub(super) processes: Vec<ProcessRecord>,
}

/// A listening socket that somebody else has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PassedRecord {
    /// The number that it was passed as.
    pub(super) number: RawFd,
    /// The descriptor that it is kept as.
    pub(super) socket: RawFd,
    /// What systemd calls it.
    pub(super) name: Option<String>,
}

/// A worker process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProcessRecord {
    pub(super) worker: WorkerId,
    pub(super) pid: Pid,
    pub(super) orders: RawFd,
    pub(super) page: RawFd,
    /// The number that the worker's copy of the application has there.
    pub(super) app: Option<RawFd>,
    pub(super) layout: Layout,
    /// Where it writes its access log.
    pub(super) log: Option<PathBuf>,
}

/// Why a state cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandoverError {
    /// It does not begin as a state does.
    #[error("expected the state of a running server, found other bytes")]
    Foreign,
    /// It was written by a program of another time.
    #[error("expected a server's state of version {VERSION}, found version {0}")]
    Version(String),
    /// A record does not hold what it should.
    #[error("the server's state: cannot read `{0}`")]
    Record(String),
    /// A record is not there.
    #[error("the server's state: `{0}` is missing")]
    Missing(&'static str),
}

impl Handover {
    /// The records.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Records(Vec::with_capacity(4096));
        let state = &self.state;
        out.put(HEADER, VERSION);
        out.put_bytes(PROGRAM, self.program.as_os_str().as_bytes());
        out.put(CLOCK, self.clock.as_nanos());
        out.put(REQUESTS, self.requests);
        out.put(CONFIGURED, state.configured);
        out.put(TARGET, state.target);
        if let Some(before) = state.rested {
            out.put(RESTED, before);
        }
        out.put(LAST_WORKER, state.last_worker);
        out.put(GENERATION, state.generation.0);
        if state.reload_wanted {
            out.put(WANTED, "reload");
        }
        if state.upgrade_wanted {
            out.put(WANTED, "upgrade");
        }
        for bind in &self.binds {
            out.put(BIND, bind);
        }
        for PassedRecord { number, socket, .. } in &self.passed {
            out.put(PASSED, format!("{number} {socket}"));
        }
        for one in &self.passed {
            if let Some(name) = &one.name {
                out.put(NAMED, format!("{} {name}", one.number));
            }
        }
        for one in &self.listeners {
            let (device, inode) = one.path.unwrap_or_default();
            let (socket, claim) = (one.socket, one.claim.unwrap_or(NONE));
            let text = format!("{socket} {claim} {device} {inode} {}", one.address);
            out.put(LISTENER, text);
            out.put(ASKED, &one.asked);
        }
        if let Some((file, path)) = &self.pid_file {
            out.put(PID_FILE, file);
            out.put_bytes(PID_PATH, path.as_os_str().as_bytes());
        }
        for (id, worker) in &state.workers {
            let Worker {
                slot, generation, ..
            } = worker;
            let boot = worker.boot.as_nanos();
            let (ready, dismissed) = (u8::from(worker.was_ready), u8::from(worker.dismissed));
            let phase = show_phase(worker.phase);
            let text = format!(
                "{} {slot} {} {ready} {dismissed} {boot} {phase}",
                id.0, generation.0
            );
            out.put(WORKER, text);
        }
        for one in &self.processes {
            let ProcessRecord {
                worker,
                pid,
                orders,
                page,
                layout,
                ..
            } = one;
            let app = one.app.unwrap_or(NONE);
            let text = format!("{} {pid} {orders} {page} {app} {layout}", worker.0);
            out.put(PROCESS, text);
            if let Some(path) = &one.log {
                out.put_bytes(LOG, path.as_os_str().as_bytes());
            }
        }
        out.0
    }

    /// Reads what [`Handover::to_bytes`] wrote, in this program or in another one.
    ///
    /// # Errors
    ///
    /// Another version, or bytes that mean nothing.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HandoverError> {
        let mut records = bytes.split(|byte| *byte == 0);
        let header = format!("{HEADER}=");
        let first = records.next().unwrap_or_default();
        let version = first
            .strip_prefix(header.as_bytes())
            .ok_or(HandoverError::Foreign)?;
        if version != VERSION.as_bytes() {
            let found = String::from_utf8_lossy(version).into_owned();
            return Err(HandoverError::Version(found));
        }
        let mut draft = Draft::default();
        for record in records.filter(|record| !record.is_empty()) {
            draft
                .take(record)
                .ok_or_else(|| HandoverError::Record(record.escape_ascii().to_string()))?;
        }
        draft.finish()
    }

    /// Every descriptor that the state speaks of.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        let sockets = self.listeners.iter().map(|one| one.socket);
        let claims = self.listeners.iter().filter_map(|one| one.claim);
        let pid_file = self.pid_file.iter().map(|(file, _)| *file);
        let workers = self.processes.iter().flat_map(|one| [one.orders, one.page]);
        let passed = self.passed.iter().map(|one| one.socket);
        let held = sockets.chain(claims).chain(passed).chain(pid_file);
        held.chain(workers).collect()
    }
}

/// Records as they are written.
struct Records(Vec<u8>);

impl Records {
    fn put(&mut self, name: &str, value: impl ToString) {
        self.put_bytes(name, value.to_string().as_bytes());
    }

    fn put_bytes(&mut self, name: &str, value: &[u8]) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        self.0.extend_from_slice(value);
        self.0.push(0);
    }
}

/// Records as they are read.
#[derive(Default)]
struct Draft {
    program: Option<PathBuf>,
    clock: Option<Duration>,
    requests: u64,
    configured: Option<u32>,
    target: Option<u32>,
    rested: Option<u32>,
    last_worker: Option<u32>,
    generation: Option<u32>,
    reload_wanted: bool,
    upgrade_wanted: bool,
    binds: Vec<Bind>,
    listeners: Vec<LeftListener<RawFd>>,
    passed: Vec<PassedRecord>,
    pid_file: Option<RawFd>,
    pid_path: Option<PathBuf>,
    workers: Vec<(WorkerId, Worker)>,
    processes: Vec<ProcessRecord>,
}

impl Draft {
    fn take(&mut self, record: &[u8]) -> Option<()> {
        let equals = record.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&record[..equals], &record[equals + 1..]);
        let name = str::from_utf8(name).ok()?;
        let path = || Some(PathBuf::from(OsString::from_vec(value.to_vec())));
        let text = || str::from_utf8(value).ok();
        let number = || text()?.parse::<u32>().ok();
        match name {
            PROGRAM => self.program = path(),
            LOG => self.processes.last_mut()?.log = path(),
            PID_PATH => self.pid_path = path(),
            PID_FILE => self.pid_file = Some(RawFd::try_from(number()?).ok()?),
            CLOCK => self.clock = Some(nanoseconds(text()?)?),
            REQUESTS => self.requests = text()?.parse().ok()?,
            CONFIGURED => self.configured = Some(number()?),
            TARGET => self.target = Some(number()?),
            RESTED => self.rested = Some(number()?),
            LAST_WORKER => self.last_worker = Some(number()?),
            GENERATION => self.generation = Some(number()?),
            WANTED => match text()? {
                "reload" => self.reload_wanted = true,
                "upgrade" => self.upgrade_wanted = true,
                _ => return None,
            },
            BIND => self.binds.push(Bind::parse(text()?)?),
            PASSED => {
                let (number, socket) = text()?.split_once(' ')?;
                self.passed.push(PassedRecord {
                    number: number.parse().ok()?,
                    socket: socket.parse().ok()?,
                    name: None,
                });
            }
            NAMED => {
                let (number, name) = text()?.split_once(' ')?;
                let number: RawFd = number.parse().ok()?;
                let mut passed = self.passed.iter_mut();
                passed.find(|one| one.number == number)?.name = Some(name.to_owned());
            }
            LISTENER => self.listeners.push(read_listener(text()?)?),
            ASKED => self.listeners.last_mut()?.asked = ListenAddress::parse(text()?)?,
            WORKER => self.workers.push(read_worker(text()?)?),
            PROCESS => self.processes.push(read_process(text()?)?),
            _ => {}
        }
        Some(())
    }

    fn finish(self) -> Result<Handover, HandoverError> {
        let missing = HandoverError::Missing;
        Ok(Handover {
            program: self.program.ok_or(missing(PROGRAM))?,
            clock: self.clock.ok_or(missing(CLOCK))?,
            requests: self.requests,
            state: Saved {
                configured: self.configured.ok_or(missing(CONFIGURED))?,
                target: self.target.ok_or(missing(TARGET))?,
                rested: self.rested,
                last_worker: self.last_worker.ok_or(missing(LAST_WORKER))?,
                generation: Generation(self.generation.ok_or(missing(GENERATION))?),
                reload_wanted: self.reload_wanted,
                upgrade_wanted: self.upgrade_wanted,
                workers: self.workers,
            },
            binds: self.binds,
            listeners: self.listeners,
            passed: self.passed,
            pid_file: self.pid_file.zip(self.pid_path),
            processes: self.processes,
        })
    }
}

fn read_listener(text: &str) -> Option<LeftListener<RawFd>> {
    // The address comes last: a path may hold spaces.
    let mut words = text.splitn(5, ' ');
    let (socket, claim): (RawFd, RawFd) =
        (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (device, inode): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let address = ListenAddress::parse(words.next()?)?;
    Some(LeftListener {
        socket,
        asked: address.clone(),
        address,
        path: (inode != 0).then_some((device, inode)),
        claim: (claim != NONE).then_some(claim),
    })
}

fn read_worker(text: &str) -> Option<(WorkerId, Worker)> {
    let mut words = text.splitn(7, ' ');
    let mut number = || words.next()?.parse::<u32>().ok();
    let (id, slot, generation) = (WorkerId(number()?), number()?, Generation(number()?));
    let (was_ready, dismissed) = (number()? == 1, number()? == 1);
    let boot = nanoseconds(words.next()?)?;
    let phase = read_phase(words.next()?)?;
    let worker = Worker {
        slot,
        generation,
        phase,
        boot,
        was_ready,
        spent: false,
        dismissed,
        last_words: None,
    };
    Some((id, worker))
}

fn read_process(text: &str) -> Option<ProcessRecord> {
    let mut words = text.splitn(6, ' ');
    let worker = WorkerId(words.next()?.parse().ok()?);
    let mut number = || words.next()?.parse::<i32>().ok();
    Some(ProcessRecord {
        worker,
        pid: Pid::from_raw(number()?),
        orders: number()?,
        page: number()?,
        app: number().map(|app| (app != NONE).then_some(app))?,
        layout: Layout::parse(words.next()?)?,
        log: None,
    })
}

fn show_phase(phase: Phase) -> String {
    let with = |word: &str, deadline: Duration| format!("{word} {}", deadline.as_nanos());
    match phase {
        Phase::Booting { deadline } => with("booting", deadline),
        Phase::Ready {
            since, beat, fresh, ..
        } => format!("ready {} {beat} {}", since.as_nanos(), fresh.as_nanos()),
        Phase::Draining { deadline } => with("draining", deadline),
        Phase::Stopping { deadline } => with("stopping", deadline),
        Phase::Aborting { deadline } => with("aborting", deadline),
        Phase::Killed => "killed".to_owned(),
    }
}

fn read_phase(text: &str) -> Option<Phase> {
    let words: Vec<&str> = text.split(' ').collect();
    Some(match words.as_slice() {
        ["booting", deadline] => Phase::Booting {
            deadline: nanoseconds(deadline)?,
        },
        ["ready", since, beat, fresh] => Phase::Ready {
            since: nanoseconds(since)?,
            // It is to be replaced in any case.
            quota: Quota::default(),
            beat: beat.parse().ok()?,
            fresh: nanoseconds(fresh)?,
            marked: None,
        },
        ["draining", deadline] => Phase::Draining {
            deadline: nanoseconds(deadline)?,
        },
        ["stopping", deadline] => Phase::Stopping {
            deadline: nanoseconds(deadline)?,
        },
        ["aborting", deadline] => Phase::Aborting {
            deadline: nanoseconds(deadline)?,
        },
        ["killed"] => Phase::Killed,
        _ => return None,
    })
}

fn nanoseconds(text: &str) -> Option<Duration> {
    Some(Duration::from_nanos(text.parse().ok()?))
}

/// Stands for a descriptor that there is none of.
const NONE: RawFd = -1;
const HEADER: &str = "gatewayd-state";
/// Raised when a reader of before would misunderstand.
const VERSION: &str = "1";
const PROGRAM: &str = "program";
const CLOCK: &str = "clock";
const REQUESTS: &str = "requests";
const CONFIGURED: &str = "configured";
const TARGET: &str = "target";
const RESTED: &str = "rested";
const LAST_WORKER: &str = "last-worker";
const GENERATION: &str = "generation";
const WANTED: &str = "wanted";
const BIND: &str = "bind";
const PASSED: &str = "passed";
const NAMED: &str = "passed-name";
const LISTENER: &str = "listener";
const ASKED: &str = "asked";
const PID_FILE: &str = "pid-file";
const PID_PATH: &str = "pid-path";
const WORKER: &str = "worker";
const PROCESS: &str = "process";
const LOG: &str = "log";

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn handover() -> Handover {
        let second = Duration::from_secs(1);
        let phases = [
            Phase::Booting { deadline: second },
            Phase::Ready {
                since: second,
                quota: Quota::default(),
                beat: u64::MAX,
                fresh: second * 2,
                marked: None,
            },
            Phase::Draining { deadline: second },
            Phase::Stopping { deadline: second },
            Phase::Aborting { deadline: second },
            Phase::Killed,
        ];
        let worker = |(at, phase): (usize, Phase)| {
            let number = u32::try_from(at).unwrap();
            let worker = Worker {
                slot: number,
                generation: Generation(7),
                phase,
                boot: second,
                was_ready: at > 0,
                spent: false,
                dismissed: at > 1,
                last_words: None,
            };
            (WorkerId(number + 10), worker)
        };
        Handover {
            program: OsStr::from_bytes(b"/opt/a b\xff/gatewayd").into(),
            clock: Duration::from_nanos(123_456_789_012),
            requests: 42,
            state: Saved {
                configured: 4,
                target: 5,
                rested: Some(3),
                last_worker: 19,
                generation: Generation(7),
                reload_wanted: true,
                upgrade_wanted: true,
                workers: phases.into_iter().enumerate().map(worker).collect(),
            },
            binds: ["[::1]:0", "unix:/tmp/a b", "systemd:web"]
                .map(|text| Bind::parse(text).unwrap())
                .into(),
            passed: vec![PassedRecord {
                number: 3,
                socket: 12,
                name: Some("web".to_owned()),
            }],
            listeners: vec![
                LeftListener {
                    socket: 5,
                    asked: ListenAddress::parse("[::1]:0").unwrap(),
                    address: ListenAddress::parse("[::1]:80").unwrap(),
                    path: None,
                    claim: None,
                },
                LeftListener {
                    socket: 6,
                    asked: ListenAddress::parse("unix:/tmp/a b").unwrap(),
                    address: ListenAddress::parse("unix:/tmp/a b").unwrap(),
                    path: Some((1, 2)),
                    claim: Some(9),
                },
            ],
            pid_file: Some((4, "/run/a b.pid".into())),
            processes: vec![ProcessRecord {
                worker: WorkerId(10),
                pid: Pid::from_raw(1234),
                orders: 7,
                page: 8,
                app: Some(11),
                layout: Layout::ours(),
                log: Some("/var/log/a b".into()),
            }],
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let handover = handover();
        assert_eq!(Handover::parse(&handover.to_bytes()).unwrap(), handover);
        assert_eq!(handover.descriptors(), [5, 6, 9, 12, 4, 7, 8]);
    }

    #[test]
    fn what_a_later_program_adds_is_passed_over() {
        let mut bytes = handover().to_bytes();
        bytes.extend_from_slice(b"added-later=1 2 3\0");
        assert_eq!(Handover::parse(&bytes).unwrap(), handover());
    }

    #[test]
    fn another_version_and_other_bytes_are_refused_and_told_apart() {
        let text = String::from_utf8_lossy(&handover().to_bytes()).into_owned();
        let later = text.replacen("gatewayd-state=1", "gatewayd-state=2", 1);
        let error = Handover::parse(later.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("found version 2"), "{error}");
        let foreign = Handover::parse(b"\x7fELF").unwrap_err();
        assert!(matches!(foreign, HandoverError::Foreign));
        let broken = text.replace("target=5", "target=x");
        let error = Handover::parse(broken.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("target=x"), "{error}");
        let short = text.replace("target=5\0", "");
        let error = Handover::parse(short.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("`target` is missing"), "{error}");
    }
}
