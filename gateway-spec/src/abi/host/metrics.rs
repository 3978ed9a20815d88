//! The extension `gw.metrics/1`, as a host offers it.

use std::fmt;
use std::ptr;

use crate::abi::codes::code_of;
use crate::abi::contain::contained;
use crate::abi::size::struct_size;
use crate::abi::types::{
    GwKv, GwMetric, GwMetricDefinition, GwMetricVt, GwMetrics, GwStr, code, metric_kind,
    metric_limit,
};
use crate::error::ErrorKind;
use crate::metric::{MetricDefinition, MetricKind};

/// What keeps an application's metrics. Called from any thread.
pub trait Recorder: Send + Sync + 'static {
    /// The metric of this definition, which keeps to the grammar; the same one each time that it is asked
    /// for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if there are too many, [`ErrorKind::Invalid`] if the name is another kind's or the
    /// host's own.
    fn define(&self, definition: &MetricDefinition<'_>) -> Result<&'static Metric, ErrorKind>;
}

/// What counts for one metric. Called from any thread; what is not of the metric's kind does nothing.
pub trait Instrument: Send + Sync + 'static {
    /// Adds to a counter.
    fn count(&self, more: u64);

    /// Adds to a gauge; the number is finite.
    fn add(&self, more: f64);

    /// Sets a gauge; the number is finite.
    fn set(&self, value: f64);

    /// Notes a value in a histogram; it is finite.
    fn observe(&self, value: f64);
}

/// One metric, as applications hold it.
#[repr(C)]
pub struct Metric {
    abi: GwMetric,
    instrument: Box<dyn Instrument>,
}

// SAFETY: the pointer is that of a constant table; instruments are `Send`.
unsafe impl Send for Metric {}
// SAFETY: as above; instruments are `Sync`.
unsafe impl Sync for Metric {}

impl Metric {
    /// Makes a metric: leaked, since applications may use it until the process exits.
    pub fn leak(instrument: impl Instrument) -> &'static Self {
        Box::leak(Box::new(Self {
            abi: GwMetric { vt: &VT },
            instrument: Box::new(instrument),
        }))
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metric")
    }
}

/// A `gw_metrics` with its recorder, part of a host.
#[repr(C)]
pub(super) struct MetricsTable {
    abi: GwMetrics,
    recorder: Box<dyn Recorder>,
}

impl MetricsTable {
    pub(super) fn new(recorder: Box<dyn Recorder>) -> Self {
        Self {
            abi: GwMetrics {
                struct_size: struct_size::<GwMetrics>(),
                reserved: 0,
                define: Some(define),
            },
            recorder,
        }
    }

    pub(super) fn as_raw(&self) -> *const GwMetrics {
        ptr::from_ref(self).cast()
    }
}

unsafe extern "C" fn define(
    metrics: *const GwMetrics,
    definition: *const GwMetricDefinition,
    out: *mut *const GwMetric,
) -> i32 {
    contained("define", || {
        // SAFETY: tables with this function are ours, and live until the process exits.
        let table = unsafe { &*metrics.cast::<MetricsTable>() };
        // SAFETY: NULL, or a definition that the application lends for the call.
        let Some(asked) = (unsafe { definition.as_ref() }) else {
            return code::INVALID;
        };
        if out.is_null() || (asked.struct_size as usize) < size_of::<GwMetricDefinition>() {
            return code::INVALID;
        }
        // SAFETY: what a definition of this size points to, the application lends as well.
        match unsafe { read(asked) }.map_or(Err(ErrorKind::Invalid), |owned| {
            let labels: Vec<_> = owned.labels;
            let definition = MetricDefinition::new(owned.kind, owned.name, owned.help)
                .with_labels(&labels)
                .with_bounds(owned.bounds);
            definition.check().map_err(|_| ErrorKind::Invalid)?;
            table.recorder.define(&definition)
        }) {
            Ok(metric) => {
                // SAFETY: the application's place for the answer.
                unsafe { out.write(ptr::from_ref(metric).cast()) };
                code::READY
            }
            Err(kind) => code_of(kind),
        }
    })
}

/// A definition as it came, before it is checked.
struct Asked<'a> {
    kind: MetricKind,
    name: &'a str,
    help: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    bounds: &'a [f64],
}

/// What a definition says; none if its kind is none, a text is not UTF-8, or there is too much of anything.
///
/// # Safety
///
/// All that the definition points to is valid for `'a`.
unsafe fn read<'a>(asked: &GwMetricDefinition) -> Option<Asked<'a>> {
    let kind = match asked.kind {
        metric_kind::COUNTER => MetricKind::Counter,
        metric_kind::GAUGE => MetricKind::Gauge,
        metric_kind::HISTOGRAM => MetricKind::Histogram,
        _ => return None,
    };
    // SAFETY: the caller's promise.
    let text = |text: &GwStr| std::str::from_utf8(unsafe { text.bytes() }).ok();
    if asked.n_labels > metric_limit::LABELS || asked.n_bounds > metric_limit::BOUNDS {
        return None;
    }
    let pairs: &[GwKv] = if asked.n_labels == 0 || asked.labels.is_null() {
        &[]
    } else {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(asked.labels, asked.n_labels as usize) }
    };
    let bounds: &[f64] = if asked.n_bounds == 0 || asked.bounds.is_null() {
        &[]
    } else {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(asked.bounds, asked.n_bounds as usize) }
    };
    let whole = pairs.len() == asked.n_labels as usize && bounds.len() == asked.n_bounds as usize;
    if !whole {
        return None;
    }
    let pair = |pair: &GwKv| Some((text(&pair.key)?, text(&pair.value)?));
    Some(Asked {
        kind,
        name: text(&asked.name)?,
        help: text(&asked.help)?,
        labels: pairs.iter().map(pair).collect::<Option<_>>()?,
        bounds,
    })
}

static VT: GwMetricVt = GwMetricVt {
    struct_size: struct_size::<GwMetricVt>(),
    reserved: 0,
    count: Some(count),
    add: Some(add),
    set: Some(set),
    observe: Some(observe),
};

/// # Safety
///
/// `metric` is NULL or one of ours.
unsafe fn on(metric: *const GwMetric, what: &'static str, act: impl FnOnce(&dyn Instrument)) {
    contained(what, || {
        // SAFETY: metrics with these functions are ours, and live until the process exits.
        if let Some(metric) = unsafe { metric.cast::<Metric>().as_ref() } {
            act(&*metric.instrument);
        }
        code::READY
    });
}

unsafe extern "C" fn count(metric: *const GwMetric, more: u64) {
    // SAFETY: the caller's promise, by the header.
    unsafe { on(metric, "count", |one| one.count(more)) };
}

unsafe extern "C" fn add(metric: *const GwMetric, more: f64) {
    if more.is_finite() {
        // SAFETY: as in `count`.
        unsafe { on(metric, "add", |one| one.add(more)) };
    }
}

unsafe extern "C" fn set(metric: *const GwMetric, value: f64) {
    if value.is_finite() {
        // SAFETY: as in `count`.
        unsafe { on(metric, "set", |one| one.set(value)) };
    }
}

unsafe extern "C" fn observe(metric: *const GwMetric, value: f64) {
    if value.is_finite() {
        // SAFETY: as in `count`.
        unsafe { on(metric, "observe", |one| one.observe(value)) };
    }
}
