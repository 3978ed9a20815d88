//! Metrics pushed to a StatsD server, in datagrams, again and again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::rc::Rc;

use tokio::net::UdpSocket;

use super::figures::{Figures, Watch};
use super::plan::Rank;
use crate::app_metrics::{Family, Value};
use crate::board::WorkerState;
use crate::config::Config;
use crate::scoreboard::{BOUNDS, Class, Counter, Deadline, Method, Refusal};
use crate::value::DatagramPlace;

/// How metrics are written.
#[derive(Clone, Debug)]
struct Dialect {
    prefix: String,
    /// Labels stand behind the value, as DogStatsD has them.
    tags: bool,
}

/// What was sent of each counter, so that only what is new is sent.
#[derive(Debug, Default)]
struct Sent(BTreeMap<String, u64>);

/// Sends metrics for ever, if the configuration says where. What an heir finds at its first look it does not send: the
/// process before it has, but for what was added since.
pub(super) async fn push(watch: Rc<Watch>, config: Config, rank: Rank) {
    let Some(place) = config.statsd else { return };
    let dialect = Dialect {
        prefix: config
            .statsd_prefix
            .map_or(String::new(), |prefix| prefix.0),
        tags: config.statsd_tags,
    };
    let mut sent = Sent::default();
    let mut knows_what_was_sent = rank == Rank::First;
    let mut ticks = tokio::time::interval(config.statsd_interval);
    loop {
        ticks.tick().await;
        let Some(figures) = watch.figures().await else {
            continue;
        };
        let lines = lines(&figures, &mut sent, &dialect);
        if !std::mem::replace(&mut knows_what_was_sent, true) {
            continue;
        }
        if let Err(error) = send(&place, &lines).await {
            tracing::debug!("cannot send metrics to {place}: {error}");
        }
    }
}

async fn send(place: &DatagramPlace, lines: &[String]) -> io::Result<()> {
    match place {
        DatagramPlace::Unix(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            for datagram in datagrams(lines) {
                socket.send_to(datagram.as_bytes(), path)?;
            }
        }
        DatagramPlace::Udp(host, port) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let mut found = tokio::net::lookup_host((host, *port)).await?;
            let address = found.next().ok_or(io::ErrorKind::NotFound)?;
            let any = if address.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            };
            let socket = UdpSocket::bind(any).await?;
            for datagram in datagrams(lines) {
                socket.send_to(datagram.as_bytes(), address).await?;
            }
        }
    }
    Ok(())
}

/// Lines gathered to datagrams that no network divides.
fn datagrams(lines: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        match all.last_mut() {
            Some(last) if last.len() + 1 + line.len() <= DATAGRAM => {
                last.push('\n');
                last.push_str(line);
            }
            _ => all.push(line.clone()),
        }
    }
    all
}

fn lines(figures: &Figures, sent: &mut Sent, dialect: &Dialect) -> Vec<String> {
    let mut lines = Vec::new();
    sizes(figures, sent, dialect, &mut lines);
    counts(figures, sent, dialect, &mut lines);
    levels(figures, dialect, &mut lines);
    lines
}

/// How long requests took, and the applications' histograms.
fn sizes(figures: &Figures, sent: &mut Sent, dialect: &Dialect, lines: &mut Vec<String>) {
    let bounds = BOUNDS.map(millis);
    let counts: Vec<u64> = (0..=BOUNDS.len())
        .map(|at| figures.counter(Counter::TookUpTo(at)))
        .collect();
    let took = Sizes {
        name: "request_duration",
        labels: &[],
        kind: "ms",
        bounds: &bounds,
        counts: &counts,
        scale: 1.0,
    };
    took.write(lines, sent, dialect);
    for (name, labels, value) in series(figures) {
        let Value::Sizes { bounds, counts, .. } = value else {
            continue;
        };
        let (kind, scale) = match (name.ends_with("_seconds"), dialect.tags) {
            (true, _) => ("ms", 1_000.0),
            (false, true) => ("h", 1.0),
            // Not all that speak the plain dialect know another kind of size.
            (false, false) => ("ms", 1.0),
        };
        let labels = Plain::of(labels);
        let sizes = Sizes {
            name,
            labels: &labels.pairs(),
            kind,
            bounds,
            counts,
            scale,
        };
        sizes.write(lines, sent, dialect);
    }
}

