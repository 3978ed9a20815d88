//! Rules and questions about them, as both sides read them.

use serde::Serialize;
use serde_json::Value as Json;

/// A set of rules and what is asked of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Spec {
    #[serde(skip)]
    pub(crate) name: String,
    /// Why our answer is another one, where it should be.
    #[serde(skip)]
    pub(crate) better: Option<&'static str>,
    pub(crate) options: Opts,
    pub(crate) rules: Vec<RuleSpec>,
    pub(crate) find: Vec<Find>,
    pub(crate) build: Vec<Build>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Opts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strict_slashes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merge_slashes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_defaults: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sort_parameters: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_subdomain: Option<String>,
    pub(crate) host_matching: bool,
    /// Whether rules are chosen by subdomains; always so in Werkzeug.
    #[serde(skip)]
    pub(crate) subdomains: bool,
}

/// What `Rule` takes.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct RuleSpec {
    pub(crate) rule: String,
    pub(crate) endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) methods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) defaults: Option<Vec<(String, TaggedValue)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subdomain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strict_slashes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merge_slashes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_to: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) build_only: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) alias: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) websocket: bool,
}

/// A value and its kind: `["int", "5"]`.
pub(crate) type TaggedValue = (String, Json);

/// Where a request stands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct At {
    pub(crate) server_name: String,
    pub(crate) subdomain: String,
    pub(crate) script_name: String,
    pub(crate) url_scheme: String,
    pub(crate) query: String,
    pub(crate) websocket: bool,
}

/// A path to be matched, raw; characters are octets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Find {
    pub(crate) at: At,
    pub(crate) path: String,
    pub(crate) method: String,
    #[serde(skip)]
    pub(crate) better: Option<&'static str>,
}

/// A URL to be built.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Build {
    pub(crate) at: At,
    pub(crate) request_method: String,
    pub(crate) endpoint: String,
    pub(crate) values: Vec<(String, TaggedValue)>,
    pub(crate) method: Option<String>,
    pub(crate) external: bool,
    pub(crate) scheme: Option<String>,
    #[serde(skip)]
    pub(crate) better: Option<&'static str>,
}

impl Default for At {
    fn default() -> Self {
        Self {
            server_name: "example.com".into(),
            subdomain: String::new(),
            script_name: String::new(),
            url_scheme: "http".into(),
            query: String::new(),
            websocket: false,
        }
    }
}

pub(crate) fn text(text: &str) -> TaggedValue {
    ("text".into(), text.into())
}

pub(crate) fn int(number: i64) -> TaggedValue {
    ("int".into(), number.to_string().into())
}

pub(crate) fn float(number: f64) -> TaggedValue {
    ("float".into(), number.into())
}

pub(crate) fn uuid(text: &str) -> TaggedValue {
    ("uuid".into(), text.into())
}

pub(crate) fn list(items: &[&str]) -> TaggedValue {
    ("list".into(), items.into())
}

pub(crate) fn truth(truth: bool) -> TaggedValue {
    ("bool".into(), truth.into())
}
