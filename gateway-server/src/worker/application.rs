//! The application of a worker: loaded, started, and ended.

use std::future::poll_fn;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Duration;

use gateway_spec::Worker;
use gateway_spec::abi::host::{App, Config, Module};
use gateway_spec::abi::{interpose, load};
use gateway_spec::lint::Violation;
use gateway_spec::rules::Binds;

use super::race::unless;
use super::serving::{App as Source, ServeError, ServeFailure, WorkerIdentity};
use crate::connection::Service;
use crate::drain::{Drain, Phase};
use crate::logging;
use crate::options::ServeOptions;
use crate::orders::AppIdentity;
use crate::workbench::Workbench;

/// Loads the application and waits until it is up.
///
/// # Errors
///
/// It cannot be loaded, or it refuses to start; the message is for the operator.
pub(super) async fn start(
    source: Source,
    options: &ServeOptions,
    identity: WorkerIdentity,
    drain: Drain,
) -> Result<(App, AppIdentity), ServeError> {
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
    let host = logging::application_host(move |code| {
        tracing::info!("the application asks for the end, with code {code}");
        drain.advance(Phase::ShuttingDown);
    });
    let argument = options.app_arguments.join(std::ffi::OsStr::new(" "));
    let config = Config {
        settings: settings(options),
        argument: argument.as_bytes().to_vec(),
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

/// Ends the application after its last call. If something still holds the service, the process's
/// exit ends it instead.
pub(super) async fn shut_down(service: Rc<Service>, within: Duration) {
    let deadline =
        service.clock.deadlines.now_ns() + u64::try_from(within.as_nanos()).unwrap_or(u64::MAX / 2);
    let ended = poll_fn(|cx| service.app.poll_shutdown(cx, deadline));
    if unless(service.clock.sleep(within), ended).await.is_none() {
        tracing::warn!("the application's shutdown took longer than {within:?}: left behind");
    }
}

/// The application's own settings; under `gatewayd dev` with what that says, unless they say otherwise.
fn settings(options: &ServeOptions) -> Vec<(String, String)> {
    let mut settings = options.app_settings.0.clone();
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
