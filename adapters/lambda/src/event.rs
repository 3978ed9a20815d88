//! From an event to a request.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway_spec::hosting::Arrival;
use gateway_spec::{Address, Body, Request, Scheme};
use http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::api::Invocation;

/// Whose event it is: each wants another document back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// API Gateway's REST interface, version 1.
    Rest,
    /// Its HTTP interface, version 2, and function URLs.
    Http,
    /// An application load balancer, with repeated fields or without.
    Balancer { repeats: bool },
}

/// Why an event is no request.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is another kind of event.
    NoRequest(String),
    /// Its client is to blame.
    Refused(StatusCode, Shape),
}

/// Reads the request in an event.
pub(crate) fn read(invocation: &Invocation) -> Result<(Request, Shape), Unreadable> {
    let no = |what: &str| Unreadable::NoRequest(what.to_owned());
    let event: Value = serde_json::from_slice(&invocation.event)
        .map_err(|error| no(&format!("expected JSON: {error}")))?;
    let shape = shape(&event).ok_or_else(|| no(EXPECTED))?;
    let request = request(&event, shape, &invocation.id);
    request
        .map(|request| (request, shape))
        .ok_or(Unreadable::Refused(StatusCode::BAD_REQUEST, shape))
}

fn shape(event: &Value) -> Option<Shape> {
    let context = &event["requestContext"];
    if context["http"].is_object() {
        Some(Shape::Http)
    } else if context["elb"].is_object() {
        let repeats = event["multiValueHeaders"].is_object();
        Some(Shape::Balancer { repeats })
    } else if event["httpMethod"].is_string() {
        Some(Shape::Rest)
    } else {
        None
    }
}

fn request(event: &Value, shape: Shape, id: &str) -> Option<Request> {
    let context = &event["requestContext"];
    let fields = fields(event);
    let field = |wanted: &str| {
        let mut lines = fields.iter().filter(|(name, _)| name == wanted);
        lines.next().map(|(_, value)| value.as_str())
    };
    let method = match shape {
        Shape::Http => context["http"]["method"].as_str(),
        _ => event["httpMethod"].as_str(),
    };
    let method = Method::from_bytes(method?.as_bytes()).ok()?;
    let (path, mount) = path(event, shape)?;
    let target = match query(event, shape) {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut arrival = Arrival::new(method, Version::HTTP_11, &target).ok()?;
    for (name, value) in &fields {
        // Framing is over here, and there is no stream to switch.
        if ["content-length", "transfer-encoding", "upgrade"].contains(&name.as_str()) {
            continue;
        }
        arrival.field(name, HeaderValue::from_str(value).ok()?.as_bytes());
    }
    if field("host").is_none() {
        let host = context["domainName"].as_str().unwrap_or("localhost");
        arrival.field("host", host.as_bytes());
    }
    let body = body(event)?;
    if !body.is_empty() {
        arrival.field("content-length", body.len().to_string().as_bytes());
    }
    let body = (!body.is_empty()).then(|| Body::from(body));
    let request = arrival.finish(body).ok()?.with_mount(mount.as_bytes())?;
    let scheme = match field("x-forwarded-proto") {
        Some("http") => Scheme::Http,
        _ => Scheme::Https,
    };
    let client = match shape {
        Shape::Http => context["http"]["sourceIp"].as_str(),
        Shape::Rest => context["identity"]["sourceIp"].as_str(),
        // What the balancer has added itself.
        Shape::Balancer { .. } => field("x-forwarded-for")
            .and_then(|list| list.rsplit(',').next())
            .map(str::trim),
    };
    let client = client.and_then(|client| client.parse::<IpAddr>().ok());
    let client = client.map_or(Address::Unknown, |ip| SocketAddr::new(ip, 0).into());
    Some(
        request
            .with_scheme(scheme)
            .with_addresses(&client, &client, &Address::Unknown)
            .with_id(id),
    )
}

/// Field lines: lower-case name and value.
fn fields(event: &Value) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut add = |name: &str, value: &Value| {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Some(value)) = (name, value.as_str()) {
            fields.push((name.as_str().to_owned(), value.trim().to_owned()));
        }
    };
    if let Some(all) = event["multiValueHeaders"].as_object() {
        for (name, values) in all {
            for value in values.as_array().into_iter().flatten() {
                add(name, value);
            }
        }
    } else {
        for (name, value) in event["headers"].as_object().into_iter().flatten() {
            add(name, value);
        }
    }
    let cookies = event["cookies"].as_array().into_iter().flatten();
    let cookies: Vec<&str> = cookies.filter_map(Value::as_str).collect();
    if !cookies.is_empty() {
        fields.push(("cookie".to_owned(), cookies.join("; ")));
    }
    fields
}

/// The path, and what of it the front has mounted the function under.
fn path(event: &Value, shape: Shape) -> Option<(String, String)> {
    let context = &event["requestContext"];
    if shape == Shape::Http {
        let path = rooted(event["rawPath"].as_str()?);
        let stage = context["stage"]
            .as_str()
            .filter(|stage| *stage != "$default");
        let mount = stage.map(|stage| format!("/{}", encoded(stage)));
        let below = |mount: &String| {
            let rest = path.strip_prefix(mount.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mount = mount.filter(below).unwrap_or_default();
        return Some((path, mount));
    }
    let path = rooted(event["path"].as_str()?);
    // With stage and mapping; `path` is without.
    let whole = context["path"].as_str().map(rooted);
    match whole {
        Some(whole) if shape == Shape::Rest && whole.ends_with(&path) => {
            let mount = whole[..whole.len() - path.len()].to_owned();
            if mount.ends_with('/') {
                return Some((path, String::new()));
            }
            Some((whole, mount))
        }
        _ => Some((path, String::new())),
    }
}

fn rooted(path: &str) -> String {
    let path = encoded(path);
    if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    }
}

/// With escapes for what may not stand in a path, which fronts have decoded.
fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

fn query(event: &Value, shape: Shape) -> Option<String> {
    if shape == Shape::Http {
        let query = event["rawQueryString"].as_str()?;
        return (!query.is_empty()).then(|| query.to_owned());
    }
    let mut pairs = Vec::new();
    let mut add = |name: &str, value: &Value| {
        let value = value.as_str().unwrap_or_default();
        pairs.push(match shape {
            // A load balancer passes them on as they came.
            Shape::Balancer { .. } => format!("{name}={value}"),
            _ => format!("{}={}", component(name), component(value)),
        });
    };
    if let Some(all) = event["multiValueQueryStringParameters"].as_object() {
        for (name, values) in all {
            for value in values.as_array().into_iter().flatten() {
                add(name, value);
            }
        }
    } else {
        let all = event["queryStringParameters"].as_object();
        for (name, value) in all.into_iter().flatten() {
            add(name, value);
        }
    }
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

fn body(event: &Value) -> Option<Vec<u8>> {
    let Some(body) = event["body"].as_str() else {
        return Some(Vec::new());
    };
    if event["isBase64Encoded"].as_bool().unwrap_or_default() {
        return STANDARD.decode(body).ok();
    }
    Some(body.as_bytes().to_vec())
}

const EXPECTED: &str =
    "expected an event of API Gateway, an application load balancer or a function URL";
/// What may not stand in a path; an escape that is there stays.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`');
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
