//! From [`App`] to what serves: configuration, extensions, compilation, in this order.

mod mistakes;
mod plugins;
mod settings;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gateway_spec::abi::export::Exportable;
use gateway_spec::{Host, Level, Startup, StartupError};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

pub use self::mistakes::Mistakes;
use self::settings::Settings;
use crate::app::{App, Plugin};
use crate::commands;
use crate::compile::{blueprint_parts, compile};
use crate::config::{Config, Environment, Source};
use crate::csrf;
use crate::debug_page;
use crate::dispatch::{Carafe, Service};
use crate::extract::Check;
use crate::files;
use crate::keys::{Demand, Keys};
use crate::parts::Parts;
use crate::pool::{Despair, Pool};
use crate::routing::Map;
use crate::security;
use crate::session::{self, Chosen, Sessions};
use crate::signals;
use crate::site::{Observer, Site, SiteRoute};
use crate::step::Asking;
use crate::templates::Templates;
use crate::trusted_hosts;

/// Marks an [`App`] in `export!`. Always inferred.
#[derive(Debug)]
#[non_exhaustive]
pub struct Application;

impl App {
    /// Starts the application: reads the configuration, sets up and starts the extensions, compiles
    /// routes and hooks. A tokio runtime must be entered.
    ///
    /// # Errors
    ///
    /// All mistakes in it.
    pub async fn start(self, startup: Startup) -> Result<Carafe, Mistakes> {
        self.start_observed(startup, Environment::of_process(), None)
            .await
    }

    pub(crate) async fn start_observed(
        self,
        startup: Startup,
        environment: Environment,
        observer: Option<Observer>,
    ) -> Result<Carafe, Mistakes> {
        let runtime = Handle::try_current().map_err(|_| {
            Mistakes::one(
                "carafe needs a tokio runtime: export the application with `carafe::export!`",
            )
        })?;
        let (mut app, plugins) = plugins::set_up(self);
        let root = root_of(app.root.take(), &startup);
        let config = read(&mut app, &root, &startup, &environment)?;
        let (host, worker) = (startup.host(), startup.worker());
        // Also the first of those that replace all others, whose place is behind theirs.
        let first = worker.index == 0 || worker.index == worker.count;
        let places = Places {
            root,
            runtime,
            observer,
        };
        let served = serve(app, plugins, config.clone(), startup, places).await;
        // The others would say the same. Who could not start may have failed for what is told here.
        for slip in config.slips().iter().filter(|_| first) {
            host.log(Level::Warn, module_path!(), slip);
        }
        config.end_start();
        served
    }
}

/// What an application starts with, beside what it is and was told.
struct Places {
    root: PathBuf,
    runtime: Handle,
    observer: Option<Observer>,
}

/// Everything between the configuration and the first request.
async fn serve(
    app: App,
    plugins: Vec<Plugin>,
    config: Config,
    startup: Startup,
    Places {
        root,
        runtime,
        observer,
    }: Places,
) -> Result<Carafe, Mistakes> {
    let settings = Settings::read(&config)?;
    let mut app = guarded(app, &config, settings.trusted_hosts)?;
    let mut state = std::mem::take(&mut app.state);
    state.put(settings.form);
    let chosen: Chosen = app.part::<Chosen>().clone();
    let demand = match startup.is_for_commands() {
        true => Demand::AtUse,
        false => Demand::AtStart,
    };
    provide_sessions(&mut state, &config, &root, demand, chosen.clone())?;
    let early = provide_folders(&mut state, &app, &config, &root)?;
    let parts = (app.scope.parts.clone(), blueprint_parts(&app.scope));
    let mut rules = Map::builder(app.options.clone());
    for (name, make) in app.converters {
        rules = rules.converter(name, make);
    }
    let mut asking = Asking::new();
    let commands = commands::gather(&parts.0, &parts.1, &mut asking);
    let compiled = compile(app.scope, rules, &mut asking);
    let ask = |state: &Parts| -> Vec<String> {
        let asked = asking.iter();
        asked
            .flat_map(|(what, facts)| facts.ask(what, Check::new(&config, state)))
            .collect()
    };
    let (commands, compiled) = match (commands, compiled) {
        (Ok(commands), Ok(compiled)) if early.is_empty() => (commands, compiled),
        (commands, compiled) => {
            // Extensions act when they start, which is too early; without any, all state is there.
            let asked = plugins.is_empty().then(|| ask(&state));
            let found = [commands.err(), compiled.err(), asked];
            let found = found.into_iter().flatten().flatten();
            return Err(Mistakes::all(early.into_iter().chain(found)));
        }
    };
    let opened = chosen.open(&root, startup.worker().count).await;
    opened.map_err(Mistakes::one)?;
    let started = plugins::start(plugins, &parts, &config, &startup, &root, &mut state).await;
    let plugins = match started {
        Ok(plugins) => plugins,
        Err((plugins, mistakes)) => {
            plugins::stop(&plugins).await;
            return Err(mistakes);
        }
    };
    let mistakes = ask(&state);
    if !mistakes.is_empty() {
        plugins::stop(&plugins).await;
        return Err(Mistakes::all(mistakes));
    }
    let (chains, routes) = compiled
        .served
        .into_iter()
        .map(|served| {
            let (options, slots) = (served.options, served.slots);
            (served.chain, SiteRoute { options, slots })
        })
        .unzip();
    let site = Site {
        debug: config.debug(),
        config: config.sealed(),
        state,
        map: compiled.map,
        domains: app.options.domains,
        server_name: settings.server_name.map(|name| name.to_ascii_lowercase()),
        endpoints: compiled.endpoints,
        routes,
        pool: Pool::new(
            settings.views.threads,
            settings.views.queue,
            runtime.clone(),
            despair(settings.views.timeout, startup.host()),
        ),
        tasks: TaskTracker::new(),
        runtime,
        host: startup.host(),
        metrics: startup.metrics(),
        worker: startup.worker(),
        root,
        body_limit: settings.body_limit,
        json: settings.json,
        observer,
    };
    Ok(Carafe::new(Service {
        site: Arc::new(site),
        chains,
        root: compiled.root,
        finish: app.finish,
        page: app.page,
        commands,
        plugins,
    }))
}

