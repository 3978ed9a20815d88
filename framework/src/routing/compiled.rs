//! Rules made ready: converters in place, what to match and what to build.

use std::panic::Location;

use super::converter::{AnyConverter, ConverterError, Converters};
use super::grammar::{Token, tokens};
use super::ids::{EndpointId, RuleId};
use super::methods::MethodSet;
use super::mistake::Cause;
use super::options::{Domains, Options};
use super::part::{Element, Part, parts};
use super::quote::{PATH, quote};
use super::rule::{RedirectTo, Rule};
use super::value::{OwnedValue, Value, ValueType};

/// A rule of a map.
#[derive(Debug)]
pub struct RuleInfo {
    pub(super) text: String,
    /// The host or subdomain as registered; empty if there is none.
    pub(super) domain_text: String,
    pub(super) id: RuleId,
    pub(super) endpoint: EndpointId,
    pub(super) origin: &'static Location<'static>,
    /// What the rule was registered for; `None` is everything.
    pub(super) asked: Option<MethodSet>,
    /// What it answers, automatic methods included.
    pub(super) methods: Option<MethodSet>,
    pub(super) strict_slashes: bool,
    pub(super) merge_slashes: bool,
    pub(super) build_only: bool,
    pub(super) alias: bool,
    pub(super) websocket: bool,
    pub(super) redirect_to: Option<RedirectTo>,
    /// In the order in which they stand, the domain's first.
    pub(super) variables: Vec<Variable>,
    /// How many of them stand in the domain.
    pub(super) domain_variables: usize,
    pub(super) defaults: Vec<(String, OwnedValue)>,
    pub(super) domain: Vec<Step>,
    pub(super) path: Vec<Step>,
    /// Rules of the same endpoint to which this one redirects if the values are their defaults.
    pub(super) preferred: Vec<usize>,
}

/// A variable of a rule.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) converter: AnyConverter,
}

/// What a URL is put together from.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// A text, encoded, and where it comes from.
    Text(String),
    /// A variable that has a default, which stands here, encoded.
    Fixed(usize, String),
    /// The number of a variable.
    Variable(usize),
}

impl RuleInfo {
    /// Compiles a rule; answers also the parts that the tree is made of.
    pub(super) fn new(
        rule: Rule,
        id: RuleId,
        endpoint: EndpointId,
        options: &Options,
        converters: &Converters,
    ) -> Result<(Self, Vec<Part>), Cause> {
        if !rule.text.starts_with('/') {
            return Err(Cause::NoSlash);
        }
        let domain = domain_of(&rule, options)?;
        let merge = rule.merge_slashes.unwrap_or(options.merge_slashes);
        let mut variables = Vec::new();
        let mut read = |text| elements(text, converters, &mut variables);
        let domain_elements = read(&domain)?;
        check_domain(&domain, &domain_elements)?;
        let mut path_elements = read(&rule.text)?;
        if merge {
            path_elements.dedup_by(|a, b| matches!((a, b), (Element::Slash, Element::Slash)));
        }
        let mut all_parts = parts(&domain_elements);
        // The first slash stands in all of them.
        all_parts.extend(parts(&path_elements[1..]));
        let is_variable = |element: &&Element<'_>| matches!(element, Element::Variable(_));
        let domain_variables = domain_elements.iter().filter(is_variable).count();
        let mut number = 0;
        let mut compile =
            |elements: &[Element<'_>]| steps(elements, &variables, &rule.defaults, &mut number);
        let (domain_steps, path) = (compile(&domain_elements)?, compile(&path_elements)?);
        let methods = rule.methods.as_ref().map(|asked| {
            let mut methods = asked.clone();
            methods.extend(&rule.automatic);
            methods
        });
        let compiled = Self {
            text: rule.text,
            domain_text: domain,
            id,
            endpoint,
            origin: rule.origin,
            asked: rule.methods,
            methods,
            strict_slashes: rule.strict_slashes.unwrap_or(options.strict_slashes),
            merge_slashes: merge,
            build_only: rule.build_only,
            alias: rule.alias,
            websocket: rule.websocket,
            redirect_to: rule.redirect_to,
            variables,
            domain_variables,
            defaults: rule.defaults,
            domain: domain_steps,
            path,
            preferred: Vec::new(),
        };
        compiled.check()?;
        Ok((compiled, all_parts))
    }

    /// The rule as registered, such as `/user/<int:id>`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The host or subdomain that the rule answers for, as registered; empty if there is none.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain_text
    }

