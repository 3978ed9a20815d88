//! Traces: a span for each request, told to an OpenTelemetry collector, and to the application as the parent
//! of its own.
//!
//! Only with the feature `opentelemetry`; without it there is no [`Tracer`], and nothing of it costs anything.

mod context;
#[cfg_attr(feature = "opentelemetry", path = "spans.rs")]
#[cfg_attr(not(feature = "opentelemetry"), path = "absent.rs")]
mod spans;

pub(crate) use context::Parent;
pub(crate) use spans::{Span, Tracer};

use crate::value::CollectorUrl;

/// What is traced, and who is told.
#[cfg_attr(
    not(feature = "opentelemetry"),
    expect(dead_code, reason = "nobody reads it")
)]
#[derive(Clone, Debug)]
pub(crate) struct TraceOptions {
    /// Where the collector listens.
    pub(crate) collector: CollectorUrl,
    /// One of so many requests is traced, where nobody who is believed has decided.
    pub(crate) one_of: u32,
    /// Spans that may wait for being sent; more are dropped.
    pub(crate) queue: u32,
    /// What this service is called; the application's name if nothing is said here or in the environment.
    pub(crate) service: Option<String>,
}

/// What a span says of its request, known when that has ended or its call has returned.
#[cfg_attr(
    not(feature = "opentelemetry"),
    expect(dead_code, reason = "nobody reads it")
)]
pub(crate) struct Described<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a [u8],
    pub(crate) scheme: &'a str,
    /// `host[:port]`.
    pub(crate) host: &'a [u8],
    /// `1.1`
    pub(crate) version: &'a str,
    pub(crate) client: String,
    pub(crate) agent: Option<&'a [u8]>,
    /// The application that it was for, where there are several.
    pub(crate) app: Option<&'a str>,
}
