//! The router: rules in Werkzeug's grammar, matched and built as Werkzeug does.
//!
//! Pure: text in, values and text out. A [`Map`] is made once from [`Rule`]s, which reports every mistake
//! with the place that registered it, and is never changed afterwards. [`Map::find`] takes a raw path to an
//! [`Outcome`], [`Map::url`] takes an endpoint and values back to a URL; both need to know where the
//! request stands, its [`Binding`].

mod binding;
mod build_error;
mod map;
mod methods;
mod mistake;
mod outcome;
mod rule;
mod value;

pub use binding::Binding;
pub use build_error::BuildError;
pub use map::{Domains, Map, MapBuilder, Options, RuleInfo, UrlOptions};
pub use methods::MethodSet;
pub use mistake::{Mistake, Mistakes};
pub use outcome::{EndpointId, Found, Outcome, RuleId};
pub use rule::{RedirectTo, Redirector, Rule};
pub use value::{OwnedValue, Value, ValueType};
