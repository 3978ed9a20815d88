//! What the workers of one generation are started from: a configuration, a copy of the application,
//! and the listeners that the configuration asks for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use super::event::{Gates, Policy, PoolId};
use super::pool_names::PoolNames;
use super::recycling::Limits;
use crate::config::{Config, MAX_WORKERS};
use crate::log_files::LogFiles;
use crate::net::{self, Bind, BindError, Listener, Opened, Passed};
use crate::os::memfd;

/// A generation's provisions. Listeners are shared with the generations before and behind; the last
/// one to need a listener takes it along when it goes.
#[derive(Debug)]
pub(super) struct Release {
    /// As it was read, but for what only a restart can change.
    pub(super) config: Config,
    /// The same, for processes that prepare a part of it.
    pub(super) wire: OwnedFd,
    /// What the workers of each pool are given.
    pub(super) supplies: BTreeMap<PoolId, Supply>,
    /// Certificates and keys, if an address speaks TLS.
    pub(super) tls: Option<OwnedFd>,
    /// The access log, if it is a file; workers are given it.
    pub(super) log: Option<Rc<File>>,
    /// Those of all pools.
    pub(super) listeners: Vec<Rc<Listener>>,
    /// Where it listens, for people.
    pub(super) urls: Vec<String>,
}

/// What the workers of one pool are given beside what all are.
#[derive(Debug)]
pub(super) struct Supply {
    /// The configuration as they read it, with the addresses that it has come to.
    pub(super) wire: OwnedFd,
    /// The copies of their applications, if they are files.
    pub(super) apps: Vec<Rc<OwnedFd>>,
    /// In the order of the addresses.
    pub(super) listeners: Vec<Rc<Listener>>,
    /// Whether an address speaks TLS.
    pub(super) is_secured: bool,
    /// Where they listen, for people.
    pub(super) urls: Vec<String>,
}

impl Release {
    /// Puts together what is needed; of `open` those listeners are taken over that are asked for.
    ///
    /// # Errors
    ///
    /// An address cannot be had, or there is no memory. What was opened is closed again.
    pub(super) fn new(
        config: Config,
        apps: Vec<OwnedFd>,
        tls: Option<OwnedFd>,
        open: &[Rc<Listener>],
        passed: &Passed,
        pools: &mut PoolNames,
    ) -> Result<Self, ReleaseError> {
        let listeners = open_each(&config, open, passed)?;
        let log = LogFiles::of(&config).open().map_err(ReleaseError::Log)?;
        Self::of_parts(config, apps, tls, listeners, log, pools)
    }

    fn of_parts(
        config: Config,
        apps: Vec<OwnedFd>,
        tls: Option<OwnedFd>,
        opened: Vec<Vec<Opened>>,
        log: Option<File>,
        pools: &mut PoolNames,
    ) -> Result<Self, ReleaseError> {
        let mut apps = apps.into_iter().map(Rc::new);
        let urls = opened.iter().flatten().map(Opened::url).collect();
        let mut supplies = BTreeMap::new();
        let mut listeners = Vec::new();
        for ((name, pool), opened) in config.each_pool().zip(opened) {
            let mut told = pool.clone();
            told.pools.clear();
            told.bind = opened.iter().map(Opened::bind).collect();
            let urls = opened.iter().map(Opened::url).collect();
            let own: Vec<_> = opened.into_iter().map(|one| one.listener).collect();
            listeners.extend(own.iter().cloned());
            let supply = Supply {
                wire: memfd::sealed("gatewayd-config", &told.to_wire())?,
                apps: apps.by_ref().take(pool.apps.len()).collect(),
                listeners: own,
                is_secured: told.tls_files().is_some(),
                urls,
            };
            supplies.insert(pools.id_of(name), supply);
        }
        Ok(Self {
            wire: memfd::sealed("gatewayd-config", &config.to_wire())?,
            log: log.map(Rc::new),
            config,
            supplies,
            tls,
            urls,
            listeners,
        })
    }

