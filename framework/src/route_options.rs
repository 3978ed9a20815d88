//! [`RouteOptions`]: what holds for one route, as the modifiers around its view say.

use std::any::TypeId;

use crate::parts::Parts;

/// What holds for one route. Modifiers around a view (`named("x", view)`, `body_limit(n, view)`)
/// write it when the route is registered; it is read through [`Cx::option`](crate::Cx::option).
#[derive(Clone, Debug)]
pub struct RouteOptions {
    pub(crate) name: Option<String>,
    pub(crate) view: TypeId,
    pub(crate) view_name: &'static str,
    pub(crate) inline: bool,
    pub(crate) body_limit: Option<usize>,
    pub(crate) cancel: bool,
    pub(crate) parts: Parts,
}

impl RouteOptions {
    /// The options of a view without modifiers.
    pub(crate) fn of(view: TypeId, view_name: &'static str) -> Self {
        Self {
            name: None,
            view,
            view_name,
            inline: false,
            body_limit: None,
            cancel: false,
            parts: Parts::new(),
        }
    }

    /// The endpoint's name, instead of the function's.
    pub fn name(&mut self, name: impl Into<String>) {
        self.name = Some(name.into());
    }

    /// Runs a plain view on the event loop.
    pub fn inline(&mut self) {
        self.inline = true;
    }

    /// The most bytes that a buffered body may have.
    pub fn body_limit(&mut self, bytes: usize) {
        self.body_limit = Some(bytes);
    }

    /// Drops the call when the client goes away, instead of finishing it.
    pub fn cancel_on_disconnect(&mut self) {
        self.cancel = true;
    }

    /// An option of another room's or crate's own, by its type.
    pub fn put<T: Send + Sync + 'static>(&mut self, option: T) {
        self.parts.put(option);
    }
}
