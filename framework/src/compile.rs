//! From registrations to what serves: one chain of steps a rule, and every mistake on the way.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;

use gateway_spec::http::Method;

use crate::chain::{Chain, ScopeChain};
use crate::extract::Kind;
use crate::parts::Parts;
use crate::route::Route;
use crate::route_options::RouteOptions;
use crate::routing::{Map, MapBuilder, RuleId, ValueType};
use crate::rule::joined;
use crate::scope::{Entry, Handlers, Scope};
use crate::site::Endpoint;
use crate::step::{Asking, Facts};

/// What registrations become.
pub(crate) struct Compiled {
    pub(crate) map: Map,
    pub(crate) endpoints: Vec<Endpoint>,
    /// By rule.
    pub(crate) served: Vec<Served>,
    /// For requests that no rule takes.
    pub(crate) root: Chain,
}

/// A rule with what serves it.
pub(crate) struct Served {
    pub(crate) chain: Chain,
    pub(crate) options: RouteOptions,
    /// Where each path argument of the view stands among the rule's values.
    pub(crate) slots: Box<[usize]>,
    endpoint: String,
    blueprint: Option<String>,
    pulled: Vec<String>,
    origin: &'static Location<'static>,
}

/// Compiles an application's registrations; who takes arguments is added to `asking`.
///
/// # Errors
///
/// All mistakes, each with the line that made it.
pub(crate) fn compile(
    scope: Scope,
    rules: MapBuilder,
    asking: &mut Asking,
) -> Result<Compiled, Vec<String>> {
    let mut compiler = Compiler {
        rules,
        served: Vec::new(),
        mistakes: Vec::new(),
        asking,
    };
    let root = compiler.walk(scope, &Place::default());
    let Compiler {
        rules,
        mut served,
        mut mistakes,
        ..
    } = compiler;
    let (map, ids, found) = rules.build_what_is_right();
    mistakes.extend(found.iter().map(ToString::to_string));
    let endpoints = endpoints(&map, &ids, &mut served, &mut mistakes);
    if mistakes.is_empty() {
        Ok(Compiled {
            map,
            endpoints,
            served,
            root: Chain::new(root, None),
        })
    } else {
        Err(mistakes)
    }
}

/// Parts that blueprints keep, by their full names.
pub(crate) fn blueprint_parts(scope: &Scope) -> Vec<(String, Parts)> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), scope)];
    while let Some((name, scope)) = left.pop() {
        for entry in &scope.entries {
            if let Entry::Blueprint(child) = entry {
                let full = within(&name, &child.name);
                found.push((full.clone(), child.parts.clone()));
                left.push((full, child));
            }
        }
    }
    found
}

/// Where the walk through the scopes stands.
#[derive(Clone, Default)]
struct Place {
    prefix: String,
    /// The full name, empty for the application.
    name: String,
    subdomain: Option<String>,
    host: Option<String>,
    pulled: Vec<String>,
    chain: Arc<ScopeChain>,
}

struct Compiler<'a> {
    rules: MapBuilder,
    served: Vec<Served>,
    mistakes: Vec<String>,
    asking: &'a mut Asking,
}

