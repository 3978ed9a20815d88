//! The span of a request: begun before its call, so that the application is told of it, and described when the
//! call has returned.

use gateway_spec::abi::{Field, names};

use super::ends::Ends;
use super::handover::Request;
use super::service::Service;
use crate::traces::{Described, Parent, Span, Tracer};

/// What the application is told of the span that its request has here.
pub(super) struct Traced {
    traceparent: [u8; 55],
    /// Whether what vendors have added is passed on.
    keeps_state: bool,
}

impl Traced {
    /// Has the fields name this server's span as the parent, and nobody else's.
    pub(super) fn amend<'f>(&'f self, fields: &mut smallvec::SmallVec<[Field<'f>; 64]>) {
        fields.retain(|field| match field.name_id() {
            TRACEPARENT => false,
            TRACESTATE => self.keeps_state,
            _ => true,
        });
        fields.push(Field::new(TRACEPARENT, b"traceparent", &self.traceparent));
    }
}

impl Ends {
    /// Begins the span of a request that is about to be handed over, if requests are traced. Who names a
    /// parent decides what is recorded, and can tie strangers' requests together: only a proxy that is trusted
    /// may, as with addresses and ids. Others' requests begin traces of their own.
    pub(super) fn trace(&self, service: &Service, request: &Request<'_>) -> Option<Traced> {
        let tracer = service.tracer.as_ref()?;
        let (span, keeps_state) = self.begin(tracer, service, request);
        let traced = Traced {
            traceparent: span.traceparent(),
            keeps_state,
        };
        service.span.set(Some(span));
        Some(traced)
    }

    /// The span of the request whose call has just returned, or of one that was not called for, with what is
    /// known of it.
    pub(super) fn traced(
        &self,
        service: &Service,
        app: Option<&str>,
        request: &Request<'_>,
    ) -> Option<Span> {
        let tracer = service.tracer.as_ref()?;
        let span = service.span.take();
        let mut span = span.unwrap_or_else(|| self.begin(tracer, service, request).0);
        if span.is_recorded() {
            let known = self.known(request);
            let client = known.client();
            span.describe(&Described {
                method: str::from_utf8(request.method()).unwrap_or_default(),
                path: known.path(),
                scheme: known.scheme(),
                host: known.host(),
                version: known.version().trim_start_matches("HTTP/"),
                client: client.map_or_else(|| "-".to_owned(), |ip| ip.to_string()),
                agent: request.head.value(USER_AGENT, request.raw),
                app,
            });
        }
        Some(span)
    }

    fn begin(&self, tracer: &Tracer, service: &Service, request: &Request<'_>) -> (Span, bool) {
        let lines = |id: u16| {
            let fields = request.head.fields(request.raw);
            let named = fields.filter(move |field| field.name_id() == id);
            named.map(|field| field.value())
        };
        let read = || Parent::read(lines(TRACEPARENT), lines(TRACESTATE));
        let parent = self.is_proxied().then(read).flatten();
        let keeps_state = parent
            .as_ref()
            .is_some_and(|parent| !parent.state.is_empty());
        (tracer.begin(parent, service.woke.get()), keeps_state)
    }
}

const TRACEPARENT: u16 = names::id("traceparent");
const TRACESTATE: u16 = names::id("tracestate");
const USER_AGENT: u16 = names::id("user-agent");
