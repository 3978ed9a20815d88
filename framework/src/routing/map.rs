//! All rules of an application, compiled.

use std::panic::Location;

use http::Method;

use super::binding::Binding;
use super::build_error::BuildError;
use super::methods::MethodSet;
use super::mistake::Mistakes;
use super::outcome::{EndpointId, Outcome, RuleId};
use super::rule::Rule;
use super::value::{Value, ValueType};

/// All rules of an application, compiled; never changes.
#[derive(Debug)]
pub struct Map {
    rules: Vec<RuleInfo>,
}

/// Collects rules and makes a [`Map`] of them.
#[derive(Debug, Default)]
pub struct MapBuilder {
    options: Options,
    rules: Vec<Rule>,
}

/// What holds for all rules that do not say otherwise.
#[derive(Clone, Debug)]
pub struct Options {
    /// See [`Rule::strict_slashes`]; default true.
    pub strict_slashes: bool,
    /// See [`Rule::merge_slashes`]; default true.
    pub merge_slashes: bool,
    /// Whether rules redirect to a rule of the same endpoint whose defaults say the same; default true.
    pub redirect_defaults: bool,
    /// What part of the host rules are chosen by; default none.
    pub domains: Domains,
    /// The subdomain of rules that name none; default empty.
    pub default_subdomain: String,
    /// Whether built queries are sorted by name; default false.
    pub sort_query: bool,
}

/// What part of the host rules are chosen by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Domains {
    /// None: all hosts are one.
    #[default]
    Ignored,
    /// What stands before the server's name.
    Subdomains,
    /// The whole host.
    Hosts,
}

/// How a URL is to be built; the default is for links within the application.
#[derive(Clone, Copy, Debug, Default)]
pub struct UrlOptions<'a> {
    /// The method that the rule must answer; default: the request's if possible, else any.
    pub method: Option<&'a Method>,
    /// Whether scheme and host are written even where the request's own would do.
    pub external: bool,
    /// The scheme, default the request's; implies `external`. Empty: `//host/path`.
    pub scheme: Option<&'a str>,
    /// What follows `#`.
    pub anchor: Option<&'a str>,
}

/// What is known of a compiled rule.
#[derive(Debug)]
pub struct RuleInfo {
    text: String,
    endpoint: EndpointId,
    origin: &'static Location<'static>,
    arguments: Vec<(String, ValueType)>,
}

impl Map {
    /// A builder with these options.
    #[must_use]
    pub fn builder(options: Options) -> MapBuilder {
        MapBuilder {
            options,
            rules: Vec::new(),
        }
    }

    /// What the raw `path` below the mount leads to.
    pub fn find(&self, _at: &Binding<'_>, _path: &[u8], _method: &Method) -> Outcome {
        unimplemented!()
    }

    /// The methods that the raw `path` below the mount answers.
    #[must_use]
    pub fn allowed(&self, _at: &Binding<'_>, _path: &[u8]) -> MethodSet {
        unimplemented!()
    }

    /// A URL that leads to `endpoint` with these values. What is no variable of the rule goes to the query,
    /// where names may repeat.
    ///
    /// # Errors
    /// When no rule of the endpoint takes the values.
    pub fn url(
        &self,
        _at: &Binding<'_>,
        _endpoint: &str,
        _values: &[(&str, Value<'_>)],
        _options: UrlOptions<'_>,
    ) -> Result<String, BuildError> {
        unimplemented!()
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

    /// The endpoint of this name.
    #[must_use]
    pub fn endpoint(&self, _name: &str) -> Option<EndpointId> {
        unimplemented!()
    }
}

impl MapBuilder {
    /// Adds a rule.
    #[must_use]
    pub fn add(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Compiles the rules.
    ///
    /// # Errors
    /// All mistakes in them.
    pub fn build(self) -> Result<Map, Mistakes> {
        let _ = (self.options, self.rules);
        unimplemented!()
    }
}

impl RuleInfo {
    /// The rule as registered, such as `/user/<int:id>`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
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

    /// Names and types of the values, in the order in which a match has them: the variables of the domain,
    /// those of the path, then defaults that are no variable.
    pub fn arguments(&self) -> impl ExactSizeIterator<Item = (&str, ValueType)> {
        self.arguments.iter().map(|(name, of)| (name.as_str(), *of))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict_slashes: true,
            merge_slashes: true,
            redirect_defaults: true,
            domains: Domains::Ignored,
            default_subdomain: String::new(),
            sort_query: false,
        }
    }
}
