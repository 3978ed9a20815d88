//! [`Scope`]: what an application or a blueprint has registered, before it is compiled.

use std::ops::RangeInclusive;
use std::panic::Location;

use gateway_spec::http::StatusCode;

use crate::parts::Parts;
use crate::route::Route;
use crate::step::{CallCatch, CallChange, CallHook, CallView, Step};

/// Registrations of an application or a blueprint, in their order.
#[derive(Default)]
pub(crate) struct Scope {
    /// Empty for the application.
    pub(crate) name: String,
    pub(crate) origin: Option<&'static Location<'static>>,
    pub(crate) prefix: String,
    pub(crate) subdomain: Option<String>,
    pub(crate) host: Option<String>,
    /// Values of the prefix that its views do not see.
    pub(crate) pulled: Vec<String>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) guards: Vec<Step<dyn CallHook>>,
    pub(crate) before: Vec<Step<dyn CallHook>>,
    pub(crate) after: Vec<Step<dyn CallChange>>,
    pub(crate) teardown: Vec<Step<dyn CallHook>>,
    pub(crate) handlers: Handlers,
    pub(crate) parts: Parts,
}

/// A route, or a blueprint with routes of its own: rules keep the order of registration.
pub(crate) enum Entry {
    Route(Route),
    Blueprint(Scope),
}

/// Error handlers of one scope.
#[derive(Default)]
pub(crate) struct Handlers {
    /// By exact code and by range of codes.
    pub(crate) by_code: Vec<(Codes, Step<dyn CallView>)>,
    pub(crate) by_type: Vec<Step<dyn CallCatch>>,
}

/// Which statuses an error handler is for: `404`, `400..=499`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes(pub(crate) RangeInclusive<u16>);

impl From<u16> for Codes {
    fn from(code: u16) -> Self {
        Self(code..=code)
    }
}

impl From<StatusCode> for Codes {
    fn from(status: StatusCode) -> Self {
        status.as_u16().into()
    }
}

impl From<RangeInclusive<u16>> for Codes {
    fn from(codes: RangeInclusive<u16>) -> Self {
        Self(codes)
    }
}

impl Codes {
    pub(crate) fn is_exact(&self) -> bool {
        self.0.start() == self.0.end()
    }
}

