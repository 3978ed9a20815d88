//! All rules of an application, compiled.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use super::binding::Binding;
use super::compiled::RuleInfo;
use super::ids::{EndpointId, RuleId};
use super::options::{Domains, Options};
use super::trie::Trie;

/// All rules of an application, compiled; never changes.
#[derive(Debug)]
pub struct Map {
    pub(super) options: Options,
    /// In the order of registration.
    pub(super) rules: Vec<RuleInfo>,
    pub(super) trie: Trie,
    /// Rules without variables and domain, by their paths.
    pub(super) static_paths: StaticPaths,
    pub(super) endpoints: Endpoints,
}

/// Endpoints by name, and their rules in the order in which URLs are built from them.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    ids: HashMap<String, EndpointId>,
    pub(super) names: Vec<String>,
    pub(super) rules: Vec<Vec<usize>>,
}

/// Rules by raw paths.
#[derive(Debug, Default)]
pub(super) struct StaticPaths {
    rules: FxHashMap<Box<[u8]>, Vec<usize>>,
    /// A bit for each length that a path has; the last one also for those beyond.
    lengths: u64,
}

impl Map {
    /// A rule of the map.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&RuleInfo> {
        self.rules.get(id.0)
    }

    /// The rules in the order of registration.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &RuleInfo> {
        self.rules.iter()
    }

    /// The rules of an endpoint in the order in which URLs are built from them: aliases last, then more
    /// variables before fewer, then more defaults before fewer.
    pub fn rules_of(&self, endpoint: EndpointId) -> impl Iterator<Item = &RuleInfo> {
        let numbers = self
            .endpoints
            .rules
            .get(endpoint.0)
            .map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|&number| &self.rules[number])
    }

    /// The endpoint of this name.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<EndpointId> {
        self.endpoints.ids.get(name).copied()
    }

    /// The endpoint's name; empty if it is of another map.
    #[must_use]
    pub fn endpoint_name(&self, id: EndpointId) -> &str {
        self.endpoints.names.get(id.0).map_or("", String::as_str)
    }

    /// All rules, endpoint by endpoint.
    pub(super) fn rules_by_endpoint(&self) -> impl Iterator<Item = &RuleInfo> {
        self.endpoints
            .rules
            .iter()
            .flatten()
            .map(|&number| &self.rules[number])
    }

    /// The part of the request's host that rules are chosen by.
    pub(super) fn domain<'a>(&self, at: &Binding<'a>) -> &'a str {
        match self.options.domains {
            Domains::Ignored => "",
            Domains::Subdomains => at.subdomain,
            Domains::Hosts => at.server_name,
        }
    }
}

impl StaticPaths {
    pub(super) fn add(&mut self, path: Box<[u8]>, rule: usize) {
        self.lengths |= length_bit(&path);
        self.rules.entry(path).or_default().push(rule);
    }

    /// The rules of a path, in the order of registration.
    #[inline]
    pub(super) fn get(&self, path: &[u8]) -> Option<&[usize]> {
        // Most other paths are told by their lengths, which costs less than to hash them.
        if self.lengths & length_bit(path) == 0 {
            return None;
        }
        self.rules.get(path).map(Vec::as_slice)
    }
}

fn length_bit(path: &[u8]) -> u64 {
    1 << path.len().min(63)
}

impl Endpoints {
    /// The endpoint `name`, which is new if nobody has named it yet.
    pub(super) fn id(&mut self, name: &str) -> EndpointId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = EndpointId(self.names.len());
        self.ids.insert(name.to_owned(), id);
        self.names.push(name.to_owned());
        self.rules.push(Vec::new());
        id
    }
}
