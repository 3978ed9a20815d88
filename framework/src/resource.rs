//! [`Resource`]: the views of one rule, by method: Flask's `MethodView`.

use std::panic::Location;

use gateway_spec::http::Method;

use crate::answer::IntoResponse;
use crate::extract::Args;
use crate::route::Route;
use crate::rule::rule;
use crate::step;
use crate::view::{Reply, ViewFn};

/// The views of one rule, by method.
///
/// ```
/// use carafe::*;
///
/// struct Teas;
///
/// impl Teas {
///     async fn list() -> &'static str {
///         "oolong"
///     }
///
///     async fn brew(name: Bytes) -> (u16, Bytes) {
///         (201, name)
///     }
/// }
///
/// fn app() -> App {
///     App::new().resource("/teas", Resource::new().get(Teas::list).post(Teas::brew))
/// }
///
/// let client = app().test();
/// assert_eq!(client.get("/teas").text(), "oolong");
/// assert_eq!(client.post("/teas", "green").status(), 201);
/// assert_eq!(client.request(DELETE, "/teas").send().status(), 405);
/// ```
#[must_use = "a resource does nothing until it is registered"]
#[derive(Default)]
pub struct Resource {
    views: Vec<MakeRoute>,
}

type MakeRoute = Box<dyn FnOnce(&str, &'static Location<'static>) -> Route>;

impl Resource {
    /// No views yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The view for GET and HEAD.
    pub fn get<V, A, M>(self, view: V) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: Reply<M, Output: IntoResponse> + Send,
    {
        self.on([Method::GET], view)
    }

    /// The view for POST.
    pub fn post<V, A, M>(self, view: V) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: Reply<M, Output: IntoResponse> + Send,
    {
        self.on([Method::POST], view)
    }

    /// The view for PUT.
    pub fn put<V, A, M>(self, view: V) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: Reply<M, Output: IntoResponse> + Send,
    {
        self.on([Method::PUT], view)
    }

    /// The view for PATCH.
    pub fn patch<V, A, M>(self, view: V) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: Reply<M, Output: IntoResponse> + Send,
    {
        self.on([Method::PATCH], view)
    }

    /// The view for DELETE.
    pub fn delete<V, A, M>(self, view: V) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: Reply<M, Output: IntoResponse> + Send,
    {
        self.on([Method::DELETE], view)
    }

    /// The view for these methods.
    pub fn on<V, A, M>(mut self, methods: impl IntoIterator<Item = Method>, view: V) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: Reply<M, Output: IntoResponse> + Send,
    {
        let methods = methods.into_iter().collect();
        self.views.push(Box::new(move |text, origin| {
            let options = view.options();
            Route {
                rule: rule(text),
                methods,
                view: step::view(view, origin),
                options,
            }
        }));
        self
    }

    /// The routes of its views under one rule.
    pub(crate) fn into_routes(self, text: &str, origin: &'static Location<'static>) -> Vec<Route> {
        let views = self.views.into_iter();
        views.map(|make| make(text, origin)).collect()
    }
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resource({} views)", self.views.len())
    }
}