/// By how much counters have grown since they were sent last.
fn counts(figures: &Figures, sent: &mut Sent, dialect: &Dialect, lines: &mut Vec<String>) {
    let mut count = |name: &str, labels: &[(&str, &str)], total: u64| {
        let more = sent.more(dialect.line(name, labels, &"", ""), total);
        if more > 0 {
            lines.push(dialect.line(name, labels, &more, "c"));
        }
    };
    for method in Method::ALL {
        for class in Class::ALL {
            let labels = [("method", method.name()), ("status", class.name())];
            let total = figures.counter(Counter::Answers(method, class));
            count("requests", &labels, total);
        }
    }
    for why in Refusal::ALL {
        let total = figures.counter(Counter::Refused(why));
        count("refused_requests", &[("reason", why.name())], total);
    }
    for whose in Deadline::ALL {
        let total = figures.counter(Counter::TimedOut(whose));
        count("timeouts", &[("kind", whose.name())], total);
    }
    for (name, counter) in [
        ("request_body_bytes", Counter::BytesIn),
        ("response_body_bytes", Counter::BytesOut),
        ("request_duration_microseconds", Counter::Took),
        ("connections_accepted", Counter::Connections),
        ("drain_races", Counter::DrainRaces),
        ("tls_handshakes", Counter::Handshakes),
        ("tls_handshakes_failed", Counter::HandshakesFailed),
    ] {
        let scale = if counter == Counter::Took { 1_000 } else { 1 };
        count(name, &[], figures.counter(counter) / scale);
    }
    for (name, total) in &figures.board.tallies {
        let (kind, which) = name.split_once(' ').unwrap_or((name, "all"));
        count(&format!("{kind}s"), &[("kind", which)], *total);
    }
    for (name, labels, value) in series(figures) {
        let labels = Plain::of(labels);
        match value {
            Value::Count(total) => count(name, &labels.pairs(), *total),
            Value::Sizes { counts, .. } => {
                let total = counts
                    .iter()
                    .fold(0, |sum: u64, one| sum.saturating_add(*one));
                count(&format!("{name}_count"), &labels.pairs(), total);
            }
            Value::Level(_) => {}
        }
    }
}

/// What goes up and down, as it is now.
fn levels(figures: &Figures, dialect: &Dialect, lines: &mut Vec<String>) {
    for (name, labels, value) in series(figures) {
        if let Value::Level(level) = value {
            let labels = Plain::of(labels);
            if *level < 0.0 {
                // A sign would mean a change, from whatever stands there.
                lines.push(dialect.line(name, &labels.pairs(), &0, "g"));
            }
            lines.push(dialect.line(name, &labels.pairs(), level, "g"));
        }
    }
    let mut gauge = |name: &str, labels: &[(&str, &str)], value: u64| {
        lines.push(dialect.line(name, labels, &value, "g"));
    };
    gauge(
        "requests_in_flight",
        &[],
        figures.counter(Counter::RequestsActive),
    );
    gauge(
        "connections",
        &[],
        figures.counter(Counter::ConnectionsActive),
    );
    for state in WorkerState::ALL {
        let rows = figures.board.workers.iter();
        let there = rows.filter(|worker| worker.state == state).count();
        gauge("workers", &[("state", state.name())], there as u64);
    }
}

impl Sent {
    /// How much more `total` is than when it was sent last.
    fn more(&mut self, key: String, total: u64) -> u64 {
        let before = self.0.insert(key, total).unwrap_or_default();
        total.saturating_sub(before)
    }
}

/// A histogram, of which nobody knows more than how many values lie between its bounds.
struct Sizes<'a> {
    name: &'a str,
    labels: &'a [(&'a str, &'a str)],
    kind: &'static str,
    bounds: &'a [f64],
    counts: &'a [u64],
    scale: f64,
}

