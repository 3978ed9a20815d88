//! From an endpoint and values to a URL.

use http::Method;

use super::binding::Binding;
use super::build_error::BuildError;
use super::builtin::text_of;
use super::compiled::{RuleInfo, Step};
use super::ids::EndpointId;
use super::location;
use super::map::Map;
use super::options::Domains;
use super::quote::{FRAGMENT, PATH, quote, quote_query_part};
use super::value::Value;

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

/// What becomes of values that are no variable of the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unknown {
    ToQuery,
    Dropped,
}

/// A URL's parts, encoded.
#[derive(Debug)]
pub(super) struct Built<'m> {
    pub(super) rule: &'m RuleInfo,
    domain: String,
    /// With the query.
    path: String,
}

impl Map {
    /// A URL that leads to `endpoint` with these values. What is no variable of the rule goes to the query,
    /// where names may repeat.
    ///
    /// # Errors
    /// When no rule of the endpoint takes the values, or a converter does not take one of them.
    pub fn url(
        &self,
        at: &Binding<'_>,
        endpoint: &str,
        values: &[(&str, Value<'_>)],
        options: UrlOptions<'_>,
    ) -> Result<String, BuildError> {
        let built = match self.endpoint(endpoint) {
            Some(id) => self.place(at, id, values, options.method, Unknown::ToQuery)?,
            None => None,
        };
        let Some(built) = built else {
            return Err(self.not_built(endpoint, values, options.method));
        };
        let same_host = match self.options.domains {
            Domains::Hosts => built.domain == at.server_name,
            Domains::Subdomains => built.domain == at.subdomain,
            Domains::Ignored => true,
        };
        let external = options.external || options.scheme.is_some() || built.rule.websocket;
        let mut url = if same_host && !external {
            let mount = at.mount.trim_end_matches('/');
            format!("{mount}/{}", built.path.trim_start_matches('/'))
        } else {
            self.external(at, &built, options.scheme)
        };
        if let Some(anchor) = options.anchor {
            url.push('#');
            quote(anchor.as_bytes(), FRAGMENT, &mut url);
        }
        Ok(url)
    }

    /// The first rule of `endpoint` that takes the values; among several hosts the request's own comes
    /// first.
    pub(super) fn place(
        &self,
        at: &Binding<'_>,
        endpoint: EndpointId,
        values: &[(&str, Value<'_>)],
        method: Option<&Method>,
        unknown: Unknown,
    ) -> Result<Option<Built<'_>>, BuildError> {
        if method.is_none() {
            let usual = self.place(at, endpoint, values, Some(at.method), unknown)?;
            if usual.is_some() {
                return Ok(usual);
            }
        }
        let mut first = None;
        for rule in self.rules_of(endpoint) {
            if !rule.suits(values, method) {
                continue;
            }
            let (domain, path) = self.fill(rule, values, unknown)?;
            let here = self.options.domains != Domains::Hosts || domain == at.server_name;
            let built = Built { rule, domain, path };
            if here {
                return Ok(Some(built));
            }
            first.get_or_insert(built);
        }
        Ok(first)
    }

    /// The URL with scheme and host.
    pub(super) fn external(
        &self,
        at: &Binding<'_>,
        built: &Built<'_>,
        scheme: Option<&str>,
    ) -> String {
        let scheme = scheme.unwrap_or(at.scheme);
        let scheme = match (built.rule.websocket, matches!(scheme, "https" | "wss")) {
            (true, true) => "wss:",
            (true, false) => "ws:",
            (false, true) => "https:",
            (false, false) if scheme.is_empty() => "",
            (false, false) => "http:",
        };
        let host = location::host(at, self.options.domains, &built.domain);
        let mount = at.mount.trim_end_matches('/');
        format!(
            "{scheme}//{host}{mount}/{}",
            built.path.trim_start_matches('/')
        )
    }

    /// The rule's domain and path, encoded, with these values.
    pub(super) fn fill(
        &self,
        rule: &RuleInfo,
        values: &[(&str, Value<'_>)],
        unknown: Unknown,
    ) -> Result<(String, String), BuildError> {
        let write = |steps: &[Step]| {
            let mut out = String::new();
            for step in steps {
                match step {
                    Step::Text(text) | Step::Fixed(_, text) => out.push_str(text),
                    Step::Variable(number) => {
                        let text = self.format(rule, *number, values)?;
                        quote(text.as_bytes(), PATH, &mut out);
                    }
                }
            }
            Ok(out)
        };
        let domain = write(&rule.domain)?;
        let mut path = write(&rule.path)?;
        if unknown == Unknown::ToQuery {
            self.append_query(rule, values, &mut path)?;
        }
        Ok((domain, path))
    }

    fn format(
        &self,
        rule: &RuleInfo,
        number: usize,
        values: &[(&str, Value<'_>)],
    ) -> Result<String, BuildError> {
        let variable = &rule.variables[number];
        let mut given = values.iter().filter(|(name, _)| *name == variable.name);
        let formatted = match (given.next(), given.next()) {
            (Some((_, value)), None) => variable.converter.format(*value),
            (Some(_), Some(_)) => Err("expected one value, found several".to_owned()),
            (None, _) => Err("expected a value, found none".to_owned()),
        };
        formatted.map_err(|reason| self.bad_value(rule, &variable.name, reason))
    }

    fn append_query(
        &self,
        rule: &RuleInfo,
        values: &[(&str, Value<'_>)],
        out: &mut String,
    ) -> Result<(), BuildError> {
        let mut query: Vec<(&str, String)> = Vec::new();
        for (name, value) in values.iter().filter(|(name, _)| !rule.takes(name)) {
            let text = text_of(*value).map_err(|reason| self.bad_value(rule, name, reason))?;
            // Values of one name stand together.
            let same = query.iter().rposition(|(other, _)| other == name);
            query.insert(same.map_or(query.len(), |at| at + 1), (*name, text));
        }
        if self.options.sort_query {
            query.sort();
        }
        for (number, (name, text)) in query.iter().enumerate() {
            out.push(if number == 0 { '?' } else { '&' });
            quote_query_part(name, out);
            out.push('=');
            quote_query_part(text, out);
        }
        Ok(())
    }

    fn bad_value(&self, rule: &RuleInfo, name: &str, reason: String) -> BuildError {
        BuildError::Value {
            endpoint: self.endpoint_name(rule.endpoint).to_owned(),
            rule: rule.text.clone(),
            name: name.to_owned(),
            reason,
        }
    }
}

impl RuleInfo {
    /// Whether a URL can be built with these values: all variables are among them, and what has a default is
    /// left out or the same.
    pub(super) fn suits(&self, values: &[(&str, Value<'_>)], method: Option<&Method>) -> bool {
        let given = |wanted: &str| values.iter().any(|(name, _)| *name == wanted);
        let equals = |(name, default): &(String, super::value::OwnedValue)| {
            let mut given = values.iter().filter(|(one, _)| one == name);
            given.all(|(_, value)| *value == default.as_value())
        };
        method.is_none_or(|method| self.answers(method))
            && self.defaults.iter().all(equals)
            && self
                .variables
                .iter()
                .all(|one| given(&one.name) || self.default_of(&one.name).is_some())
    }
}
