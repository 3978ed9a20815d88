//! The master's hold on the processes that run hooks. What such a process does is in `hook`.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::event::{Event, Gate, Generation, Note, WorkerId};
use super::release::Release;
use crate::config::Config;
use crate::hook::{self, Hook};
use crate::orders;
use crate::os::process::{self, Ended, Image, Reaped};

/// Hooks that run.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    running: BTreeMap<Pid, Running>,
}

#[derive(Debug)]
struct Running {
    socket: OwnedFd,
    name: &'static str,
    /// What waits for it.
    gate: Option<Gate>,
}

/// What happens.
#[derive(Debug)]
pub(super) enum Occasion<'a> {
    /// Something waits for the hook.
    Gate(Gate),
    /// A reload or an upgrade is over.
    Reload(Result<(), &'a str>),
    /// A worker has ended.
    WorkerExit(WorkerId, &'a Reaped),
}

impl Occasion<'_> {
    /// `ready`, as in `--hook-ready`, and the command for it.
    pub(super) fn of<'c>(&self, config: &'c Config) -> (&'static str, Option<&'c str>) {
        let (name, hook) = match self {
            Self::Gate(Gate::Boot) => ("boot", &config.hook_boot),
            Self::Gate(Gate::Ready(_)) => ("ready", &config.hook_ready),
            Self::Reload(_) => ("reload", &config.hook_reload),
            Self::WorkerExit(..) => ("worker-exit", &config.hook_worker_exit),
        };
        (name, hook.as_ref().map(|command| &*command.0))
    }

    /// What the command finds in its environment.
    pub(super) fn facts(
        &self,
        generation: Generation,
        release: &Release,
    ) -> Vec<(&'static str, String)> {
        let (name, _) = self.of(&release.config);
        let mut facts = hook::facts(name, generation.0, Pid::this(), &release.urls);
        match self {
            Self::Gate(_) => {}
            Self::Reload(outcome) => {
                let (word, reason) = match outcome {
                    Ok(()) => ("ok", ""),
                    Err(reason) => ("failed", *reason),
                };
                facts.push(("GATEWAYD_EVENT_OUTCOME", word.to_owned()));
                facts.push(("GATEWAYD_EVENT_REASON", reason.replace('\0', "")));
            }
            Self::WorkerExit(worker, reaped) => {
                facts.push(("GATEWAYD_EVENT_WORKER", worker.0.to_string()));
                facts.push(("GATEWAYD_EVENT_PID", reaped.pid.to_string()));
                facts.push(("GATEWAYD_EVENT_PEAK_MEMORY", reaped.peak.to_string()));
                facts.push(match reaped.ended {
                    Ended::Code(code) => ("GATEWAYD_EVENT_CODE", code.to_string()),
                    Ended::Signal(signal) => ("GATEWAYD_EVENT_SIGNAL", signal.to_string()),
                });
            }
        }
        facts
    }

    fn gate(&self) -> Option<Gate> {
        match self {
            Self::Gate(gate) => Some(*gate),
            _ => None,
        }
    }
}

impl Hooks {
    /// Runs the command that the configuration has for the occasion, if any.
    ///
    /// # Errors
    ///
    /// The kernel's: too many processes or files, no memory.
    pub(super) fn start(
        &mut self,
        image: &Image,
        occasion: &Occasion<'_>,
        generation: Generation,
        release: &Release,
    ) -> io::Result<()> {
        let config = &release.config;
        let (name, Some(command)) = occasion.of(config) else {
            return Ok(());
        };
        let gate = occasion.gate();
        if gate.is_none() && self.running.len() >= MOST {
            tracing::warn!("hook {name} is not run: {MOST} hooks run already");
            return Ok(());
        }
        let hook = Hook {
            name,
            command,
            timeout: config.hook_timeout,
        };
        let (socket, theirs) = orders::pair()?;
        let arguments = hook::arguments(&hook, config.log_style(), theirs.as_raw_fd())?;
        let facts = occasion.facts(generation, release);
        let facts = facts.iter().map(|(name, value)| (*name, &**value));
        let pid = image.spawn_amid(facts, &arguments, &[theirs.as_fd()])?;
        let running = Running { socket, name, gate };
        self.running.insert(pid, running);
        Ok(())
    }

    /// Whether one runs.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// Ends those that something waits for, when nothing does any more, or all.
    pub(super) fn end(&self, which: Which) {
        for (pid, running) in &self.running {
            if running.gate.is_some() || which == Which::All {
                process::send(*pid, Signal::SIGKILL);
            }
        }
    }

    /// Notes that a process was reaped; what comes of it if something has waited for it.
    pub(super) fn reaped(&mut self, pid: Pid) -> Option<Event> {
        let running = self.running.remove(&pid)?;
        let outcome = hook::outcome(&running.socket);
        let outcome = outcome.map_err(|reason| format!("hook {} {reason}", running.name));
        match (running.gate, outcome) {
            (Some(gate), outcome) => Some(Event::HookEnded(gate, outcome)),
            (None, Err(reason)) => {
                tracing::warn!("{reason}");
                None
            }
            (None, Ok(())) => None,
        }
    }
}

/// Which hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that something waits for.
    Gates,
    /// All of them.
    All,
}

/// What the end of a reload or an upgrade means to hooks.
pub(super) fn outcome(note: &Note) -> Option<Result<(), &str>> {
    match note {
        Note::Reloaded { .. } => Some(Ok(())),
        Note::ReloadFailed { reason } | Note::UpgradeFailed { reason } => Some(Err(reason)),
        _ => None,
    }
}

/// Most hooks at one time beside those that something waits for.
const MOST: usize = 16;
