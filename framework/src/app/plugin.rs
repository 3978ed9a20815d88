//! [`Plugin`]: an extension as the application keeps it, and [`Starting`], what it sees at start.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use gateway_spec::{Host, Metrics, Startup, Worker};

use super::App;
use crate::config::Config;
use crate::error::Result;
use crate::parts::Parts;

/// An extension, its type forgotten: the three moments of its life.
pub(crate) struct Plugin {
    pub(crate) name: &'static str,
    pub(crate) setup: Option<Box<Setup>>,
    pub(crate) start: Box<Start>,
    pub(crate) stop: Box<dyn Fn() -> Life<()> + Send + Sync>,
}

type Setup = dyn FnOnce(App) -> App + Send + Sync;
type Start = dyn for<'a> Fn(&'a mut Starting<'_>) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>
    + Send
    + Sync;
type Life<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What an extension sees when the application starts, in each worker.
#[derive(Debug)]
pub struct Starting<'a> {
    pub(crate) config: &'a Config,
    pub(crate) startup: &'a Startup,
    pub(crate) root: &'a Path,
    pub(crate) state: &'a mut Parts,
    pub(crate) parts: &'a Parts,
    pub(crate) blueprints: &'a [(String, Parts)],
}

impl Starting<'_> {
    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.config
    }

    /// The application's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root
    }

    /// Which of the server's workers this is: what is kept in memory, each of them has for itself.
    #[must_use]
    pub fn worker(&self) -> Worker {
        self.startup.worker()
    }

    /// The server: its log.
    #[must_use]
    pub fn host(&self) -> Host {
        self.startup.host()
    }

    /// What the application counts for its operators: ask once, and keep what you get with the state.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.startup.metrics()
    }

    /// Provides shared state, one of each type.
    pub fn provide<T: Send + Sync + 'static>(&mut self, state: T) {
        self.state.put(state);
    }

    /// Shared state that the application or an earlier extension provided.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.state.get()
    }

    /// What was kept with the application by [`App::part`].
    #[must_use]
    pub fn part<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.parts.get()
    }

    /// What was kept with blueprints by [`Blueprint::part`](crate::Blueprint::part), by their full
    /// names.
    pub fn blueprint_parts<T: Send + Sync + 'static>(&self) -> impl Iterator<Item = (&str, &T)> {
        let parts = self.blueprints.iter();
        parts.filter_map(|(name, parts)| Some((name.as_str(), parts.get()?)))
    }
}
