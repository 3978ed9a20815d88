//! How a master comes to be: started by somebody, or by the program that it was before.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::time::{Duration, Instant};

use super::Arbiter;
use super::admin::Admin;
use super::changes;
use super::control::Control;
use super::hooks::Hooks;
use super::ledger::Ledger;
use super::memory::OomKills;
use super::pool_names::PoolNames;
use super::release::{Release, ReleaseError, policy};
use super::releases::Releases;
use super::renewal::Renewal;
use super::state::State;
use super::supervisor::Supervisor;
use super::tickets::Tickets;
use super::upgrade::{Inheritance, Start};
use crate::admin::Rank;
use crate::app_metrics::Book;
use crate::app_source::AppSource;
use crate::config::Config;
use crate::net::{BindError, Passed};
use crate::orders::AppIdentity;
use crate::os::fd;
use crate::os::process::{self, Image};
use crate::os::signals::{Ignored, SignalSource};
use crate::prepare;
use crate::start;

impl Arbiter {
    pub(super) fn new(
        name: &OsStr,
        words: Vec<OsString>,
        mut config: Config,
        source: AppSource,
    ) -> anyhow::Result<Self> {
        let started = Instant::now();
        let binds: Vec<_> = config
            .each_pool()
            .flat_map(|(_, one)| one.bind.clone())
            .collect();
        let passed = Passed::take(&binds, fd::adopt);
        let mut pools = PoolNames::default();
        let signals = SignalSource::open()?;
        let files = process::raise_file_limit();
        config.fit_max_connections(files);
        let image = Image::running(name)?;
        let pid_file = start::pid_file(config.pid.as_deref(), &signals)?;
        let tls = prepare::read_tls(&config)?;
        let mut release = start::patiently(&signals, ReleaseError::is_in_use, || {
            Release::new(config.clone(), Vec::new(), None, &[], &passed, &mut pools)
        })?;
        release.tls = tls;
        let admin = start::patiently(&signals, BindError::is_in_use, || {
            Admin::open(&config, None, Rank::First)
        })?;
        Ok(Self {
            state: State::new(policy(&config, &mut pools)),
            started: (started, Duration::ZERO),
            shares: BTreeMap::new(),
            tickets: Tickets::new(None, Duration::ZERO, &config)?,
            app_metrics: config.is_observed().then(|| Book::open(None)).transpose()?,
            control: Control::open(&config),
            source,
            image,
            start: Start {
                name: name.to_owned(),
                words,
                program: process::start_path(name),
            },
            signals,
            releases: Releases::new(release, passed, files, pools),
            preparation: None,
            file_watcher: None,
            renewal: Renewal::default(),
            supervisor: Supervisor::from_environment(),
            workers: BTreeMap::new(),
            app: AppIdentity::default(),
            oom_kills: OomKills::watch(),
            pid_file,
            ignored: Ignored::default(),
            ledger: Ledger::new(Duration::ZERO),
            admin,
            checker: None,
            hooks: Hooks::default(),
        })
    }

    /// The master that this process was before, with another program.
    pub(super) fn succeed(inheritance: Inheritance, source: AppSource) -> anyhow::Result<Self> {
        let started = Instant::now();
        let signals = SignalSource::open()?;
        let files = process::raise_file_limit();
        let Inheritance {
            mut config,
            listeners: open,
            state: saved,
            ..
        } = inheritance;
        config.fit_max_connections(files);
        changes::tell_kept(&changes::keep(&mut config, &inheritance.kept));
        let admin = Admin::open(&config, inheritance.admin, Rank::Heir)?;
        let passed = inheritance.passed;
        let before = inheritance.binds;
        let mut pools = inheritance.pools;
        let release = Release::of_successor(
            config,
            inheritance.apps,
            inheritance.tls,
            &open,
            &passed,
            before,
            &mut pools,
        )?;
        let policy = policy(&release.config, &mut pools);
        let releases =
            Releases::of_successor(saved.generation, release, &open, passed, files, pools);
        Ok(Self {
            control: Control::succeed(releases.config(), inheritance.control),
            tickets: Tickets::new(inheritance.tickets, inheritance.clock, releases.config())?,
            app_metrics: releases
                .config()
                .is_observed()
                .then(|| Book::open(inheritance.app_metrics))
                .transpose()?,
            state: State::succeed(policy, saved, inheritance.clock),
            started: (started, inheritance.clock),
            shares: BTreeMap::new(),
            source,
            image: inheritance.image,
            start: inheritance.start,
            signals,
            releases,
            preparation: None,
            file_watcher: None,
            renewal: Renewal::default(),
            supervisor: Supervisor::from_environment(),
            ignored: Ignored::default(),
            workers: inheritance.workers,
            app: AppIdentity::default(),
            oom_kills: OomKills::watch(),
            pid_file: inheritance.pid_file,
            ledger: Ledger::succeed(inheritance.clock, inheritance.totals),
            admin,
            checker: None,
            hooks: Hooks::default(),
        })
    }
}
