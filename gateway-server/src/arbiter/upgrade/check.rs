//! The new program's side of an upgrade, before it takes over: it reads the command line, the
//! configuration and the master's state, copies the application and starts one worker of it, which
//! listens nowhere.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use super::handover::Handover;
use super::plan::{CHECK_ROLE, Plan};
use crate::app_source::AppSource;
use crate::arbiter::event::{Generation, PoolId, WorkerId};
use crate::arbiter::roster::LAST_GRACE;
use crate::arbiter::worker_handle::{Provisions, WorkerHandle};
use crate::config::Config;
use crate::hook::{self, Hook};
use crate::log_files::LogFiles;
use crate::logging;
use crate::net::{Listener, Place};
use crate::orders::{Order, Received, Report};
use crate::os::fd::Inherited;
use crate::os::process::{self, Image};
use crate::os::{memfd, signals};
use crate::prepare::{self, Goods, Parcel};
use crate::shares;
use crate::snapshot;
use crate::tls::TicketKeys;

/// What the master has left to the program that it may become.
#[derive(Debug)]
pub(crate) struct Check {
    image: Image,
    state: File,
    report: OwnedFd,
}

impl Check {
    /// Takes over what the master left. Nothing else has been opened in this process before.
    ///
    /// # Errors
    ///
    /// What to exit with: the argument is none of a master's, which has been told.
    pub(crate) fn claim(argument: &OsStr, name: &OsStr) -> Result<Self, ExitCode> {
        Self::try_claim(argument, name).map_err(|error| {
            logging::init(Default::default());
            tracing::error!("{CHECK_ROLE} is for gatewayd's own use: {error:#}");
            ExitCode::FAILURE
        })
    }

    fn try_claim(argument: &OsStr, name: &OsStr) -> anyhow::Result<Self> {
        const NOT_OURS: &str = "expected what a gatewayd master passes on";
        let plan = Plan::parse(argument).context(NOT_OURS)?;
        let mut inherited = Inherited::claim(plan.descriptors())?;
        let mut take = |number| inherited.take(number).context(NOT_OURS);
        let check = Self {
            image: Image::adopt(take(plan.image)?, name)?,
            state: take(plan.state)?.into(),
            report: take(plan.report.context(NOT_OURS)?)?,
        };
        signals::disregard()?;
        process::set_name("gatewayd/check");
        Ok(check)
    }

    /// Tries everything, and tells the master what came of it.
    pub(crate) fn answer(self, read: Result<Config, Vec<String>>, source: AppSource) -> ExitCode {
        let tried = read.and_then(|config| {
            let tried = self.try_everything(&config, source);
            let tried = tried.map_err(|error| vec![format!("{error:#}")]);
            tried.map(|(canaries, parcel)| (canaries, parcel, config.snapshot_dir))
        });
        match tried {
            Ok((canaries, parcel, snapshots)) => {
                // A master that is gone asks no more.
                let _ = parcel.send(&self.report);
                drop(parcel);
                // As long as this process runs, nobody can write into its program.
                stay(&self.report);
                dismiss(canaries);
                // The server may have ended before this process, which has held the copies for longer.
                snapshots.iter().for_each(|folder| snapshot::sweep(folder));
                ExitCode::SUCCESS
            }
            Err(reasons) => {
                let _ = Parcel::Refused(reasons).send(&self.report);
                ExitCode::FAILURE
            }
        }
    }

