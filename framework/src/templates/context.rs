//! What a template sees: the view's own values over those of context processors.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Serde, merge_maps};
use serde::Serialize;

use crate::context::Cx;

/// The values for a template: `ctx! { title => "Home", user }`, of anything that serializes; `user` alone is
/// `user => user`. `..other` at the end adds those of another context, which lose.
///
/// ```
/// use carafe::*;
///
/// async fn index(cx: Cx) -> Result<Html> {
///     let users = vec!["Ann", "Bob"];
///     render_str(&cx, "{{ title }}: {{ users|join(', ') }}", ctx! { title => "All", users })
/// }
///
/// assert_eq!(App::new().get("/", index).test().get("/").text(), "All: Ann, Bob");
/// ```
#[macro_export]
macro_rules! ctx {
    ($($name:ident $(=> $value:expr)?),* $(, ..$other:expr)* $(,)?) => {
        $crate::templates::__context(
            [$(stringify!($name)),*],
            [$($crate::templates::__value(&$crate::__ctx_value!($($value,)? $name))),*],
            [$($crate::templates::__value(&$other)),*],
        )
    };
    ($(..$other:expr),+ $(,)?) => {
        $crate::templates::__context([], [], [$($crate::templates::__value(&$other)),+])
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __ctx_value {
    ($value:expr, $name:ident) => {
        $value
    };
    ($name:ident) => {
        $name
    };
}

#[doc(hidden)]
pub fn __value<T: Serialize + ?Sized>(value: &T) -> Value {
    Value::from(Serde(value))
}

#[doc(hidden)]
pub fn __context<const OWN: usize, const OTHERS: usize>(
    names: [&'static str; OWN],
    values: [Value; OWN],
    others: [Value; OTHERS],
) -> Value {
    let own = Value::from_pairs(names.into_iter().zip(values));
    match OTHERS {
        0 => own,
        _ => merge_maps(others.into_iter().rev().chain([own])),
    }
}

/// Makes variables for every template of a request.
pub(super) type Processor = Arc<dyn Fn(&Cx) -> Value + Send + Sync>;

/// The context processors of an application and its blueprints.
pub(super) struct Processors {
    pub(super) app: Vec<Processor>,
    /// By the blueprint's full name, outer ones before those within.
    pub(super) blueprints: Vec<(String, Vec<Processor>)>,
}

impl Processors {
    /// The view's values over those of the processors of the request's blueprint, of those around it, and of the
    /// application.
    pub(super) fn context(&self, cx: &Cx, own: impl Serialize) -> Value {
        let here = cx.blueprint().unwrap_or_default();
        let around = self
            .blueprints
            .iter()
            .filter(|(name, _)| is_within(here, name));
        let processors = self
            .app
            .iter()
            .chain(around.flat_map(|(_, processors)| processors));
        let made: Vec<Value> = processors.map(|make| make(cx)).collect();
        let own = __value(&own);
        match made.is_empty() {
            true => own,
            false => merge_maps(made.into_iter().chain([own])),
        }
    }
}

/// Whether the blueprint `here` is `name` or within it.
fn is_within(here: &str, name: &str) -> bool {
    let below = here.strip_prefix(name);
    below.is_some_and(|below| below.is_empty() || below.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blueprint_is_within_itself_and_those_around_it() {
        assert!(is_within("admin", "admin"));
        assert!(is_within("admin.users", "admin"));
        assert!(!is_within("administration", "admin"));
        assert!(!is_within("", "admin"));
    }
}
