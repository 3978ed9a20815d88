//! The application of a worker: loaded, started, and ended.

use std::future::poll_fn;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use gateway_spec::Worker;
use gateway_spec::abi::host::{App, Config, Module, Recorder};
use gateway_spec::abi::{interpose, load};
use gateway_spec::lint::Violation;
use gateway_spec::rules::Binds;

use super::race::unless;
use super::serving::{App as Source, ServeError, ServeFailure, WorkerIdentity};
use crate::app_metrics::Sheet;
use crate::app_source::refuse_folder;
use crate::connection::Service;
use crate::drain::{Drain, Phase};
use crate::logging;
use crate::options::{AppOptions, ServeOptions};
use crate::orders::AppIdentity;
use crate::scoreboard;
use crate::workbench::Workbench;

/// Loads the applications and waits until all are up; what the first calls itself is told with them.
///
/// # Errors
///
/// One cannot be loaded, or it refuses to start; the message is for the operator.
pub(super) async fn start_all(
    sources: Vec<Source>,
    options: &ServeOptions,
    identity: WorkerIdentity,
    drain: &Drain,
    sheet: Option<&Sheet>,
) -> Result<(Vec<(App, AppOptions)>, AppIdentity), ServeError> {
    let several = sources.len() > 1;
    let (mut apps, mut first) = (Vec::new(), None);
    for (source, own) in sources.into_iter().zip(&options.apps) {
        let started = start(source, own, options, identity, drain.clone(), sheet).await;
        let (app, name) = started.map_err(|mut error| {
            if several {
                error.message = format!("application {}: {}", own.name, error.message);
            }
            error
        })?;
        first.get_or_insert(name);
        apps.push((app, own.clone()));
    }
    Ok((apps, first.unwrap_or_default()))
}

async fn start(
    source: Source,
    own: &AppOptions,
    options: &ServeOptions,
    identity: WorkerIdentity,
    drain: Drain,
    sheet: Option<&Sheet>,
) -> Result<(App, AppIdentity), ServeError> {
    let several = options.apps.len() > 1;
    let shown = source.shown_path().map(|path| path.display().to_string());
    let say = |kind, what: &dyn std::fmt::Display| {
        let what = logging::printable_lines(&what.to_string());
        let message = shown
            .as_ref()
            .map_or_else(|| what.clone(), |path| format!("{path}: {what}"));
        ServeError { kind, message }
    };
    let module = match (&source, source.load_path()) {
        (Source::LinkedIn(module), _) => {
            Module::linked(module).map_err(|refusal| say(ServeFailure::Load, &refusal))?
        }
        (_, Some(path)) => {
            refuse_folder(&path).map_err(|what| say(ServeFailure::Load, &what))?;
            load::load(&path).map_err(|error| say(ServeFailure::Load, &error.cause))?
        }
        (_, None) => return Err(say(ServeFailure::Load, &"no application to load")),
    };
    let module = if options.lint {
        interpose::watch(&module, report).map_err(|refusal| say(ServeFailure::Load, &refusal))?
    } else {
        module
    };
    // The loader knows the module by the descriptor's number: it stays open.
    let _: &'static Source = Box::leak(Box::new(source));
    let called = if several {
        format!("application {}", own.name)
    } else {
        "the application".to_owned()
    };
    let label = several.then(|| own.name.clone());
    let most = options.metric_series as usize;
    let sheet = sheet.filter(|_| most > 0);
    let recorder = sheet
        .map(|sheet| -> Box<dyn Recorder> { Box::new(sheet.recorder(label.as_deref(), most)) });
    let host = logging::application_host(
        label,
        recorder,
        move |code| {
            tracing::info!("{called} asks for the end, with code {code}");
            drain.advance(Phase::ShuttingDown);
        },
        || scoreboard::id_at_work().map(|id| id.to_string()),
    );
    let argument = own.arguments.join(std::ffi::OsStr::new(" "));
    let config = Config {
        settings: settings(own, options),
        argument: argument.as_bytes().to_vec(),
        mount: own.mount.as_str().as_bytes().to_vec(),
        worker: Worker::new(identity.index, identity.count.max(1), 1),
        ..Config::default()
    };
    let app = module
        .create(host, &config)
        .map_err(|failure| say(ServeFailure::Startup, &failure))?;
    poll_fn(|cx| app.poll_startup(cx))
        .await
        .map_err(|failure| say(ServeFailure::Startup, &failure))?;
    let descriptor = module.descriptor();
    let name = AppIdentity {
        name: descriptor.name.clone(),
        version: descriptor.version.clone(),
    };
    Ok((app, name))
}

/// Ends the applications after their last call. If something still holds the service, the process's
/// exit ends them instead.
pub(super) async fn shut_down(service: Rc<Service>, within: Duration) {
    let deadline =
        service.clock.deadlines.now_ns() + u64::try_from(within.as_nanos()).unwrap_or(u64::MAX / 2);
    let mut left: Vec<&App> = service.apps().collect();
    let ended = poll_fn(|cx| {
        left.retain(|app| app.poll_shutdown(cx, deadline).is_pending());
        match left.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    });
    if unless(service.clock.sleep(within), ended).await.is_none() {
        tracing::warn!("the application's shutdown took longer than {within:?}: left behind");
    }
}

/// The application's own settings; under `gatewayd dev` with what that says, unless they say otherwise.
fn settings(own: &AppOptions, options: &ServeOptions) -> Vec<(String, String)> {
    let mut settings = own.settings.0.clone();
    let bench = options.workbench.clone().map(Workbench::at);
    for (key, value) in bench.iter().flat_map(Workbench::settings) {
        if !settings.iter().any(|(known, _)| *known == key) {
            settings.push((key, value));
        }
    }
    settings
}

/// Logs a breach of the specification that `--lint` has seen.
fn report(violation: Violation) {
    let who = match violation.rule.binds {
        Binds::Host => "the server",
        Binds::App => "the application",
        Binds::Both => "one side",
    };
    tracing::error!(target: "lint", "[{}] {who}: {}", violation.rule, violation.detail);
}
