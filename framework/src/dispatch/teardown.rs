//! [`Guard`]: runs the teardown hooks when the last holder has let go of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use gateway_spec::{Body, BodyStream, Error, Frame};

use super::contain::contained;
use super::service::Service;
use crate::context::Cx;
use crate::response::Response;

/// Held by the call, the response's body and the view's job. Made only where there are hooks.
pub(super) struct Guard {
    service: Arc<Service>,
    cx: Cx,
}

impl Guard {
    pub(super) fn new(service: &Arc<Service>, cx: &Cx) -> Option<Arc<Self>> {
        let needed = !service.chain(cx.rule_id()).scope.teardown.is_empty();
        needed.then(|| {
            Arc::new(Self {
                service: Arc::clone(service),
                cx: cx.clone(),
            })
        })
    }

    /// Lets the body of a response hold the guard until its end, if it is still to be produced.
    pub(super) fn follow(guard: Arc<Self>, response: &mut Response) {
        let body = response.body_mut();
        if body.length() == Some(0) {
            return;
        }
        let body = std::mem::take(body);
        *response.body_mut() = Body::stream(Followed {
            body,
            _guard: guard,
        });
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let (service, cx) = (Arc::clone(&self.service), self.cx.clone());
        let site = Arc::clone(&service.site);
        let scope = &service.chain(cx.rule_id()).scope;
        let plain = scope.teardown.iter().any(|step| step.facts.plain);
        let all = {
            let service = Arc::clone(&service);
            async move {
                for step in &service.chain(cx.rule_id()).scope.teardown {
                    if let Err(error) = contained(&cx, step.call.call(&cx)).await {
                        cx.report(&error);
                    }
                }
            }
        };
        if plain {
            let runtime = site.runtime.clone();
            let token = site.tasks.token();
            site.pool.run_always(move || {
                runtime.block_on(all);
                drop(token);
            });
        } else {
            site.tasks.spawn_on(all, &site.runtime);
        }
    }
}

/// A body that holds the guard.
struct Followed {
    body: Body,
    _guard: Arc<Guard>,
}

impl BodyStream for Followed {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, Error>>> {
        self.body.poll_frame(cx)
    }

    fn length(&self) -> Option<u64> {
        self.body.length()
    }
}
