//! What the generations are started from: the one that serves, and the next one while it is tried.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use super::changes::{Changes, tell_kept};
use super::event::{Generation, Policy};
use super::release::{Release, policy};
use crate::app_source::AppSource;
use crate::config::{Applies, Config, SETTINGS};
use crate::logging;
use crate::net::{Listener, Passed};
use crate::prepare::{self, Goods, Parcel};
use crate::snapshot;

/// The releases that workers may still be started from.
#[derive(Debug)]
pub(super) struct Releases {
    all: BTreeMap<Generation, Release>,
    /// The generation that serves; there always is one.
    serving: Generation,
    /// Generations up to this one have a listener that the serving one lacks.
    closed: Option<Generation>,
    /// Sockets that the server was started with.
    passed: Passed,
    /// Open files that a process may have.
    files: u64,
}

/// Whether another generation serves than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Succession {
    /// The same one.
    Stays,
    /// Its successor.
    Changed,
}

impl Releases {
    /// The first generation's alone.
    pub(super) fn new(first: Release, passed: Passed, files: u64) -> Self {
        let serving = Generation(1);
        Self {
            all: BTreeMap::from([(serving, first)]),
            serving,
            closed: None,
            passed,
            files,
        }
    }

    /// That of a generation of another program, which listened on what is `open`.
    pub(super) fn of_successor(
        serving: Generation,
        release: Release,
        open: &[Rc<Listener>],
        passed: Passed,
        files: u64,
    ) -> Self {
        let mut closed = None;
        for listener in release.lacking(open) {
            listener.turn_newcomers_away();
            closed = Some(Generation(serving.0 - 1));
        }
        Self {
            all: BTreeMap::from([(serving, release)]),
            serving,
            closed,
            passed,
            files,
        }
    }

    /// Sockets that the server was started with.
    pub(super) fn passed(&self) -> &Passed {
        &self.passed
    }

    /// What serves.
    pub(super) fn serving(&self) -> &Release {
        &self.all[&self.serving]
    }

    /// Which generation that is.
    pub(super) fn serving_generation(&self) -> Generation {
        self.serving
    }

    /// Workers of the generation that serves are started with these certificates from now on.
    pub(super) fn renew(&mut self, tls: OwnedFd) {
        if let Some(serving) = self.all.get_mut(&self.serving) {
            serving.tls = Some(tls);
        }
    }

    /// The configuration that is in force.
    pub(super) fn config(&self) -> &Config {
        &self.serving().config
    }

    /// A generation's, from its preparation until it is forgotten.
    pub(super) fn of(&self, generation: Generation) -> &Release {
        &self.all[&generation]
    }

    /// All there are.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Release> {
        self.all.values_mut()
    }

    /// Copies the applications of the first generation, whose configuration is at hand; none for any
    /// other.
    pub(super) fn prepare_first(
        &mut self,
        generation: Generation,
        source: AppSource,
    ) -> Option<Result<Policy, String>> {
        let first = self.all.get_mut(&generation)?;
        Some(match prepare::copy_apps(&first.config, source) {
            Ok(copies) => {
                first.apps = copies.into_iter().map(Rc::new).collect();
                Ok(policy(&first.config))
            }
            Err(error) => Err(error.to_string()),
        })
    }

    /// Makes a release of what was prepared, and tells the operator what it changes.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words for the operator.
    pub(super) fn receive(
        &mut self,
        generation: Generation,
        parcel: Parcel,
    ) -> Result<Policy, String> {
        let Goods { config, apps, tls } = match parcel {
            Parcel::Ready(goods) => goods,
            Parcel::Refused(mut reasons) if reasons.len() == 1 => return Err(reasons.remove(0)),
            Parcel::Refused(reasons) => {
                for reason in &reasons {
                    tracing::error!("{reason}");
                }
                let count = reasons.len();
                return Err(format!("there are {count} mistakes in the configuration"));
            }
        };
        let mut config = prepare::read_config(config).map_err(|error| error.to_string())?;
        config.fit_open_files(self.files);
        let changes = Changes::between(&mut config, self.config());
        tell_kept(&changes.kept);
        let open = &self.serving().listeners;
        let release = Release::new(config, apps, tls, open, &self.passed)
            .map_err(|error| error.to_string())?;
        if !changes.applied.is_empty() {
            tracing::info!("changed: {}", changes.applied.join(", "));
        }
        let policy = policy(&release.config);
        self.all.insert(generation, release);
        Ok(policy)
    }

    /// Settings that only a restart can change, and their values.
    pub(super) fn only_restarts_change(&self) -> Vec<(String, Vec<String>)> {
        let mut config = self.config().clone();
        let kept = SETTINGS
            .iter()
            .filter(|one| one.applies == Applies::Restart);
        kept.map(|one| (one.name.to_owned(), one.show(&mut config)))
            .collect()
    }

    /// A generation is over: the one that served, or one that was tried and failed.
    pub(super) fn forget(&mut self, generation: Generation) -> Succession {
        let next = self.all.range(Generation(generation.0 + 1)..).next();
        let (next, release) = match next {
            Some((next, release)) if generation == self.serving => (*next, release),
            _ => {
                // Without a successor the server stops, and its configuration is asked for to the end.
                if generation != self.serving {
                    self.all.remove(&generation);
                }
                return Succession::Stays;
            }
        };
        release.adjust_listeners();
        logging::set_level(release.config.log_level);
        for listener in release.lacking(&self.all[&generation].listeners) {
            listener.turn_newcomers_away();
            self.closed = Some(generation);
        }
        self.serving = next;
        self.all.remove(&generation);
        Succession::Changed
    }

    /// Whether a generation has a listener that nobody takes over.
    pub(super) fn leaves_listeners(&self, generation: Generation) -> bool {
        Some(generation) <= self.closed
    }

    /// Lets go of all copies of the application, and removes those in a folder that nobody uses.
    pub(super) fn sweep(&mut self) {
        for release in self.all.values_mut() {
            release.apps.clear();
            release
                .config
                .snapshot_dir
                .iter()
                .for_each(|folder| snapshot::sweep(folder));
        }
    }

    /// Closes all listeners; who is in a backlog is the workers' to accept.
    pub(super) fn close_listeners(&mut self) {
        let releases = self.all.values_mut();
        for listener in releases.flat_map(|release| release.listeners.drain(..)) {
            listener.turn_newcomers_away();
        }
    }
}