    /// The same for a server whose program has just been replaced: it listens where it has listened
    /// `before` if an address cannot be had, and goes without a log file that cannot be opened. The check
    /// has tried the same a moment ago, and there is no way back.
    ///
    /// # Errors
    ///
    /// There is no memory.
    pub(super) fn of_successor(
        mut config: Config,
        apps: Vec<OwnedFd>,
        tls: Option<OwnedFd>,
        open: &[Rc<Listener>],
        passed: &Passed,
        before: Vec<Bind>,
        pools: &mut PoolNames,
    ) -> Result<Self, ReleaseError> {
        let listeners = match open_each(&config, open, passed) {
            Err(error) => {
                tracing::error!("{error}; listening where the server has listened before");
                let pools = config.pools.iter_mut().map(|pool| &mut pool.config.bind);
                pools.for_each(|bind| bind.retain(|one| before.contains(one)));
                match config.pools.is_empty() {
                    true => config.bind = before,
                    false => config.bind.retain(|one| before.contains(one)),
                }
                open_each(&config, open, passed)?
            }
            Ok(listeners) => listeners,
        };
        let log = LogFiles::of(&config).open().unwrap_or_else(|error| {
            tracing::error!("{error}; nothing is written there until the log files are reopened");
            None
        });
        let release = Self::of_parts(config, apps, tls, listeners, log, pools)?;
        release.adjust_listeners();
        Ok(release)
    }

    /// The same with another copy of a pool's application of this number: whatever else workers are given,
    /// the bytes of the other applications included, stays what it was.
    ///
    /// # Errors
    ///
    /// There are too many open files.
    pub(super) fn with_app(&self, pool: PoolId, number: usize, copy: OwnedFd) -> io::Result<Self> {
        let mut supplies = BTreeMap::new();
        for (pool, supply) in &self.supplies {
            let supply = Supply {
                wire: supply.wire.try_clone()?,
                apps: supply.apps.clone(),
                listeners: supply.listeners.clone(),
                is_secured: supply.is_secured,
                urls: supply.urls.clone(),
            };
            supplies.insert(*pool, supply);
        }
        let apps = supplies.get_mut(&pool).map(|supply| &mut supply.apps);
        if let Some(app) = apps.and_then(|apps| apps.get_mut(number)) {
            *app = Rc::new(copy);
        }
        Ok(Self {
            config: self.config.clone(),
            wire: self.wire.try_clone()?,
            supplies,
            tls: self.tls.as_ref().map(OwnedFd::try_clone).transpose()?,
            log: self.log.clone(),
            listeners: self.listeners.clone(),
            urls: self.urls.clone(),
        })
    }

    /// Gives each pool its part of these copies, which are in the order of the applications.
    pub(super) fn supply(&mut self, copies: Vec<OwnedFd>, pools: &mut PoolNames) {
        let mut copies = copies.into_iter().map(Rc::new);
        for (name, pool) in self.config.each_pool() {
            if let Some(supply) = self.supplies.get_mut(&pools.id_of(name)) {
                supply.apps = copies.by_ref().take(pool.apps.len()).collect();
            }
        }
    }

    /// Brings listeners that were open before to what the configuration says now.
    pub(super) fn adjust_listeners(&self) {
        net::adjust(&self.listeners, &self.config.listen_options());
    }

    /// The listeners of `older` that are none of this one's.
    pub(super) fn lacking<'a>(
        &self,
        older: &'a [Rc<Listener>],
    ) -> impl Iterator<Item = &'a Rc<Listener>> {
        let has = |one: &Rc<Listener>| self.listeners.iter().any(|own| Rc::ptr_eq(own, one));
        older.iter().filter(move |one| !has(one))
    }
}

/// Opens what each pool asks for; a pool's own addresses go first, for those of the server may be all the
/// sockets that are left.
fn open_each(
    config: &Config,
    open: &[Rc<Listener>],
    passed: &Passed,
) -> Result<Vec<Vec<Opened>>, BindError> {
    let pools: Vec<&Config> = config.each_pool().map(|(_, pool)| pool).collect();
    let (main, own) = pools.split_at(usize::from(
        !config.apps.is_empty() || config.pools.is_empty(),
    ));
    let binds = own.iter().chain(main).flat_map(|pool| &pool.bind);
    let binds: Vec<Bind> = binds.cloned().collect();
    let mut opened = net::open_all(&binds, &config.listen_options(), open, passed)?.into_iter();
    let own: Vec<Vec<Opened>> = own
        .iter()
        .map(|pool| opened.by_ref().take(pool.bind.len()).collect())
        .collect();
    let main = (!main.is_empty()).then(|| opened.collect());
    Ok(main.into_iter().chain(own).collect())
}