impl Compiler<'_> {
    /// Compiles a scope and those within it; answers the scope's own chain.
    fn walk(&mut self, mut scope: Scope, outer: &Place) -> Arc<ScopeChain> {
        self.verify_hooks(&scope);
        let chain = Arc::new(outer.chain.inner(&mut scope));
        let place = Place {
            prefix: joined(&outer.prefix, &scope.prefix),
            name: within(&outer.name, &scope.name),
            subdomain: scope.subdomain.or_else(|| outer.subdomain.clone()),
            host: scope.host.or_else(|| outer.host.clone()),
            pulled: [outer.pulled.clone(), scope.pulled].concat(),
            chain: Arc::clone(&chain),
        };
        let mut children: BTreeMap<String, &'static Location<'static>> = BTreeMap::new();
        for entry in scope.entries {
            match entry {
                Entry::Route(route) => self.route(route, &place),
                Entry::Blueprint(child) => {
                    if let Some(origin) = child.origin {
                        self.verify_name(&child.name, origin, children.get(&child.name));
                        children.insert(child.name.clone(), origin);
                    }
                    self.walk(child, &place);
                }
            }
        }
        chain
    }

    fn route(&mut self, route: Route, place: &Place) {
        let Route {
            rule,
            methods,
            view,
            options,
        } = route;
        let origin = view.facts.origin;
        let name = options.name.clone().unwrap_or_else(|| {
            function(options.view_name).map_or_else(
                || closure_name(&methods, &joined(&place.prefix, rule.text())),
                str::to_owned,
            )
        });
        let endpoint = within(&place.name, &name);
        let what = || format!("view `{endpoint}`");
        self.verify_facts(&view.facts, &what);
        let mut chain = Chain::new(Arc::clone(&place.chain), Some(view));
        self.verify_bodies(&chain, &endpoint);
        let answers_options = methods.contains(&Method::OPTIONS);
        chain.answers_options = answers_options;
        let compiled = rule.compile(&place.prefix, &endpoint, origin, |mut rule| {
            if let Some(subdomain) = &place.subdomain {
                rule = rule.subdomain(subdomain);
            }
            if let Some(host) = &place.host {
                rule = rule.host(host);
            }
            rule = rule.methods(&methods);
            if answers_options {
                rule
            } else {
                rule.automatic_options()
            }
        });
        self.rules = std::mem::take(&mut self.rules).rule(compiled);
        self.served.push(Served {
            chain,
            options,
            slots: Box::default(),
            endpoint,
            blueprint: (!place.name.is_empty()).then(|| place.name.clone()),
            pulled: place.pulled.clone(),
            origin,
        });
    }

    fn verify_name(&mut self, name: &str, origin: &Location<'_>, earlier: Option<&&Location<'_>>) {
        if name.is_empty() || name.contains('.') {
            self.mistakes.push(format!(
                "{origin}: expected a blueprint's name without dots, found {name:?}"
            ));
        }
        if let Some(earlier) = earlier {
            self.mistakes.push(format!(
                "{origin}: the blueprint {name:?} has the name of the one of {earlier}"
            ));
        }
    }

    fn verify_hooks(&mut self, scope: &Scope) {
        let Handlers { by_code, by_type } = &scope.handlers;
        let facts = (scope
            .guards
            .iter()
            .chain(&scope.before)
            .chain(&scope.teardown))
        .map(|step| ("hook", &step.facts))
        .chain(scope.after.iter().map(|step| ("hook", &step.facts)))
        .chain(
            by_code
                .iter()
                .map(|(_, step)| ("error handler", &step.facts)),
        )
        .chain(by_type.iter().map(|step| ("error handler", &step.facts)));
        for (what, facts) in facts {
            self.verify_facts(facts, &|| what.to_owned());
            if facts
                .kinds
                .iter()
                .any(|kind| matches!(kind, Kind::Path(..)))
            {
                self.mistakes.push(format!(
                    "{}: a {what} cannot take values of the path as arguments: ask `cx.value(name)`",
                    facts.origin
                ));
            }
        }
    }

    /// Whether a body is taken once; the arguments themselves are asked later.
    fn verify_facts(&mut self, facts: &Facts, what: &dyn Fn() -> String) {
        self.asking.push((what(), facts.clone()));
        let streamed = facts.kinds.iter().filter(|kind| **kind == Kind::Streamed);
        let streamed = streamed.count();
        if streamed > 1 || (streamed == 1 && (facts.reads_body() || facts.reads_form())) {
            self.mistakes.push(format!(
                "{}: {}: a streamed body goes with no other argument that reads the body",
                facts.origin,
                what()
            ));
        }
    }

    /// A hook that reads the whole body leaves nothing for a view that streams it.
    fn verify_bodies(&mut self, chain: &Chain, endpoint: &str) {
        let Some(view) = &chain.view else { return };
        if !view.facts.kinds.contains(&Kind::Streamed) {
            return;
        }
        let hook = chain
            .scope
            .before
            .iter()
            .find(|step| step.facts.reads_body() || step.facts.reads_form());
        if let Some(hook) = hook {
            self.mistakes.push(format!(
                "{}: view `{endpoint}` streams the body that the hook of {} reads whole",
                view.facts.origin, hook.facts.origin
            ));
        }
    }
}

