//! [`Blueprint`]: a part of an application, with its own prefix, hooks and error handlers.

use std::panic::Location;

use crate::scope::{Entry, Scope, registers};

/// A part of an application, registered with [`App::blueprint`](crate::App::blueprint) or in
/// another blueprint. Its endpoints are named `blueprint.view`.
///
/// ```
/// # use carafe::*;
/// fn admin() -> Blueprint {
///     Blueprint::new("admin").prefix("/admin").get("/", async || "The back office")
/// }
/// # assert_eq!(App::new().blueprint(admin()).test().get("/admin/").text(), "The back office");
/// ```
#[must_use = "a blueprint does nothing until it is registered"]
pub struct Blueprint {
    scope: Scope,
}

impl Blueprint {
    /// A blueprint of this name, without a dot.
    #[track_caller]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            scope: Scope {
                name: name.into(),
                origin: Some(Location::caller()),
                ..Scope::default()
            },
        }
    }

    /// What stands before each of its rules; may have variables, which its views take first.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.scope.prefix = prefix.into();
        self
    }

    /// Takes a value of the prefix out of its views' arguments; hooks find it by
    /// [`Cx::value`](crate::Cx::value).
    pub fn pull(mut self, name: impl Into<String>) -> Self {
        self.scope.pulled.push(name.into());
        self
    }

    /// The subdomain of its rules that name none.
    pub fn subdomain(mut self, subdomain: impl Into<String>) -> Self {
        self.scope.subdomain = Some(subdomain.into());
        self
    }

    /// The host of its rules that name none.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.scope.host = Some(host.into());
        self
    }

    /// A blueprint within this one: prefixes, names, hooks and error handlers nest.
    pub fn blueprint(mut self, inner: Self) -> Self {
        self.scope.entries.push(Entry::Blueprint(inner.scope));
        self
    }

    pub(crate) fn into_scope(self) -> Scope {
        self.scope
    }
}

registers!(Blueprint, "the blueprint");

impl std::fmt::Debug for Blueprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blueprint({:?})", self.scope.name)
    }
}
