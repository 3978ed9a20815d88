//! [`Metrics`]: what an application counts for its operators, through `gw.metrics/1`.

use std::fmt;
use std::ptr::{self, NonNull};
use std::time::Duration;

use super::host::{Host, Level};
use crate::abi::size::struct_size;
use crate::abi::types::{
    EXT_METRICS, GwKv, GwMetric, GwMetricDefinition, GwMetricVt, GwMetrics, GwStr, code,
    metric_kind,
};

/// The metrics of an application: counters, gauges and histograms that its server shows to operators beside
/// its own, summed over all its workers.
///
/// Copies are free. A server that has no metrics, or nobody who reads them, makes all of this do nothing.
///
/// ```
/// use gateway_spec::{Request, Response, Startup, StartupError};
///
/// async fn start(startup: Startup) -> Result<impl gateway_spec::Gateway, StartupError> {
///     let metrics = startup.metrics();
///     let orders = metrics.counter("orders_total", "Orders that were placed.");
///     Ok(move |_: Request| async move {
///         orders.increment();
///         Response::text("thank you")
///     })
/// }
/// # let _ = start;
/// ```
#[derive(Clone, Copy, Default)]
pub struct Metrics {
    host: Host,
    table: Option<Table>,
}

/// Counts how often something has happened; see [`Metrics::counter`]. Copies are free.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter(Handle);

/// Says how much there is of something now; see [`Metrics::gauge`]. Copies are free.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gauge(Handle);

/// Counts things by their size; see [`Metrics::histogram`]. Copies are free.
#[derive(Clone, Copy, Debug, Default)]
pub struct Histogram(Handle);

impl Metrics {
    /// Those of a host; if it has none, nothing is counted.
    pub(crate) fn of(host: Host) -> Self {
        let found = NonNull::new(host.extension(EXT_METRICS).cast_mut());
        let table = found.map(|found| Table(found.cast::<GwMetrics>()));
        Self {
            host,
            table: table.filter(|table| {
                // SAFETY: `gw.metrics/1` yields a `gw_metrics` that lives until the process exits.
                let table = unsafe { table.0.as_ref() };
                table.struct_size as usize >= size_of::<GwMetrics>()
            }),
        }
    }

    /// Whether anybody counts.
    #[must_use]
    pub fn are_kept(&self) -> bool {
        self.table.is_some()
    }

    /// A counter. Its name ends with `_total`; `help` says in a sentence what it means.
    ///
    /// The same name and labels give the same counter, at any time, in any worker. A definition that the
    /// server refuses, for its name, its labels, or because there are too many, is logged once for each call
    /// and counts nothing.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str) -> Counter {
        self.counter_with(name, help, &[])
    }

    /// A counter with labels. Each combination of values is a series of its own, of which there may be but so
    /// many: never take a value from a client.
    #[must_use]
    pub fn counter_with(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        Counter(self.define(metric_kind::COUNTER, name, help, labels, &[]))
    }

    /// A gauge. What operators see is the sum of those of all workers that live.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str) -> Gauge {
        self.gauge_with(name, help, &[])
    }

    /// A gauge with labels; see [`counter_with`](Self::counter_with).
    #[must_use]
    pub fn gauge_with(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
        Gauge(self.define(metric_kind::GAUGE, name, help, labels, &[]))
    }

    /// A histogram by these upper bounds, which rise; a value above all of them is counted too.
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Histogram {
        self.histogram_with(name, help, bounds, &[])
    }

    /// A histogram with labels; see [`counter_with`](Self::counter_with).
    #[must_use]
    pub fn histogram_with(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
        labels: &[(&str, &str)],
    ) -> Histogram {
        Histogram(self.define(metric_kind::HISTOGRAM, name, help, labels, bounds))
    }

    fn define(
        &self,
        kind: u32,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Handle {
        let Some(table) = self.table else {
            return Handle(None);
        };
        let text = |text: &str| GwStr::from(text.as_bytes());
        let pair = |(key, value): &(&str, &str)| GwKv {
            key: text(key),
            value: text(value),
        };
        let pairs: Vec<GwKv> = labels.iter().map(pair).collect();
        let definition = GwMetricDefinition {
            struct_size: struct_size::<GwMetricDefinition>(),
            kind,
            name: text(name),
            help: text(help),
            labels: pairs.as_ptr(),
            bounds: bounds.as_ptr(),
            n_labels: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            n_bounds: u32::try_from(bounds.len()).unwrap_or(u32::MAX),
        };
        let mut found = ptr::null();
        // SAFETY: as in `of`.
        let answer = match unsafe { table.0.as_ref() }.define {
            // SAFETY: thread-safe by contract; the definition and what it points to outlive the call.
            Some(define) => unsafe {
                define(table.0.as_ptr(), &raw const definition, &raw mut found)
            },
            None => code::UNSUPPORTED,
        };
        let why = match answer {
            code::READY => return Handle(NonNull::new(found.cast_mut()).and_then(Pointer::of)),
            code::LIMIT => "there are too many",
            code::INVALID => {
                "expected a name, labels and bounds as gateway.h has them, of one kind"
            }
            _ => "the server cannot keep it",
        };
        let line = format!("metric {name} is not kept: {why}");
        self.host.log(Level::Warn, "metrics", &line);
        Handle(None)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.are_kept() {
            "Metrics"
        } else {
            "Metrics(none)"
        })
    }
}

