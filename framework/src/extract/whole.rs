//! The request's parts as arguments: its context, method, fields, cookies.

use std::ops::Deref;

use gateway_spec::http::{HeaderMap, Method};

use super::{Arg, Kind, Take};
use crate::context::Cx;
use crate::error::{Error, HttpError, Result};
use crate::extract::Check;
use crate::multidict::MultiDict;

/// The cookies that came with the request.
#[derive(Clone, Debug)]
pub struct Cookies(pub MultiDict);

impl Deref for Cookies {
    type Target = MultiDict;

    fn deref(&self) -> &MultiDict {
        &self.0
    }
}

impl Arg for Cx {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        Ok(t.cx().clone())
    }
}

impl Arg for Method {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        Ok(t.cx().method().clone())
    }
}

impl Arg for HeaderMap {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        Ok(t.cx().headers().clone())
    }
}

impl Arg for Cookies {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        Ok(Self(t.cx().cookies().clone()))
    }
}

impl Arg for HttpError {
    type Path<Rest> = Rest;

    /// What an error handler answers; elsewhere there is none.
    async fn take(t: &mut Take<'_>) -> Result<Self> {
        t.cx()
            .failure()
            .ok_or_else(|| Error::message("`HttpError` is an argument of error handlers alone"))
    }
}

impl<T: Arg> Arg for Result<T> {
    const KIND: Kind = T::KIND;
    type Path<Rest> = T::Path<Rest>;

    fn check(check: &mut Check<'_>) {
        T::check(check);
    }

    /// The argument, or why there is none, for views that answer that themselves.
    async fn take(t: &mut Take<'_>) -> Result<Self> {
        Ok(T::take(t).await)
    }
}
