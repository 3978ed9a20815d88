//! [`Cx`]: one request and everything that belongs to it.

mod body;
mod current;
mod deferred;

use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gateway_spec::{Level, Metrics, Worker};

use crate::config::Config;
use crate::error::{Error, HttpError};
use crate::parts::Parts;
use crate::request::Request;
use crate::response::Response;
use crate::route_options::RouteOptions;
use crate::routing::{Found, Outcome, RuleId, Value};
use crate::site::{Endpoint, Site};

pub(crate) use body::{BodyCell, LARGER};
pub use current::current;
pub(crate) use current::{InContext, inside, with_current};
pub(crate) use deferred::Deferred;

/// The context of a request: the request itself (`cx.args()`, `cx.path()`), the application
/// (`cx.config()`, `cx.state()`), and what hooks and views leave for each other (`cx.put()`).
///
/// Cheap to clone; clones are the same context. It may outlive the request, in a spawned task.
#[derive(Clone)]
pub struct Cx {
    inner: Arc<Inner>,
}

struct Inner {
    site: Arc<Site>,
    request: Request,
    outcome: Outcome,
    body: Option<Box<BodyCell>>,
    /// Made when first needed: most requests leave nothing behind.
    own: OnceLock<Box<Mutex<Own>>>,
}

/// What changes in the course of a request.
#[derive(Default)]
struct Own {
    values: Parts,
    after: Vec<Deferred>,
    at_end: Vec<Deferred>,
    failure: Option<HttpError>,
}

impl Cx {
    pub(crate) fn new(site: Arc<Site>, mut head: gateway_spec::Request, outcome: Outcome) -> Self {
        let body = head
            .has_body()
            .then(|| Box::new(BodyCell::new(head.take_body())));
        Self {
            inner: Arc::new(Inner {
                site,
                request: Request::new(head),
                outcome,
                body,
                own: OnceLock::new(),
            }),
        }
    }