impl Exportable<Application> for App {
    type Gateway = Carafe;

    fn start(
        self,
        startup: Startup,
    ) -> Pin<Box<dyn Future<Output = Result<Carafe, StartupError>> + Send>> {
        Box::pin(async move { Self::start(self, startup).await.map_err(Into::into) })
    }
}

/// With what the framework itself has to say before and after views.
fn guarded(mut app: App, config: &Config, trusted_hosts: Vec<String>) -> Result<App, Mistakes> {
    if !trusted_hosts.is_empty() {
        app = trusted_hosts::guarded(app, trusted_hosts);
    }
    app = csrf::guarded(app, config).map_err(Mistakes::one)?;
    app = security::guarded(app, config).map_err(Mistakes::one)?;
    app = session::guarded(app);
    app = debug_page::offered(app, config).map_err(Mistakes::one)?;
    Ok(signals::connected(app))
}

/// A process whose threads are all lost is of no use to plain views: its host is asked for another.
fn despair(after: Duration, host: Host) -> Despair {
    let tell = move |held: &[String]| {
        let held = held.join(", ");
        let line = format!(
            "all threads for plain views are held by views that do not return and whose requests have ended, for \
             {after:?}: {held}; asking for the end of this process"
        );
        host.log(Level::Error, module_path!(), &line);
        host.request_shutdown(1);
    };
    Despair {
        after,
        tell: Box::new(tell),
    }
}

/// What sessions and signed tokens rest on; a secret is not asked for before somebody needs one.
fn provide_sessions(
    state: &mut Parts,
    config: &Config,
    root: &Path,
    demand: Demand,
    chosen: Chosen,
) -> Result<(), Mistakes> {
    let keys = Keys::read(config, root, demand).map_err(Mistakes::one)?;
    let sessions = Sessions::read(config, chosen).map_err(Mistakes::one)?;
    state.put(keys);
    state.put(sessions);
    Ok(())
}

/// Templates and static files of the application and its blueprints; answers the mistakes in them.
fn provide_folders(
    state: &mut Parts,
    app: &App,
    config: &Config,
    root: &Path,
) -> Result<Vec<String>, Mistakes> {
    let files = files::Settings::read(config).map_err(Mistakes::one)?;
    state.put(files);
    let nonces = state
        .get::<security::Policy>()
        .is_some_and(security::Policy::wants_nonces);
    let (own, theirs) = (&app.scope.parts, blueprint_parts(&app.scope));
    let mut mistakes = files::mistakes(own, &theirs, root);
    match Templates::read(config, root, own, &theirs, nonces) {
        Ok(templates) => {
            state.put(templates);
        }
        Err(found) => mistakes.extend(found),
    }
    Ok(mistakes)
}

/// The application's folder: as the server was told, as the application says, where its manifest
/// is if cargo runs it, else the current one.
fn root_of(own: Option<PathBuf>, startup: &Startup) -> PathBuf {
    let told = startup.setting("root").map(PathBuf::from);
    told.or(own)
        .or_else(|| std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from))
        .or_else(|| std::env::current_dir().ok())
        .unwrap_or_default()
}

fn read(
    app: &mut App,
    root: &Path,
    startup: &Startup,
    environment: &Environment,
) -> Result<Config, Mistakes> {
    let told = startup
        .settings()
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let sources: Vec<Source> = std::mem::take(&mut app.sources)
        .into_iter()
        .map(|source| source.under(root))
        .chain([Source::Host(told.collect())])
        .chain(std::mem::take(&mut app.overrides))
        .collect();
    let config = Config::read(&sources, environment)
        .map_err(|errors| Mistakes::all(errors.iter().map(ToString::to_string)))?;
    config.know("root");
    Ok(config)
}
