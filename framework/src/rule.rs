//! [`Rule`]: a pattern of paths with what is special about it.

use std::panic::Location;

use crate::routing::{self, OwnedValue};

/// A pattern of paths. Where nothing is special about it, a text does: `.get("/user/<int:id>", user)`.
///
/// ```
/// # use carafe::*;
/// # async fn page(number: i64) -> String { number.to_string() }
/// # fn app() -> App {
/// App::new()
///     .get(rule("/pages/").default("number", 1), page)
///     .get("/pages/<int:number>", page)
/// # }
/// # assert_eq!(app().test().get("/pages/").text(), "1");
/// ```
pub struct Rule {
    text: String,
    change: Change,
}

type Change = Box<dyn FnOnce(routing::Rule) -> routing::Rule + Send + Sync>;

/// A rule to be made special.
pub fn rule(text: impl Into<String>) -> Rule {
    Rule {
        text: text.into(),
        change: Box::new(|rule| rule),
    }
}

impl Rule {
    /// Gives the view a value that the path does not have. The same path with the value in it, where
    /// another rule of the view has it, redirects to this one.
    #[must_use]
    pub fn default(self, name: impl Into<String>, value: impl Into<OwnedValue>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.and(|rule| rule.default_value(name, value))
    }

    /// Whether a path that lacks the slash at its end is redirected to this rule (true, the
    /// default) or served as it is.
    #[must_use]
    pub fn strict_slashes(self, strict: bool) -> Self {
        self.and(move |rule| rule.strict_slashes(strict))
    }

    /// Whether a path with repeated slashes is redirected to the one without (true, the default).
    #[must_use]
    pub fn merge_slashes(self, merge: bool) -> Self {
        self.and(move |rule| rule.merge_slashes(merge))
    }

    /// For requests to this subdomain, which may have variables; needs
    /// [`App::subdomain_matching`](crate::App::subdomain_matching).
    #[must_use]
    pub fn subdomain(self, subdomain: impl Into<String>) -> Self {
        let subdomain = subdomain.into();
        self.and(|rule| rule.subdomain(subdomain))
    }

    /// For requests to this host, which may have variables; needs
    /// [`App::host_matching`](crate::App::host_matching).
    #[must_use]
    pub fn host(self, host: impl Into<String>) -> Self {
        let host = host.into();
        self.and(|rule| rule.host(host))
    }

    /// For building URLs alone: it never matches.
    #[must_use]
    pub fn build_only(self) -> Self {
        self.and(routing::Rule::build_only)
    }

    /// Redirects to the view's other rule with the same variables.
    #[must_use]
    pub fn alias(self) -> Self {
        self.and(routing::Rule::alias)
    }

    /// Redirects to a path or URL, with `<name>` for values of the rule; the view is not called.
    #[must_use]
    pub fn redirect_to(self, target: impl Into<String>) -> Self {
        let target = routing::RedirectTo::Template(target.into());
        self.and(|rule| rule.redirect_to(target))
    }

    /// For requests that open a WebSocket, and no others.
    #[must_use]
    pub fn websocket(self) -> Self {
        self.and(routing::Rule::websocket)
    }

    /// The pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The router's rule under a prefix. `change` comes first, so that the rule's own word counts.
    pub(crate) fn compile(
        self,
        prefix: &str,
        endpoint: &str,
        origin: &'static Location<'static>,
        change: impl FnOnce(routing::Rule) -> routing::Rule,
    ) -> routing::Rule {
        let text = joined(prefix, &self.text);
        (self.change)(change(routing::Rule::new(text, endpoint).origin(origin)))
    }

    fn and(
        self,
        change: impl FnOnce(routing::Rule) -> routing::Rule + Send + Sync + 'static,
    ) -> Self {
        let before = self.change;
        Self {
            change: Box::new(|rule| change(before(rule))),
            ..self
        }
    }
}

impl<T: Into<String>> From<T> for Rule {
    fn from(text: T) -> Self {
        rule(text)
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rule({:?})", self.text)
    }
}

/// As Flask joins: one slash between prefix and rule; an empty rule is the prefix itself.
pub(crate) fn joined(prefix: &str, text: &str) -> String {
    if prefix.is_empty() {
        return text.to_owned();
    }
    if text.is_empty() {
        return prefix.to_owned();
    }
    format!(
        "{}/{}",
        prefix.trim_end_matches('/'),
        text.trim_start_matches('/')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_and_rule_meet_at_one_slash() {
        assert_eq!(joined("", "/a"), "/a");
        assert_eq!(joined("/x", "/a/"), "/x/a/");
        assert_eq!(joined("/x/", "a"), "/x/a");
        assert_eq!(joined("/x", ""), "/x");
    }
}
