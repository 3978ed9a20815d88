//! Asking our own router.

use std::any::Any;
use std::sync::Arc;

use carafe::routing::{
    Binding, BuildError, Converter, Domains, Map, MethodSet, Mistakes, Options, Outcome,
    OwnedValue, RedirectTo, Rule, UrlOptions, Value, ValueType,
};
use http::Method;
use serde_json::{Value as Json, json};

use crate::spec::{At, Build, Find, RuleSpec, Spec, TaggedValue};

/// The specification's rules as a map.
pub(crate) fn map(spec: &Spec) -> Result<Map, Mistakes> {
    let default = Options::default();
    let given = &spec.options;
    let options = Options {
        strict_slashes: given.strict_slashes.unwrap_or(true),
        merge_slashes: given.merge_slashes.unwrap_or(true),
        redirect_defaults: given.redirect_defaults.unwrap_or(true),
        sort_query: given.sort_parameters.unwrap_or(false),
        default_subdomain: given.default_subdomain.clone().unwrap_or_default(),
        domains: match (given.host_matching, given.subdomains) {
            (true, _) => Domains::Hosts,
            (false, true) => Domains::Subdomains,
            (false, false) => default.domains,
        },
    };
    let builder = Map::builder(options).converter("list", |arguments| {
        arguments
            .bind([])
            .map(|[]| Arc::new(List) as Arc<dyn Converter>)
    });
    spec.rules
        .iter()
        .fold(builder, |builder, one| builder.rule(rule(one)))
        .build()
}

/// What the path leads to, in the oracle's words.
pub(crate) fn find(map: &Map, case: &Find) -> Json {
    let path: Vec<u8> = case.path.chars().map(|c| c as u8).collect();
    let query: Vec<u8> = case.at.query.chars().map(|c| c as u8).collect();
    let at = binding(&case.at, &query, &Method::GET);
    match map.find(&at, &path, &method(&case.method)) {
        Outcome::Found(found) => {
            let rule = map.rule(found.rule).unwrap();
            let names = rule.arguments().enumerate();
            let values = names.map(|(place, (name, expected))| {
                let value = found.value(place, &path).unwrap();
                check_type(value, expected);
                (name.to_owned(), tagged(value))
            });
            let values: serde_json::Map<String, Json> = values.collect();
            json!([
                "found",
                found.rule.0,
                map.endpoint_name(found.endpoint),
                values
            ])
        }
        Outcome::Redirect(location) => json!(["redirect", location]),
        Outcome::MethodNotAllowed(allowed) => json!(["methods", sorted(&allowed)]),
        Outcome::WebSocketMismatch => json!(["websocket"]),
        Outcome::NotFound => json!(["nothing"]),
    }
}

/// What is built, in the oracle's words.
pub(crate) fn build(map: &Map, case: &Build) -> Json {
    let request_method = method(&case.request_method);
    let at = binding(&case.at, b"", &request_method);
    let owned: Vec<(&str, OwnedValue)> = case
        .values
        .iter()
        .map(|(name, value)| (name.as_str(), owned(value)))
        .collect();
    let values: Vec<(&str, Value<'_>)> = owned
        .iter()
        .map(|(name, value)| (*name, value.as_value()))
        .collect();
    let wanted = case.method.as_deref().map(method);
    let options = UrlOptions {
        method: wanted.as_ref(),
        external: case.external,
        scheme: case.scheme.as_deref(),
        anchor: None,
    };
    match map.url(&at, &case.endpoint, &values, options) {
        Ok(url) => json!(["url", url]),
        Err(BuildError::Endpoint { nearest, .. }) => json!(["endpoint", nearest]),
        Err(BuildError::Values {
            missing, methods, ..
        }) => {
            json!(["values", missing, methods.map(|methods| sorted(&methods))])
        }
        Err(BuildError::Value { .. }) => json!(["value"]),
        Err(other) => panic!("{other}"),
    }
}

fn binding<'a>(at: &'a At, query: &'a [u8], method: &'a Method) -> Binding<'a> {
    Binding {
        scheme: &at.url_scheme,
        server_name: &at.server_name,
        subdomain: &at.subdomain,
        mount: &at.script_name,
        query,
        method,
        websocket: at.websocket,
    }
}

