//! The log files of a configuration, for whoever may open them: the master, and a server of one process.
//! Workers are given descriptors.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::logging;
use crate::value::LogTarget;

/// Which files there are to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogFiles {
    access: Option<PathBuf>,
}

impl LogFiles {
    /// Those of a worker that writes its access log there.
    pub(crate) fn at(access: Option<PathBuf>) -> Self {
        Self { access }
    }

    /// Where the access log is.
    pub(crate) fn access(&self) -> Option<&Path> {
        self.access.as_deref()
    }

    /// Those that a configuration asks for.
    pub(crate) fn of(config: &Config) -> Self {
        let access = match &config.access_log {
            Some(LogTarget::File(path)) => Some(path.clone()),
            Some(LogTarget::Stdout | LogTarget::Syslog(_)) | None => None,
        };
        Self { access }
    }

    /// Opens the access log by its name, if it is a file.
    ///
    /// # Errors
    ///
    /// The kernel's, with the file's name.
    pub(crate) fn open(&self) -> io::Result<Option<File>> {
        let Some(path) = &self.access else {
            return Ok(None);
        };
        let file = logging::open_log(path).map_err(|error| {
            let words = format!("--access-log {}: cannot open it: {error}", path.display());
            io::Error::new(error.kind(), words)
        })?;
        Ok(Some(file))
    }
}
