//! The framework's own signals, under Flask's names.

use gateway_spec::http::StatusCode;
use minijinja::Value;

/// A request has found its route, or none, and no hook has run yet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestStarted;

/// The response is as it will be sent.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestFinished {
    /// Its status.
    pub status: StatusCode,
}

/// All of a request is over, its response's body too.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestTearingDown;

/// Something failed that nobody expected, and is answered 500.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GotRequestException {
    /// The error and its causes, as the log has them.
    pub error: String,
}

/// A template is about to be rendered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BeforeRenderTemplate {
    /// Its name; `<string>` for one that stands in the code.
    pub template: String,
    /// What it sees.
    pub context: Value,
}

/// A template was rendered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TemplateRendered {
    /// Its name; `<string>` for one that stands in the code.
    pub template: String,
    /// What it saw.
    pub context: Value,
}

/// A message was left for the next page.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MessageFlashed {
    /// Its category.
    pub category: String,
    /// Its text.
    pub message: String,
}
