//! The section `security` of the configuration.

use std::borrow::Cow;

use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use serde::Deserialize;

use super::content::{BadPolicy, ContentPolicy};
use super::policy::Policy;
use super::reports::PLACE;
use crate::config::{Config, ConfigError};

/// Which headers there are, and their values. Each may be `false`, `true`, which is the default, or the value.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    enabled: bool,
    content_security_policy: Setting,
    /// Whether browsers only report what the policy forbids.
    content_security_policy_report_only: bool,
    content_type_options: Setting,
    frame_options: Setting,
    permissions_policy: Setting,
    referrer_policy: Setting,
    strict_transport_security: Setting,
    xss_protection: Setting,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Setting {
    Switch(bool),
    Value(String),
}

/// A setting that is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("security.content_security_policy: {0}")]
    Content(#[from] BadPolicy),
    #[error("security.frame_options: expected DENY or SAMEORIGIN, or false, found `{0}`")]
    Frames(String),
    #[error("security.{name}: expected the value of a header field, found `{found}`")]
    Value { name: &'static str, found: String },
}

impl Settings {
    pub(super) fn read(config: &Config) -> Result<Self, ConfigError> {
        config.section("security")
    }

    /// None if all is switched off. A developer's browser is not told to use HTTPS for a year.
    pub(super) fn policy(&self, debug: bool) -> Result<Option<Policy>, SettingsError> {
        if !self.enabled {
            return Ok(None);
        }
        let frames = match self.frame_options.or(DENY) {
            None => None,
            Some(DENY) => Some("'none'"),
            Some("SAMEORIGIN") => Some("'self'"),
            Some(other) => return Err(SettingsError::Frames(other.escape_debug().to_string())),
        };
        let content = match self.content_security_policy.or(CONTENT) {
            Some(text) => Some(ContentPolicy::parse(&reporting(text, debug), frames)?),
            None => None,
        };
        let transport = (self.strict_transport_security)
            .value("strict_transport_security", TRANSPORT)?
            .filter(|_| !debug);
        let content_name = match self.content_security_policy_report_only {
            true => CONTENT_SECURITY_POLICY_REPORT_ONLY,
            false => CONTENT_SECURITY_POLICY,
        };
        let lines = self.lines()?;
        Ok(Some(Policy::new(&lines, content, content_name, transport)))
    }

    fn lines(&self) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
        let all = [
            (
                X_CONTENT_TYPE_OPTIONS,
                self.content_type_options
                    .value("content_type_options", "nosniff"),
            ),
            (
                X_FRAME_OPTIONS,
                self.frame_options.value("frame_options", DENY),
            ),
            (
                REFERRER_POLICY,
                self.referrer_policy.value("referrer_policy", REFERRER),
            ),
            (
                PERMISSIONS_POLICY,
                self.permissions_policy
                    .value("permissions_policy", PERMISSIONS),
            ),
            (
                X_XSS_PROTECTION,
                self.xss_protection.value("xss_protection", "0"),
            ),
        ];
        let set = all
            .into_iter()
            .filter_map(|(name, value)| Some(value.transpose()?.map(|value| (name, value))));
        set.collect()
    }
}

/// The policy with a place to complain to, in debug runs; it may name one itself.
fn reporting(policy: &str, debug: bool) -> Cow<'_, str> {
    match debug && !policy.contains("report-") {
        true => format!("{policy}; report-uri {PLACE}").into(),
        false => policy.into(),
    }
}

impl Setting {
    /// The text, none if it is switched off.
    fn or<'a>(&'a self, usual: &'a str) -> Option<&'a str> {
        match self {
            Self::Switch(on) => on.then_some(usual),
            Self::Value(text) => Some(text),
        }
    }

    /// The value of the field, none if it is switched off.
    fn value(
        &self,
        name: &'static str,
        usual: &'static str,
    ) -> Result<Option<HeaderValue>, SettingsError> {
        match self {
            Self::Switch(false) => Ok(None),
            Self::Switch(true) => Ok(Some(HeaderValue::from_static(usual))),
            Self::Value(text) => match HeaderValue::try_from(text.as_str()) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(SettingsError::Value {
                    name,
                    found: text.escape_debug().to_string(),
                }),
            },
        }
    }
}

impl Default for Setting {
    fn default() -> Self {
        Self::Switch(true)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            content_security_policy: Setting::default(),
            content_security_policy_report_only: false,
            content_type_options: Setting::default(),
            frame_options: Setting::default(),
            permissions_policy: Setting::default(),
            referrer_policy: Setting::default(),
            strict_transport_security: Setting::default(),
            xss_protection: Setting::default(),
        }
    }
}

const DENY: &str = "DENY";
/// What a page of this site may load, and where it may send forms.
const CONTENT: &str = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'";
const REFERRER: &str = "strict-origin-when-cross-origin";
const PERMISSIONS: &str = "browsing-topics=()";
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// A year. Subdomains are left to themselves: they may be somebody else's.
const TRANSPORT: &str = "max-age=31556926";
