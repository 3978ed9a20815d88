//! Why a URL could not be built, with what could be built instead.

use http::Method;

use super::compiled::RuleInfo;
use super::map::Map;
use super::methods::MethodSet;
use super::similarity::ratio;
use super::value::Value;

/// Why a URL could not be built.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no such endpoint, or another one is nearer to what was asked for.
    #[error("cannot build a URL for endpoint `{endpoint}`{}", instead(.nearest.as_deref()))]
    Endpoint {
        /// The endpoint that was asked for.
        endpoint: String,
        /// The endpoint whose name is most like it, if the map has any rule.
        nearest: Option<String>,
    },
    /// No rule of the endpoint takes these values or this method.
    #[error("cannot build a URL for endpoint `{endpoint}` with {}{}{}", given_values(.given), missing_values(.missing), other_methods(.methods.as_ref()))]
    Values {
        /// The endpoint.
        endpoint: String,
        /// The names of the values that were given.
        given: Vec<String>,
        /// What the nearest rule takes beside them.
        missing: Vec<String>,
        /// The methods of the nearest rule, if the one asked for is not among them.
        methods: Option<MethodSet>,
    },
    /// A converter does not take a value.
    #[error("cannot build a URL for endpoint `{endpoint}`: rule `{rule}`: `{name}`: {reason}")]
    Value {
        /// The endpoint.
        endpoint: String,
        /// The rule's text.
        rule: String,
        /// The variable.
        name: String,
        /// What was expected and found.
        reason: String,
    },
}

impl Map {
    /// Why no rule of `endpoint` takes the values, with the nearest rule's needs.
    pub(super) fn not_built(
        &self,
        endpoint: &str,
        values: &[(&str, Value<'_>)],
        method: Option<&Method>,
    ) -> BuildError {
        let mut best: Option<(f64, &RuleInfo)> = None;
        for rule in self.rules_by_endpoint() {
            let score = self.likeness(rule, endpoint, values, method);
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, rule));
            }
        }
        let nearest = best.map(|(_, rule)| (rule, self.endpoint_name(rule.endpoint)));
        match nearest {
            Some((rule, name)) if name == endpoint => {
                let names = |list: Vec<&str>| {
                    let mut names: Vec<String> = list.into_iter().map(str::to_owned).collect();
                    names.sort();
                    names.dedup();
                    names
                };
                let given = |name: &&str| values.iter().any(|(one, _)| one == name);
                let missing = rule
                    .arguments()
                    .map(|(name, _)| name)
                    .filter(|name| !given(name));
                BuildError::Values {
                    endpoint: endpoint.to_owned(),
                    given: names(values.iter().map(|(name, _)| *name).collect()),
                    missing: names(missing.collect()),
                    methods: match method {
                        Some(method) if !rule.answers(method) => rule.methods.clone(),
                        _ => None,
                    },
                }
            }
            other => BuildError::Endpoint {
                endpoint: endpoint.to_owned(),
                nearest: other.map(|(_, name)| name.to_owned()),
            },
        }
    }

    fn likeness(
        &self,
        rule: &RuleInfo,
        endpoint: &str,
        values: &[(&str, Value<'_>)],
        method: Option<&Method>,
    ) -> f64 {
        let takes_all = values.iter().all(|(name, _)| rule.takes(name));
        let answers = method.is_some_and(|method| rule.methods.is_some() && rule.answers(method));
        let weigh = |truth| if truth { 0.01 } else { 0.0 };
        0.98 * ratio(self.endpoint_name(rule.endpoint), endpoint)
            + weigh(takes_all)
            + weigh(answers)
    }
}

fn instead(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean `{name}`?"))
}

fn given_values(given: &[String]) -> String {
    match given {
        [] => "no values".to_owned(),
        names => format!("values for {}", names.join(", ")),
    }
}

fn missing_values(missing: &[String]) -> String {
    match missing {
        [] => String::new(),
        names => format!(": did you forget {}?", names.join(", ")),
    }
}

fn other_methods(methods: Option<&MethodSet>) -> String {
    methods.map_or_else(String::new, |methods| {
        format!(": its methods are {methods}")
    })
}
