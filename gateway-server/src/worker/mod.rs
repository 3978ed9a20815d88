//! A worker: one process with one event loop that serves connections until it is told to stop.
//!
//! It hears from the master over its order socket alone; when that closes, the master is gone and the
//! worker finishes what it has.

mod accept;
mod alone;
mod application;
mod doors;
mod event_loop;
mod obey;
mod orphan;
mod plan;
mod race;
mod reactor;
mod rehearsal;
mod secured;
mod serve;
mod serving;
mod settle;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::rc::Rc;

pub(crate) use alone::in_process;
pub(crate) use plan::Plan;
pub use rehearsal::{Heard, Rehearsal};
pub(crate) use serving::WorkerIdentity;

use crate::app_metrics::Sheet;
use crate::app_source::AppSource;
use crate::clock::Clock;
use crate::config::Config;
use crate::drain::Drain;
use crate::logging::{self, AccessLog};
use crate::net::Place;
use crate::orders::Report;
use crate::os::fd::{self, Inherited};
use crate::os::{memfd, process, signals};
use crate::scoreboard::{Complaints, Slot, prepare_last_words};
use crate::shares::Shares;
use crate::workbench::Workbench;
use event_loop::run;
use obey::{Subject, obey};
use serving::{App, Listening, ServeFailure, Serving, other};
use settle::settle;

/// The first argument of a worker's command line. Nobody types it: without the descriptors that the
/// second one speaks of, the process ends at once.
pub(crate) const ROLE: &str = "--gatewayd-worker";

/// The life of a worker process that a master has started.
pub(crate) fn main(plan: &OsStr, source: AppSource) -> ExitCode {
    let boot = match Boot::from_inheritance(plan, source) {
        Ok(boot) => boot,
        Err(error) => {
            logging::init(Default::default());
            tracing::error!("{ROLE} is for gatewayd's own use: {error}");
            return ExitCode::from(ServeFailure::Other.exit_code());
        }
    };
    let Boot {
        config,
        orders,
        serving,
    } = boot;
    logging::init(config.log_style());
    let orders = Rc::new(orders);
    let subject = Subject {
        drain: serving.drain.clone(),
        clock: serving.clock.clone(),
        access_log: serving.access_log.clone(),
        engine: serving.tls.clone(),
        graceful: config.graceful_timeout,
    };
    let hear = || {
        let orders = fd::watch(Rc::clone(&orders))?;
        tokio::task::spawn_local(obey(orders, subject));
        Ok(())
    };
    let tell = |report: Report| {
        // A master that is gone is noticed by the task that reads from it.
        let _ = report.send(&orders);
    };
    let prepared = settle(&config, serving.identity.index)
        .and_then(|()| orphan::end_in_time(&orders, config.graceful_timeout))
        .map_err(other);
    let failure = prepared.and_then(|()| run(serving, config.worker_timeout, hear, tell));
    let Err(error) = failure else {
        return ExitCode::SUCCESS;
    };
    if Report::Failed(error.message.clone()).send(&orders).is_err() {
        tracing::error!("{error}");
    }
    ExitCode::from(error.kind.exit_code())
}

/// What a worker process finds when it starts.
struct Boot {
    config: Config,
    orders: OwnedFd,
    serving: Serving,
}

impl Boot {
    /// Takes over what the master left. Nothing else has been opened in this process before.
    fn from_inheritance(plan: &OsStr, source: AppSource) -> anyhow::Result<Self> {
        let plan = Plan::parse(plan).ok_or_else(not_ours)?;
        let mut inherited = Inherited::claim(plan.descriptors())?;
        signals::disregard()?;
        process::set_name(&format!("gatewayd/{}", plan.identity.id));
        let mut take = |number| inherited.take(number).ok_or_else(not_ours);
        let config = Config::from_wire(&memfd::read(&File::from(take(plan.config)?))?)?;
        let orders = take(plan.orders)?;
        let page = File::from(take(plan.slot)?);
        let slot = Slot::map(&page)?;
        let complaints = Complaints::of(&page)?;
        logging::hear_errors(move |text| complaints.enter(text));
        prepare_last_words(page)?;
        let mut apps = Vec::new();
        match (source, &plan.apps[..], &config.workbench) {
            (AppSource::LinkedIn(module), ..) => apps.push(App::LinkedIn(module)),
            (AppSource::CommandLine, [], Some(folder)) => {
                apps.push(App::LinkedIn(Workbench::at(folder).waiting()));
            }
            (AppSource::CommandLine, copies, _) if copies.len() == config.apps.len() => {
                for (copy, app) in copies.iter().zip(&config.apps) {
                    apps.push(App::Snapshot {
                        copy: take(*copy)?,
                        path: app.path.clone().unwrap_or_default(),
                    });
                }
            }
            _ => return Err(not_ours().into()),
        }
        let shares = Shares::map(take(plan.shares)?, plan.identity.index, plan.identity.count)?;
        let app_metrics = match plan.metrics {
            Some(book) => Sheet::claim(take(book)?)?,
            None => None,
        };
        let listeners = config
            .bind
            .iter()
            .zip(&plan.listeners)
            .map(|(bind, (number, tenure))| match &bind.place {
                Place::Address(address) => Ok(Listening {
                    address: address.clone(),
                    manner: bind.manner,
                    socket: take(*number)?,
                    tenure: *tenure,
                }),
                _ => Err(not_ours()),
            })
            .collect::<Result<_, _>>()?;
        let options = config.serve_options();
        let tls = match (plan.tls, plan.tickets) {
            (Some(material), Some(tickets)) => {
                Some(secured::engine(take(material)?, take(tickets)?, &options)?)
            }
            _ => None,
        };
        let serving = Serving {
            listeners,
            tls,
            apps,
            access_log: match &config.access_log {
                Some(target) => Some(AccessLog::of(target, config.access_manner())?),
                None => None,
            },
            options,
            clock: Clock::new(),
            slot,
            shares: Some(shares),
            app_metrics,
            drain: Drain::default(),
            identity: plan.identity,
        };
        Ok(Self {
            config,
            orders,
            serving,
        })
    }
}

fn not_ours() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "expected what a gatewayd master passes on",
    )
}
