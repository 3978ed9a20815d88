//! [`Reader`]: a process that reads the configuration for a running server.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use crate::app_source::AppSource;
use crate::config::Config;
use crate::{arbiter, prepare};

/// Reads the configuration as a server would that starts now, and answers instead of serving.
pub(super) enum Reader {
    /// For a reload.
    Desk(prepare::Desk),
    /// As the program that is to replace the server's own.
    Check(arbiter::Check),
}

impl Reader {
    /// Takes the words out of `args`, behind the `name`, by which a server asks for it; none if there are
    /// none.
    ///
    /// # Errors
    ///
    /// What to exit with: the words are none of a server's.
    pub(super) fn claim(args: &mut Vec<OsString>, name: &OsStr) -> Result<Option<Self>, ExitCode> {
        let [_, role, argument, ..] = &args[..] else {
            return Ok(None);
        };
        let reader = match role.to_str() {
            Some(prepare::ROLE) => {
                let desk = prepare::Desk::claim(argument);
                Self::Desk(desk.map_err(|_| ExitCode::FAILURE)?)
            }
            Some(arbiter::CHECK_ROLE) => Self::Check(arbiter::Check::claim(argument, name)?),
            _ => return Ok(None),
        };
        args.drain(1..3);
        Ok(Some(reader))
    }

    /// Tells the server what was read, or what is wrong with it.
    pub(super) fn answer(self, read: Result<Config, Vec<String>>, source: AppSource) -> ExitCode {
        match self {
            Self::Desk(desk) => desk.answer(read, source),
            Self::Check(check) => check.answer(read, source),
        }
    }
}
