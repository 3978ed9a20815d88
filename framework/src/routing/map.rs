//! All rules of an application, compiled.

use std::collections::HashMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::arguments::Arguments;
use super::binding::Binding;
use super::compiled::RuleInfo;
use super::converter::{Converter, Converters};
use super::ids::{EndpointId, RuleId};
use super::methods::MethodSet;
use super::mistake::{Cause, Methods, Mistake, Mistakes};
use super::options::{Domains, Options};
use super::part::Part;
use super::rule::Rule;
use super::trie::Trie;

/// All rules of an application, compiled; never changes.
#[derive(Debug)]
pub struct Map {
    pub(super) options: Options,
    /// In the order of registration.
    pub(super) rules: Vec<RuleInfo>,
    pub(super) trie: Trie,
    /// Rules without variables and domain, by their paths.
    pub(super) static_paths: FxHashMap<Box<[u8]>, Vec<usize>>,
    endpoints: Endpoints,
}

/// Collects rules and makes a [`Map`] of them.
#[derive(Debug, Default)]
pub struct MapBuilder {
    options: Options,
    converters: Converters,
    rules: Vec<Rule>,
}

/// Endpoints by name, and their rules in the order in which URLs are built from them.
#[derive(Debug, Default)]
struct Endpoints {
    ids: HashMap<String, EndpointId>,
    names: Vec<String>,
    rules: Vec<Vec<usize>>,
}

impl Map {
    /// A builder with these options.
    #[must_use]
    pub fn builder(options: Options) -> MapBuilder {
        MapBuilder {
            options,
            ..MapBuilder::default()
        }
    }

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

impl MapBuilder {
    /// Adds a converter, or replaces one, be it built in: rules name it, and `make` gets the arguments that
    /// stand in its parentheses.
    #[must_use]
    pub fn converter<F>(mut self, name: impl Into<String>, make: F) -> Self
    where
        F: Fn(&Arguments) -> Result<Arc<dyn Converter>, String> + Send + Sync + 'static,
    {
        self.converters.insert(name.into(), Arc::new(make));
        self
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Compiles the rules.
    ///
    /// # Errors
    /// All mistakes in them.
    pub fn build(self) -> Result<Map, Mistakes> {
        let mut map = Map {
            options: self.options,
            rules: Vec::with_capacity(self.rules.len()),
            trie: Trie::new(),
            static_paths: FxHashMap::default(),
            endpoints: Endpoints::default(),
        };
        let mut mistakes = Vec::new();
        for rule in self.rules {
            let (text, origin) = (rule.text.clone(), rule.origin);
            if let Err(cause) = map.add(rule, &self.converters) {
                mistakes.push(Mistake {
                    rule: text,
                    origin,
                    cause,
                });
            }
        }
        map.sort();
        mistakes.extend(map.aliases_of_nothing());
        if mistakes.is_empty() {
            Ok(map)
        } else {
            Err(Mistakes(mistakes))
        }
    }
}

impl Map {
    fn add(&mut self, rule: Rule, converters: &Converters) -> Result<(), Cause> {
        let number = self.rules.len();
        let endpoint = self.endpoints.id(&rule.endpoint);
        let (rule, parts) =
            RuleInfo::new(rule, RuleId(number), endpoint, &self.options, converters)?;
        let build_only = rule.build_only;
        self.rules.push(rule);
        self.endpoints.rules[endpoint.0].push(number);
        if build_only {
            return Ok(());
        }
        let state = self.trie.add(number, &parts).map_err(Cause::Pattern)?;
        if let Some(path) = static_path(&parts) {
            self.static_paths.entry(path).or_default().push(number);
        }
        let rule = &self.rules[number];
        let earlier = self
            .trie
            .state(state)
            .rules
            .iter()
            .map(|&earlier| &self.rules[earlier]);
        for earlier in earlier.take_while(|earlier| earlier.id != rule.id) {
            if let Some(methods) = taken(earlier, rule) {
                return Err(Cause::Duplicate {
                    methods,
                    earlier: earlier.text.clone(),
                    earlier_origin: earlier.origin,
                });
            }
        }
        Ok(())
    }

    /// Puts each endpoint's rules in the order in which URLs are built from them.
    fn sort(&mut self) {
        for numbers in &mut self.endpoints.rules {
            let rules = &self.rules;
            numbers.sort_by_key(|&number| {
                let rule = &rules[number];
                let arguments = rule.arguments().count();
                (
                    rule.alias,
                    usize::MAX - arguments,
                    usize::MAX - rule.defaults.len(),
                )
            });
            // Only rules with defaults, and only those that come before, are preferred to others.
            let mut preferred: Vec<usize> = Vec::new();
            for &number in &*numbers {
                let rule = &self.rules[number];
                let same = |&&other: &&usize| {
                    let other = &self.rules[other];
                    other.takes_the_same_as(rule) && !other.looks_like(rule)
                };
                let mine = preferred.iter().filter(same).copied().collect();
                if !rule.build_only && !rule.defaults.is_empty() {
                    preferred.push(number);
                }
                self.rules[number].preferred = mine;
            }
        }
    }

    fn aliases_of_nothing(&self) -> impl Iterator<Item = Mistake> {
        let canonical = |alias: &RuleInfo| {
            let mut others = self.rules_of(alias.endpoint);
            others.any(|other| !other.alias && other.takes_the_same_as(alias))
        };
        let aliases = self.rules.iter().filter(|rule| rule.alias);
        aliases
            .filter(move |alias| !canonical(alias))
            .map(|alias| Mistake {
                rule: alias.text.clone(),
                origin: alias.origin,
                cause: Cause::AliasOfNothing(self.endpoint_name(alias.endpoint).to_owned()),
            })
    }
}

impl Endpoints {
    fn id(&mut self, name: &str) -> EndpointId {
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

/// The path of a rule without variables or domain, if its raw form is the same as its decoded one.
fn static_path(parts: &[Part]) -> Option<Box<[u8]>> {
    let texts = parts.iter().map(|part| match part {
        Part::Static(text) if !text.contains('%') => Some(text.as_str()),
        _ => None,
    });
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    match texts[..] {
        // Paths lose all leading slashes but one before they are matched.
        ["", "", _, ..] => None,
        ["", ref path @ ..] => Some(format!("/{}", path.join("/")).into_bytes().into()),
        _ => None,
    }
}

/// What `earlier` takes of what `later` was registered for, where both match the same paths. Methods that
/// come by themselves take nothing, except HEAD from a rule that asks for it.
fn taken(earlier: &RuleInfo, later: &RuleInfo) -> Option<Methods> {
    if earlier.websocket != later.websocket {
        return None;
    }
    match (&earlier.asked, &later.asked) {
        (None, None) => Some(Methods::All),
        (None, Some(asked)) => Some(Methods::These(asked.clone())),
        // The later one gets what is left.
        (Some(_), None) => None,
        (Some(first), Some(asked)) => {
            let mut first = first.clone();
            if first.contains(&http::Method::GET) {
                first.insert(&http::Method::HEAD);
            }
            let both: MethodSet = asked.intersection(&first);
            (!both.is_empty()).then_some(Methods::These(both))
        }
    }
}
