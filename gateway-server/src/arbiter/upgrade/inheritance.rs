//! The new program's side of an upgrade: the same process, with another program's listeners and
//! children.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{OwnedFd, RawFd};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;

use super::Start;
use super::handover::Handover;
use super::plan::Plan;
use crate::arbiter::event::WorkerId;
use crate::arbiter::pool_names::PoolNames;
use crate::arbiter::state::Saved;
use crate::arbiter::worker_handle::WorkerHandle;
use crate::config::Config;
use crate::log_files::LogFiles;
use crate::net::{Bind, LeftListener, Listener, LockFile, Passed};
use crate::os::fd::Inherited;
use crate::os::process::{self, Image};
use crate::prepare;
use crate::scoreboard::{Counter, Page};

/// What a program finds when it takes over from another.
#[derive(Debug)]
pub(crate) struct Inheritance {
    pub(crate) start: Start,
    /// As the check has read it.
    pub(crate) config: Config,
    /// The copies of the applications that the check has tried; none if the application is the program.
    pub(crate) apps: Vec<OwnedFd>,
    /// Certificates and keys that the check has read, if it needs any.
    pub(crate) tls: Option<OwnedFd>,
    pub(crate) image: Image,
    /// Where it has listened, as it was asked to.
    pub(crate) binds: Vec<Bind>,
    /// Settings that only a restart can change, and their values.
    pub(crate) kept: Vec<(String, Vec<String>)>,
    pub(crate) listeners: Vec<Rc<Listener>>,
    pub(crate) passed: Passed,
    /// The control socket.
    pub(crate) control: Option<Listener>,
    pub(crate) pid_file: Option<LockFile>,
    /// The keys of TLS session tickets.
    pub(crate) tickets: Option<OwnedFd>,
    /// What applications have counted.
    pub(crate) app_metrics: Option<OwnedFd>,
    pub(crate) workers: BTreeMap<WorkerId, WorkerHandle>,
    pub(crate) clock: Duration,
    /// What its workers have counted that are gone, and what else was.
    pub(crate) totals: Vec<(String, u64)>,
    /// Where operators connect to.
    pub(crate) admin: Option<Listener>,
    pub(crate) state: Saved,
    pub(crate) pools: PoolNames,
}

impl Inheritance {
    /// Takes over what the old program left in this process. Nothing else has been opened in it before.
    ///
    /// # Errors
    ///
    /// Nothing was left, or not by a master of ours. After a check that has read the same, hardly
    /// anything can fail.
    pub(crate) fn claim(
        argument: &OsStr,
        name: OsString,
        words: Vec<OsString>,
    ) -> anyhow::Result<Self> {
        const NOT_OURS: &str = "expected what a gatewayd master passes on";
        let plan = Plan::parse(argument).context(NOT_OURS)?;
        // Read before it is owned, because it says what else there is to own.
        let left = Handover::parse(&Inherited::peek(plan.state)?)?;
        let numbers = [plan.descriptors(), left.descriptors()].concat();
        let mut inherited = Inherited::claim(numbers)?;
        let mut take = |number| inherited.take(number).context(NOT_OURS);
        drop(take(plan.state)?);
        let file = Path::new(&name).file_name().unwrap_or(&name);
        process::set_name(&file.to_string_lossy());
        let image = Image::adopt(take(plan.image)?, &name)?;
        let config = prepare::read_config(take(plan.config.context(NOT_OURS)?)?)?;
        let apps = plan.apps.into_iter().map(&mut take);
        let apps = apps.collect::<anyhow::Result<_>>()?;
        let tls = plan.tls.map(&mut take).transpose()?;
        let mut inherit = |one: LeftListener<RawFd>| -> anyhow::Result<Listener> {
            Ok(Listener::inherit(LeftListener {
                socket: take(one.socket)?,
                claim: one.claim.map(&mut take).transpose()?,
                asked: one.asked,
                address: one.address,
                path: one.path,
            }))
        };
        let mut listeners = Vec::new();
        for one in left.listeners {
            listeners.push(Rc::new(inherit(one)?));
        }
        let admin = left.admin.map(&mut inherit).transpose()?;
        let mut totals = left.totals;
        if totals.is_empty() {
            // A program of before has counted nothing else.
            totals.push((Counter::Requests.name().into_owned(), left.requests));
        }
        let control = left.control.map(inherit).transpose()?;
        let mut passed = Vec::new();
        for one in left.passed {
            passed.push((one.number, one.name, take(one.socket)?));
        }
        let passed = Passed::inherit(passed).map_err(anyhow::Error::msg)?;
        let tickets = left.tickets.map(&mut take).transpose()?;
        let app_metrics = left.app_metrics.map(&mut take).transpose()?;
        let pid_file = match left.pid_file {
            Some((file, path)) => Some(LockFile::adopt(take(file)?, path)),
            None => None,
        };
        let generations: BTreeMap<_, _> = left.state.workers.iter().cloned().collect();
        let mut workers = BTreeMap::new();
        for one in left.processes {
            let worker = generations.get(&one.worker).context(NOT_OURS)?;
            let (orders, page) = (take(one.orders)?, take(one.page)?);
            let page = Page::adopt(page, one.layout)?;
            let logs = LogFiles::at(one.log);
            let what = (worker.pool, worker.generation);
            let handle = WorkerHandle::adopt(one.pid, what, orders, page, one.apps, logs);
            workers.insert(one.worker, handle);
        }
        Ok(Self {
            start: Start {
                name,
                words,
                program: left.program,
            },
            config,
            apps,
            tls,
            image,
            binds: left.binds,
            kept: left.kept,
            listeners,
            passed,
            control,
            pid_file,
            tickets,
            app_metrics,
            workers,
            clock: left.clock,
            totals,
            admin,
            state: left.state,
            pools: PoolNames::adopt(left.pools),
        })
    }
}
