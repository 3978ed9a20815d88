//! [`Arg`]: what views, hooks and error handlers may ask for, by the types of their arguments.

mod args;
mod body;
mod check;
mod path;
mod query;
mod state;
mod whole;

use std::future::Future;

use crate::context::Cx;
use crate::error::Result;
use crate::routing::{Value, ValueType};

pub use args::{Args, Flat};
pub use check::Check;
pub use path::PathValue;
pub use query::Query;
pub use state::State;
pub use whole::Cookies;

/// Something that a view can ask for. Arguments may stand in any order and are taken from left to
/// right; path values are handed out in the order of the rule.
///
/// A type of your own:
///
/// ```
/// use carafe::*;
///
/// struct ApiKey(String);
///
/// impl Arg for ApiKey {
///     type Path<Rest> = Rest;
///     async fn take(t: &mut Take<'_>) -> Result<Self> {
///         let key = t.cx().header("x-api-key").or_abort((401, "An X-API-Key is needed."))?;
///         Ok(Self(key.to_owned()))
///     }
/// }
///
/// fn app() -> App {
///     App::new().get("/", async |key: ApiKey| format!("{} characters", key.0.len()))
/// }
/// # assert_eq!(app().test().get("/").status(), 401);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something a view can ask for",
    label = "expected an extractor",
    note = "path values (`i64`, `u32`, `f64`, `String`, `Uuid`, ..), `Cx`, `Query<T>`, `Form<T>`, `Json<T>`, `State<T>`, `Bytes`, `Body`, `Method`, `HeaderMap`, `Cookies`, `Result` of those",
    note = "`Query`, `Form` and `Json` want a `T: serde::Deserialize + Send`; shared state is `State<T>`; for a type of your own implement `Arg`"
)]
pub trait Arg: Sized + Send + 'static {
    /// What start-up has to know of it.
    const KIND: Kind = Kind::Context;

    /// `Rest`, except for path values: then `(Self, Rest)`.
    type Path<Rest>;

    /// Says at start-up what is missing for it: shared state, a setting.
    fn check(_: &mut Check<'_>) {}

    /// Takes it from the request.
    ///
    /// # Errors
    ///
    /// What the client or the application did wrong; the error handlers answer.
    fn take(t: &mut Take<'_>) -> impl Future<Output = Result<Self>> + Send;
}

/// What start-up has to know of an [`Arg`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The next value of the path: its Rust type, and the converters' type that it takes.
    Path(&'static str, ValueType),
    /// From the head of the request, or from the application.
    Context,
    /// From the whole body, which is read once and kept; goes with others of its kind.
    Buffered,
    /// From the form in the body, whose files need not fit into memory; goes with others of its kind and
    /// with buffered ones.
    Form,
    /// The body as it comes; goes with no other that reads the body.
    Streamed,
}

/// What arguments are taken from.
#[derive(Debug)]
pub struct Take<'a> {
    cx: &'a Cx,
    next: usize,
}

impl<'a> Take<'a> {
    pub(crate) fn new(cx: &'a Cx) -> Self {
        Self { cx, next: 0 }
    }

    /// The request's context.
    #[must_use]
    pub fn cx(&self) -> &'a Cx {
        self.cx
    }

    /// The next value of the path; none once all have been handed out.
    pub fn value(&mut self) -> Option<Value<'a>> {
        let value = self.cx.argument(self.next);
        self.next += 1;
        value
    }
}
