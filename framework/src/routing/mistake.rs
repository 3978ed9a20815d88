//! What can be wrong with rules.

use std::fmt;
use std::panic::Location;

use super::methods::MethodSet;

/// One mistake in the rules of a map: the rule, who registered it, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: rule `{rule}`: {cause}")]
pub struct Mistake {
    /// The rule's text.
    pub rule: String,
    /// Who registered it.
    pub origin: &'static Location<'static>,
    /// What is wrong.
    pub cause: Cause,
}

/// What is wrong with a rule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The rule does not begin with a slash.
    #[error("expected `/` at the beginning")]
    NoSlash,
    /// Something in angle brackets is no variable.
    #[error("expected a variable as in <name>, <int:name> or <int(min=1):name>, found `{found}`")]
    Variable {
        /// The rule from there on.
        found: String,
    },
    /// The rule names a converter that nobody registered.
    #[error("expected a converter of {}, found `{found}`", known.join(", "))]
    Converter {
        /// The converter's name.
        found: String,
        /// The names that would do.
        known: Vec<String>,
    },
    /// A converter cannot read its arguments.
    #[error("arguments of `{converter}`: {reason}")]
    Arguments {
        /// The converter's name.
        converter: String,
        /// What it says.
        reason: String,
    },
    /// A converter's pattern is no regular expression that the router knows.
    #[error("{0}")]
    Pattern(String),
    /// Two variables have the same name.
    #[error("`{0}` stands twice")]
    Repeated(String),
    /// The domain has a slash, or a variable that may match one.
    #[error("expected a domain without slashes, found `{0}`")]
    Domain(String),
    /// The rule has a host or subdomain, but the map does not look at them.
    #[error("it has a {0}, but the application is not set up to tell {0}s apart")]
    DomainIgnored(&'static str),
    /// A variable's default is nothing that its converter could have made.
    #[error("the default of `{name}`: {reason}")]
    Default {
        /// The variable.
        name: String,
        /// What the converter says.
        reason: String,
    },
    /// The target of a redirect has a variable that the rule lacks.
    #[error("it redirects to `{target}`, but has no variable `{name}`")]
    RedirectVariable {
        /// The target.
        target: String,
        /// What is missing.
        name: String,
    },
    /// An alias without another rule of its endpoint that takes the same variables.
    #[error(
        "expected another rule of endpoint `{0}` with the same variables, which it is an alias for"
    )]
    AliasOfNothing(String),
    /// A WebSocket rule with a method that cannot open one.
    #[error("expected GET, HEAD or OPTIONS for a WebSocket, found {0}")]
    WebSocketMethods(MethodSet),
    /// The rule never gets some of its requests.
    #[error(
        "it never gets {methods}: rule `{earlier}` of {earlier_origin} matches the same paths and comes first"
    )]
    Duplicate {
        /// What the earlier rule takes.
        methods: Methods,
        /// The earlier rule.
        earlier: String,
        /// Who registered that.
        earlier_origin: &'static Location<'static>,
    },
}

/// Some methods or all.
#[derive(Debug)]
pub enum Methods {
    /// Every method.
    All,
    /// These.
    These(MethodSet),
}

/// All mistakes in the rules of a map, in the order of registration; at least one.
#[derive(Debug)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Methods {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => out.write_str("any request"),
            Self::These(methods) => methods.fmt(out),
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(out, "{separator}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
