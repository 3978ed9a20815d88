//! Upgrade: the running server gets a new program and keeps its process number, its listeners and its
//! connections.
//!
//! A child master would not do: as process 1 of a container it dies with its parent, and a supervisor
//! loses sight of it. So the new program is first run as a child that reads our state and starts the
//! application ([`Check`]); if that succeeds the master becomes that same program ([`Estate`]), which
//! finds the old workers as its own children ([`Inheritance`]) and replaces them one by one. Whatever
//! fails before, fails without a trace.

mod check;
mod checker;
mod estate;
mod handover;
mod inheritance;
mod plan;

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

pub(crate) use check::Check;
pub(crate) use checker::Checker;
pub(crate) use estate::Estate;
pub(crate) use inheritance::Inheritance;
pub(crate) use plan::{ADOPT_ROLE, CHECK_ROLE};

use plan::Plan;

/// How this server was started, which is how its next program will be.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// What the program was called as.
    pub(crate) name: OsString,
    /// The words behind that on the command line.
    pub(crate) words: Vec<OsString>,
    /// Where the next program is looked for.
    pub(crate) program: PathBuf,
}

impl Start {
    /// The command line of a new program in this role, without its name. Ours follows, so that `ps`
    /// goes on showing it.
    ///
    /// # Errors
    ///
    /// A word with a NUL, which no command line can hold.
    fn arguments(&self, role: &str, plan: &Plan) -> io::Result<Vec<CString>> {
        let mut arguments = vec![CString::new(role)?, plan.to_argument()];
        for word in &self.words {
            arguments.push(CString::new(word.as_bytes())?);
        }
        Ok(arguments)
    }
}
