//! The master process.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::app_source::AppSource;
use crate::config::Config;

/// Runs the master.
pub(crate) fn run(_name: &OsStr, config: Config, _source: AppSource) -> ExitCode {
    tracing::error!(
        "--workers {} is not served yet, only --workers 0",
        config.workers
    );
    ExitCode::FAILURE
}
