//! The extension `gw.metrics/1`.

use super::frozen::{GwKv, GwStr};

/// Id of the extension that yields [`GwMetrics`] for a host.
pub const EXT_METRICS: &[u8] = b"gw.metrics/1";

/// What a metric is: `gw_metric_definition.kind`.
pub mod metric_kind {
    pub const COUNTER: u32 = 1;
    pub const GAUGE: u32 = 2;
    pub const HISTOGRAM: u32 = 3;
}

/// The most that a definition may hold.
pub mod metric_limit {
    /// Bytes of the name of a metric or of a label.
    pub const NAME: u32 = 128;
    /// Bytes of `help`.
    pub const HELP: u32 = 512;
    /// Labels of one metric.
    pub const LABELS: u32 = 16;
    /// Bytes of a label's value.
    pub const VALUE: u32 = 256;
    /// Bounds of a histogram.
    pub const BOUNDS: u32 = 64;
}

/// A metric that an application asks for; borrowed for the duration of `define`.
#[repr(C)]
#[derive(Debug)]
pub struct GwMetricDefinition {
    pub struct_size: u32,
    pub kind: u32,
    pub name: GwStr,
    pub help: GwStr,
    pub labels: *const GwKv,
    pub bounds: *const f64,
    pub n_labels: u32,
    pub n_bounds: u32,
}

/// One metric of a host.
#[repr(C)]
#[derive(Debug)]
pub struct GwMetric {
    pub vt: *const GwMetricVt,
}

/// Functions of a metric, from any thread.
#[repr(C)]
#[derive(Debug)]
pub struct GwMetricVt {
    pub struct_size: u32,
    pub reserved: u32,
    pub count: Option<unsafe extern "C" fn(*const GwMetric, u64)>,
    pub add: Option<unsafe extern "C" fn(*const GwMetric, f64)>,
    pub set: Option<unsafe extern "C" fn(*const GwMetric, f64)>,
    pub observe: Option<unsafe extern "C" fn(*const GwMetric, f64)>,
}

/// What a host counts for an application; lives until the process exits.
#[repr(C)]
#[derive(Debug)]
pub struct GwMetrics {
    pub struct_size: u32,
    pub reserved: u32,
    pub define: Option<
        unsafe extern "C" fn(*const Self, *const GwMetricDefinition, *mut *const GwMetric) -> i32,
    >,
}
