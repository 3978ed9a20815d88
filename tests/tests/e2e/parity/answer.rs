//! What of two answers is compared.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use carafe::signing::{Derivation, Signer, unpack};
use gateway_tests::response::Response;
use serde_json::Value as Json;

/// An answer without what may differ from one server to another.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    status: u16,
    /// By name, in the order of lines; cookies, lists and what servers add apart.
    fields: Vec<(String, String)>,
    /// Members of lists such as Allow.
    lists: Vec<(&'static str, BTreeSet<String>)>,
    cookies: Vec<Cookie>,
    body: Body,
}

#[derive(Debug, PartialEq)]
enum Body {
    /// The page of the framework's own for an error or a redirect.
    Page,
    Json(Json),
    Bytes(String),
}

#[derive(Debug, PartialEq)]
struct Cookie {
    name: String,
    value: Json,
    attributes: BTreeSet<String>,
}

impl Answer {
    pub(super) fn of(response: &Response) -> Self {
        let kind = response.field("content-type").unwrap_or_default();
        let is_page = kind.starts_with("text/html")
            && response
                .body
                .to_ascii_lowercase()
                .starts_with(b"<!doctype html>\n<html lang=en>\n<title>");
        let is_redirect =
            (300..400).contains(&response.status) && response.field("location").is_some();
        let is_json = kind.starts_with("application/json") && !response.body.is_empty();
        let mut fields: Vec<(String, String)> = (response.fields.iter())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .filter(|(name, _)| !ADDED.contains(&name.as_str()) && !LISTS.contains(&name.as_str()))
            .filter(|(name, _)| !(is_redirect && name == "content-type"))
            .collect();
        for (name, value) in &mut fields {
            if name == "expires" {
                "in time".clone_into(value);
            }
        }
        fields.sort_by(|one, other| one.0.cmp(&other.0));
        Self {
            status: response.status,
            fields,
            lists: LISTS.map(|name| (name, members(response, name))).into(),
            cookies: response.all("set-cookie").map(Cookie::read).collect(),
            body: match () {
                () if is_page || is_redirect => Body::Page,
                () if is_json => Body::Json(response.json()),
                () => Body::Bytes(response.body.escape_ascii().to_string()),
            },
        }
    }

    /// What differs.
    pub(super) fn against(&self, theirs: &Self) -> String {
        let parts = |answer: &Self| {
            [
                format!("status {}", answer.status),
                format!("fields {:?}", answer.fields),
                format!("lists {:?}", answer.lists),
                format!("cookies {:?}", answer.cookies),
                format!("body {:?}", answer.body),
            ]
        };
        let pairs = parts(self).into_iter().zip(parts(theirs));
        let differing = pairs.filter(|(ours, theirs)| ours != theirs);
        differing
            .map(|(ours, theirs)| format!("  ours   {ours}\n  theirs {theirs}\n"))
            .collect()
    }
}

fn members(response: &Response, name: &str) -> BTreeSet<String> {
    let lines = response.all(name);
    let words = lines
        .flat_map(|line| line.split(','))
        .map(|word| word.trim().to_owned());
    // Error pages come as HTML or JSON, which Flask's do not.
    words
        .filter(|word| !word.is_empty() && word != "Accept")
        .collect()
}

impl Cookie {
    fn read(line: &str) -> Self {
        let mut parts = line.split(';').map(str::trim);
        let pair = parts.next().unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let is_session = name == "session";
        // What carafe adds to sessions, and nobody asked Flask for.
        let added = |part: &&str| is_session && *part == "SameSite=Lax";
        Self {
            name: name.to_owned(),
            value: match is_session && !value.is_empty() {
                true => opened(value),
                false => value.into(),
            },
            attributes: parts.filter(|part| !added(part)).map(attribute).collect(),
        }
    }
}

/// The document in a session's cookie.
fn opened(cookie: &str) -> Json {
    let secret = parity_secret();
    let signer = Signer::new([secret.as_bytes()], "cookie-session", Derivation::Hmac);
    let month = Duration::from_secs(31 * 24 * 3600);
    let signed = signer.verify(cookie, SystemTime::now(), Some(month));
    let signed = signed.unwrap_or_else(|error| panic!("{error}: {cookie}"));
    let text = unpack(signed.payload, 1 << 20).expect("a packed document");
    serde_json::from_slice(&text).expect("JSON")
}

fn parity_secret() -> &'static str {
    "parity-0123456789-abcdef-present"
}

/// A time is in a month or it is long ago: the servers' clocks may differ by the second.
fn attribute(part: &str) -> String {
    match part.split_once('=') {
        Some(("Expires", at)) if at.contains("1970") || at.contains("2096") => part.to_owned(),
        Some(("Expires", _)) => "Expires=in time".to_owned(),
        _ => part.to_owned(),
    }
}

/// What servers and carafe add, and how long a body is.
const ADDED: [&str; 17] = [
    "connection",
    "content-length",
    "content-security-policy",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "permissions-policy",
    "referrer-policy",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
];
/// Fields that are lists, in any order.
const LISTS: [&str; 2] = ["allow", "vary"];
