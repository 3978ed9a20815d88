//! Pages from templates, in Jinja's language.
//!
//! ```
//! use carafe::*;
//!
//! async fn hello(cx: Cx, name: String) -> Result<Html> {
//!     render(&cx, "hello.html", ctx! { name })
//! }
//!
//! let app = App::new()
//!     .template("hello.html", "<h1>Hello {{ name }}!</h1>")
//!     .get("/<name>", hello);
//! assert_eq!(app.test().get("/<b>").text(), "<h1>Hello &lt;b&gt;!</h1>");
//! ```
//!
//! Templates usually stand in a folder, [`App::templates`](crate::App::templates). They inherit, include and import each other, as in Flask;
//! values are escaped in `.html`, `.htm`, `.xml`, `.xhtml` and `.svg`. Everywhere at hand: `url_for(endpoint, ...)`,
//! `get_flashed_messages()`, `csrf_token()`, `csrf_field()`, `csp_nonce()` and `request`.

mod context;
mod escape;
mod globals;
mod loader;
mod nonces;
mod request;
mod settings;
mod setup;
mod streamed;

use std::path::Path;

use minijinja::Environment;
use serde::Serialize;

pub use minijinja::value::Kwargs;
pub use minijinja::{Error as TemplateError, ErrorKind as TemplateErrorKind, State, Value};
pub use streamed::stream_template;

use crate::answer::Html;
use crate::config::{Config, ConfigError};
use crate::context::{Cx, inside};
use crate::error::{Error, Result};
use crate::parts::Parts;
use crate::signals;
use crate::signals::events::{BeforeRenderTemplate, TemplateRendered};
use context::Processors;
#[doc(hidden)]
pub use context::{__context, __value};
use loader::Loader;
use settings::Settings;
use setup::Setup;

/// A page from a template: `render(&cx, "user.html", ctx! { user })`.
///
/// `context` is what [`ctx!`](crate::ctx) makes, or anything that serializes as a map; it wins over what context
/// processors add. For text that is no page, take it out of the [`Html`].
///
/// # Errors
///
/// There is no such template, or it failed; the log names template and line. Both are answered 500.
#[track_caller]
pub fn render(cx: &Cx, name: &str, context: impl Serialize) -> Result<Html> {
    let templates = Templates::of(cx)?;
    let context = templates.processors.context(cx, context);
    let page = told_of(cx, name, &context, || {
        templates.environment.get_template(name)?.render(&context)
    });
    Ok(Html(page?))
}

/// A page from a template that stands in the code; its values are escaped.
///
/// # Errors
///
/// As [`render`]; the template is called `<string>`.
#[track_caller]
pub fn render_str(cx: &Cx, source: &str, context: impl Serialize) -> Result<Html> {
    let templates = Templates::of(cx)?;
    let context = templates.processors.context(cx, context);
    let source = templates.nonced(source);
    let page = told_of(cx, escape::STRING, &context, || {
        (templates.environment).render_named_str(escape::STRING, &source, &context)
    });
    Ok(Html(page?))
}

/// Renders in the request's context, with the signals before and behind.
fn told_of<T>(
    cx: &Cx,
    name: &str,
    context: &Value,
    render: impl FnOnce() -> std::result::Result<T, TemplateError>,
) -> std::result::Result<T, TemplateError> {
    signals::send(cx, || BeforeRenderTemplate {
        template: name.to_owned(),
        context: context.clone(),
    });
    let page = inside(cx, render)?;
    signals::send(cx, || TemplateRendered {
        template: name.to_owned(),
        context: context.clone(),
    });
    Ok(page)
}

/// The application's templates, as they serve.
pub(crate) struct Templates {
    environment: Environment<'static>,
    processors: Processors,
    /// Whether scripts and styles of pages get nonces.
    nonces: bool,
}

impl Templates {
    /// Reads and compiles all templates of an application and its blueprints.
    ///
    /// # Errors
    ///
    /// All mistakes: folders that are missing, templates that do not compile.
    pub(crate) fn read(
        config: &Config,
        root: &Path,
        app: &Parts,
        blueprints: &[(String, Parts)],
        nonces: bool,
    ) -> Result<Self, Vec<String>> {
        let settings =
            Settings::read(config).map_err(|error: ConfigError| vec![error.to_string()])?;
        let own = app.get::<Setup>();
        let theirs = blueprints.iter();
        let theirs =
            theirs.filter_map(|(name, parts)| Some((name.as_str(), parts.get::<Setup>()?)));
        let all = || {
            own.into_iter()
                .chain(theirs.clone().map(|(_, setup)| setup))
        };

        let mut mistakes = Vec::new();
        let loader = Loader::new(root, all(), nonces, &mut mistakes);
        let names = loader.names(&mut mistakes);
        let mut environment = Environment::new();
        environment.set_loader(move |name| loader.load(name));
        environment.set_auto_reload(settings.auto_reload);
        environment.set_fuel(Some(settings.fuel));
        environment.set_debug(config.debug());
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        escape::install(&mut environment);
        globals::install(&mut environment);
        for setup in all() {
            setup.install(&mut environment);
        }
        for (name, place) in names {
            match environment.get_template(&name) {
                // A file that is no text is no template.
                Err(error) if error.kind() != TemplateErrorKind::TemplateNotFound => {
                    mistakes.push(told(&error, &place));
                }
                _ => {}
            }
        }
        match mistakes.is_empty() {
            true => Ok(Self {
                environment,
                processors: Processors {
                    app: own.map_or_else(Vec::new, |setup| setup.processors.clone()),
                    blueprints: theirs
                        .map(|(name, setup)| (name.to_owned(), setup.processors.clone()))
                        .collect(),
                },
                nonces,
            }),
            false => Err(mistakes),
        }
    }

    fn of(cx: &Cx) -> Result<std::sync::Arc<Self>> {
        cx.state()
            .ok_or_else(|| Error::message("templates are read when the application starts"))
    }

    fn nonced<'s>(&self, source: &'s str) -> std::borrow::Cow<'s, str> {
        match self.nonces {
            true => nonces::with_nonces(source),
            false => source.into(),
        }
    }
}

/// A mistake in a template, with the file and the line.
fn told(error: &TemplateError, place: &str) -> String {
    let line = error.line().map(|line| format!(":{line}"));
    let detail = error.detail().map(|detail| format!(": {detail}"));
    format!(
        "{place}{}: {}{}",
        line.unwrap_or_default(),
        error.kind(),
        detail.unwrap_or_default()
    )
}
