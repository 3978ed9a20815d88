//! A rule as it is registered.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use http::Method;

use super::methods::MethodSet;
use super::value::{OwnedValue, Value};

/// One pattern of paths and what it leads to. What is not set is the map's.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) text: String,
    pub(super) endpoint: String,
    pub(super) origin: &'static Location<'static>,
    /// `None`: every method.
    pub(super) methods: Option<MethodSet>,
    /// Methods that the rule answers without having been asked to.
    pub(super) automatic: MethodSet,
    pub(super) defaults: Vec<(String, OwnedValue)>,
    pub(super) subdomain: Option<String>,
    pub(super) host: Option<String>,
    pub(super) strict_slashes: Option<bool>,
    pub(super) merge_slashes: Option<bool>,
    pub(super) redirect_to: Option<RedirectTo>,
    pub(super) build_only: bool,
    pub(super) alias: bool,
    pub(super) websocket: bool,
}

/// Where a rule sends its requests on to, with 308.
#[derive(Clone)]
pub enum RedirectTo {
    /// A URL, absolute or relative to the application's root, with `<name>` for the rule's variables.
    Template(String),
    /// A function of the values, by name, that answers such a URL.
    Call(Redirector),
}

/// Computes the target of a redirect from the values of the path.
pub type Redirector = Arc<dyn Fn(&[(&str, Value<'_>)]) -> String + Send + Sync>;

impl Rule {
    /// The rule `text`, such as `/user/<int:id>`, for every method, registered by the caller.
    #[track_caller]
    #[must_use]
    pub fn new(text: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            endpoint: endpoint.into(),
            origin: Location::caller(),
            methods: None,
            automatic: MethodSet::new(),
            defaults: Vec::new(),
            subdomain: None,
            host: None,
            strict_slashes: None,
            merge_slashes: None,
            redirect_to: None,
            build_only: false,
            alias: false,
            websocket: false,
        }
    }

    /// Says who registered the rule, where that is not the caller of [`new`](Self::new).
    #[must_use]
    pub fn origin(mut self, origin: &'static Location<'static>) -> Self {
        self.origin = origin;
        self
    }

    /// Answers these methods and no others; HEAD comes with GET.
    #[must_use]
    pub fn methods<'a>(mut self, methods: impl IntoIterator<Item = &'a Method>) -> Self {
        let set: MethodSet = methods.into_iter().collect();
        if set.contains(&Method::GET) && !set.contains(&Method::HEAD) {
            self.automatic.insert(&Method::HEAD);
        }
        self.methods = Some(set);
        self
    }

    /// Answers OPTIONS too, without being a duplicate of another rule that does the same.
    #[must_use]
    pub fn automatic_options(mut self) -> Self {
        self.automatic.insert(&Method::OPTIONS);
        self
    }

    /// Gives `name` this value. Another rule of the endpoint with `name` as a variable redirects here when
    /// its variable has this value; URLs that are built without it or with it use this rule.
    #[must_use]
    pub fn default_value(mut self, name: impl Into<String>, value: impl Into<OwnedValue>) -> Self {
        self.defaults.push((name.into(), value.into()));
        self
    }

    /// Answers under this subdomain, which may have variables; with [`Domains::Subdomains`](super::Domains).
    #[must_use]
    pub fn subdomain(mut self, subdomain: impl Into<String>) -> Self {
        self.subdomain = Some(subdomain.into());
        self
    }

    /// Answers for this host (and port, if not the scheme's own), which may have variables; with
    /// [`Domains::Hosts`](super::Domains).
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Whether a rule that ends in `/` redirects paths without it (the default) or serves both.
    #[must_use]
    pub fn strict_slashes(mut self, strict: bool) -> Self {
        self.strict_slashes = Some(strict);
        self
    }

    /// Whether paths with repeated slashes are redirected to this rule (the default).
    #[must_use]
    pub fn merge_slashes(mut self, merge: bool) -> Self {
        self.merge_slashes = Some(merge);
        self
    }

    /// Is used for building URLs and never matches.
    #[must_use]
    pub fn build_only(mut self) -> Self {
        self.build_only = true;
        self
    }

    /// Sends what it matches on to another place.
    #[must_use]
    pub fn redirect_to(mut self, target: RedirectTo) -> Self {
        self.redirect_to = Some(target);
        self
    }

    /// Redirects to the endpoint's other rule with the same variables.
    #[must_use]
    pub fn alias(mut self) -> Self {
        self.alias = true;
        self
    }

    /// Answers requests to open a WebSocket, and no others.
    #[must_use]
    pub fn websocket(mut self) -> Self {
        self.websocket = true;
        self
    }
}

impl fmt::Debug for RedirectTo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(template) => template.fmt(out),
            Self::Call(_) => out.write_str("function"),
        }
    }
}
