//! [`MetricDefinition`]: what an application wants counted, and the grammar that it keeps to.

use crate::abi::types::metric_limit;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MetricKind {
    /// How often something has happened; only grows.
    Counter,
    /// How much there is of something now.
    Gauge,
    /// How large things were, counted by upper bounds.
    Histogram,
}

/// A metric as an application asks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricDefinition<'a> {
    /// What it is.
    pub kind: MetricKind,
    /// A name of Prometheus' grammar without colons; that of a counter ends with `_total`.
    pub name: &'a str,
    /// What it means, in a sentence.
    pub help: &'a str,
    /// Names and values.
    pub labels: &'a [(&'a str, &'a str)],
    /// Upper bounds of a histogram, each included, rising; what is above all of them is counted too.
    pub bounds: &'a [f64],
}

/// What is wrong with a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricFault {
    /// The name is none, or too long.
    Name,
    /// What it means is too long.
    Help,
    /// Too many labels, or one whose name is none, reserved, twice there, or too long.
    Labels,
    /// The value of a label is too long.
    Value,
    /// Bounds that are not finite, do not rise, are too many, or belong to no histogram.
    Bounds,
}

impl<'a> MetricDefinition<'a> {
    /// A metric without labels and bounds.
    #[must_use]
    pub const fn new(kind: MetricKind, name: &'a str, help: &'a str) -> Self {
        Self {
            kind,
            name,
            help,
            labels: &[],
            bounds: &[],
        }
    }

    /// The same with labels.
    #[must_use]
    pub const fn with_labels(mut self, labels: &'a [(&'a str, &'a str)]) -> Self {
        self.labels = labels;
        self
    }

    /// The same with bounds.
    #[must_use]
    pub const fn with_bounds(mut self, bounds: &'a [f64]) -> Self {
        self.bounds = bounds;
        self
    }

    /// Whether it keeps to the grammar and the limits, which are those of `gateway.h`.
    ///
    /// # Errors
    ///
    /// The first fault.
    pub fn check(&self) -> Result<(), MetricFault> {
        let counts = self.kind == MetricKind::Counter;
        if !is_name(self.name) || counts && !is_name(self.name.strip_suffix("_total").unwrap_or(""))
        {
            return Err(MetricFault::Name);
        }
        if self.help.len() > limit(metric_limit::HELP) {
            return Err(MetricFault::Help);
        }
        let twice = |at: usize, name| self.labels[..at].iter().any(|(before, _)| *before == name);
        for (at, (name, value)) in self.labels.iter().enumerate() {
            let reserved = name.starts_with("__") || RESERVED.contains(name);
            if at == limit(metric_limit::LABELS) || reserved || !is_name(name) || twice(at, *name) {
                return Err(MetricFault::Labels);
            }
            if value.len() > limit(metric_limit::VALUE) {
                return Err(MetricFault::Value);
            }
        }
        let rises = self.bounds.is_sorted_by(|one, next| one < next);
        let finite = self.bounds.iter().all(|bound| bound.is_finite());
        let few = self.bounds.len() <= limit(metric_limit::BOUNDS);
        let belong = self.bounds.is_empty() || self.kind == MetricKind::Histogram;
        if rises && finite && few && belong {
            Ok(())
        } else {
            Err(MetricFault::Bounds)
        }
    }
}

/// Whether a metric or a label may be called so.
fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    starts && goes_on && text.len() <= limit(metric_limit::NAME)
}

fn limit(number: u32) -> usize {
    number as usize
}

/// Labels that hosts set: the application's name, the bound of a bucket.
const RESERVED: [&str; 2] = ["app", "le"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(definition: MetricDefinition<'_>) -> Option<MetricFault> {
        definition.check().err()
    }

    #[test]
    fn names_are_prometheus_without_colons() {
        let counter = |name| check(MetricDefinition::new(MetricKind::Counter, name, ""));
        let gauge = |name| check(MetricDefinition::new(MetricKind::Gauge, name, ""));
        let most = format!("{}_total", "x".repeat(122));
        for name in ["orders_total", "_total_total", "a1_total", &most] {
            assert_eq!(counter(name), None, "{name}");
        }
        let more = format!("x{most}");
        for name in ["orders", "_total", "total", &more, ""] {
            assert_eq!(counter(name), Some(MetricFault::Name), "{name}");
        }
        assert_eq!(gauge("depth"), None);
        for name in ["", "1a", "a:b", "a b", "ä", "a\n", "a{"] {
            assert_eq!(gauge(name), Some(MetricFault::Name), "{name}");
        }
    }

    #[test]
    fn labels_and_help_are_bounded() {
        let base = MetricDefinition::new(MetricKind::Gauge, "depth", "");
        let long = "v".repeat(257);
        for (labels, fault) in [
            (&[("queue", &long[..256])][..], None),
            (&[("queue", &long)], Some(MetricFault::Value)),
            (&[("le", "")], Some(MetricFault::Labels)),
            (&[("app", "")], Some(MetricFault::Labels)),
            (&[("__x", "")], Some(MetricFault::Labels)),
            (&[("a b", "")], Some(MetricFault::Labels)),
            (&[("a", ""), ("a", "")], Some(MetricFault::Labels)),
        ] {
            assert_eq!(check(base.with_labels(labels)), fault, "{labels:?}");
        }
        let names: Vec<String> = (0..17).map(|number| format!("l{number}")).collect();
        let many: Vec<_> = names.iter().map(|name| (&**name, "")).collect();
        assert_eq!(check(base.with_labels(&many[..16])), None);
        assert_eq!(check(base.with_labels(&many)), Some(MetricFault::Labels));
        let help = "h".repeat(513);
        let told = |help| check(MetricDefinition::new(MetricKind::Gauge, "depth", help));
        assert_eq!(told(&help[..512]), None);
        assert_eq!(told(&help), Some(MetricFault::Help));
    }

    #[test]
    fn bounds_rise_and_are_numbers() {
        let base = MetricDefinition::new(MetricKind::Histogram, "size", "");
        let many: Vec<f64> = (0..65).map(f64::from).collect();
        for (bounds, fault) in [
            (&[][..], None),
            (&[0.5, 1.0], None),
            (&many[..64], None),
            (&many, Some(MetricFault::Bounds)),
            (&[1.0, 1.0], Some(MetricFault::Bounds)),
            (&[2.0, 1.0], Some(MetricFault::Bounds)),
            (&[f64::NAN], Some(MetricFault::Bounds)),
            (&[f64::INFINITY], Some(MetricFault::Bounds)),
        ] {
            assert_eq!(check(base.with_bounds(bounds)), fault, "{bounds:?}");
        }
        let gauge = MetricDefinition::new(MetricKind::Gauge, "size", "");
        assert_eq!(check(gauge.with_bounds(&[1.0])), Some(MetricFault::Bounds));
    }
}
