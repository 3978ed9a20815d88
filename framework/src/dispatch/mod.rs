//! [`Carafe`]: the application as it serves.
//!
//! A request is matched, gets its context, and walks its chain: guards and hooks before the
//! view, the view, hooks after it. Errors go to the handlers wherever they come from.

mod command;
mod contain;
mod handle;
mod place;
mod service;
mod teardown;
mod unmatched;
mod walk;

use std::ffi::OsString;
use std::sync::Arc;

use gateway_spec::http::Method;
use gateway_spec::{Command, Gateway, Request, Response};

use crate::commands::Sink;
use crate::context::Cx;
use crate::request;
use crate::routing::{Binding, Domains, Outcome};

use contain::finished;
pub(crate) use service::Service;

/// An application as it serves: a [`Gateway`] for any server of the interface.
#[derive(Clone)]
pub struct Carafe {
    service: Arc<Service>,
}

impl Carafe {
    pub(crate) fn new(service: Service) -> Self {
        Self {
            service: Arc::new(service),
        }
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Runs a command; answers its exit status.
    pub(crate) async fn run(&self, words: &[OsString], sink: Sink) -> u8 {
        command::run(&self.service, words, sink).await
    }

    fn find(&self, request: &Request) -> Outcome {
        let site = &self.service.site;
        let path = request.path_below_mount();
        if site.domains == Domains::Ignored {
            // Where the request stands counts for redirects alone, which are rare: those are found again below.
            let nowhere = Binding {
                scheme: "",
                server_name: "",
                subdomain: "",
                mount: "",
                query: b"",
                method: request.method(),
                websocket: request.protocol() == Some(b"websocket"),
            };
            let found = site.map.find(&nowhere, path, request.method());
            if !matches!(found, Outcome::Redirect(_)) {
                return found;
            }
        }
        let host = request::host(request.authority(), request.scheme());
        let binding = site.binding(request, &host);
        if site.is_foreign(&binding) {
            return Outcome::NotFound;
        }
        site.map.find(&binding, path, request.method())
    }
}

impl Gateway for Carafe {
    async fn call(&self, mut request: Request) -> Response {
        if request.protocol().is_some() {
            make_upgrade(&mut request);
        }
        let outcome = self.find(&request);
        let cx = Cx::new(Arc::clone(&self.service.site), request, outcome);
        // The usual case by itself, so that it carries nothing of the others.
        if let Some(view) = self.service.chain(cx.rule_id()).bare_view(cx.method()) {
            let mut result = finished(&cx, view.call.call(&cx)).await;
            let is_finished = match &mut result {
                Ok(response) => walk::finish_at_once(&self.service, &cx, response),
                Err(_) => false,
            };
            return match result {
                Ok(response) if is_finished => response.into_inner(),
                result => Box::pin(walk::end(&self.service, &cx, result)).await,
            };
        }
        Box::pin(walk::run(&self.service, &cx)).await
    }

    /// Waits for spawned work and jobs, then stops the extensions in reverse order.
    async fn shutdown(&self) {
        let site = &self.service.site;
        site.tasks.close();
        site.tasks.wait().await;
        site.pool.close().await;
        for plugin in self.service.plugins.iter().rev() {
            (plugin.stop)().await;
        }
    }

    fn commands(&self) -> Vec<Command> {
        command::list(&self.service)
    }

    async fn command(&self, words: Vec<OsString>) -> u8 {
        self.run(&words, Sink::Process).await
    }
}

/// Makes a request for a WebSocket what HTTP/1.1 has: GET, where later versions use CONNECT (RFC 8441). Views, rules and
/// guards see no difference. For other protocols it stays CONNECT: what answers GET would promise them (UPG-05).
#[cold]
fn make_upgrade(request: &mut Request) {
    if *request.method() == Method::CONNECT && request.protocol() == Some(b"websocket") {
        request.set_method(Method::GET);
    }
}

impl std::fmt::Debug for Carafe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carafe({} rules)", self.service.chains.len())
    }
}
