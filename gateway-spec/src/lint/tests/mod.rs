//! Every rule that `Lint` checks is broken here, and each breach is reported by its own name.

mod bodies;
mod gateways;
mod heads;

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use super::Violation;
use super::fields::Line;
use super::violation::Reports;
use crate::rules::{Check, RULES, Rule};

#[test]
fn every_rule_that_lint_checks_is_broken_in_this_file() {
    let these_files = [
        include_str!("bodies.rs"),
        include_str!("gateways.rs"),
        include_str!("heads.rs"),
    ]
    .concat();
    for rule in RULES.iter().filter(|rule| rule.check == Check::Lint) {
        let name = format!("rules::{}", rule.id.replace('-', "_"));
        assert!(these_files.contains(&name), "nothing here breaks {rule}");
    }
}

/// Collects what is reported.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Violation>>>);

impl Collected {
    fn reports(&self) -> Reports {
        let this = self.clone();
        Reports::new(move |violation| this.push(violation))
    }

    fn push(&self, violation: Violation) {
        self.0.lock().unwrap().push(violation);
    }

    /// The rules reported, each once.
    fn rules(&self) -> Vec<&'static Rule> {
        let mut rules: Vec<_> = self
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|found| found.rule)
            .collect();
        rules.dedup();
        rules
    }
}

fn reported(watch: impl FnOnce(&Reports)) -> Vec<&'static Rule> {
    let collected = Collected::default();
    watch(&collected.reports());
    collected.rules()
}

fn line<'a>(name: &'a str, value: &'a str) -> Line<'a> {
    Line {
        name: name.as_bytes(),
        value: value.as_bytes(),
    }
}

fn file_of(content: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}