    /// The rule's number in its map.
    #[must_use]
    pub fn id(&self) -> RuleId {
        self.id
    }

    /// The rule's endpoint.
    #[must_use]
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Who registered the rule.
    #[must_use]
    pub fn origin(&self) -> &'static Location<'static> {
        self.origin
    }

    /// The methods that the rule answers, `None` for all.
    #[must_use]
    pub fn methods(&self) -> Option<&MethodSet> {
        self.methods.as_ref()
    }

    /// Names and types of the values, in the order in which a match has them: the variables of the domain,
    /// those of the path, then defaults that are no variable.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, ValueType)> {
        let variables = self.variables.iter();
        let variables = variables.map(|one| (one.name.as_str(), one.converter.value_type()));
        let defaults = self.further_defaults();
        variables.chain(defaults.map(|(name, value)| (name.as_str(), value.value_type())))
    }

    /// Defaults that are no variable of the rule.
    pub(super) fn further_defaults(&self) -> impl Iterator<Item = &(String, OwnedValue)> {
        self.defaults
            .iter()
            .filter(|(name, _)| self.variable(name).is_none())
    }

    /// Whether the rule answers `method`.
    pub(super) fn answers(&self, method: &http::Method) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.contains(method))
    }

    /// The variable `name`.
    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// The default of `name`.
    pub(super) fn default_of(&self, name: &str) -> Option<Value<'_>> {
        let default = self.defaults.iter().find(|(one, _)| one == name)?;
        Some(default.1.as_value())
    }

    /// Whether the rule takes a value of this name.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.variable(name).is_some() || self.default_of(name).is_some()
    }

    /// Whether both rules take values of the same names.
    pub(super) fn takes_the_same_as(&self, other: &Self) -> bool {
        self.arguments().all(|(name, _)| other.takes(name))
            && other.arguments().all(|(name, _)| self.takes(name))
    }

    /// Whether both rules have the same texts and names in the same places.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let mut pairs = [(&self.domain, &other.domain), (&self.path, &other.path)].into_iter();
        pairs.all(|(mine, theirs)| {
            mine.len() == theirs.len()
                && mine.iter().zip(theirs).all(|pair| match pair {
                    (Step::Text(a), Step::Text(b)) => a == b,
                    (
                        Step::Variable(a) | Step::Fixed(a, _),
                        Step::Variable(b) | Step::Fixed(b, _),
                    ) => self.variables[*a].name == other.variables[*b].name,
                    _ => false,
                })
        })
    }

    /// Whether what the rule matches may belong to another place.
    #[inline]
    pub(super) fn leads_elsewhere(&self) -> bool {
        self.alias || self.redirect_to.is_some() || !self.preferred.is_empty()
    }

    fn check(&self) -> Result<(), Cause> {
        if let (true, Some(asked)) = (self.websocket, &self.asked) {
            let opening = [
                &http::Method::GET,
                &http::Method::HEAD,
                &http::Method::OPTIONS,
            ];
            let others = asked.without(&opening.into_iter().collect());
            if !others.is_empty() {
                return Err(Cause::WebSocketMethods(others));
            }
        }
        if let Some(RedirectTo::Template(target)) = &self.redirect_to {
            for (_, name) in placeholders(target) {
                if self.variable(name).is_none() {
                    return Err(Cause::RedirectVariable {
                        target: target.clone(),
                        name: name.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The `<name>`s of a redirect's target, with where they stand.
pub(super) fn placeholders(target: &str) -> impl Iterator<Item = (std::ops::Range<usize>, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + target[at..].find('<')?;
            let end = start + target[start..].find('>')?;
            at = end + 1;
            let name = &target[start + 1..end];
            if !name.is_empty() {
                return Some((start..at, name));
            }
        }
    })
}

/// The domain that the rule answers for; empty where there is none.
fn domain_of(rule: &Rule, options: &Options) -> Result<String, Cause> {
    match (options.domains, &rule.host, &rule.subdomain) {
        (Domains::Hosts, host, None) => Ok(host.clone().unwrap_or_default()),
        (Domains::Subdomains, None, subdomain) => Ok(subdomain
            .as_ref()
            .unwrap_or(&options.default_subdomain)
            .clone()),
        (Domains::Ignored, None, None) => Ok(String::new()),
        (_, Some(_), _) => Err(Cause::DomainIgnored("host")),
        (_, _, Some(_)) => Err(Cause::DomainIgnored("subdomain")),
    }
}

fn check_domain(text: &str, elements: &[Element<'_>]) -> Result<(), Cause> {
    let crosses = |element: &Element<'_>| match element {
        Element::Slash => true,
        Element::Static(_) => false,
        Element::Variable(converter) => converter.crosses_slashes(),
    };
    if elements.iter().any(crosses) {
        return Err(Cause::Domain(text.to_owned()));
    }
    Ok(())
}

/// Reads a rule or domain, and adds its variables to `variables`.
fn elements<'r>(
    text: &'r str,
    converters: &Converters,
    variables: &mut Vec<Variable>,
) -> Result<Vec<Element<'r>>, Cause> {
    let tokens = tokens(text).map_err(|found| Cause::Variable {
        found: found.to_owned(),
    })?;
    let element = |token| {
        let variable = match token {
            Token::Slash => return Ok(Element::Slash),
            Token::Static(text) => return Ok(Element::Static(text)),
            Token::Variable(variable) => variable,
        };
        let made = converters.make(variable.converter, variable.arguments);
        let converter = made.map_err(|error| match error {
            ConverterError::Unknown(known) => Cause::Converter {
                found: variable.converter.to_owned(),
                known,
            },
            ConverterError::Arguments(reason) => Cause::Arguments {
                converter: variable.converter.to_owned(),
                reason,
            },
        })?;
        if variables.iter().any(|other| other.name == variable.name) {
            return Err(Cause::Repeated(variable.name.to_owned()));
        }
        variables.push(Variable {
            name: variable.name.to_owned(),
            converter: converter.clone(),
        });
        Ok(Element::Variable(converter))
    };
    tokens.into_iter().map(element).collect()
}

/// What URLs are put together from; `number` counts the variables.
fn steps(
    elements: &[Element<'_>],
    variables: &[Variable],
    defaults: &[(String, OwnedValue)],
    number: &mut usize,
) -> Result<Vec<Step>, Cause> {
    let mut steps = Vec::new();
    for element in elements {
        let text = match element {
            Element::Slash => "/",
            Element::Static(text) => text,
            Element::Variable(converter) => {
                let name = &variables[*number].name;
                steps.push(match defaults.iter().find(|(one, _)| one == name) {
                    None => Step::Variable(*number),
                    Some((_, value)) => {
                        let text =
                            default_text(converter, value).map_err(|reason| Cause::Default {
                                name: name.clone(),
                                reason,
                            })?;
                        Step::Fixed(*number, quoted(&text))
                    }
                });
                *number += 1;
                continue;
            }
        };
        match steps.last_mut() {
            Some(Step::Text(last)) => quote(text.as_bytes(), PATH, last),
            _ => steps.push(Step::Text(quoted(text))),
        }
    }
    Ok(steps)
}

/// A default as it stands in URLs, if it is of the type that the variable has.
fn default_text(converter: &AnyConverter, value: &OwnedValue) -> Result<String, String> {
    let (expected, found) = (converter.value_type(), value.value_type());
    let is_custom = |one| matches!(one, ValueType::Custom(_));
    if expected != found && !(is_custom(expected) && is_custom(found)) {
        let (expected, found) = (expected.name(), found.name());
        return Err(format!(
            "expected {expected}, found {value:?} of type {found}"
        ));
    }
    converter.format(value.as_value())
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(text.as_bytes(), PATH, &mut out);
    out
}
