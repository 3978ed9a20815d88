//! From rules to a map.

use std::sync::Arc;

use super::arguments::Arguments;
use super::compiled::RuleInfo;
use super::converter::{Converter, Converters};
use super::ids::RuleId;
use super::map::{Endpoints, Map, StaticPaths};
use super::methods::MethodSet;
use super::mistake::{Cause, Methods, Mistake, Mistakes};
use super::options::Options;
use super::part::Part;
use super::rule::Rule;
use super::trie::TrieBuilder;

/// Collects rules and makes a [`Map`] of them.
#[derive(Debug, Default)]
pub struct MapBuilder {
    options: Options,
    converters: Converters,
    rules: Vec<Rule>,
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
        match self.build_what_is_right() {
            (map, _, mistakes) if mistakes.is_empty() => Ok(map),
            (_, _, mistakes) => Err(Mistakes(mistakes)),
        }
    }

    /// Compiles the rules that are right, and tells where each rule is among them, and the mistakes in the others.
    pub(crate) fn build_what_is_right(self) -> (Map, Vec<Option<RuleId>>, Vec<Mistake>) {
        let mut draft = Draft {
            options: self.options,
            rules: Vec::with_capacity(self.rules.len()),
            trie: TrieBuilder::new(),
            static_paths: StaticPaths::default(),
            endpoints: Endpoints::default(),
        };
        let (mut ids, mut mistakes) = (Vec::new(), Vec::new());
        for rule in self.rules {
            let (text, origin) = (rule.text.clone(), rule.origin);
            let number = draft.rules.len();
            if let Err(cause) = draft.add(rule, &self.converters) {
                mistakes.push(Mistake {
                    rule: text,
                    origin,
                    cause,
                });
            }
            // One that only cannot stand where it stands is there all the same.
            ids.push((draft.rules.len() > number).then_some(RuleId(number)));
        }
        draft.sort();
        mistakes.extend(draft.aliases_of_nothing());
        (draft.finish(), ids, mistakes)
    }
}

/// A map that grows.
struct Draft {
    options: Options,
    rules: Vec<RuleInfo>,
    trie: TrieBuilder,
    static_paths: StaticPaths,
    endpoints: Endpoints,
}

impl Draft {
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
        let same_place = self.trie.add(number, &parts).map_err(Cause::Pattern)?;
        if let Some(path) = static_path(&parts) {
            self.static_paths.add(path, number);
        }
        let rule = &self.rules[number];
        for earlier in same_place.iter().map(|&earlier| &self.rules[earlier]) {
            if earlier.id == rule.id {
                break;
            }
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

    /// Aliases that redirect to nothing but themselves.
    fn aliases_of_nothing(&self) -> Vec<Mistake> {
        let canonical = |alias: &RuleInfo| {
            let others = self.endpoints.rules[alias.endpoint.0].iter();
            let mut others = others.map(|&number| &self.rules[number]);
            others.any(|other| !other.alias && other.takes_the_same_as(alias))
        };
        let aliases = self.rules.iter().filter(|rule| rule.alias);
        let lost = aliases.filter(|alias| self.options.redirect_defaults && !canonical(alias));
        lost.map(|alias| Mistake {
            rule: alias.text.clone(),
            origin: alias.origin,
            cause: Cause::AliasOfNothing(self.endpoints.names[alias.endpoint.0].clone()),
        })
        .collect()
    }

    fn finish(self) -> Map {
        Map {
            options: self.options,
            rules: self.rules,
            trie: self.trie.finish(),
            static_paths: self.static_paths,
            endpoints: self.endpoints,
        }
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
