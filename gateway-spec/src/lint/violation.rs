//! [`Violation`]: a breach of a rule, and where reports of it go.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::rules::Rule;

/// A breach of one rule by one side.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The rule; what it binds says who broke it.
    pub rule: &'static Rule,
    /// What was expected and what was found.
    pub detail: String,
}

/// Where violations go; any function from a [`Violation`] is one.
///
/// Reports come from whatever thread noticed. A sink that panics does so inside the side that is
/// watched, which is what tests want: the panic becomes a 500 or fails the test.
pub trait Sink: Send + Sync + 'static {
    /// Takes one report.
    fn report(&self, violation: Violation);
}

impl<F: Fn(Violation) + Send + Sync + 'static> Sink for F {
    fn report(&self, violation: Violation) {
        self(violation);
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.rule, self.detail)
    }
}

/// A sink shared by everything that watches one application.
#[derive(Clone)]
pub(crate) struct Reports(Arc<dyn Sink>);

impl Reports {
    pub(crate) fn new(sink: impl Sink) -> Self {
        Self(Arc::new(sink))
    }

    /// Reports a breach.
    pub(crate) fn breach(&self, rule: &'static Rule, detail: impl Into<String>) {
        let detail = detail.into();
        self.0.report(Violation { rule, detail });
    }

    /// Reports a breach unless `kept`.
    pub(crate) fn expect(&self, kept: bool, rule: &'static Rule, detail: impl FnOnce() -> String) {
        if !kept {
            self.breach(rule, detail());
        }
    }
}

impl Reports {
    /// The same reports, and a look at which rules they name.
    pub(crate) fn probe(&self) -> (Self, Probe) {
        let probe = Probe::default();
        let (this, seen) = (self.clone(), probe.clone());
        let reports = Self::new(move |violation: Violation| {
            seen.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(violation.rule);
            this.0.report(violation);
        });
        (reports, probe)
    }
}

/// The rules that went by.
#[derive(Clone, Default)]
pub(crate) struct Probe(Arc<Mutex<Vec<&'static Rule>>>);

impl Probe {
    pub(crate) fn broken(&self) -> Vec<&'static Rule> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reports")
    }
}
