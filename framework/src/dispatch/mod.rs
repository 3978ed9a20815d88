//! [`Carafe`]: the application as it serves.
//!
//! A request is matched, gets its context, and walks its [`Chain`]: guards and hooks before the
//! view, the view, hooks after it. Errors go to the handlers wherever they come from.

mod contain;
mod handle;
mod service;
mod teardown;
mod unmatched;
mod walk;

use std::sync::Arc;

use gateway_spec::{Gateway, Request, Response};

use crate::context::Cx;
use crate::request;
use crate::routing::{Domains, Outcome};

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

    fn find(&self, request: &Request) -> Outcome {
        let site = &self.service.site;
        let path = request.path_below_mount();
        if site.domains == Domains::Ignored {
            // The host counts for redirects alone, which are rare: those are found again below.
            let found = site
                .map
                .find(&site.binding(request, ""), path, request.method());
            if !matches!(found, Outcome::Redirect(_)) {
                return found;
            }
        }
        let host = request::host(request.authority(), request.scheme());
        let binding = site.binding(request, &host);
        site.map.find(&binding, path, request.method())
    }
}

impl Gateway for Carafe {
    async fn call(&self, request: Request) -> Response {
        let site = &self.service.site;
        let (found, missed) = match self.find(&request) {
            Outcome::Found(found) => (Some(found), None),
            other => (None, Some(other)),
        };
        let rule = found.as_ref().map(|found| found.rule);
        let options = rule.and_then(|rule| site.options(rule));
        if !options.is_some_and(|options| options.cancel) {
            request.finish_on_disconnect();
        }
        let cx = Cx::new(Arc::clone(site), request, found);
        match walk::bare(&self.service, &cx, rule) {
            Some(view) => view.await,
            // Boxed, so that calls which do without hooks do not carry their size.
            None => Box::pin(walk::run(&self.service, &cx, rule, missed)).await,
        }
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
}

impl std::fmt::Debug for Carafe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carafe({} rules)", self.service.chains.len())
    }
}
