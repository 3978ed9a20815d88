//! What the master writes into a worker's command line: which descriptor is what, and who it is.

use std::ffi::{CString, OsStr};
use std::os::fd::RawFd;

use super::serving::WorkerIdentity;
use crate::net::Tenure;

/// The numbers that a worker starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Who it is.
    pub(crate) identity: WorkerIdentity,
    /// The configuration, in a sealed memory file.
    pub(crate) config: RawFd,
    /// Its end of the order socket.
    pub(crate) orders: RawFd,
    /// Its page of the scoreboard.
    pub(crate) slot: RawFd,
    /// What all workers tell each other of their connections.
    pub(crate) shares: RawFd,
    /// The applications' snapshots; none if the application is this program.
    pub(crate) apps: Vec<RawFd>,
    /// Certificates and keys; none if no address speaks TLS.
    pub(crate) tls: Option<RawFd>,
    /// The keys of session tickets; none likewise.
    pub(crate) tickets: Option<RawFd>,
    /// Where applications count; none if nobody reads that.
    pub(crate) metrics: Option<RawFd>,
    /// The listeners, in the order of the configuration's addresses.
    pub(crate) listeners: Vec<(RawFd, Tenure)>,
}

impl Plan {
    /// The argument that [`Plan::parse`] reads.
    pub(crate) fn to_argument(&self) -> CString {
        let WorkerIdentity {
            id,
            index,
            count,
            generation,
        } = self.identity;
        let mut text = format!(
            "id={id},index={index},count={count},generation={generation},config={},orders={},slot={},shares={}",
            self.config, self.orders, self.slot, self.shares
        );
        for app in &self.apps {
            text = format!("{text},app={app}");
        }
        if let Some(tls) = self.tls {
            text = format!("{text},tls={tls}");
        }
        if let Some(tickets) = self.tickets {
            text = format!("{text},tickets={tickets}");
        }
        if let Some(metrics) = self.metrics {
            text = format!("{text},metrics={metrics}");
        }
        for (listener, tenure) in &self.listeners {
            let name = match tenure {
                Tenure::Own => OWN,
                Tenure::Lent => LENT,
            };
            text = format!("{text},{name}={listener}");
        }
        CString::new(text).expect("digits, commas and names hold no NUL")
    }

    /// Reads what a master of this version wrote.
    pub(crate) fn parse(argument: &OsStr) -> Option<Self> {
        let mut fields = argument.to_str()?.split(',').peekable();
        let mut next = |name: &str| -> Option<u32> {
            let value =
                fields.next_if(|field| field.split_once('=').is_some_and(|(n, _)| n == name))?;
            value.split_once('=')?.1.parse().ok()
        };
        let identity = WorkerIdentity {
            id: next("id")?,
            index: next("index")?,
            count: next("count")?,
            generation: next("generation")?,
        };
        let mut descriptor = |name: &str| RawFd::try_from(next(name)?).ok();
        let plan = Self {
            identity,
            config: descriptor("config")?,
            orders: descriptor("orders")?,
            slot: descriptor("slot")?,
            shares: descriptor("shares")?,
            apps: std::iter::from_fn(|| descriptor("app")).collect(),
            tls: descriptor("tls"),
            tickets: descriptor("tickets"),
            metrics: descriptor("metrics"),
            listeners: std::iter::from_fn(|| {
                let own = descriptor(OWN).map(|number| (number, Tenure::Own));
                own.or_else(|| Some((descriptor(LENT)?, Tenure::Lent)))
            })
            .collect(),
        };
        fields.next().is_none().then_some(plan)
    }

    /// Every descriptor of the plan.
    pub(crate) fn descriptors(&self) -> Vec<RawFd> {
        let mut all = vec![self.config, self.orders, self.slot, self.shares];
        all.extend(&self.apps);
        all.extend(self.tls);
        all.extend(self.tickets);
        all.extend(self.metrics);
        all.extend(self.listeners.iter().map(|(number, _)| *number));
        all
    }
}

/// A listener of the server's own.
const OWN: &str = "listener";
/// One that somebody else has lent it.
const LENT: &str = "lent";

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_worker_reads_the_plan_that_the_master_wrote() {
        let identity = WorkerIdentity {
            id: 5,
            index: 1,
            count: 2,
            generation: 3,
        };
        let mut plan = Plan {
            identity,
            config: 4,
            orders: 5,
            slot: 6,
            shares: 7,
            apps: vec![8, 14],
            tls: Some(12),
            tickets: Some(13),
            metrics: Some(15),
            listeners: vec![(9, Tenure::Own), (10, Tenure::Lent), (11, Tenure::Own)],
        };
        for apps in [vec![8, 14], vec![8], Vec::new()] {
            plan.apps = apps;
            let argument = plan.to_argument();
            assert_eq!(
                Plan::parse(OsStr::from_bytes(argument.as_bytes())),
                Some(plan.clone())
            );
        }
        assert_eq!(plan.descriptors(), [4, 5, 6, 7, 12, 13, 15, 9, 10, 11]);
    }

    #[test]
    fn other_arguments_are_no_plan() {
        for text in [
            "",
            "app.so",
            "id=1,index=0",
            "id=1,index=0,count=1,generation=1,config=-1,orders=4,slot=5,shares=6",
        ] {
            assert_eq!(Plan::parse(OsStr::new(text)), None, "{text}");
        }
        let more = "id=1,index=0,count=1,generation=1,config=3,orders=4,slot=5,shares=6,more=7";
        assert_eq!(Plan::parse(OsStr::new(more)), None);
    }
}
