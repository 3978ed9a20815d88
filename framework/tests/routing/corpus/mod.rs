//! Rules that people write, and paths that clients send.

mod matching;
mod paths;
mod places;
mod refused;
mod urls;

pub(crate) use refused::refused;

use crate::spec::{At, Build, Find, RuleSpec, Spec, TaggedValue};

/// All sets of rules with their questions.
pub(crate) fn all() -> Vec<Spec> {
    let mut specs = Vec::new();
    specs.extend(matching::converters());
    specs.extend(matching::siblings());
    specs.extend(matching::priorities());
    specs.extend(paths::slashes());
    specs.extend(paths::methods());
    specs.extend(paths::encodings());
    specs.extend(places::redirects());
    specs.extend(places::domains());
    specs.extend(urls::urls());
    specs
}

pub(super) fn set(name: &str) -> Spec {
    Spec {
        name: name.to_owned(),
        ..Spec::default()
    }
}

pub(super) fn rule(rule: &str, endpoint: &str) -> RuleSpec {
    RuleSpec {
        rule: rule.to_owned(),
        endpoint: endpoint.to_owned(),
        ..RuleSpec::default()
    }
}

pub(super) fn find(path: &str) -> Find {
    Find {
        at: At::default(),
        path: path.to_owned(),
        method: "GET".into(),
        better: None,
    }
}

pub(super) fn builds(endpoint: &str, values: &[(&str, TaggedValue)]) -> Build {
    Build {
        at: At::default(),
        request_method: "GET".into(),
        endpoint: endpoint.to_owned(),
        values: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        method: None,
        external: false,
        scheme: None,
        better: None,
    }
}

impl Spec {
    pub(super) fn with(mut self, rule: RuleSpec) -> Self {
        self.rules.push(rule);
        self
    }

    pub(super) fn rule(self, text: &str, endpoint: &str) -> Self {
        self.with(rule(text, endpoint))
    }

    pub(super) fn better(mut self, reason: &'static str) -> Self {
        self.better = Some(reason);
        self
    }

    pub(super) fn gets(self, paths: &[&str]) -> Self {
        self.asks(paths, &["GET"], &At::default())
    }

    pub(super) fn gets_better(mut self, paths: &[&str], reason: &'static str) -> Self {
        self.find.extend(paths.iter().map(|path| Find {
            better: Some(reason),
            ..find(path)
        }));
        self
    }

    pub(super) fn better_find(mut self, path: &str, at: &At, reason: &'static str) -> Self {
        self.find.push(Find {
            at: at.clone(),
            better: Some(reason),
            ..find(path)
        });
        self
    }

    pub(super) fn asks(mut self, paths: &[&str], methods: &[&str], at: &At) -> Self {
        for path in paths {
            for method in methods {
                self.find.push(Find {
                    at: at.clone(),
                    method: (*method).to_owned(),
                    ..find(path)
                });
            }
        }
        self
    }

    pub(super) fn builds(mut self, build: Build) -> Self {
        self.build.push(build);
        self
    }
}