impl Counter {
    /// One more: a call and an atomic addition, from any thread.
    pub fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        if let Some((metric, table)) = self.0.reach()
            && let Some(count) = table.count
        {
            // SAFETY: thread-safe by contract, on a metric that lives until the process exits.
            unsafe { count(metric, more) };
        }
    }
}

impl Gauge {
    /// There is so much now. What is no finite number changes nothing.
    pub fn set(&self, value: f64) {
        if let Some((metric, table)) = self.0.reach()
            && let Some(set) = table.set
        {
            // SAFETY: as in `Counter::add`.
            unsafe { set(metric, value) };
        }
    }

    /// There is so much more, or less.
    pub fn add(&self, more: f64) {
        if let Some((metric, table)) = self.0.reach()
            && let Some(add) = table.add
        {
            // SAFETY: as in `Counter::add`.
            unsafe { add(metric, more) };
        }
    }
}

impl Histogram {
    /// Notes a value. What is no finite number changes nothing.
    pub fn observe(&self, value: f64) {
        if let Some((metric, table)) = self.0.reach()
            && let Some(observe) = table.observe
        {
            // SAFETY: as in `Counter::add`.
            unsafe { observe(metric, value) };
        }
    }

    /// Notes a time, in seconds.
    pub fn observe_duration(&self, took: Duration) {
        self.observe(took.as_secs_f64());
    }
}

/// A `gw_metrics`, valid until the process exits.
#[derive(Clone, Copy)]
struct Table(NonNull<GwMetrics>);

// SAFETY: its functions may be called from any thread.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

/// A metric, if it is kept.
#[derive(Clone, Copy, Debug, Default)]
struct Handle(Option<Pointer>);

/// A `gw_metric`, valid until the process exits.
#[derive(Clone, Copy, Debug)]
struct Pointer(NonNull<GwMetric>);

// SAFETY: its functions may be called from any thread.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

impl Pointer {
    /// None if its table is smaller than that of the version which introduced it.
    fn of(metric: NonNull<GwMetric>) -> Option<Self> {
        // SAFETY: `define` yielded it; hosts keep it until the process exits.
        let table = unsafe { metric.as_ref() }.vt;
        // SAFETY: tables are constant.
        let table = unsafe { table.as_ref() }?;
        (table.struct_size as usize >= size_of::<GwMetricVt>()).then_some(Self(metric))
    }
}

impl Handle {
    #[inline]
    fn reach(&self) -> Option<(*const GwMetric, &'static GwMetricVt)> {
        let metric = self.0?.0;
        // SAFETY: `define` yielded it; hosts keep it until the process exits.
        let table = unsafe { metric.as_ref() }.vt;
        // SAFETY: tables are constant.
        let table = unsafe { table.as_ref() }?;
        Some((metric.as_ptr(), table))
    }
}