fn rule(spec: &RuleSpec) -> Rule {
    let mut rule = Rule::new(&spec.rule, &spec.endpoint);
    if let Some(methods) = &spec.methods {
        let methods: Vec<Method> = methods.iter().map(|one| method(one)).collect();
        rule = rule.methods(&methods);
    }
    for (name, value) in spec.defaults.iter().flatten() {
        rule = rule.default_value(name, owned(value));
    }
    if let Some(subdomain) = &spec.subdomain {
        rule = rule.subdomain(subdomain);
    }
    if let Some(host) = &spec.host {
        rule = rule.host(host);
    }
    if let Some(strict) = spec.strict_slashes {
        rule = rule.strict_slashes(strict);
    }
    if let Some(merge) = spec.merge_slashes {
        rule = rule.merge_slashes(merge);
    }
    if let Some(target) = &spec.redirect_to {
        rule = rule.redirect_to(RedirectTo::Template(target.clone()));
    }
    for (wanted, set) in [
        (spec.build_only, Rule::build_only as fn(Rule) -> Rule),
        (spec.alias, Rule::alias),
        (spec.websocket, Rule::websocket),
    ] {
        if wanted {
            rule = set(rule);
        }
    }
    rule
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

fn sorted(methods: &MethodSet) -> Vec<String> {
    let mut names: Vec<String> = methods.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

fn owned((kind, content): &TaggedValue) -> OwnedValue {
    let text = || content.as_str().unwrap();
    match kind.as_str() {
        "text" => text().into(),
        "int" => text().parse::<i64>().unwrap().into(),
        "float" => content.as_f64().unwrap().into(),
        "bool" => content.as_bool().unwrap().into(),
        "uuid" => text().parse::<uuid::Uuid>().unwrap().into(),
        "list" => {
            let items = content.as_array().unwrap().iter();
            let items: Vec<String> = items.map(|one| one.as_str().unwrap().to_owned()).collect();
            OwnedValue::Custom(Arc::new(items))
        }
        other => panic!("{other}"),
    }
}

fn tagged(value: Value<'_>) -> Json {
    match value {
        Value::Text(text) => json!(["text", text]),
        Value::Int(int) => json!(["int", int.to_string()]),
        Value::Float(float) => json!(["float", float.to_bits()]),
        Value::Bool(truth) => json!(["bool", truth]),
        Value::Uuid(uuid) => json!(["uuid", uuid.to_string()]),
        Value::Custom(custom) => json!(["list", custom.downcast_ref::<Vec<String>>().unwrap()]),
    }
}

/// A value is of the type that its rule promises.
fn check_type(value: Value<'_>, expected: ValueType) {
    let found = match value {
        Value::Text(_) => "String",
        Value::Int(_) => "i64",
        Value::Float(_) => "f64",
        Value::Bool(_) => "bool",
        Value::Uuid(_) => "Uuid",
        Value::Custom(_) => "Vec<String>",
    };
    assert_eq!(found, expected.name());
}

/// A converter with values of its own: `a+b` is a list.
struct List;

impl Converter for List {
    fn pattern(&self) -> &str {
        r"[a-z]+(?:\+[a-z]+)*"
    }

    fn weight(&self) -> i32 {
        80
    }

    fn value_type(&self) -> ValueType {
        ValueType::Custom("Vec<String>")
    }

    fn parse(&self, text: &str) -> Option<OwnedValue> {
        let items: Vec<String> = text.split('+').map(str::to_owned).collect();
        Some(OwnedValue::Custom(
            Arc::new(items) as Arc<dyn Any + Send + Sync>
        ))
    }

    fn format(&self, value: Value<'_>) -> Result<String, String> {
        let Value::Custom(value) = value else {
            return Err("expected a list".to_owned());
        };
        let items = value
            .downcast_ref::<Vec<String>>()
            .ok_or("expected a list of texts")?;
        Ok(items.join("+"))
    }
}
