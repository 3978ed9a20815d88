//! [`Meter`]: what the probe counts for its operators.

use std::time::Duration;

use gateway_spec::{Counter, Gauge, Histogram, Metrics, Response};

/// Counters of each kind, and what makes more of them.
#[derive(Debug)]
pub(crate) struct Meter {
    metrics: Metrics,
    orders: Counter,
    depth: Gauge,
    sizes: Histogram,
}

impl Meter {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self {
            orders: metrics.counter("orders_total", "Orders that were placed."),
            depth: metrics.gauge("queue_depth", "Orders that wait."),
            sizes: metrics.histogram("order_size", "How large orders are.", &[1.0, 10.0]),
            metrics,
        }
    }

    /// Notes an order of such a size, which waits; `NAME/SIZE` for a customer, from a thread of its own.
    pub(crate) fn note(&self, words: &str) -> Response {
        let (customer, size) = words.rsplit_once('/').unwrap_or(("", words));
        let size: u32 = size.parse().unwrap_or(0);
        let (orders, metrics) = (self.orders, self.metrics);
        self.depth.add(1.0);
        self.sizes.observe(size.into());
        let customer = customer.to_owned();
        let counts = move || {
            orders.increment();
            if !customer.is_empty() {
                let labels = [("customer", &*customer)];
                let help = "What customers have waited.";
                metrics
                    .histogram_with("waited_seconds", help, &[0.1], &labels)
                    .observe_duration(Duration::from_millis(50));
            }
        };
        if std::thread::spawn(counts).join().is_err() {
            return Response::text("a thread panicked");
        }
        Response::text(if self.metrics.are_kept() {
            "kept"
        } else {
            "not kept"
        })
    }
}
