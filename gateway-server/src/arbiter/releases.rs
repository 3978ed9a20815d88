//! What the generations are started from: the one that serves, and the next one while it is tried.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use super::changes::{Changes, tell_kept};
use super::event::{Generation, Policy, PoolId};
use super::pool_names::PoolNames;
use super::release::{Release, policy};
use crate::app_source::AppSource;
use crate::config::{Applies, Config, SETTINGS};
use crate::logging;
use crate::net::{Bind, Listener, Passed};
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
    pools: PoolNames,
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
    pub(super) fn new(first: Release, passed: Passed, files: u64, pools: PoolNames) -> Self {
        let serving = Generation(1);
        Self {
            all: BTreeMap::from([(serving, first)]),
            serving,
            closed: None,
            passed,
            files,
            pools,
        }
    }

    /// That of a generation of another program, which listened on what is `open`.
    pub(super) fn of_successor(
        serving: Generation,
        release: Release,
        open: &[Rc<Listener>],
        passed: Passed,
        files: u64,
        pools: PoolNames,
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
            pools,
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
                first.supply(copies, &mut self.pools);
                Ok(policy(&first.config, &mut self.pools))
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
        config.fit_max_connections(self.files);
        let changes = Changes::between(&mut config, self.config());
        tell_kept(&changes.kept);
        let open = &self.serving().listeners;
        let open = open.clone();
        let release = Release::new(config, apps, tls, &open, &self.passed, &mut self.pools)
            .map_err(|error| error.to_string())?;
        if !changes.applied.is_empty() {
            tracing::info!("changed: {}", changes.applied.join(", "));
        }
        let policy = policy(&release.config, &mut self.pools);
        self.all.insert(generation, release);
        Ok(policy)
    }

    /// The number of the application that is called so.
    pub(super) fn number_of(&self, name: &str) -> Option<usize> {
        self.config().all_apps().position(|app| app.name == name)
    }

    /// The applications that are loaded from this file.
    pub(super) fn loaded_from<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a str> {
        let apps = self.config().all_apps();
        let loaded = apps.filter(move |app| app.path.as_deref() == Some(path));
        loaded.map(|app| app.name.as_str())
    }

    /// Makes a release of the one that serves and of another copy of the application with this number.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words for the operator.
    pub(super) fn replace_app(
        &mut self,
        generation: Generation,
        number: usize,
        parcel: Parcel,
    ) -> Result<(Policy, PoolId), String> {
        let copy = match parcel {
            Parcel::Ready(goods) => goods.apps.into_iter().next(),
            Parcel::Refused(reasons) => return Err(reasons.join("; ")),
        };
        let copy = copy.ok_or("nothing was copied")?;
        let (pool, number) = self.place_of(number).ok_or("it is not there any more")?;
        let release = self.serving().with_app(pool, number, copy);
        let release = release.map_err(|error| error.to_string())?;
        let policy = policy(&release.config, &mut self.pools);
        self.all.insert(generation, release);
        Ok((policy, pool))
    }

    /// The pool that loads the application of this number, and its number there.
    fn place_of(&mut self, mut number: usize) -> Option<(PoolId, usize)> {
        for (name, pool) in self.all.get(&self.serving)?.config.each_pool() {
            if number < pool.apps.len() {
                return Some((self.pools.id_of(name), number));
            }
            number -= pool.apps.len();
        }
        None
    }

    /// Where it listens, as it was asked to.
    pub(super) fn binds(&self) -> Vec<Bind> {
        let pools = self.config().each_pool();
        pools.flat_map(|(_, pool)| pool.bind.clone()).collect()
    }

    /// The names of pools.
    pub(super) fn pools(&self) -> &PoolNames {
        &self.pools
    }

    /// The pool of the server's own addresses, or the first one if no application is there.
    pub(super) fn first_pool(&self) -> PoolId {
        let supplies = &self.serving().supplies;
        supplies.keys().next().copied().unwrap_or_default()
    }

    /// What operators call a pool: as its first application is called.
    pub(super) fn title_of(&self, pool: PoolId) -> &str {
        let name = self.pools.name_of(pool);
        let mut pools = self.config().each_pool();
        let found = pools.find(|(one, _)| *one == name.unwrap_or_default());
        let first = found.and_then(|(_, config)| config.apps.first());
        first.map_or(name.unwrap_or("server"), |app| app.name.as_str())
    }

    /// The pool that loads the application of this name.
    pub(super) fn pool_with(&self, app: &str) -> Option<PoolId> {
        let mut pools = self.config().each_pool();
        let (name, _) = pools.find(|(_, pool)| pool.apps.iter().any(|one| one.name == app))?;
        self.pools.known(name)
    }

    /// The configuration in force of a pool; the server's if it is gone.
    pub(super) fn config_of(&self, pool: PoolId) -> &Config {
        let name = self.pools.name_of(pool).unwrap_or_default();
        let found = self.config().each_pool().find(|(one, _)| *one == name);
        found.map_or(self.config(), |(_, config)| config)
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
            release
                .supplies
                .values_mut()
                .for_each(|supply| supply.apps.clear());
            release
                .config
                .snapshot_dir
                .iter()
                .for_each(|folder| snapshot::sweep(folder));
        }
    }

    /// Closes all listeners; who is in a backlog is the workers' to accept.
    pub(super) fn close_listeners(&mut self) {
        for release in self.all.values_mut() {
            release
                .supplies
                .values_mut()
                .for_each(|supply| supply.listeners.clear());
        }
        let releases = self.all.values_mut();
        for listener in releases.flat_map(|release| release.listeners.drain(..)) {
            listener.turn_newcomers_away();
        }
    }
}