    fn try_everything(
        &self,
        config: &Config,
        source: AppSource,
    ) -> anyhow::Result<(Vec<Canary>, Parcel)> {
        let left = Handover::parse(&memfd::read(&self.state)?)?;
        ensure!(
            config.workers > 0,
            "--workers: expected at least 1 for an upgrade, found 0"
        );
        for bind in config.each_pool().flat_map(|(_, pool)| &pool.bind) {
            if let Place::Address(address) = &bind.place
                && !left.listeners.iter().any(|one| one.asked == *address)
            {
                drop(Listener::bind(address, &config.listen_options())?);
            }
        }
        let logs = LogFiles::of(config);
        drop(logs.open()?);
        let apps = prepare::copy_apps(config, source)?;
        let apps: Vec<_> = apps.into_iter().map(Rc::new).collect();
        let tls = prepare::read_tls(config)?;
        let tickets = TicketKeys::create()?;
        let wire = memfd::sealed("gatewayd-config", &config.to_wire())?;
        let generation = left.state.generation;
        // Beyond those that there are.
        let place = left.state.pools.values().map(|pool| pool.target).max();
        let (mut canaries, mut rest) = (Vec::new(), &apps[..]);
        for (_, pool) in config.each_pool() {
            let (own, others) = rest.split_at(pool.apps.len().min(rest.len()));
            rest = others;
            let mut told = pool.clone();
            told.pools.clear();
            let wire = memfd::sealed("gatewayd-config", &told.to_wire())?;
            let shares = shares::create()?;
            let tls = tls.as_ref().filter(|_| told.tls_files().is_some());
            let provisions = Provisions {
                image: &self.image,
                environment: &told,
                pool: PoolId::MAIN,
                config: wire.as_fd(),
                shares: shares.as_fd(),
                // What they count is of no interest.
                metrics: None,
                apps: own,
                tls: tls.map(AsFd::as_fd),
                tickets: tickets.as_fd(),
                logs: logs.clone(),
                listeners: &[],
            };
            // It serves nobody, and has no number.
            let who = (WorkerId(0), place.unwrap_or_default());
            let handle = WorkerHandle::start(&provisions, who, pool.workers, generation)
                .context("cannot start a worker")?;
            let mut canary = Canary { handle };
            canary.await_ready(&self.report, config.boot_timeout)?;
            canaries.push(canary);
        }
        if let Some(command) = &config.hook_ready {
            ask(&command.0, config, generation)?;
        }
        Ok((
            canaries,
            Parcel::Ready(Goods {
                config: wire,
                apps: copies(&apps)?,
                tls,
            }),
        ))
    }
}

/// Asks the hook that decides whether the new program is good; none of its workers listens yet.
fn ask(command: &str, config: &Config, generation: Generation) -> anyhow::Result<()> {
    let hook = Hook {
        name: "ready",
        command,
        timeout: config.hook_timeout,
    };
    let facts = hook::facts(hook.name, generation.0, getppid(), &[]);
    hook::run(&hook, facts.into_iter()).map_err(|reason| anyhow!("hook ready {reason}"))
}

/// Descriptors of the same files, to be passed on.
fn copies(files: &[Rc<OwnedFd>]) -> io::Result<Vec<OwnedFd>> {
    files.iter().map(|file| file.try_clone()).collect()
}

/// A worker of the new program that nobody connects to.
struct Canary {
    handle: WorkerHandle,
}

impl Canary {
    fn await_ready(&mut self, report: &OwnedFd, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        loop {
            match self.handle.hear() {
                Some(Report::Ready(_)) => return Ok(()),
                Some(Report::Failed(reason)) => bail!(reason),
                Some(Report::Retired) => {}
                None if self.handle.ear().is_none() => {
                    let how = process::wait(self.handle.pid())?;
                    bail!("a worker {how} while starting");
                }
                None if told_to_end(report) => bail!("the upgrade was called off"),
                None if Instant::now() >= deadline => {
                    let after = within.as_secs();
                    bail!("a worker was not ready {after} s after its start")
                }
                None => rest([self.handle.ear(), Some(report.as_fd())], Some(deadline))?,
            }
        }
    }
}

/// Waits until the master is done with this process, whose workers serve nobody.
fn stay(report: &OwnedFd) {
    while !told_to_end(report) {
        if rest([Some(report.as_fd())], None).is_err() {
            return;
        }
    }
}

/// Ends workers, all at the same time.
fn dismiss(canaries: Vec<Canary>) {
    for canary in &canaries {
        canary.handle.order(Order::StopNow);
    }
    drop(canaries);
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.handle.order(Order::StopNow);
        let deadline = Instant::now() + LAST_GRACE;
        while Instant::now() < deadline {
            let said = self.handle.hear();
            // Its end of the socket is closed last of all.
            let Some(ear) = self.handle.ear() else { break };
            if said.is_none() && rest([Some(ear)], Some(deadline)).is_err() {
                break;
            }
        }
        self.handle.signal(Signal::SIGKILL);
        // Nobody else has reaped it; if it has ended by itself, how does not matter.
        let _ = process::wait(self.handle.pid());
    }
}

/// Whether the master wants no more of this, or is gone, be it because it has become this program.
fn told_to_end(report: &OwnedFd) -> bool {
    !matches!(Order::receive(report), Received::Nothing)
}

/// Waits until one of them can be read, or the deadline has come.
fn rest<const N: usize>(
    ears: [Option<BorrowedFd<'_>>; N],
    deadline: Option<Instant>,
) -> io::Result<()> {
    let mut fds: Vec<_> = ears
        .into_iter()
        .flatten()
        .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
        .collect();
    let timeout = deadline.map_or(PollTimeout::NONE, |deadline| {
        let left = deadline.saturating_duration_since(Instant::now());
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
