//! [`Cookie`]: a `Set-Cookie` line, written as Werkzeug writes it.

use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime};

use gateway_spec::http::HeaderValue;

/// A cookie to set: `Cookie::new("theme", "dark")` lasts as long as the browser, goes to every
/// path, and is hidden from scripts unless [`http_only`](Cookie::http_only) says otherwise.
#[derive(Clone)]
pub struct Cookie {
    name: String,
    value: String,
    path: Option<String>,
    domain: Option<String>,
    max_age: Option<Duration>,
    expires: Option<SystemTime>,
    secure: bool,
    http_only: bool,
    same_site: Option<SameSite>,
    partitioned: bool,
}

/// When a browser sends a cookie along with requests that another site caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Never.
    Strict,
    /// When the user follows a link.
    Lax,
    /// Always; needs `Secure`.
    None,
}

impl Cookie {
    /// A cookie for path `/`, `HttpOnly` and `SameSite=Lax`.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            path: Some("/".to_owned()),
            domain: None,
            max_age: None,
            expires: None,
            secure: false,
            http_only: true,
            same_site: Some(SameSite::Lax),
            partitioned: false,
        }
    }

    /// Sent to this path and below; `None` leaves it to the browser.
    #[must_use]
    pub fn path(mut self, path: impl Into<Option<String>>) -> Self {
        self.path = path.into();
        self
    }

    /// Sent to this domain and below; otherwise to the host that set it alone.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<Option<String>>) -> Self {
        self.domain = domain.into();
        self
    }

    /// Forgotten after this time, in whole seconds.
    #[must_use]
    pub fn max_age(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.max_age = age.into();
        self
    }

    /// Forgotten at this time.
    #[must_use]
    pub fn expires(mut self, at: impl Into<Option<SystemTime>>) -> Self {
        self.expires = at.into();
        self
    }

    /// Sent over HTTPS alone.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Hidden from scripts; the default.
    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// The rule for other sites; `Lax` by default, `None` leaves it to the browser.
    #[must_use]
    pub fn same_site(mut self, same_site: impl Into<Option<SameSite>>) -> Self {
        self.same_site = same_site.into();
        self
    }

    /// One jar for each top-level site (CHIPS); implies `Secure`.
    #[must_use]
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cookie that makes a browser forget this one.
    pub(super) fn removal(mut self) -> Self {
        self.value.clear();
        self.max_age = Some(Duration::ZERO);
        self.expires = Some(SystemTime::UNIX_EPOCH);
        self
    }

    /// The field's value, or what is wrong with the cookie.
    pub(super) fn to_header(&self) -> Result<HeaderValue, String> {
        let name = &self.name;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("expected a cookie's name, found {name:?}"));
        }
        let mut line = format!("{name}={}", quoted(&self.value));
        if let Some(domain) = &self.domain {
            let domain = attribute("Domain", domain)?.trim_start_matches('.');
            let _ = write!(line, "; Domain={domain}");
        }
        if let Some(expires) = self.expires {
            let expires = date(expires)
                .ok_or_else(|| format!("expected the cookie {name} to expire from 1970 to 9999"))?;
            let _ = write!(line, "; Expires={expires}");
        }
        if let Some(age) = self.max_age {
            let _ = write!(line, "; Max-Age={}", age.as_secs());
        }
        if self.secure || self.partitioned {
            line.push_str("; Secure");
        }
        if self.http_only {
            line.push_str("; HttpOnly");
        }
        if let Some(path) = &self.path {
            let _ = write!(line, "; Path={}", attribute("Path", path)?);
        }
        if let Some(same_site) = self.same_site {
            let _ = write!(line, "; SameSite={same_site:?}");
        }
        if self.partitioned {
            line.push_str("; Partitioned");
        }
        HeaderValue::try_from(line).map_err(|_| format!("the cookie {name} makes no valid field"))
    }
}

impl fmt::Debug for Cookie {
    /// Without the value, which is often a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cookie({})", self.name)
    }
}

/// A date as HTTP writes it, which has four digits for the year.
fn date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    (since.as_secs() < YEAR_10000).then(|| httpdate::fmt_http_date(time))
}

/// 10000-01-01T00:00:00Z in seconds of the epoch.
const YEAR_10000: u64 = 253_402_300_800;

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn attribute<'a>(name: &str, value: &'a str) -> Result<&'a str, String> {
    let clean = value
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b';');
    clean
        .then_some(value)
        .ok_or_else(|| format!("expected a cookie's {name} without `;`, found {value:?}"))
}

/// As it stands if every byte may (RFC 6265 §4.1.1), else in quotes with octal escapes.
fn quoted(value: &str) -> String {
    let plain =
        |byte: u8| matches!(byte, b'!' | b'#'..=b'+' | b'-'..=b':' | b'<'..=b'[' | b']'..=b'~');
    if value.bytes().all(plain) {
        return value.to_owned();
    }
    let mut quoted = String::from("\"");
    for byte in value.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' ' => quoted.push(' '),
            byte if plain(byte) => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\{byte:03o}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cookie: &Cookie) -> String {
        cookie.to_header().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_defaults_hide_it_from_scripts_and_from_other_sites() {
        assert_eq!(
            line(&Cookie::new("a", "1")),
            "a=1; HttpOnly; Path=/; SameSite=Lax"
        );
    }

    #[test]
    fn every_attribute_is_written() {
        let cookie = Cookie::new("a", "1")
            .domain(".example.org".to_owned())
            .path("/x".to_owned())
            .max_age(Duration::from_secs(60))
            .expires(SystemTime::UNIX_EPOCH)
            .http_only(false)
            .same_site(SameSite::None)
            .partitioned(true);
        assert_eq!(
            line(&cookie),
            "a=1; Domain=example.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60; Secure; \
             Path=/x; SameSite=None; Partitioned"
        );
    }

    #[test]
    fn what_may_not_stand_in_a_value_is_escaped() {
        let cookie = Cookie::new("a", "x; y\r\n\"é").same_site(None).path(None);
        assert_eq!(line(&cookie), r#"a="x\073 y\015\012\"\303\251"; HttpOnly"#);
    }

    #[test]
    fn a_name_or_path_that_would_end_the_cookie_is_refused() {
        assert!(Cookie::new("a=b", "").to_header().is_err());
        assert!(Cookie::new("", "").to_header().is_err());
        let path = Cookie::new("a", "").path("/;x".to_owned());
        assert!(path.to_header().unwrap_err().contains("Path"));
    }
}
