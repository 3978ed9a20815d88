//! The router: rules in Werkzeug's grammar, matched and built as Werkzeug does.
//!
//! Pure: text in, values and text out. A [`Map`] is made once from [`Rule`]s, which reports every mistake
//! with the place that registered it, and is never changed afterwards. [`Map::find`] takes a raw path to an
//! [`Outcome`], [`Map::url`] takes an endpoint and values back to a URL; both need to know where the
//! request stands, its [`Binding`].

mod arguments;
mod binding;
mod build_error;
mod builder;
mod builtin;
mod compiled;
mod converter;
mod find;
mod grammar;
mod ids;
mod listing;
mod location;
mod map;
mod methods;
mod mistake;
mod number;
mod options;
mod outcome;
mod part;
mod pattern;
mod quote;
mod redirect;
mod rule;
mod search;
mod siblings;
mod similarity;
mod trie;
mod url;
mod value;

#[cfg(test)]
mod tests;

pub use arguments::{Argument, Arguments};
pub use binding::Binding;
pub use build_error::BuildError;
pub use builder::MapBuilder;
pub use compiled::RuleInfo;
pub use converter::{Converter, Factory};
pub use ids::{EndpointId, RuleId};
pub use listing::{Listing, Order};
pub use map::Map;
pub use methods::MethodSet;
pub use mistake::{Cause, Methods, Mistake, Mistakes};
pub use options::{Domains, Options};
pub use outcome::{Found, Outcome};
pub use rule::{RedirectTo, Redirector, Rule};
pub use url::UrlOptions;
pub use value::{OwnedValue, Value, ValueType};