/// Why a generation cannot be provided for.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReleaseError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A log file cannot be opened.
    #[error("{0}")]
    Log(io::Error),
    /// There is no memory.
    #[error("cannot copy the configuration into memory: {0}")]
    Memory(#[from] io::Error),
}

impl ReleaseError {
    /// Whether it is a matter of time.
    pub(super) fn is_in_use(&self) -> bool {
        matches!(self, Self::Bind(error) if error.is_in_use())
    }
}

/// What the arbiter's judgement is told of a configuration.
pub(super) fn policy(config: &Config, pools: &mut PoolNames) -> Policy {
    let each = config.each_pool();
    Policy {
        workers: each
            .map(|(name, pool)| (pools.id_of(name), pool.workers))
            .collect(),
        max_workers: MAX_WORKERS,
        worker_timeout: config.worker_timeout,
        boot_timeout: config.boot_timeout,
        graceful_timeout: config.graceful_timeout,
        drain_delay: config.drain_delay,
        limits: Limits {
            requests: config.max_requests,
            age: config.max_age,
            memory: config.max_rss,
            jitter: config.recycle_jitter,
        },
        gates: Gates {
            boot: config.hook_boot.is_some(),
            ready: config.hook_ready.is_some(),
            within: match config.hook_ready {
                Some(_) => config.hook_timeout,
                None => Duration::ZERO,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    #[test]
    fn listeners_that_are_asked_for_again_are_the_same_sockets() {
        let folder = tempfile::tempdir().unwrap();
        let unix = |name: &str| format!("unix:{}", folder.path().join(name).display());
        let with = |texts: &[&str]| {
            let mut config = Config::of(&[]);
            SETTINGS[0].set(&mut config, texts).unwrap();
            config
        };
        let before = with(&["127.0.0.1:0", "127.0.0.1:0", &unix("a")]);
        let first = Release::new(
            before,
            Vec::new(),
            None,
            &[],
            &Passed::default(),
            &mut PoolNames::default(),
        )
        .unwrap();
        assert_ne!(first.listeners[0].address(), first.listeners[1].address());
        let after = with(&[&unix("b"), "127.0.0.1:0", "127.0.0.1:0"]);
        let second = Release::new(
            after,
            Vec::new(),
            None,
            &first.listeners,
            &Passed::default(),
            &mut PoolNames::default(),
        )
        .unwrap();
        assert!(Rc::ptr_eq(&first.listeners[0], &second.listeners[1]));
        assert!(Rc::ptr_eq(&first.listeners[1], &second.listeners[2]));
        let gone: Vec<_> = second
            .lacking(&first.listeners)
            .map(|one| one.address())
            .collect();
        assert_eq!(gone.len(), 1);
        assert!(gone[0].to_string().ends_with("/a"));
        drop(first);
        assert!(!folder.path().join("a").exists() && folder.path().join("b").exists());
        let told = Config::from_wire(
            &std::fs::read(format!(
                "/proc/self/fd/{}",
                std::os::fd::AsRawFd::as_raw_fd(&second.supplies[&PoolId::MAIN].wire)
            ))
            .unwrap(),
        )
        .unwrap();
        assert!(
            told.bind
                .iter()
                .map(ToString::to_string)
                .eq(second.listeners.iter().map(|one| one.address().to_string()))
        );
    }

    #[test]
    fn a_successor_goes_on_without_a_log_file_that_cannot_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("gone/log");
        let log = log.to_str().unwrap();
        let config = Config::of(&[("bind", "127.0.0.1:0"), ("access-log", log)]);
        let none = Passed::default();
        let refused = Release::new(
            config.clone(),
            Vec::new(),
            None,
            &[],
            &none,
            &mut PoolNames::default(),
        )
        .unwrap_err();
        assert!(matches!(refused, ReleaseError::Log(_)));
        let release = Release::of_successor(
            config,
            Vec::new(),
            None,
            &[],
            &none,
            Vec::new(),
            &mut PoolNames::default(),
        )
        .unwrap();
        assert!(release.log.is_none() && release.listeners.len() == 1);
    }
}