/// The endpoints in the map's order; gives each rule its slots. `ids` are the rules' numbers there, none for those
/// that are wrong.
fn endpoints(
    map: &Map,
    ids: &[Option<RuleId>],
    served: &mut [Served],
    mistakes: &mut Vec<String>,
) -> Vec<Endpoint> {
    let mut endpoints: BTreeMap<usize, (Endpoint, &'static Location<'static>)> = BTreeMap::new();
    for (id, served) in ids.iter().zip(served) {
        let Some(rule) = id.and_then(|id| map.rule(id)) else {
            continue;
        };
        let seen: Vec<(&str, ValueType)> = rule
            .arguments()
            .filter(|(name, _)| !served.pulled.iter().any(|pulled| pulled == name))
            .collect();
        let (endpoint, first) = endpoints.entry(rule.endpoint().0).or_insert_with(|| {
            let endpoint = Endpoint {
                name: served.endpoint.clone(),
                blueprint: served.blueprint.clone(),
                arguments: seen.iter().map(|(name, _)| (*name).to_owned()).collect(),
                pulled: served.pulled.clone(),
                view: served.options.view,
            };
            (endpoint, served.origin)
        });
        let origin = served.origin;
        if endpoint.view != served.options.view {
            mistakes.push(format!(
                "{origin}: another view is named `{}` at {first}: wrap one in `named(\"..\", view)`",
                endpoint.name
            ));
            continue;
        }
        let position = |name: &String| rule.arguments().position(|(other, _)| other == name);
        let slots: Option<Box<[usize]>> = endpoint.arguments.iter().map(position).collect();
        match slots {
            Some(slots) if slots.len() == seen.len() => served.slots = slots,
            _ => mistakes.push(format!(
                "{origin}: rule `{}` has other values than the rule of {first} for the same view: give it \
                 `rule(..).default(..)`",
                rule.text()
            )),
        }
        let view = served.chain.view.as_ref().map(|view| &view.facts.kinds);
        let takes: Vec<(&str, ValueType)> = view
            .into_iter()
            .flatten()
            .filter_map(|kind| match kind {
                Kind::Path(name, of) => Some((*name, *of)),
                _ => None,
            })
            .collect();
        let kinds: BTreeMap<&str, ValueType> = seen.iter().copied().collect();
        let in_order: Option<Vec<ValueType>> = (endpoint.arguments.iter())
            .map(|name| kinds.get(name.as_str()).copied())
            .collect();
        let in_order = in_order.filter(|gives| gives.len() == seen.len());
        let gives = in_order.unwrap_or_else(|| seen.iter().map(|(_, of)| *of).collect());
        let fits = takes.len() == gives.len()
            && takes
                .iter()
                .zip(&gives)
                .all(|((_, taken), given)| same(*taken, *given));
        if !fits {
            let gives: Vec<&str> = gives.iter().map(|given| given.name()).collect();
            let takes: Vec<&str> = takes.iter().map(|(name, _)| *name).collect();
            mistakes.push(format!(
                "{origin}: rule `{}` gives [{}], but view `{}` takes [{}]",
                rule.text(),
                gives.join(", "),
                endpoint.name,
                takes.join(", ")
            ));
        }
    }
    endpoints
        .into_values()
        .map(|(endpoint, _)| endpoint)
        .collect()
}

/// Whether an argument takes what a rule gives; values of own converters are looked at when they come.
fn same(taken: ValueType, given: ValueType) -> bool {
    match (taken, given) {
        (ValueType::Custom(_), ValueType::Custom(_)) => true,
        (taken, given) => taken == given,
    }
}

/// `admin.users`, or `users` in the application itself.
fn within(outer: &str, name: &str) -> String {
    match (outer, name) {
        ("", name) => name.to_owned(),
        (outer, "") => outer.to_owned(),
        (outer, name) => format!("{outer}.{name}"),
    }
}

/// The name of a function from its type's: `app::users::show` is `show`; closures have none.
fn function(view: &str) -> Option<&str> {
    let path = view.split('<').next()?;
    let name = path.rsplit("::").next()?;
    (!name.contains('{')).then_some(name)
}

/// Closures are named after what they answer, since two of them may stand at one path.
fn closure_name(methods: &[Method], text: &str) -> String {
    let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    format!("{} {text}", methods.join(","))
}
