//! The framework's own settings, as far as they belong to no part of it.

use std::thread::available_parallelism;
use std::time::Duration;

use serde::Deserialize;

use super::mistakes::Mistakes;
use crate::config::{Config, Size, time};
use crate::form;
use crate::json_format::JsonFormat;

/// The framework's own settings.
pub(super) struct Settings {
    /// The most bytes of a body that is read whole; 1 MiB unless it is set.
    pub(super) body_limit: usize,
    /// The host under which subdomains are told apart.
    pub(super) server_name: Option<String>,
    pub(super) views: Views,
    pub(super) json: JsonFormat,
    pub(super) form: form::Limits,
    /// Hosts that requests may name; a dot before one takes its subdomains in. None: any.
    pub(super) trusted_hosts: Vec<String>,
}

/// The pool for plain views, in each worker.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Views {
    /// How many run at once; four for each core, and at least 8, unless it is set.
    pub(super) threads: usize,
    /// How many more may wait for a thread; 256 unless it is set.
    pub(super) queue: usize,
    /// How long views that nobody waits for may hold all threads, 0 for ever; 30 s unless it is set.
    #[serde(deserialize_with = "time")]
    pub(super) timeout: Duration,
}

impl Settings {
    /// # Errors
    ///
    /// A setting is not what it should be; the error names it.
    pub(super) fn read(config: &Config) -> Result<Self, Mistakes> {
        Ok(Self {
            body_limit: config
                .get("body_limit")
                .map_err(Mistakes::one)?
                .map_or(BODY_LIMIT, |Size(bytes)| bytes),
            server_name: config.get("server_name").map_err(Mistakes::one)?,
            views: config.section("views").map_err(Mistakes::one)?,
            json: (config.get("json").map_err(Mistakes::one)?)
                .unwrap_or_else(|| JsonFormat::usual(config.debug())),
            form: config.section("form").map_err(Mistakes::one)?,
            trusted_hosts: config
                .get("trusted_hosts")
                .map_err(Mistakes::one)?
                .unwrap_or_default(),
        })
    }
}

impl Default for Views {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            threads: (4 * cores).max(8),
            queue: 256,
            timeout: Duration::from_secs(30),
        }
    }
}

/// The most bytes of a body that is read whole, where nobody says otherwise.
const BODY_LIMIT: usize = 1 << 20;
