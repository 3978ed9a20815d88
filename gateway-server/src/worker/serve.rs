//! The serving loop: starts the application, accepts connections, drains.

use std::rc::Rc;
use std::time::Duration;

use super::accept::Listener;
use super::application;
use super::race::unless;
use super::reactor::Reactor;
use super::serving::{ServeError, ServeFailure, Serving};
use crate::clock::Clock;
use crate::compression::Compression;
use crate::connection::{Service, Settings};
use crate::drain::Phase;
use crate::limits::HeadLimits;
use crate::logging::AccessLog;
use crate::options::ServeOptions;
use crate::orders::Report;
use crate::os::process;
use crate::static_files::StaticFiles;
use crate::traces::Tracer;
use crate::workbench::Workbench;

/// Serves until the drain is over. `tell` hears once connections are accepted, and once no more are.
///
/// # Errors
///
/// What kept it from becoming ready.
pub(crate) async fn serve(serving: Serving, tell: impl Fn(Report)) -> Result<(), ServeError> {
    let Serving {
        listeners,
        tls,
        apps,
        access_log,
        options,
        clock,
        slot,
        shares,
        app_metrics,
        drain,
        identity,
    } = serving;
    let static_files = StaticFiles::open(&options.static_files).map_err(other)?;
    let (apps, name) = {
        let sheet = app_metrics.as_ref();
        application::start_all(apps, &options, identity, &drain, sheet).await?
    };
    if let Some(log) = &access_log {
        log.introduce(identity.id, &name.name);
    }
    let tracer = options.traces.as_ref();
    let tracer = tracer.map(|traces| Tracer::start(traces, &name.name, &name.version));
    let tracer = tracer.transpose().map_err(other)?;
    let settings = settings_of(&options, static_files, access_log.clone(), tracer);
    let service = Service::new(apps, settings, clock, slot, drain.clone());
    tokio::task::spawn_local(write_log(Rc::clone(&service)));
    let listener = |one| Listener::new(one, tls.as_ref(), options.redirect_port);
    let listeners = listeners.into_iter().map(listener).collect();
    let reactor = Reactor::new(&service, listeners, shares).map_err(other)?;
    let driving = tokio::task::spawn_local(reactor.drive().map_err(other)?);
    tokio::task::spawn_local(async move {
        // A loop without its reactor would look alive and serve nobody.
        if driving.await.is_err_and(|error| error.is_panic()) {
            tracing::error!("the server's own code panicked: ending this process");
            process::exit_now(1);
        }
    });
    tokio::task::spawn_local(tell_others(Rc::clone(&reactor), service.clock.clone()));
    tokio::task::spawn_local(announce(Rc::clone(&service)));
    tell(Report::Ready(name));

    drain.wait().await;
    service.clock.deadlines.wake_all();
    let phase = drain.phase();
    if phase == Phase::Orphaned {
        reactor.turn_newcomers_away();
    }
    if phase >= Phase::ShuttingDown {
        unless(drain.reached(Phase::Stopping), reactor.empty_backlog()).await;
    }
    reactor.stop_accepting();
    tell(Report::Retired);
    if unless(drain.reached(Phase::Stopping), empty(&service))
        .await
        .is_none()
    {
        // Everybody drops what has begun.
        service.clock.deadlines.wake_all();
        empty(&service).await;
    }
    application::shut_down(Rc::clone(&service), options.timeouts.graceful).await;
    service.finish_traces(LAST_SPANS);
    if let Some(log) = access_log {
        log.finish();
    }
    Ok(())
}

/// What of the options the service is set by.
pub(super) fn settings_of(
    options: &ServeOptions,
    static_files: Option<StaticFiles>,
    access_log: Option<Rc<AccessLog>>,
    tracer: Option<Tracer>,
) -> Settings {
    let sizes = &options.sizes;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    Settings {
        head_limits: HeadLimits {
            request_line: size(sizes.line.0),
            field_line: size(sizes.field.0),
            fields: sizes.fields as usize,
            head: u32::try_from(sizes.head.0).unwrap_or(u32::MAX),
        },
        timeouts: options.timeouts,
        rates: options.rates,
        capacity: options.capacity,
        proxies: options.proxies.clone(),
        static_files,
        compression: options.compression.clone().map(Compression::new),
        http2: options.http2,
        access_log,
        counts: options.counts,
        tracer,
        id_field: (options.request_id_field.as_ref()).map(|name| name.0.as_bytes().into()),
        workbench: options.workbench.clone().map(Workbench::at),
    }
}

/// Tells the other workers again and again that this one is alive.
async fn tell_others(reactor: Rc<Reactor>, clock: Clock) {
    loop {
        reactor.tell_others();
        clock.sleep(TELLING).await;
    }
}

/// Tells every call that the end is near, as soon as it is.
async fn announce(service: Rc<Service>) {
    service.drain.reached(Phase::Announced).await;
    service.clock.deadlines.wake_all();
}

/// Writes what has gathered in the access log, again and again.
async fn write_log(service: Rc<Service>) {
    while let Some(log) = &service.access_log {
        service.clock.sleep(LOG_PAUSE).await;
        log.flush();
    }
}

/// Returns once no connection and no work behind an answer is left.
async fn empty(service: &Service) {
    loop {
        let changed = service.quiet.notified();
        if service.live() == 0 {
            return;
        }
        changed.await;
    }
}

fn other(error: impl ToString) -> ServeError {
    ServeError {
        kind: ServeFailure::Other,
        message: error.to_string(),
    }
}

/// How long the collector may take for the last spans.
const LAST_SPANS: Duration = Duration::from_secs(1);
/// How often the other workers are told how many connections there are, if nothing happens.
const TELLING: Duration = Duration::from_millis(500);
/// How old a line of the access log may become before it is written.
const LOG_PAUSE: Duration = Duration::from_millis(250);
