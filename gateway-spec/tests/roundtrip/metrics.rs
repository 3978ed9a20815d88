//! What an application counts, through `gw.metrics/1`.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use gateway_spec::abi::host::{Config, HostTable, Instrument, Metric, Module, Recorder, Services};
use gateway_spec::{
    BoxGateway, ErrorKind, Gateway, MetricDefinition, MetricKind, Metrics, Request, Response,
    Startup, StartupError,
};

use super::host::{block_on, module};

/// What was asked for, and what was done with it.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    known: BTreeMap<String, &'static Metric>,
    told: Vec<String>,
    logged: Vec<String>,
}

struct Pen(Book, MetricKind);

impl Pen {
    fn note(&self, kind: MetricKind, what: String) {
        if self.1 == kind {
            self.0.0.lock().unwrap().told.push(what);
        }
    }
}

impl Instrument for Pen {
    fn count(&self, more: u64) {
        self.note(MetricKind::Counter, format!("count {more}"));
    }

    fn add(&self, more: f64) {
        self.note(MetricKind::Gauge, format!("add {more}"));
    }

    fn set(&self, value: f64) {
        self.note(MetricKind::Gauge, format!("set {value}"));
    }

    fn observe(&self, value: f64) {
        self.note(MetricKind::Histogram, format!("observe {value}"));
    }
}

impl Recorder for Book {
    fn define(&self, definition: &MetricDefinition<'_>) -> Result<&'static Metric, ErrorKind> {
        let key = format!("{definition:?}");
        let mut pages = self.0.lock().unwrap();
        if pages.known.len() == MOST && !pages.known.contains_key(&key) {
            return Err(ErrorKind::Limit);
        }
        let make = || Metric::leak(Pen(self.clone(), definition.kind));
        Ok(pages.known.entry(key).or_insert_with(make))
    }
}

/// Metrics that the book has room for.
const MOST: usize = 4;

impl Services for Book {
    fn log(&self, _: u32, _: &[u8], message: &[u8], _: &mut dyn Iterator<Item = (&[u8], &[u8])>) {
        let message = String::from_utf8_lossy(message).into_owned();
        self.0.lock().unwrap().logged.push(message);
    }

    fn request_shutdown(&self, _: i32) {}

    fn recorder(&mut self) -> Option<Box<dyn Recorder>> {
        Some(Box::new(self.clone()))
    }
}

fn use_all(metrics: &Metrics) {
    let orders = metrics.counter("orders_total", "Orders.");
    orders.increment();
    // The same again, from another thread.
    let again = metrics.counter("orders_total", "Orders.");
    thread::spawn(move || again.add(2)).join().unwrap();
    let depth = metrics.gauge_with("depth", "Depth.", &[("queue", "a\"\n\u{e4}")]);
    depth.set(1.5);
    depth.add(-0.5);
    depth.set(f64::NAN);
    depth.add(f64::INFINITY);
    let sizes = metrics.histogram("size_bytes", "Sizes.", &[1.0, 10.0]);
    sizes.observe(3.0);
    sizes.observe(f64::NAN);
    metrics
        .histogram_with("took_seconds", "", &[0.5], &[("a", "b")])
        .observe_duration(Duration::from_millis(250));
    // None of these is one.
    metrics.counter("orders", "").increment();
    metrics.gauge("a b", "").set(1.0);
    metrics.gauge_with("a", "", &[("app", "x")]).set(1.0);
    metrics.histogram("b", "", &[2.0, 1.0]).observe(1.0);
    metrics.gauge("one_too_many", "").set(1.0);
}

struct Counts;

impl Gateway for Counts {
    async fn call(&self, _: Request) -> Response {
        Response::text("counted")
    }
}

async fn start(startup: Startup) -> Result<BoxGateway, StartupError> {
    let metrics = startup.metrics();
    assert!(metrics.are_kept());
    use_all(&metrics);
    Ok(BoxGateway::new(Counts))
}

#[test]
fn a_metric_is_what_was_asked_for_and_nothing_else_is_one() {
    // What a host has made is there for the process's life: what a static leads to is no leak to miri.
    static HOST: OnceLock<&HostTable> = OnceLock::new();
    let book = Book::default();
    let module = Module::linked(module!(start)).unwrap();
    let host = HOST.get_or_init(|| HostTable::leak(book.clone(), "metrics", 5));
    let app = module.create(host, &Config::default()).unwrap();
    block_on(poll_fn(|cx| app.poll_startup(cx))).unwrap();
    let pages = book.0.lock().unwrap();
    assert_eq!(
        pages.told,
        [
            "count 1",
            "count 2",
            "set 1.5",
            "add -0.5",
            "observe 3",
            "observe 0.25"
        ]
    );
    assert_eq!(pages.known.len(), MOST);
    let labels = format!("labels: {:?}", [("queue", "a\"\n\u{e4}")]);
    assert!(
        pages.known.keys().any(|key| key.contains(&labels)),
        "{:?}",
        pages.known
    );
    let refused: Vec<_> = pages
        .logged
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!(refused, ["orders", "a", "a", "b", "one_too_many"]);
    assert!(pages.logged[4].ends_with("too many"), "{:?}", pages.logged);
    drop(pages);
    block_on(poll_fn(|cx| app.poll_shutdown(cx, 0)));
    app.destroy();
}

#[test]
fn without_a_host_that_counts_nothing_is_counted() {
    let metrics = Startup::default().metrics();
    assert!(!metrics.are_kept());
    use_all(&metrics);
    use_all(&Metrics::default());
}
