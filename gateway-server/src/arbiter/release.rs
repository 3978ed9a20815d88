//! What the workers of one generation are started from: a configuration, a copy of the application,
//! and the listeners that the configuration asks for.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use super::event::{Gates, Policy};
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
    /// The configuration as workers read it, with the addresses that it has come to.
    pub(super) wire: OwnedFd,
    /// The copies of the applications, if they are files.
    pub(super) apps: Vec<Rc<OwnedFd>>,
    /// Certificates and keys, if an address speaks TLS.
    pub(super) tls: Option<OwnedFd>,
    /// The access log, if it is a file; workers are given it.
    pub(super) log: Option<Rc<File>>,
    /// In the order of the addresses.
    pub(super) listeners: Vec<Rc<Listener>>,
    /// Where it listens, for people.
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
    ) -> Result<Self, ReleaseError> {
        let listeners = net::open_all(&config.bind, &config.listen_options(), open, passed)?;
        let log = LogFiles::of(&config).open().map_err(ReleaseError::Log)?;
        Self::of_parts(config, apps, tls, listeners, log)
    }

    fn of_parts(
        config: Config,
        apps: Vec<OwnedFd>,
        tls: Option<OwnedFd>,
        opened: Vec<Opened>,
        log: Option<File>,
    ) -> Result<Self, ReleaseError> {
        let mut told = config.clone();
        told.bind = opened.iter().map(Opened::bind).collect();
        Ok(Self {
            wire: memfd::sealed("gatewayd-config", &told.to_wire())?,
            log: log.map(Rc::new),
            config,
            apps: apps.into_iter().map(Rc::new).collect(),
            tls,
            urls: opened.iter().map(Opened::url).collect(),
            listeners: opened.into_iter().map(|one| one.listener).collect(),
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
    ) -> Result<Self, ReleaseError> {
        let options = config.listen_options();
        let listeners = match net::open_all(&config.bind, &options, open, passed) {
            Err(error) => {
                tracing::error!("{error}; listening where the server has listened before");
                config.bind = before;
                net::open_all(&config.bind, &options, open, passed)?
            }
            Ok(listeners) => listeners,
        };
        let log = LogFiles::of(&config).open().unwrap_or_else(|error| {
            tracing::error!("{error}; nothing is written there until the log files are reopened");
            None
        });
        let release = Self::of_parts(config, apps, tls, listeners, log)?;
        release.adjust_listeners();
        Ok(release)
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
pub(super) fn policy(config: &Config) -> Policy {
    Policy {
        workers: config.workers,
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
        let first = Release::new(before, Vec::new(), None, &[], &Passed::default()).unwrap();
        assert_ne!(first.listeners[0].address(), first.listeners[1].address());
        let after = with(&[&unix("b"), "127.0.0.1:0", "127.0.0.1:0"]);
        let second = Release::new(
            after,
            Vec::new(),
            None,
            &first.listeners,
            &Passed::default(),
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
                std::os::fd::AsRawFd::as_raw_fd(&second.wire)
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
        let refused = Release::new(config.clone(), Vec::new(), None, &[], &none).unwrap_err();
        assert!(matches!(refused, ReleaseError::Log(_)));
        let release =
            Release::of_successor(config, Vec::new(), None, &[], &none, Vec::new()).unwrap();
        assert!(release.log.is_none() && release.listeners.len() == 1);
    }
}
