//! Bytes as a state.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::Pid;

use super::names::{
    ADMIN, ADMIN_ASKED, APP, APP_METRICS, ASKED, BIND, CLOCK, CONFIGURED, CONTROL, GENERATION,
    HEADER, KEPT, LAST_WORKER, LISTENER, LOG, MEMBER, NAMED, NONE, PASSED, PID_FILE, PID_PATH,
    POOL, POOL_TARGET, PROCESS, PROGRAM, REQUESTS, RESTED, TARGET, TICKETS, TOTAL, VALUE, VERSION,
    WANTED, WORKER,
};
use super::phase::{self, nanoseconds};
use super::record::{Handover, HandoverError, PassedRecord, ProcessRecord};
use crate::arbiter::event::{Generation, PoolId, WorkerId};
use crate::arbiter::roster::Worker;
use crate::arbiter::state::{Saved, SavedPool};
use crate::net::{Bind, LeftListener, ListenAddress};
use crate::scoreboard::Layout;

impl Handover {
    /// Reads what [`Handover::to_bytes`] wrote, in this program or in another one.
    ///
    /// # Errors
    ///
    /// Another version, or bytes that mean nothing.
    pub(in super::super) fn parse(bytes: &[u8]) -> Result<Self, HandoverError> {
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
}

/// Records as they are read.
#[derive(Default)]
struct Draft {
    program: Option<PathBuf>,
    clock: Option<Duration>,
    requests: u64,
    totals: Vec<(String, u64)>,
    admin: Option<LeftListener<RawFd>>,
    configured: Option<u32>,
    target: Option<u32>,
    rested: Option<u32>,
    last_worker: Option<u32>,
    names: Vec<String>,
    pools: BTreeMap<PoolId, SavedPool>,
    generation: Option<u32>,
    reload_wanted: bool,
    upgrade_wanted: bool,
    binds: Vec<Bind>,
    listeners: Vec<LeftListener<RawFd>>,
    passed: Vec<PassedRecord>,
    control: Option<LeftListener<RawFd>>,
    pid_file: Option<RawFd>,
    pid_path: Option<PathBuf>,
    tickets: Option<RawFd>,
    app_metrics: Option<RawFd>,
    kept: Vec<(String, Vec<String>)>,
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
            APP => {
                let app = RawFd::try_from(number()?).ok()?;
                self.processes.last_mut()?.apps.push(app);
            }
            LOG => self.processes.last_mut()?.log = path(),
            PID_PATH => self.pid_path = path(),
            PID_FILE => self.pid_file = Some(RawFd::try_from(number()?).ok()?),
            TICKETS => self.tickets = Some(RawFd::try_from(number()?).ok()?),
            APP_METRICS => self.app_metrics = Some(RawFd::try_from(number()?).ok()?),
            CLOCK => self.clock = Some(nanoseconds(text()?)?),
            REQUESTS => self.requests = text()?.parse().ok()?,
            TOTAL => {
                let (total, name) = text()?.split_once(' ')?;
                self.totals.push((name.to_owned(), total.parse().ok()?));
            }
            ADMIN => self.admin = Some(read_listener(text()?)?),
            ADMIN_ASKED => self.admin.as_mut()?.asked = ListenAddress::parse(text()?)?,
            CONFIGURED => self.configured = Some(number()?),
            TARGET => self.target = Some(number()?),
            RESTED => self.rested = Some(number()?),
            POOL => self.names.push(text()?.to_owned()),
            POOL_TARGET => {
                let mut words = text()?.split(' ');
                let mut number = || words.next()?.parse::<u32>().ok();
                let (id, configured, target) = (PoolId(number()?), number()?, number()?);
                let rested = number();
                let saved = SavedPool {
                    configured,
                    target,
                    rested,
                };
                self.pools.insert(id, saved);
            }
            MEMBER => self.workers.last_mut()?.1.pool = PoolId(number()?),
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
            CONTROL => self.control = Some(read_listener(text()?)?),
            KEPT => self.kept.push((text()?.to_owned(), Vec::new())),
            VALUE => self.kept.last_mut()?.1.push(text()?.to_owned()),
            WORKER => self.workers.push(read_worker(text()?)?),
            PROCESS => self.processes.push(read_process(text()?)?),
            _ => {}
        }
        Some(())
    }

    fn finish(mut self) -> Result<Handover, HandoverError> {
        let missing = HandoverError::Missing;
        match (self.configured, self.target) {
            (Some(configured), Some(target)) => {
                let saved = SavedPool {
                    configured,
                    target,
                    rested: self.rested,
                };
                self.pools.insert(PoolId::MAIN, saved);
            }
            // All applications have addresses of their own.
            (None, None) if !self.pools.is_empty() => {}
            (None, _) => return Err(missing(CONFIGURED)),
            (_, None) => return Err(missing(TARGET)),
        }
        Ok(Handover {
            program: self.program.ok_or(missing(PROGRAM))?,
            clock: self.clock.ok_or(missing(CLOCK))?,
            requests: self.requests,
            totals: self.totals,
            admin: self.admin,
            state: Saved {
                pools: self.pools,
                last_worker: self.last_worker.ok_or(missing(LAST_WORKER))?,
                generation: Generation(self.generation.ok_or(missing(GENERATION))?),
                reload_wanted: self.reload_wanted,
                upgrade_wanted: self.upgrade_wanted,
                workers: self.workers,
            },
            pools: self.names,
            binds: self.binds,
            listeners: self.listeners,
            passed: self.passed,
            control: self.control,
            pid_file: self.pid_file.zip(self.pid_path),
            tickets: self.tickets,
            app_metrics: self.app_metrics,
            kept: self.kept,
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
    let phase = phase::read(words.next()?)?;
    let worker = Worker {
        pool: PoolId::MAIN,
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
        apps: number()
            .map(|app| (app != NONE).then_some(app))?
            .into_iter()
            .collect(),
        layout: Layout::parse(words.next()?)?,
        log: None,
    })
}
