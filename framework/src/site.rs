//! [`Site`]: what all requests of an application share, made at start-up and never changed.

use std::any::TypeId;
use std::path::PathBuf;

use gateway_spec::{Host, Level, Metrics, Worker};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::json_format::JsonFormat;
use crate::parts::Parts;
use crate::pool::Pool;
use crate::request;
use crate::route_options::RouteOptions;
use crate::routing::{Binding, Domains, EndpointId, Map, RuleId};

/// What all requests share. Views see it through their context.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) config: Config,
    pub(crate) state: Parts,
    pub(crate) map: Map,
    pub(crate) domains: Domains,
    /// Lower-case, with its port if that is not the scheme's own.
    pub(crate) server_name: Option<String>,
    /// By [`EndpointId`].
    pub(crate) endpoints: Vec<Endpoint>,
    /// By [`RuleId`].
    pub(crate) routes: Vec<SiteRoute>,
    pub(crate) pool: Pool,
    pub(crate) tasks: TaskTracker,
    pub(crate) runtime: Handle,
    pub(crate) host: Host,
    pub(crate) metrics: Metrics,
    pub(crate) worker: Worker,
    pub(crate) debug: bool,
    pub(crate) root: PathBuf,
    /// The most bytes of a buffered body, where the route does not say otherwise.
    pub(crate) body_limit: usize,
    pub(crate) json: JsonFormat,
    /// Told of errors that nobody expected; tests fail by it.
    pub(crate) observer: Option<Observer>,
}

/// Hears of each unexpected error.
pub(crate) struct Observer(pub(crate) Box<dyn Fn(&str) + Send + Sync>);

/// One endpoint: a view under a name.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    /// The innermost blueprint's full name.
    pub(crate) blueprint: Option<String>,
    /// Names of the values that the view takes, in its order.
    pub(crate) arguments: Vec<String>,
    /// Names of the values that hooks take from the prefix and the view does not see.
    pub(crate) pulled: Vec<String>,
    pub(crate) view: TypeId,
}

impl Endpoint {
    /// Whether this is its own name, blueprints apart.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.rsplit('.').next() == Some(name)
    }
}

/// One rule.
#[derive(Debug)]
pub(crate) struct SiteRoute {
    pub(crate) options: RouteOptions,
    /// Where each path argument of the view stands among the rule's values.
    pub(crate) slots: Box<[usize]>,
}

impl Site {
    pub(crate) fn endpoint(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.get(id.0)
    }

    /// Where the `index`th path argument of a view stands among the values of `rule`.
    pub(crate) fn slot(&self, rule: RuleId, index: usize) -> Option<usize> {
        self.routes.get(rule.0)?.slots.get(index).copied()
    }

    pub(crate) fn options(&self, rule: RuleId) -> Option<&RouteOptions> {
        Some(&self.routes.get(rule.0)?.options)
    }

    /// Where a request stands, for the router; `host` is the one that it names.
    pub(crate) fn binding<'a>(
        &'a self,
        head: &'a gateway_spec::Request,
        host: &'a str,
    ) -> Binding<'a> {
        let (subdomain, server_name) = self.domain(host);
        Binding {
            scheme: request::scheme(head.scheme()),
            server_name,
            subdomain,
            mount: std::str::from_utf8(head.mount()).unwrap_or_default(),
            query: head.query().unwrap_or_default(),
            method: head.method(),
            websocket: head.protocol() == Some(b"websocket"),
        }
    }

    /// Subdomain and server name of a host. One that does not end in the setting `server_name`
    /// gets a subdomain that no rule has.
    fn domain<'a>(&'a self, host: &'a str) -> (&'a str, &'a str) {
        match (self.domains, &self.server_name) {
            (Domains::Subdomains, Some(name)) => {
                let before = host.strip_suffix(name.as_str());
                let subdomain = match before {
                    Some("") => "",
                    Some(before) => before.strip_suffix('.').unwrap_or(FOREIGN),
                    None => FOREIGN,
                };
                (subdomain, name)
            }
            _ => ("", host),
        }
    }

    /// Whether a request names a host that is none of this site's: no rule is for it, not even one that takes every
    /// subdomain.
    pub(crate) fn is_foreign(&self, binding: &Binding<'_>) -> bool {
        self.domains == Domains::Subdomains && binding.subdomain == FOREIGN
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        self.host.log(level, "carafe", message);
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

/// As Werkzeug: a subdomain that is no name.
const FOREIGN: &str = "<invalid>";
