//! What every template may call: `url_for`, `get_flashed_messages`, `csrf_token`, `csrf_field`, `csp_nonce`, and `request`.

use gateway_spec::http::Method;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use super::request::RequestValue;
use crate::context::{Cx, current};
use crate::routing::{OwnedValue, UrlOptions};

pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_function("url_for", url_for);
    environment.add_function("get_flashed_messages", get_flashed_messages);
    environment.add_function("csrf_token", || here()?.csrf_token().map_err(failed));
    environment.add_function("csrf_field", csrf_field);
    environment.add_function("csp_nonce", || here()?.csp_nonce().map_err(failed));
    environment.add_global("request", Value::from_object(RequestValue));
}

/// The request that the template is rendered for.
pub(super) fn here() -> Result<Cx, Error> {
    current().ok_or_else(|| {
        let message = "this is rendered for no request";
        Error::new(ErrorKind::InvalidOperation, message)
    })
}

/// The URL of an endpoint: `url_for("user", id=7)`. `_anchor`, `_method`, `_scheme` and `_external` are as in Flask;
/// a value that is none or undefined counts as not given.
fn url_for(endpoint: String, given: Kwargs) -> Result<String, Error> {
    let anchor: Option<String> = given.get("_anchor")?;
    let method: Option<String> = given.get("_method")?;
    let scheme: Option<String> = given.get("_scheme")?;
    let external: Option<bool> = given.get("_external")?;
    let method = method.map(|name| Method::from_bytes(name.as_bytes()));
    let method = method.transpose().map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "_method is no method").with_source(error)
    })?;
    let mut values = Vec::new();
    for name in given.args().filter(|name| !OPTIONS.contains(name)) {
        for value in url_values(given.get(name)?)? {
            values.push((name, value));
        }
    }
    let values: Vec<_> = (values.iter())
        .map(|(name, value)| (*name, value.as_value()))
        .collect();
    let options = UrlOptions {
        method: method.as_ref(),
        external: external.unwrap_or(false),
        scheme: scheme.as_deref(),
        anchor: anchor.as_deref(),
    };
    here()?
        .url_with(&endpoint, &values, options)
        .map_err(failed)
}

/// A template's value as the router takes it; a list is several values.
fn url_values(value: Value) -> Result<Vec<OwnedValue>, Error> {
    let one = match value.kind() {
        ValueKind::Undefined | ValueKind::None => return Ok(Vec::new()),
        ValueKind::Bool => OwnedValue::Bool(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(number) if value.is_integer() => OwnedValue::Int(number),
            _ if value.is_integer() => value.to_string().into(),
            _ => OwnedValue::Float(f64::try_from(value)?),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            let each = value.try_iter()?.map(url_values);
            return Ok(each.collect::<Result<Vec<_>, _>>()?.concat());
        }
        _ => value.to_string().into(),
    };
    Ok(vec![one])
}

/// The hidden input that takes the token along in a form.
fn csrf_field() -> Result<Value, Error> {
    let token = here()?.csrf_token().map_err(failed)?;
    let input = format!(r#"<input type="hidden" name="csrf_token" value="{token}">"#);
    // A token is base64 and dots.
    Ok(Value::from_safe_string(input))
}

/// The messages that were left for this page, with their categories if asked for; `category_filter` names those
/// that count.
fn get_flashed_messages(
    with_categories: Option<bool>,
    category_filter: Option<Vec<String>>,
    named: Kwargs,
) -> Result<Value, Error> {
    let with_categories = with_categories.or(named.get("with_categories")?);
    let filter = category_filter.or(named.get("category_filter")?);
    named.assert_all_used()?;
    let wanted = |category: &String| match &filter {
        Some(filter) => filter.is_empty() || filter.contains(category),
        None => true,
    };
    let messages = here()?.flashed().into_iter();
    let messages = messages.filter(|(category, _)| wanted(category));
    Ok(match with_categories.unwrap_or(false) {
        true => messages
            .map(|(category, text)| Value::from(vec![category, text]))
            .collect(),
        false => messages.map(|(_, text)| Value::from(text)).collect(),
    })
}

fn failed(error: crate::error::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string())
}

const OPTIONS: [&str; 4] = ["_anchor", "_method", "_scheme", "_external"];
