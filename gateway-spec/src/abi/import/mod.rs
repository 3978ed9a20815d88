//! A compiled application as a [`Gateway`]: for adapters and whoever speaks the Rust trait.
//!
//! The way of a request: `head` lends its parts to a call, `exchange` is what the application
//! calls back, `fields` reads its response's lines, `call` drives it and makes the [`Response`].

mod call;
mod exchange;
mod fields;
mod head;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use self::call::Running;
use super::host::{
    Config, Descriptor, HostTable, Module, StartFailure, Step, poll_shutdown, poll_startup,
};
use super::instance::Instance;
use super::types::module_flag;
use super::waker::Lender;
use crate::error::ErrorKind;
use crate::gateway::Gateway;
use crate::request::Request;
use crate::response::Response;

/// A started application behind the C ABI, as a [`Gateway`] like any other.
///
/// A call that ends without a response is answered with the status of its error
/// ([`ErrorKind::status`]) and its reason as text. Extensions of requests do not cross, nor do facts of TLS.
///
/// Dropped after [`shutdown`](Gateway::shutdown), the instance is destroyed once its last call and
/// body are gone; without a shutdown, the process's exit frees it.
pub struct Loaded {
    instance: Arc<Instance>,
    descriptor: Descriptor,
    is_shut_down: AtomicBool,
}

impl Loaded {
    /// Makes an instance of the module and starts it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] for a module that demands a single thread (`SINGLE_THREAD`,
    /// `LOCAL_CALLS`) or one of its own for each call (`BLOCKING`); otherwise what the application
    /// reported.
    pub fn start(
        module: &Module,
        host: &'static HostTable,
        config: &Config,
    ) -> impl Future<Output = Result<Self, StartFailure>> + Send + use<> {
        let descriptor = module.descriptor().clone();
        let instance = match refusal(&descriptor) {
            Some(refusal) => Err(refusal),
            None => module.instance(host, config),
        };
        async move {
            let instance = instance?;
            let mut lender = Lender::new();
            let started = poll_fn(|cx| poll_startup(&instance, &mut lender, cx.waker())).await;
            if let Err(failure) = started {
                instance.is_over();
                return Err(failure);
            }
            Ok(Self {
                instance,
                descriptor,
                is_shut_down: AtomicBool::new(false),
            })
        }
    }

    /// What the module says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl Gateway for Loaded {
    async fn call(&self, request: Request) -> Response {
        if self.is_shut_down.load(Ordering::Acquire) {
            return Response::reason(ErrorKind::Busy.status());
        }
        let mut request = Some(request);
        let mut running = None;
        poll_fn(move |cx| {
            let (mut call, end) = match (running.take(), request.take()) {
                (None, None) => return Poll::Pending,
                (None, Some(request)) => Running::start(&self.instance, request, cx.waker()),
                (Some(call), _) => Running::polled(call, cx.waker()),
            };
            match (call.take_given(), end) {
                (Some(given), _) => Poll::Ready(given.into_response(call)),
                (None, Poll::Ready(end)) => {
                    let kind = end.err().unwrap_or(ErrorKind::NoResponse);
                    Poll::Ready(Response::reason(kind.status()))
                }
                (None, Poll::Pending) => {
                    running = Some(call);
                    Poll::Pending
                }
            }
        })
        .await
    }

    async fn shutdown(&self) {
        if self.is_shut_down.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut lender = Lender::new();
        poll_fn(|cx| poll_shutdown(&self.instance, &mut lender, cx.waker(), NO_DEADLINE)).await;
        self.instance.is_over();
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loaded({})", self.descriptor)
    }
}

/// Why a module's calls cannot be spread over threads, if they cannot.
fn refusal(descriptor: &Descriptor) -> Option<StartFailure> {
    let demands = descriptor.flags & (module_flag::PINNED | module_flag::BLOCKING);
    if demands == 0 {
        return None;
    }
    let flags = descriptor.flag_names().join(", ");
    Some(StartFailure {
        step: Step::Create,
        kind: ErrorKind::Unsupported,
        message: format!("expected a module that any thread may call, found one with {flags}"),
    })
}

/// Whoever awaits a shutdown bounds it.
const NO_DEADLINE: u64 = u64::MAX;