    /// The request; the context dereferences to it.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.inner.request
    }

    /// Leaves a value for whoever handles this request later, one of each type; the earlier one of
    /// its type comes back.
    pub fn put<T: Send + Sync + 'static>(&self, value: T) -> Option<Arc<T>> {
        self.own().values.put(value)
    }

    /// The value of this type that somebody left.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.own_if_any()?.values.get_arc()
    }

    /// The value of this type that somebody left, taken away.
    pub fn take<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.own_if_any()?.values.take()
    }

    /// The value of this type, made if nobody left one.
    pub fn get_or_put_with<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.get() {
            return value;
        }
        // Made without the lock: it may ask the context for something.
        let made = Arc::new(make());
        let mut own = self.own();
        if let Some(value) = own.values.get_arc() {
            return value;
        }
        own.values.put_arc(Arc::clone(&made));
        made
    }

    /// Shared state of this type: what [`App::state`](crate::App::state) or an extension provided.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.site().state.get_arc()
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.site().config
    }

    /// Whether this is a developer's run; see [`Config::debug`].
    #[must_use]
    pub fn debug(&self) -> bool {
        self.site().debug
    }

    /// The application's folder, where templates and static files stand.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.site().root
    }

    /// Which of the server's workers this is.
    #[must_use]
    pub fn worker(&self) -> Worker {
        self.site().worker
    }

    /// The name of the endpoint that serves the request; none if no route matched.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.route().map(|endpoint| endpoint.name.as_str())
    }

    /// The rule that matched, as registered: `/user/<int:id>`.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        let found = self.found()?;
        Some(self.site().map.rule(found.rule)?.text())
    }

    /// The blueprint of the endpoint, with its parents: `admin.users`.
    #[must_use]
    pub fn blueprint(&self) -> Option<&str> {
        self.route()?.blueprint.as_deref()
    }

    /// A value of the path by its name in the rule, or a default of the rule.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Value<'_>> {
        let found = self.found()?;
        let mut names = self.site().map.rule(found.rule)?.arguments();
        let index = names.position(|(other, _)| other == name)?;
        found.value(index, self.request().head().path_below_mount())
    }

    /// An option of the route, as a modifier around its view put it.
    #[must_use]
    pub fn option<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.options()?.parts.get()
    }

    /// What is being answered by an error handler: a status and a sentence, not the cause.
    #[must_use]
    pub fn failure(&self) -> Option<HttpError> {
        self.own_if_any()?.failure.clone()
    }

    /// Changes the response of this request, before the hooks that run after every request.
    pub fn after_this_request<F>(&self, change: F)
    where
        F: FnOnce(Response) -> Response + Send + 'static,
    {
        self.own().after.push(Deferred::plain(change));
    }

    /// Changes the response once all hooks have run: for what must know the final response or
    /// write down what hooks have changed, as sessions do. An error is logged, and answered 500.
    pub fn at_end<F, Fut>(&self, change: F)
    where
        F: FnOnce(Response) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        self.own().at_end.push(Deferred::new(change));
    }

    /// Work that outlives the request and keeps its context; shutdown waits for it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let site = self.site();
        let work = InContext::new(self.clone(), Box::pin(work));
        site.tasks.spawn_on(work, &site.runtime);
    }

    /// Writes a line to the server's log, with the request's id.
    pub fn log(&self, level: Level, message: &str) {
        let site = self.site();
        if site.host.logs(level) {
            let id = self.request().id();
            let separator = if id.is_empty() { "" } else { " " };
            site.log(level, &format!("{id}{separator}{message}"));
        }
    }

    /// What the application counts for its operators. To ask for a metric takes a lock; one that every request
    /// counts is better asked for once, by an extension, and kept with the state.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.site().metrics
    }

    /// Says in the log, and to a test that listens, what nobody expected.
    pub(crate) fn report(&self, error: &Error) {
        let path = self.head().path().escape_ascii();
        let line = format!("{} {path}: {error}", self.method());
        let place = error.place();
        if is_own(place) {
            // The words have to do.
            self.log(Level::Error, &line);
        } else {
            let (file, number) = (place.file(), place.line());
            self.log(Level::Error, &format!("{line} ({file}:{number})"));
        }
        if let Some(observer) = &self.site().observer {
            (observer.0)(&line);
        }
    }

    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.inner.site
    }

    pub(crate) fn route(&self) -> Option<&Endpoint> {
        self.site().endpoint(self.found()?.endpoint)
    }

    /// What the router said, for requests that no view takes.
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.inner.outcome
    }

    pub(crate) fn rule_id(&self) -> Option<RuleId> {
        Some(self.found()?.rule)
    }

    fn found(&self) -> Option<&Found> {
        match &self.inner.outcome {
            Outcome::Found(found) => Some(found),
            _ => None,
        }
    }

    pub(crate) fn options(&self) -> Option<&RouteOptions> {
        self.site().options(self.found()?.rule)
    }

    /// The `index`th path argument of the view.
    pub(crate) fn argument(&self, index: usize) -> Option<Value<'_>> {
        let found = self.found()?;
        let slot = self.site().slot(found.rule, index)?;
        found.value(slot, self.request().head().path_below_mount())
    }

    pub(crate) fn body_cell(&self) -> Option<&BodyCell> {
        self.inner.body.as_deref()
    }

    pub(crate) fn set_failure(&self, failure: Option<HttpError>) {
        self.own().failure = failure;
    }

    pub(crate) fn take_after(&self) -> Vec<Deferred> {
        let own = self.own_if_any();
        own.map_or_else(Vec::new, |mut own| std::mem::take(&mut own.after))
    }

    pub(crate) fn take_at_end(&self) -> Vec<Deferred> {
        let own = self.own_if_any();
        own.map_or_else(Vec::new, |mut own| std::mem::take(&mut own.at_end))
    }

    /// Whether anything has been left behind: a value, a change to the response.
    pub(crate) fn is_used(&self) -> bool {
        self.inner.own.get().is_some()
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        lock(self.inner.own.get_or_init(Box::default))
    }

    fn own_if_any(&self) -> Option<MutexGuard<'_, Own>> {
        self.inner.own.get().map(|own| lock(own))
    }
}

impl Deref for Cx {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.inner.request
    }
}

impl std::fmt::Debug for Cx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cx({:?})", self.request().head())
    }
}

/// No code of the application runs under this lock.
fn lock(own: &Mutex<Own>) -> MutexGuard<'_, Own> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this crate itself made an error here.
fn is_own(place: &Location<'_>) -> bool {
    let sources = file!().strip_suffix("context/mod.rs");
    sources.is_some_and(|sources| place.file().starts_with(sources))
}
