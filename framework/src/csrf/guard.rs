//! The guard in front of every view: on unless it is switched off by name.

use std::panic::Location;
use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};

use super::token::{self, BadToken};
use super::{Origin, Refusal, Verdict, judge};
use crate::app::App;
use crate::config::{Config, ConfigError, time};
use crate::context::Cx;
use crate::error::{HttpError, Result};
use crate::step;
use crate::view::{ViewFn, modified};

/// The section `csrf`.
#[derive(Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    enabled: bool,
    /// Origins that may do what this site's own pages may.
    trusted_origins: Vec<String>,
    /// `WTF_CSRF_TIME_LIMIT`: how long a token in a page is good.
    #[serde(deserialize_with = "time")]
    time_limit: Duration,
}

/// What the application itself says of the guard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    off: bool,
    trusted: Vec<String>,
}

/// A route that anybody may post to.
struct Exempt;

/// The origins that the guard trusts, where there is a guard.
struct Trusted(Vec<Origin>);

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            trusted_origins: Vec::new(),
            time_limit: Duration::from_secs(3600),
        }
    }
}

impl App {
    /// Lets pages of another origin, such as `https://pay.example`, post to this site, as the setting
    /// `csrf.trusted_origins` does.
    pub fn trusted_origin(mut self, origin: impl Into<String>) -> Self {
        self.part::<Choice>().trusted.push(origin.into());
        self
    }

    /// Lets every page of the web make its visitors post to this site, as `csrf.enabled = false` does: for
    /// applications that no browser logs in to.
    pub fn without_csrf_protection(mut self) -> Self {
        self.part::<Choice>().off = true;
        self
    }
}

/// A view that pages of any origin may post to: `post("/hook", csrf_exempt(hook))`.
pub fn csrf_exempt<A, V: ViewFn<A>>(view: V) -> impl ViewFn<A, Out = V::Out> {
    modified(view, |options| options.put(Exempt))
}

/// The application with the guard before all others, unless it is switched off.
///
/// # Errors
///
/// A trusted origin is none, or the section cannot be read.
#[track_caller]
pub(crate) fn guarded(mut app: App, config: &Config) -> Result<App, SettingsError> {
    let settings: Settings = config.section("csrf")?;
    let choice = app.part::<Choice>().clone();
    if choice.off || !settings.enabled {
        return Ok(app);
    }
    let named = settings.trusted_origins.iter().chain(&choice.trusted);
    let trusted = named
        .map(|origin| Origin::parse(origin))
        .collect::<Result<Vec<_>, _>>()?;
    let time_limit = settings.time_limit;
    app.state.put(Trusted(trusted.clone()));
    let guard = move |cx: Cx| {
        let verdict = verdict(&cx, &trusted);
        async move {
            match verdict {
                Verdict::Pass => Ok(()),
                Verdict::Refuse(refusal) => Err(from_elsewhere(&refusal)),
                // Few requests get here, and its future is large: the others need no room for it.
                Verdict::NeedsToken => Box::pin(verify_token(&cx, time_limit)).await,
            }
        }
    };
    let mut step = step::hook(guard, Location::caller());
    step.facts.only_unsafe = true;
    app.scope.guards.insert(0, step);
    Ok(app)
}

/// What keeps the guard from standing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("csrf.trusted_origins: {0}")]
    Origin(#[from] super::BadOrigin),
}

/// Refuses what a page of another site asks for though its method is safe: a WebSocket carries the visitor's
/// cookies, and no browser keeps the answers from that page. Browsers always say where it comes from.
pub(crate) fn same_site(cx: &Cx) -> Result<()> {
    let Some(trusted) = cx.state::<Trusted>() else {
        return Ok(());
    };
    if cx.option::<Exempt>().is_some() {
        return Ok(());
    }
    match judge(&Method::POST, cx.headers(), &cx.host(), &trusted.0) {
        Verdict::Pass | Verdict::NeedsToken => Ok(()),
        Verdict::Refuse(refusal) => Err(from_elsewhere(&refusal)),
    }
}

fn verdict(cx: &Cx, trusted: &[Origin]) -> Verdict {
    if cx.endpoint().is_none() || cx.option::<Exempt>().is_some() {
        return Verdict::Pass;
    }
    judge(cx.method(), cx.headers(), &cx.host(), trusted)
}

async fn verify_token(cx: &Cx, time_limit: Duration) -> Result<()> {
    let named = ["x-csrftoken", "x-csrf-token"];
    let given = match named.iter().find_map(|name| cx.header(name)) {
        Some(token) => Some(token.to_owned()),
        None => cx.form().await?.get(token::FIELD).map(str::to_owned),
    };
    let verdict = match given {
        Some(given) => token::verify(cx, &given, time_limit, SystemTime::now()),
        None => Err(BadToken::Missing),
    };
    verdict.map_err(|bad| {
        let told = HttpError::new(StatusCode::BAD_REQUEST).describe(bad.for_visitors());
        told.advise(bad.to_string()).into()
    })
}

fn from_elsewhere(refusal: &Refusal) -> crate::error::Error {
    HttpError::new(StatusCode::FORBIDDEN)
        .describe("This request comes from another site, and was not carried out.")
        .advise(refusal.to_string())
        .into()
}
