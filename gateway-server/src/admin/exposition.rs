//! Metrics as text: Prometheus' format 0.0.4, and OpenMetrics 1.0.

use std::fmt::{Display, Write as _};

use gateway_spec::MetricKind;

use super::figures::Figures;
use crate::app_metrics::{Family, Value};
use crate::board::WorkerState;
use crate::scoreboard::{BOUNDS, Class, Counter, Deadline, Method, Refusal};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Prometheus,
    OpenMetrics,
}

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Dialect {
    /// The media type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes all metrics.
pub(super) fn write(figures: &Figures, dialect: Dialect) -> String {
    let mut out = Out {
        text: String::with_capacity(8192),
        dialect,
        family: String::new(),
        total: "",
    };
    server(&mut out, figures);
    requests(&mut out, figures);
    connections(&mut out, figures);
    workers(&mut out, figures);
    for family in &figures.apps {
        application(&mut out, family);
    }
    if dialect == Dialect::OpenMetrics {
        out.text.push_str("# EOF\n");
    }
    out.text
}

fn server(out: &mut Out, figures: &Figures) {
    let board = &figures.board;
    let about = "Which server this is, and what it serves.";
    out.family("gatewayd_build_info", Kind::Gauge, about);
    let version = env!("CARGO_PKG_VERSION");
    out.labelled(&[("version", version), ("app", &board.app)], 1);
    out.single(
        "process_start_time_seconds",
        "When the server started, in seconds since the epoch.",
        format_args!("{:.3}", board.started.as_secs_f64()),
    );
    out.single(
        "gatewayd_generation",
        "Which generation of the application new workers run.",
        board.generation,
    );
    for (kind, name, about) in [
        ("reload", "gatewayd_reloads", "Reloads that have ended."),
        ("upgrade", "gatewayd_upgrades", "Upgrades that have ended."),
    ] {
        out.family(name, Kind::Counter, about);
        tallies(out, figures, kind, "outcome");
    }
    if let Some(last) = &board.last_reload {
        out.single(
            "gatewayd_last_reload_successful",
            "Whether the last reload or upgrade went well.",
            u8::from(last.good),
        );
        out.single(
            "gatewayd_last_reload_timestamp_seconds",
            "When the last reload or upgrade ended, in seconds since the epoch.",
            format_args!("{:.3}", last.at.as_secs_f64()),
        );
    }
}

fn requests(out: &mut Out, figures: &Figures) {
    let about = "Requests that were answered, by method and class of status.";
    out.family("gatewayd_requests", Kind::Counter, about);
    for pool in &figures.pools {
        for method in Method::ALL {
            for class in Class::ALL {
                let count = pool.counter(Counter::Answers(method, class));
                let labels = [
                    ("pool", &*pool.name),
                    ("method", method.name()),
                    ("status", class.name()),
                ];
                out.labelled(&labels, count);
            }
        }
    }
    let about = "Requests that the application is working on and has not answered at once.";
    out.family("gatewayd_requests_in_flight", Kind::Gauge, about);
    out.each_pool(figures, Counter::RequestsActive);
    let about = "Time from when a request was there to be read until its answer was written.";
    out.family("gatewayd_request_duration_seconds", Kind::Histogram, about);
    for pool in &figures.pools {
        let label = ("pool", &*pool.name);
        let mut below = 0;
        for (at, bound) in BOUNDS.iter().enumerate() {
            below += pool.counter(Counter::TookUpTo(at));
            out.sample("_bucket", &[label, ("le", &seconds(*bound))], below);
        }
        below += pool.counter(Counter::TookUpTo(BOUNDS.len()));
        out.sample("_bucket", &[label, ("le", "+Inf")], below);
        out.sample("_sum", &[label], seconds(pool.counter(Counter::Took)));
        out.sample("_count", &[label], below);
    }
    let about = "Requests that the server has refused itself, by why.";
    out.family("gatewayd_refused_requests", Kind::Counter, about);
    let reasons = Refusal::ALL.map(|why| (why.name(), Counter::Refused(why)));
    out.each_pool_by(figures, "reason", &reasons);
    let about = "Deadlines that have passed, by whose.";
    out.family("gatewayd_timeouts", Kind::Counter, about);
    let kinds = Deadline::ALL.map(|whose| (whose.name(), Counter::TimedOut(whose)));
    out.each_pool_by(figures, "kind", &kinds);
    for (name, about, counter) in [
        (
            "gatewayd_request_body_bytes",
            "Bytes of request bodies, as they came.",
            Counter::BytesIn,
        ),
        (
            "gatewayd_response_body_bytes",
            "Bytes of response bodies.",
            Counter::BytesOut,
        ),
    ] {
        out.family(name, Kind::Counter, about);
        out.each_pool(figures, counter);
    }
}

fn connections(out: &mut Out, figures: &Figures) {
    let about = "Connections that are open.";
    out.family("gatewayd_connections", Kind::Gauge, about);
    out.each_pool(figures, Counter::ConnectionsActive);
    for (name, about, counter) in [
        (
            "gatewayd_connections_accepted",
            "Connections that were accepted.",
            Counter::Connections,
        ),
        (
            "gatewayd_drain_races",
            "Requests that came on a connection which a draining worker was just closing.",
            Counter::DrainRaces,
        ),
    ] {
        out.family(name, Kind::Counter, about);
        out.each_pool(figures, counter);
    }
    let about = "TLS handshakes, by how they ended.";
    out.family("gatewayd_tls_handshakes", Kind::Counter, about);
    let results = [
        ("ok", Counter::Handshakes),
        ("failed", Counter::HandshakesFailed),
    ];
    out.each_pool_by(figures, "result", &results);
}

fn workers(out: &mut Out, figures: &Figures) {
    let about = "Workers that there are to be.";
    out.family("gatewayd_workers_wanted", Kind::Gauge, about);
    for pool in &figures.board.pools {
        out.labelled(&[("pool", &pool.name)], pool.target);
    }
    out.family("gatewayd_workers", Kind::Gauge, "Workers, by state.");
    for pool in &figures.board.pools {
        for state in WorkerState::ALL {
            let rows = figures.board.workers.iter();
            let rows = rows.filter(|worker| worker.pool == pool.id && worker.state == state);
            let labels = [("pool", &*pool.name), ("state", state.name())];
            out.labelled(&labels, rows.count());
        }
    }
    let about = "Workers that died or were replaced for a reason of their own, by that.";
    out.family("gatewayd_worker_restarts", Kind::Counter, about);
    tallies(out, figures, "restart", "cause");
    type Figure = fn(&super::figures::WorkerFigures) -> Option<u64>;
    let each: [(&str, &str, Figure); 3] = [
        (
            "gatewayd_worker_requests_in_flight",
            "Requests that the worker's application is working on.",
            |worker| Some(worker.in_flight),
        ),
        (
            "gatewayd_worker_connections",
            "Connections that the worker has open.",
            |worker| Some(worker.connections),
        ),
        (
            "gatewayd_worker_resident_memory_bytes",
            "Memory that the worker holds.",
            |worker| worker.memory,
        ),
    ];
    for (name, about, figure) in each {
        out.family(name, Kind::Gauge, about);
        for worker in &figures.workers {
            if let Some(value) = figure(worker) {
                let (id, pid) = (worker.row.id.to_string(), worker.row.pid.to_string());
                let pool = figures.pool_name(worker.row.pool);
                out.labelled(&[("pool", pool), ("worker", &id), ("pid", &pid)], value);
            }
        }
    }
}

/// What applications count.
fn application(out: &mut Out, family: &Family) {
    let kind = match family.kind {
        MetricKind::Counter => Kind::Counter,
        MetricKind::Gauge => Kind::Gauge,
        _ => Kind::Histogram,
    };
    out.family(&family.name, kind, &family.help);
    for (labels, value) in &family.series {
        let labels: Vec<(&str, &str)> = labels
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        match value {
            Value::Count(count) => out.labelled(&labels, count),
            Value::Level(level) => out.labelled(&labels, level),
            Value::Sizes {
                bounds,
                counts,
                sum,
            } => {
                let shown = bounds.iter().map(|bound| format!("{bound:?}"));
                let mut below = 0_u64;
                for (bound, count) in shown.chain(["+Inf".to_owned()]).zip(counts) {
                    below = below.saturating_add(*count);
                    let with_bound = [&labels[..], &[("le", &*bound)]].concat();
                    out.sample("_bucket", &with_bound, below);
                }
                out.sample("_sum", &labels, sum);
                out.sample("_count", &labels, below);
            }
        }
    }
}

/// Those tallies whose first word is `kind`, by their second.
fn tallies(out: &mut Out, figures: &Figures, kind: &str, label: &str) {
    for (name, count) in &figures.board.tallies {
        if let Some((first, which)) = name.split_once(' ')
            && first == kind
        {
            out.labelled(&[(label, which)], count);
        }
    }
}

/// The text, and the family that is being written.
struct Out {
    text: String,
    dialect: Dialect,
    /// Its name, and what follows that in its values' names.
    family: String,
    total: &'static str,
}

impl Out {
    /// Begins a family; a counter is named without its `_total`.
    fn family(&mut self, name: &str, kind: Kind, about: &str) {
        let (kind_name, suffix) = match (kind, self.dialect) {
            (Kind::Counter, Dialect::Prometheus) => ("counter", TOTAL),
            (Kind::Counter, Dialect::OpenMetrics) => ("counter", ""),
            (Kind::Gauge, _) => ("gauge", ""),
            (Kind::Histogram, _) => ("histogram", ""),
        };
        // Writing into memory cannot fail.
        let _ = writeln!(
            self.text,
            "# HELP {name}{suffix} {}",
            Escaped(about, self.dialect == Dialect::OpenMetrics)
        );
        let _ = writeln!(self.text, "# TYPE {name}{suffix} {kind_name}");
        name.clone_into(&mut self.family);
        self.total = if kind == Kind::Counter { TOTAL } else { "" };
    }

    /// A gauge of one value.
    fn single(&mut self, name: &'static str, about: &str, value: impl Display) {
        self.family(name, Kind::Gauge, about);
        self.labelled(&[], value);
    }

    /// A value of the family for each pool.
    fn each_pool(&mut self, figures: &Figures, counter: Counter) {
        for pool in &figures.pools {
            self.labelled(&[("pool", &pool.name)], pool.counter(counter));
        }
    }

    /// Values of the family for each pool, by another label.
    fn each_pool_by(&mut self, figures: &Figures, label: &str, values: &[(&str, Counter)]) {
        for pool in &figures.pools {
            for (value, counter) in values {
                self.labelled(
                    &[("pool", &pool.name), (label, value)],
                    pool.counter(*counter),
                );
            }
        }
    }

    /// A value of the family.
    fn labelled(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.sample(self.total, labels, value);
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.family);
        for (at, (name, value)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", Escaped(value, true));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }
}

/// A label's value, or a help text, in which quotes need no escape but in OpenMetrics.
struct Escaped<'a>(&'a str, bool);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '"' if self.1 => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Nanoseconds as seconds, exactly.
fn seconds(nanoseconds: u64) -> String {
    let (whole, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let text = format!("{whole}.{rest:09}");
    let text = text.trim_end_matches('0');
    match text.strip_suffix('.') {
        Some(whole) => format!("{whole}.0"),
        None => text.to_owned(),
    }
}

const TOTAL: &str = "_total";

#[cfg(test)]
mod tests {
    use super::super::testing::figures;
    use super::*;

    #[test]
    fn buckets_add_up_and_labels_are_escaped() {
        let text = write(&figures(), Dialect::Prometheus);
        let value = |start: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(start));
            line.unwrap_or_else(|| panic!("{start}: {text}")).to_owned()
        };
        let took = |at| Counter::TookUpTo(at).index();
        let first = took(0).to_string();
        let name = "gatewayd_request_duration_seconds";
        let pool = "pool=\"a \\\"quoted\\\\\\\" name\"";
        assert_eq!(
            value(&format!("{name}_bucket{{{pool},le=\"0.0001\"}} ")),
            first
        );
        let all: usize = (0..=BOUNDS.len()).map(took).sum();
        let all = all.to_string();
        assert_eq!(value(&format!("{name}_count{{{pool}}} ")), all);
        assert_eq!(value(&format!("{name}_bucket{{{pool},le=\"+Inf\"}} ")), all);
        assert_eq!(value(&format!("{name}_count{{pool=\"shop\"}} ")), "0");
        assert!(text.contains("app=\"a \\\"quoted\\\\\\\" name\""), "{text}");
        assert_eq!(value("process_start_time_seconds "), "1700000000.250");
        assert_eq!(
            value("gatewayd_worker_restarts_total{cause=\"died\"} "),
            "3"
        );
    }

    #[test]
    fn open_metrics_names_counters_without_their_total_and_ends() {
        let text = write(&figures(), Dialect::OpenMetrics);
        assert!(text.contains("# TYPE gatewayd_requests counter\n"));
        assert!(
            text.contains("\ngatewayd_requests_total{pool=\"shop\",method=\"GET\",status=\"2xx\"}")
        );
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn nanoseconds_are_shown_as_seconds() {
        for (nanoseconds, text) in [
            (0, "0.0"),
            (100_000, "0.0001"),
            (60_000_000_001, "60.000000001"),
        ] {
            assert_eq!(seconds(nanoseconds), text);
        }
    }
}
