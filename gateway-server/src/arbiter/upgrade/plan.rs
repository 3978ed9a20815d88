//! What an upgrade writes into a command line: the role, and which descriptor is what. The arguments
//! that the server was started with follow, so that `ps` shows them and the new program reads them.

use std::ffi::{CString, OsStr};
use std::os::fd::RawFd;

/// The role of a new program that is to find out whether it can take over. Nobody types it: without
/// the descriptors that the next argument speaks of, the process ends at once.
pub(crate) const CHECK_ROLE: &str = "--gatewayd-adopt-check";

/// The role of a new program that takes over.
pub(crate) const ADOPT_ROLE: &str = "--gatewayd-adopt";

/// The numbers that both roles start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The new program itself.
    pub(super) image: RawFd,
    /// The master's state.
    pub(super) state: RawFd,
    /// For the check: the socket to report to.
    pub(super) report: Option<RawFd>,
    /// For the successor: the configuration that the check has read.
    pub(super) config: Option<RawFd>,
    /// For the successor: the copies of the applications that the check has tried; none if the
    /// application is the program.
    pub(super) apps: Vec<RawFd>,
    /// For the successor: certificates and keys that the check has read, if it needs any.
    pub(super) tls: Option<RawFd>,
}

impl Plan {
    /// The argument that [`Plan::parse`] reads, in this program or in another one: names and order stay
    /// as they are.
    pub(super) fn to_argument(&self) -> CString {
        let mut text = format!("image={},state={}", self.image, self.state);
        let before = [(REPORT, self.report), (CONFIG, self.config)].into_iter();
        let apps = self.apps.iter().map(|app| (APP, Some(*app)));
        for (name, number) in before.chain(apps).chain([(TLS, self.tls)]) {
            if let Some(number) = number {
                text = format!("{text},{name}={number}");
            }
        }
        CString::new(text).expect("digits, commas and names hold no NUL")
    }

    /// Reads what a master wrote.
    pub(super) fn parse(argument: &OsStr) -> Option<Self> {
        let mut fields = argument.to_str()?.split(',').peekable();
        let mut next = |name: &str| -> Option<RawFd> {
            let named = |field: &&str| field.split_once('=').is_some_and(|(n, _)| n == name);
            let (_, value) = fields.next_if(named)?.split_once('=')?;
            RawFd::try_from(value.parse::<u32>().ok()?).ok()
        };
        let plan = Self {
            image: next("image")?,
            state: next("state")?,
            report: next(REPORT),
            config: next(CONFIG),
            apps: std::iter::from_fn(|| next(APP)).collect(),
            tls: next(TLS),
        };
        fields.next().is_none().then_some(plan)
    }

    /// Every descriptor of the plan.
    pub(super) fn descriptors(&self) -> Vec<RawFd> {
        let always = [self.image, self.state].into_iter();
        let others = [self.report, self.config, self.tls].into_iter();
        let apps = self.apps.iter().copied();
        always.chain(others.flatten()).chain(apps).collect()
    }
}

const REPORT: &str = "report";
const CONFIG: &str = "config";
const APP: &str = "app";
const TLS: &str = "tls";

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_new_program_reads_the_plan_that_the_master_wrote() {
        for some in [None, Some(7)] {
            let plan = Plan {
                image: 3,
                state: 4,
                report: some,
                config: some,
                apps: some.into_iter().chain(some).collect(),
                tls: some,
            };
            let argument = plan.to_argument();
            let read = Plan::parse(OsStr::from_bytes(argument.as_bytes()));
            assert_eq!(read, Some(plan));
        }
    }

    #[test]
    fn other_arguments_are_no_plan() {
        for text in [
            "",
            "app.so",
            "image=3",
            "image=-3,state=4,report=5",
            "image=3,state=4,app=6,config=5",
            "image=3,state=4,report=7,more=8",
        ] {
            assert_eq!(Plan::parse(OsStr::new(text)), None, "{text}");
        }
    }
}