/// The methods by which [`App`](crate::App) and [`Blueprint`](crate::Blueprint) register things;
/// `scope` is their field.
macro_rules! registers {
    ($owner:ident, $whole:literal) => {
        impl $owner {
            #[doc = concat!("A view for GET (and HEAD) requests of ", $whole, ".")]
            #[track_caller]
            pub fn get<V, A, M>(self, rule: impl Into<$crate::rule::Rule>, view: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                self.route(rule, [::gateway_spec::http::Method::GET], view)
            }

            /// A view for POST requests.
            #[track_caller]
            pub fn post<V, A, M>(self, rule: impl Into<$crate::rule::Rule>, view: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                self.route(rule, [::gateway_spec::http::Method::POST], view)
            }

            /// A view for PUT requests.
            #[track_caller]
            pub fn put<V, A, M>(self, rule: impl Into<$crate::rule::Rule>, view: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                self.route(rule, [::gateway_spec::http::Method::PUT], view)
            }

            /// A view for PATCH requests.
            #[track_caller]
            pub fn patch<V, A, M>(self, rule: impl Into<$crate::rule::Rule>, view: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                self.route(rule, [::gateway_spec::http::Method::PATCH], view)
            }

            /// A view for DELETE requests.
            #[track_caller]
            pub fn delete<V, A, M>(self, rule: impl Into<$crate::rule::Rule>, view: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                self.route(rule, [::gateway_spec::http::Method::DELETE], view)
            }

            /// A view for requests of these methods: `.route("/login", [GET, POST], login)`. HEAD
            /// comes with GET, and OPTIONS is answered by itself unless it is named.
            #[track_caller]
            pub fn route<V, A, M>(
                mut self,
                rule: impl Into<$crate::rule::Rule>,
                methods: impl IntoIterator<Item = ::gateway_spec::http::Method>,
                view: V,
            ) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                let origin = ::std::panic::Location::caller();
                let options = view.options();
                self.scope
                    .entries
                    .push($crate::scope::Entry::Route($crate::route::Route {
                        rule: rule.into(),
                        methods: methods.into_iter().collect(),
                        view: $crate::step::view(view, origin),
                        options,
                    }));
                self
            }

            /// The views of one rule, by method.
            #[track_caller]
            pub fn resource(
                mut self,
                rule: impl Into<String>,
                resource: $crate::resource::Resource,
            ) -> Self {
                let origin = ::std::panic::Location::caller();
                let routes = resource.into_routes(&rule.into(), origin);
                let entries = routes.into_iter().map($crate::scope::Entry::Route);
                self.scope.entries.extend(entries);
                self
            }

            #[doc = concat!("A hook before the views of ", $whole, ". It may answer in the view's")]
            /// place; later hooks before the view are then left out, those after it are not.
            #[track_caller]
            pub fn before<V, A, M>(mut self, hook: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::HookReply<M, Output: $crate::answer::Answer> + Send,
            {
                let origin = ::std::panic::Location::caller();
                self.scope.before.push($crate::step::hook(hook, origin));
                self
            }

            /// A hook before all hooks, for what protects the application: it may refuse the
            /// request. Guards of the application come before those of its blueprints.
            #[track_caller]
            pub fn guard<V, A, M>(mut self, hook: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::HookReply<M, Output: $crate::answer::Answer> + Send,
            {
                let origin = ::std::panic::Location::caller();
                self.scope.guards.push($crate::step::hook(hook, origin));
                self
            }

            #[doc = concat!("A hook that changes the responses of ", $whole, ": it takes the")]
            /// `Response` first, then arguments as a view does. The last registered runs first.
            #[track_caller]
            pub fn after<V, A, M>(mut self, hook: V) -> Self
            where
                V: $crate::view::FirstFn<$crate::response::Response, A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                let origin = ::std::panic::Location::caller();
                self.scope.after.push($crate::step::change(hook, origin));
                self
            }

            /// A hook that runs when all is over: the call, the response's body and the view's
            /// job. It runs whatever happened; an error of its own is logged.
            #[track_caller]
            pub fn teardown<V, A, M>(mut self, hook: V) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::HookReply<M, Output: $crate::answer::Answer> + Send,
            {
                let origin = ::std::panic::Location::caller();
                self.scope.teardown.push($crate::step::hook(hook, origin));
                self
            }

            /// The answer to errors of these codes: `.error(404, not_found)`, `.error(400..=499, ..)`.
            /// It may take an `HttpError`; a plain body keeps the error's status.
            #[track_caller]
            pub fn error<V, A, M>(
                mut self,
                codes: impl Into<$crate::scope::Codes>,
                handler: V,
            ) -> Self
            where
                V: $crate::view::ViewFn<A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                let origin = ::std::panic::Location::caller();
                let handler = $crate::step::view(handler, origin);
                self.scope.handlers.by_code.push((codes.into(), handler));
                self
            }

            /// The answer to errors of one type: `.error_type(|error: DbError, cx: Cx| ..)`; with
            /// [`Source<DbError>`](crate::Source), to those that have one among their causes as well.
            #[track_caller]
            pub fn error_type<E, V, A, M>(mut self, handler: V) -> Self
            where
                E: $crate::error::Caught,
                V: $crate::view::FirstFn<E, A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                let origin = ::std::panic::Location::caller();
                let handler = $crate::step::catch::<E, V, A, M>(handler, origin);
                self.scope.handlers.by_type.push(handler);
                self
            }

            /// The answer to every error that no closer handler takes.
            #[track_caller]
            pub fn error_any<V, A, M>(mut self, handler: V) -> Self
            where
                V: $crate::view::FirstFn<$crate::error::Error, A>,
                A: $crate::extract::Args,
                M: 'static,
                V::Out: $crate::view::Reply<M, Output: $crate::answer::IntoResponse> + Send,
            {
                let origin = ::std::panic::Location::caller();
                let handler = $crate::step::catch_all(handler, origin);
                self.scope.handlers.by_type.push(handler);
                self
            }

            /// What another room or crate keeps with this registration, by type; made when first
            /// asked for. Extensions find it when they start.
            pub fn part<T: Clone + Default + Send + Sync + 'static>(&mut self) -> &mut T {
                self.scope.parts.entry()
            }
        }
    };
}
pub(crate) use registers;
