//! [`App`]: an application as it is put together.

mod plugin;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::blueprint::Blueprint;
use crate::config::Source;
use crate::context::Cx;
use crate::error::{Error, HttpError};
use crate::parts::Parts;
use crate::response::Response;
use crate::routing;
use crate::scope::{Entry, Scope, registers};

pub(crate) use plugin::Plugin;
pub use plugin::Starting;

/// An application as it is put together: routes, hooks, error handlers, blueprints, extensions.
///
/// Nothing runs yet and nothing fails here. [`export!`](crate::export) starts it, or
/// [`test`](App::test): all mistakes are then told at once, with the line that made each.
///
/// ```
/// use carafe::*;
///
/// fn app() -> App {
///     App::new().get("/", async || "Hello, World!")
/// }
///
/// assert_eq!(app().test().get("/").text(), "Hello, World!");
/// ```
#[must_use = "an application does nothing until it is exported"]
pub struct App {
    pub(crate) scope: Scope,
    pub(crate) sources: Vec<Source>,
    /// Values that win over what the host says.
    pub(crate) overrides: Vec<Source>,
    pub(crate) state: Parts,
    pub(crate) plugins: Vec<Plugin>,
    pub(crate) finish: Vec<Finish>,
    pub(crate) page: Option<Page>,
    pub(crate) options: routing::Options,
    pub(crate) converters: Vec<(String, MakeConverter)>,
    pub(crate) root: Option<PathBuf>,
}

/// Changes every response, last of all, without waiting for anything.
pub(crate) type Finish = Box<dyn Fn(&Cx, &mut Response) + Send + Sync>;
/// Makes a converter of the arguments in a rule.
pub(crate) type MakeConverter =
    Box<dyn Fn(&routing::Arguments) -> Result<Arc<dyn routing::Converter>, String> + Send + Sync>;
/// Makes the page for an error that no handler takes.
pub(crate) type Page = Box<dyn Fn(&Cx, &HttpError, Option<&Error>) -> Response + Send + Sync>;

impl App {
    /// An application without routes.
    pub fn new() -> Self {
        Self {
            scope: Scope::default(),
            sources: Vec::new(),
            overrides: Vec::new(),
            state: Parts::new(),
            plugins: Vec::new(),
            finish: Vec::new(),
            page: None,
            options: routing::Options::default(),
            converters: Vec::new(),
            root: None,
        }
    }

    /// A part of the application, with its own prefix, hooks and error handlers.
    pub fn blueprint(mut self, blueprint: Blueprint) -> Self {
        let scope = blueprint.into_scope();
        self.scope.entries.push(Entry::Blueprint(scope));
        self
    }

    /// Shared state, one of each type: views ask for it as `State<T>`.
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.state.put(state);
        self
    }

    /// Reads a TOML or JSON file, by its name's end, relative to the application's folder. Later
    /// sources win.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(Source::File(path.into()));
        self
    }

    /// Reads environment variables `PREFIX_NAME`: `APP_DATABASE__URL` is `database.url`, and a
    /// value that is JSON is read as such.
    pub fn config_env(mut self, prefix: impl Into<String>) -> Self {
        self.sources.push(Source::Environment(prefix.into()));
        self
    }

    /// Reads a `.env` file, if there is one, for variables that the environment does not have.
    pub fn dotenv(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(Source::DotEnv(path.into()));
        self
    }

    /// A setting that files, environment and server may change.
    pub fn config_default(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        let source = set(key.into(), value);
        self.sources.insert(0, source);
        self
    }

    /// A setting that wins over all others.
    pub fn config_set(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.overrides.push(set(key.into(), value));
        self
    }

    /// The application's folder, instead of where its manifest or the server's current folder is.
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Chooses rules by the whole host too: every rule needs its [`host`](crate::Rule::host).
    pub fn host_matching(mut self) -> Self {
        self.options.domains = routing::Domains::Hosts;
        self
    }

    /// Chooses rules by what stands before the setting `server_name` in the host.
    pub fn subdomain_matching(mut self) -> Self {
        self.options.domains = routing::Domains::Subdomains;
        self
    }

    /// A converter of your own, or another one in the place of a built-in: rules name it as
    /// `<name(arguments):variable>`. Views take what it makes as [`PathValue`](crate::PathValue).
    pub fn converter<F>(mut self, name: impl Into<String>, make: F) -> Self
    where
        F: Fn(&routing::Arguments) -> Result<Arc<dyn routing::Converter>, String>
            + Send
            + Sync
            + 'static,
    {
        self.converters.push((name.into(), Box::new(make)));
        self
    }

    /// What holds for all rules that do not say otherwise.
    pub fn routing(mut self, change: impl FnOnce(&mut routing::Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Changes every response, last of all: after hooks, sessions and error pages. It cannot wait
    /// for anything, and costs a call.
    pub fn finish(mut self, change: impl Fn(&Cx, &mut Response) + Send + Sync + 'static) -> Self {
        self.finish.push(Box::new(change));
        self
    }

    /// Makes the page for an error that no handler takes: from what may be told, and, for errors
    /// that nobody expected, the error itself.
    pub fn error_page(
        mut self,
        page: impl Fn(&Cx, &HttpError, Option<&Error>) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.page = Some(Box::new(page));
        self
    }
}

registers!(App, "the application");

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.scope.entries.len();
        write!(f, "App({count} routes and blueprints)")
    }
}

fn set(key: String, value: impl Serialize) -> Source {
    let value = serde_json::to_value(value).map_err(|error| error.to_string());
    Source::Set(key, value)
}