impl Sizes<'_> {
    /// A line for each pair of bounds that values have come between: the middle of the two, as a sample of so many.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sample's rate is no exact number"
    )]
    fn write(&self, lines: &mut Vec<String>, sent: &mut Sent, dialect: &Dialect) {
        let key = dialect.line(self.name, self.labels, &"", self.kind);
        for (at, total) in self.counts.iter().enumerate() {
            let more = sent.more(format!("{key} {at}"), *total);
            let kind = match more {
                0 => continue,
                1 => self.kind.to_owned(),
                more => format!("{}|@{}", self.kind, 1.0 / more as f64),
            };
            let value = self.middle(at) * self.scale;
            lines.push(dialect.line(self.name, self.labels, &value, &kind));
        }
    }

    /// The middle between a bound and the one before; what is beyond the last one counts as that.
    fn middle(&self, at: usize) -> f64 {
        let last = self.bounds.last().copied().unwrap_or_default();
        let upper = self.bounds.get(at).copied().unwrap_or(last);
        let lower = match at.checked_sub(1) {
            Some(before) => self.bounds.get(before).copied().unwrap_or(upper),
            None => upper.min(0.0),
        };
        lower.midpoint(upper)
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounds are round numbers")]
fn millis(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

impl Dialect {
    /// `gatewayd.requests.GET.2xx:1|c`, or `gatewayd.requests:1|c|#method:GET,status:2xx`.
    fn line(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        value: &dyn std::fmt::Display,
        kind: &str,
    ) -> String {
        let mut line = format!("{}.{name}", self.prefix);
        if !self.tags {
            for (_, label) in labels {
                // Writing into memory cannot fail.
                let _ = write!(line, ".{label}");
            }
        }
        let _ = write!(line, ":{value}|{kind}");
        if self.tags {
            for (at, (name, label)) in labels.iter().enumerate() {
                let before = if at == 0 { "|#" } else { "," };
                let _ = write!(line, "{before}{name}:{label}");
            }
        }
        line
    }
}

/// What applications count, one by one.
fn series(figures: &Figures) -> impl Iterator<Item = (&str, &[(String, String)], &Value)> {
    figures.apps.iter().flat_map(|family: &Family| {
        let all = family.series.iter();
        all.map(|(labels, value)| (&*family.name, &**labels, value))
    })
}

/// Labels whose values are without what means something in a datagram.
struct Plain<'a>(Vec<(&'a str, String)>);

impl<'a> Plain<'a> {
    fn of(labels: &'a [(String, String)]) -> Self {
        let letter = |letter: char| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => letter,
            _ => '_',
        };
        let plain = |value: &str| value.chars().map(letter).collect();
        let pair = |(name, value): &'a (String, String)| (&**name, plain(value));
        Self(labels.iter().map(pair).collect())
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect()
    }
}

/// What fits in a datagram on any common network, with its headers.
const DATAGRAM: usize = 1_432;

#[cfg(test)]
mod tests {
    use super::super::testing::figures;
    use super::*;

    #[test]
    fn a_histogram_is_sent_as_samples_of_what_lies_between_its_bounds() {
        let write = |counts: &[u64], sent: &mut Sent, tags| {
            let sizes = Sizes {
                name: "waited_seconds",
                labels: &[("shop", "north")],
                kind: "ms",
                bounds: &[0.5, 1.5],
                counts,
                scale: 1_000.0,
            };
            let dialect = Dialect {
                prefix: "a".into(),
                tags,
            };
            let mut lines = Vec::new();
            sizes.write(&mut lines, sent, &dialect);
            lines
        };
        let mut sent = Sent::default();
        let name = "a.waited_seconds.north";
        assert_eq!(
            write(&[1, 4, 2], &mut sent, false),
            [
                format!("{name}:250|ms"),
                format!("{name}:1000|ms|@0.25"),
                format!("{name}:1500|ms|@0.5"),
            ]
        );
        assert_eq!(write(&[1, 4, 2], &mut sent, false), [""; 0]);
        assert_eq!(
            write(&[1, 5, 2], &mut sent, false),
            [format!("{name}:1000|ms")]
        );
        let tagged = write(&[0, 2, 0], &mut Sent::default(), true);
        assert_eq!(tagged, ["a.waited_seconds:1000|ms|@0.5|#shop:north"]);
    }

    #[test]
    fn only_what_is_new_of_counters_is_sent() {
        let dialect = |tags| Dialect {
            prefix: "a.b".into(),
            tags,
        };
        let (mut figures, mut sent) = (figures(), Sent::default());
        let answers = Counter::Answers(Method::Get, Class::Success);
        let total = figures.counter(answers);
        let first = lines(&figures, &mut sent, &dialect(false));
        assert!(
            first.contains(&format!("a.b.requests.GET.2xx:{total}|c")),
            "{first:?}"
        );
        assert!(first.contains(&"a.b.workers.ready:1|g".to_owned()));
        figures.pools[0].counters[answers.index()] += 3;
        let second = lines(&figures, &mut sent, &dialect(false));
        let counters: Vec<_> = second.iter().filter(|line| line.ends_with("|c")).collect();
        assert_eq!(counters, ["a.b.requests.GET.2xx:3|c"]);
        let tagged = lines(&figures, &mut Sent::default(), &dialect(true));
        let total = total + 3;
        let expected = format!("a.b.requests:{total}|c|#method:GET,status:2xx");
        assert!(tagged.contains(&expected), "{tagged:?}");
        let datagrams = datagrams(&tagged);
        assert!(datagrams.iter().all(|one| one.len() <= DATAGRAM) && datagrams.len() > 1);
        assert_eq!(datagrams.join("\n"), tagged.join("\n"));
    }
}
