//! URLs of views: [`Cx::url`] by function, [`Cx::url_for`] by name.

use uuid::Uuid;

use crate::context::Cx;
use crate::error::{Error, Result};
use crate::extract::Args;
use crate::request;
use crate::routing::{OwnedValue, UrlOptions, Value};
use crate::view::ViewFn;

/// A tuple of values for the path values `P` of a view.
#[diagnostic::on_unimplemented(
    message = "these values do not make a URL of this view",
    label = "expected a tuple of the view's path values, `{P}`",
    note = "`()` for a view without path values, `(7,)` for one of one number"
)]
pub trait UrlValues<P> {
    /// The values, in the view's order.
    fn into_values(self) -> Vec<OwnedValue>;
}

/// A value for a path value of type `P`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value for a path value of type `{P}`",
    label = "expected `{P}`"
)]
pub trait UrlValue<P> {
    /// The value.
    fn into_value(self) -> OwnedValue;
}

impl Cx {
    /// The URL of a view of this application, checked by the compiler: `cx.url(show_user, (7,))?`.
    /// A view on several rules: the one in the present blueprint first, then the one that the
    /// values fit.
    ///
    /// # Errors
    ///
    /// If the view is not registered, or no rule of it takes the values.
    pub fn url<V, A, U>(&self, view: V, values: U) -> Result<String>
    where
        V: ViewFn<A>,
        A: Args,
        U: UrlValues<A::Path>,
    {
        let options = view.options();
        let values = values.into_values();
        let here = self.blueprint();
        let mut endpoints: Vec<_> = (self.site().endpoints.iter())
            .filter(|endpoint| endpoint.view == options.view)
            .filter(|endpoint| {
                options
                    .name
                    .as_deref()
                    .is_none_or(|name| endpoint.is_named(name))
            })
            .collect();
        endpoints.sort_by_key(|endpoint| endpoint.blueprint.as_deref() != here);
        let mut last = None;
        for endpoint in endpoints {
            let names = endpoint.arguments.iter().map(String::as_str);
            let pairs: Vec<_> = names.zip(values.iter().map(OwnedValue::as_value)).collect();
            match self.build(&endpoint.name, &pairs, UrlOptions::default()) {
                Ok(url) => return Ok(url),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            let view = options.view_name;
            Error::message(format!(
                "no URL: the view `{view}` is on no rule of this application"
            ))
        }))
    }

    /// The URL of an endpoint by its name, `.name` for one in the present blueprint. Values that
    /// are no variables of the rule go to the query.
    ///
    /// # Errors
    ///
    /// If there is no such endpoint, or it lacks a value; the error says what is nearest.
    pub fn url_for(&self, endpoint: &str, values: &[(&str, Value<'_>)]) -> Result<String> {
        self.url_with(endpoint, values, UrlOptions::default())
    }

    /// As [`url_for`](Cx::url_for), with a method, a scheme, an anchor, or as a whole URL.
    ///
    /// # Errors
    ///
    /// As [`url_for`](Cx::url_for).
    pub fn url_with(
        &self,
        endpoint: &str,
        values: &[(&str, Value<'_>)],
        options: UrlOptions<'_>,
    ) -> Result<String> {
        match (endpoint.strip_prefix('.'), self.blueprint()) {
            (Some(name), Some(blueprint)) => {
                self.build(&format!("{blueprint}.{name}"), values, options)
            }
            (Some(name), None) => self.build(name, values, options),
            (None, _) => self.build(endpoint, values, options),
        }
    }

    fn build(
        &self,
        endpoint: &str,
        values: &[(&str, Value<'_>)],
        options: UrlOptions<'_>,
    ) -> Result<String> {
        let (site, head) = (self.site(), self.head());
        let host = request::host(head.authority(), head.scheme());
        let binding = site.binding(head, &host);
        let mut values = values.to_vec();
        // Values of the present path that the endpoint's prefix pulled, such as a language.
        let target = site.endpoints.iter().find(|known| known.name == endpoint);
        for name in target.into_iter().flat_map(|target| &target.pulled) {
            if let Some(value) = self.value(name)
                && !values.iter().any(|(other, _)| other == name)
            {
                values.push((name, value));
            }
        }
        Ok(site.map.url(&binding, endpoint, &values, options)?)
    }
}

macro_rules! values {
    ($($type:ty => $path:ty, $value:ident => $made:expr;)*) => { $(
        impl UrlValue<$path> for $type {
            fn into_value(self) -> OwnedValue {
                let $value = self;
                $made
            }
        }
    )* };
}

values! {
    &str => String, text => text.into();
    String => String, text => text.into();
    &String => String, text => text.as_str().into();
    f64 => f64, number => OwnedValue::Float(number);
    bool => bool, truth => OwnedValue::Bool(truth);
    Uuid => Uuid, uuid => OwnedValue::Uuid(uuid);
    i8 => i8, number => OwnedValue::Int(number.into());
    i16 => i16, number => OwnedValue::Int(number.into());
    i32 => i32, number => OwnedValue::Int(number.into());
    i64 => i64, number => OwnedValue::Int(number);
    u8 => u8, number => OwnedValue::Int(number.into());
    u16 => u16, number => OwnedValue::Int(number.into());
    u32 => u32, number => OwnedValue::Int(number.into());
    u64 => u64, number => wide(number);
    usize => usize, number => wide(number);
    isize => isize, number => wide(number);
}

/// A number beyond `i64` stands as text, which every integer converter writes as it is.
fn wide<N: TryInto<i64> + ToString + Copy>(number: N) -> OwnedValue {
    match number.try_into() {
        Ok(number) => OwnedValue::Int(number),
        Err(_) => number.to_string().into(),
    }
}

macro_rules! arity {
    ($($value:ident $path:ident $name:ident)*) => {
        impl<$($value: UrlValue<$path>, $path),*> UrlValues<($($path,)*)> for ($($value,)*) {
            fn into_values(self) -> Vec<OwnedValue> {
                let ($($name,)*) = self;
                vec![$($name.into_value()),*]
            }
        }
    };
}

arity!();
arity!(A P a);
arity!(A P a B Q b);
arity!(A P a B Q b C R c);
arity!(A P a B Q b C R c D S d);
arity!(A P a B Q b C R c D S d E T e);
arity!(A P a B Q b C R c D S d E T e F U f);
