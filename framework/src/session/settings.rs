//! What the configuration says of sessions: the section `session`.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::config::{Config, ConfigError, optional_time, time};
use crate::request::Request;
use crate::response::{Cookie, SameSite};

/// The section `session`, with Flask's settings under their names there, in lower case.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// `SESSION_COOKIE_NAME`.
    pub(super) cookie_name: String,
    cookie_path: String,
    cookie_domain: Option<String>,
    cookie_secure: Secure,
    cookie_http_only: bool,
    #[serde(deserialize_with = "same_site")]
    cookie_same_site: Option<SameSite>,
    cookie_partitioned: bool,
    /// `PERMANENT_SESSION_LIFETIME`: how long a session is good after it was last written.
    #[serde(deserialize_with = "time")]
    pub(super) lifetime: Duration,
    /// How long it is good after it was begun, however often it is written. Not limited by default.
    #[serde(deserialize_with = "optional_time")]
    pub(super) absolute_lifetime: Option<Duration>,
    /// `SESSION_REFRESH_EACH_REQUEST`: whether a request that reads a permanent session prolongs it.
    pub(super) refresh_each_request: bool,
}

/// Whether the cookie is for HTTPS alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secure {
    /// Unless the site is one on this machine, asked for by http.
    Auto,
    Fixed(bool),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cookie_name: "session".to_owned(),
            cookie_path: "/".to_owned(),
            cookie_domain: None,
            cookie_secure: Secure::Auto,
            cookie_http_only: true,
            cookie_same_site: Some(SameSite::Lax),
            cookie_partitioned: false,
            lifetime: Duration::from_secs(31 * 24 * 60 * 60),
            absolute_lifetime: None,
            refresh_each_request: true,
        }
    }
}

impl Settings {
    pub(super) fn read(config: &Config) -> Result<Self, ConfigError> {
        config.section("session")
    }

    /// The cookie with this value, and all that the settings say of it.
    pub(super) fn cookie(&self, value: String, secure: bool) -> Cookie {
        Cookie::new(self.cookie_name.clone(), value)
            .path(self.cookie_path.clone())
            .domain(self.cookie_domain.clone())
            .secure(secure)
            .http_only(self.cookie_http_only)
            .same_site(self.cookie_same_site)
            .partitioned(self.cookie_partitioned)
    }

    /// Whether the cookie for this request's site is for HTTPS alone.
    pub(super) fn secure_for(&self, request: &Request) -> bool {
        match self.cookie_secure {
            Secure::Fixed(secure) => secure,
            Secure::Auto => request.is_secure() || !is_local(&request.host()),
        }
    }
}

/// Hosts that browsers take to be this machine, and so as trustworthy as HTTPS.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address: Option<std::net::IpAddr> = name.parse().ok();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_some_and(|address| address.is_loopback())
}

impl<'de> Deserialize<'de> for Secure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Written {
            Fixed(bool),
            Word(String),
        }
        match Written::deserialize(from) {
            Ok(Written::Fixed(secure)) => Ok(Self::Fixed(secure)),
            Ok(Written::Word(word)) if word == "auto" => Ok(Self::Auto),
            _ => Err(D::Error::custom("expected true, false or \"auto\"")),
        }
    }
}

fn same_site<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SameSite>, D::Error> {
    match String::deserialize(from)?.to_ascii_lowercase().as_str() {
        "strict" => Ok(Some(SameSite::Strict)),
        "lax" => Ok(Some(SameSite::Lax)),
        "none" => Ok(Some(SameSite::None)),
        "unset" => Ok(None),
        _ => Err(D::Error::custom(
            "expected \"strict\", \"lax\", \"none\" or \"unset\"",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Settings, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn times_are_seconds_or_have_units() {
        for (json, seconds) in [("60", 60), ("\"31d\"", 2_678_400), ("\"1h 30m\"", 5_400)] {
            let settings = read(&format!("{{\"lifetime\":{json}}}")).unwrap();
            assert_eq!(settings.lifetime.as_secs(), seconds, "{json}");
        }
        assert!(read("{\"lifetime\":\"soon\"}").unwrap_err().contains("31d"));
        let endless = read(&format!("{{\"lifetime\":{}}}", u64::MAX));
        assert!(endless.unwrap_err().contains("100 years"));
        assert!(read("{\"lifetimes\":1}").unwrap_err().contains("lifetimes"));
    }

    #[test]
    fn a_cookie_is_for_https_alone_unless_the_site_is_on_this_machine() {
        for host in [
            "localhost",
            "localhost:8000",
            "a.localhost",
            "127.0.0.1:80",
            "[::1]:80",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "example.org",
            "localhost.example.org",
            "10.0.0.1",
            "",
            "[::2]",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        assert!(
            read("{\"cookie_secure\":\"maybe\"}")
                .unwrap_err()
                .contains("auto")
        );
        assert!(
            read("{\"cookie_same_site\":\"loose\"}")
                .unwrap_err()
                .contains("lax")
        );
        let settings = read("{\"cookie_secure\":false,\"cookie_same_site\":\"Strict\"}").unwrap();
        assert_eq!(settings.cookie_secure, Secure::Fixed(false));
        assert_eq!(settings.cookie_same_site, Some(SameSite::Strict));
    }
}
