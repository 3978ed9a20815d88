//! [`Tracer`]: spans by the OpenTelemetry SDK, sent as OTLP over HTTP.
//!
//! A span that has ended goes into a bounded queue; a thread of the worker's own empties it, in batches. No
//! request waits for that: what finds the queue full is dropped, and counted by the SDK in the log.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span as SdkSpan,
};

use super::context;
use super::{Described, Parent, TraceOptions};
use crate::clock::monotonic_ns;

/// What begins spans, in one worker.
#[derive(Debug)]
pub(crate) struct Tracer {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// The span of one request.
pub(crate) struct Span(SdkSpan);

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Span")
    }
}

impl Tracer {
    /// Begins to tell the collector of an application's requests.
    ///
    /// # Errors
    ///
    /// What the SDK does not like of the address or of the environment.
    pub(crate) fn start(options: &TraceOptions, app: &str, version: &str) -> Result<Self, String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Courier::new())
            .with_endpoint(options.collector.traces())
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| error.to_string())?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(options.queue as usize)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let ratio = Sampler::TraceIdRatioBased(1.0 / f64::from(options.one_of));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(resource(options, app, version))
            .build();
        Ok(Self {
            tracer: provider.tracer("gatewayd"),
            provider,
        })
    }

    /// Begins a span, at this time of the monotonic clock, as part of the parent's trace or of a new one.
    pub(crate) fn begin(&self, parent: Option<Parent<'_>>, began_ns: u64) -> Span {
        let parent = match parent {
            Some(parent) => Context::new().with_remote_span_context(remote(&parent)),
            None => Context::new(),
        };
        let ago = Duration::from_nanos(monotonic_ns().saturating_sub(began_ns));
        let began = SystemTime::now().checked_sub(ago);
        let builder = self.tracer.span_builder("HTTP");
        let builder = builder.with_kind(SpanKind::Server);
        let builder = builder.with_start_time(began.unwrap_or_else(SystemTime::now));
        Span(builder.start_with_context(&self.tracer, &parent))
    }

    /// Sends what waits, if the collector takes it within this time.
    pub(crate) fn finish(&self, within: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(within) {
            tracing::debug!("not all spans were sent: {error}");
        }
    }
}

impl Span {
    /// Notes of which request it is, by OpenTelemetry's names.
    pub(crate) fn describe(&mut self, request: &Described<'_>) {
        if !self.is_recorded() {
            return;
        }
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).into_owned();
        // Methods that clients invent would be names without end.
        let known = METHODS.contains(&request.method);
        let name = if known { request.method } else { "HTTP" };
        self.0.update_name(Cow::Owned(name.to_owned()));
        let mut set =
            |name: &'static str, value: String| self.0.set_attribute(KeyValue::new(name, value));
        let method = if known { request.method } else { "_OTHER" };
        set("http.request.method", method.to_owned());
        if !known {
            set(
                "http.request.method_original",
                text(request.method.as_bytes()),
            );
        }
        set("url.path", text(request.path));
        set("url.scheme", request.scheme.to_owned());
        set("network.protocol.name", "http".to_owned());
        set("network.protocol.version", request.version.to_owned());
        set("client.address", request.client.clone());
        if let Some(agent) = request.agent {
            set("user_agent.original", text(agent));
        }
        if let Some(app) = request.app {
            set("gatewayd.app", app.to_owned());
        }
        let host = text(request.host);
        // A port stands behind the last colon, unless that is an address' own.
        let (address, port) = match host.rsplit_once(':') {
            Some((address, port)) if !port.contains(']') => (address, port.parse::<i64>().ok()),
            _ => (&*host, None),
        };
        if !address.is_empty() {
            set("server.address", address.to_owned());
        }
        if let Some(port) = port {
            self.0.set_attribute(KeyValue::new("server.port", port));
        }
    }

    /// What the application is told as its parent.
    pub(crate) fn traceparent(&self) -> [u8; 55] {
        let own = self.0.span_context();
        let (trace, span) = (own.trace_id().to_bytes(), own.span_id().to_bytes());
        context::write(&trace, &span, own.is_sampled())
    }

    /// Whether anybody will see it.
    pub(crate) fn is_recorded(&self) -> bool {
        self.0.is_recording()
    }

    /// The request has been answered with this status.
    pub(crate) fn end(mut self, status: u16) {
        if self.is_recorded() {
            let code = KeyValue::new("http.response.status_code", i64::from(status));
            self.0.set_attribute(code);
            // What a client has done wrong is no error of the server's, by the conventions.
            if status >= 500 {
                self.0
                    .set_attribute(KeyValue::new("error.type", status.to_string()));
                self.0.set_status(Status::error(""));
            }
        }
        self.0.end();
    }
}

fn remote(parent: &Parent<'_>) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(parent.sampled);
    let state: TraceState = parent.state.join(",").parse().unwrap_or_default();
    let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
    SpanContext::new(trace, span, flags, true, state)
}

/// Whose spans these are; what stands in OTEL_RESOURCE_ATTRIBUTES is added.
fn resource(options: &TraceOptions, app: &str, version: &str) -> Resource {
    let builder = Resource::builder().with_attributes([
        KeyValue::new("process.pid", i64::from(std::process::id())),
        KeyValue::new("service.version", version.to_owned()),
    ]);
    let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
    match (&options.service, named) {
        (Some(name), _) => builder.with_service_name(name.clone()),
        (None, false) if !app.is_empty() => builder.with_service_name(app.to_owned()),
        (None, _) => builder,
    }
    .build()
}

/// Carries batches to the collector, on the exporter's thread, where it may wait.
#[derive(Debug)]
struct Courier(ureq::Agent);

impl Courier {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self(config.new_agent())
    }

    fn carry(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let request = http::Request::from_parts(parts, body.to_vec());
        let (parts, mut body) = self.0.run(request)?.into_parts();
        let answer = body.with_config().limit(ANSWER_BYTES).read_to_vec()?;
        Ok(http::Response::from_parts(parts, answer.into()))
    }
}

impl HttpClient for Courier {
    fn send_bytes<'l, 'f>(
        &'l self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'l: 'f,
        Self: 'f,
    {
        let answer = self.carry(request);
        Box::pin(async move { answer })
    }
}

/// Methods of RFC 9110 and 5789, the only ones that spans are named by.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];
/// Bytes of a client's text in an attribute.
const MOST: usize = 1024;
/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of its answer that are read.
const ANSWER_BYTES: u64 = 64 * 1024;
