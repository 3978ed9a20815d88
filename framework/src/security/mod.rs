//! Header fields that keep browsers from doing harm, on every response (Talisman's place).

mod content;
mod nonce;
mod policy;
mod reports;
mod settings;

use crate::app::App;
use crate::config::Config;
pub(crate) use policy::Policy;
use settings::Settings;
pub(crate) use settings::SettingsError;

impl App {
    /// The Content-Security-Policy of pages, instead of the strict one: `default-src 'self'; img-src *`. A page
    /// that uses [`Cx::csp_nonce`](crate::Cx::csp_nonce) has its nonce added. The setting `security.content_security_policy` wins.
    pub fn content_security_policy(self, policy: impl Into<String>) -> Self {
        self.config_default("security.content_security_policy", policy.into())
    }

    /// Who may show this site in a frame: `DENY`, as is the default, or `SAMEORIGIN`. The setting
    /// `security.frame_options` wins.
    pub fn frame_options(self, who: impl Into<String>) -> Self {
        self.config_default("security.frame_options", who.into())
    }

    /// Leaves one of the security headers out: `content_security_policy`, `content_type_options`, `frame_options`,
    /// `permissions_policy`, `referrer_policy`, `strict_transport_security` or `xss_protection`, as
    /// `security.NAME = false` does.
    pub fn without_security_header(self, name: &str) -> Self {
        self.config_default(format!("security.{name}"), false)
    }

    /// Leaves all security headers out, as `security.enabled = false` does.
    pub fn without_security_headers(self) -> Self {
        self.config_default("security.enabled", false)
    }
}

/// The application with the headers as the last change to every response, unless they are switched off.
///
/// # Errors
///
/// A setting is none.
pub(crate) fn guarded(app: App, config: &Config) -> Result<App, SettingsError> {
    let Some(policy) = Settings::read(config)?.policy(config.debug())? else {
        return Ok(app);
    };
    let app = app.state(policy.clone());
    let app = match config.debug() {
        true => reports::heard(app),
        false => app,
    };
    Ok(app.finish(move |cx, response| policy.apply(cx, response)))
}
