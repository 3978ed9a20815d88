//! What a command's function gives.

use std::future::{Future, ready};
use std::marker::PhantomData;

use super::command::CallCommand;
use crate::context::Cx;
use crate::error::{Error, Result};
use crate::extract::Args;
use crate::step::Calling;
use crate::view::{Later, Now, ViewFn};

/// What a command tells at its end: an exit status from 0 to 255, and text for standard output.
#[diagnostic::on_unimplemented(
    message = "a command cannot return `{Self}`",
    label = "expected nothing, text, an exit status, or a `Result` of those",
    note = "`()`, `&str`, `String`, `u8`, `(u8, text)`, or a `Result` of those"
)]
pub trait Told {
    /// The status and the text; a line end is added to a text that has none.
    ///
    /// # Errors
    ///
    /// Why the command failed: it is written to standard error.
    fn told(self) -> Result<(u8, String)>;
}

/// What a command's function gives: an end, or the future of one; see [`Reply`](crate::Reply).
#[diagnostic::on_unimplemented(
    message = "a command cannot return `{Self}`",
    label = "expected nothing, text, an exit status, or a future of those",
    note = "`()`, `&str`, `String`, `u8`, `(u8, text)`, or a `Result` of those"
)]
pub trait CommandReply<M> {
    /// The end.
    type Output;
    /// The future of the end.
    fn resolve(self) -> impl Future<Output = Self::Output> + Send
    where
        Self: Send;
}

impl<T: Told> CommandReply<Now> for T {
    type Output = T;

    fn resolve(self) -> impl Future<Output = T> + Send
    where
        T: Send,
    {
        ready(self)
    }
}

impl<F: Future> CommandReply<Later> for F {
    type Output = F::Output;

    fn resolve(self) -> impl Future<Output = F::Output> + Send
    where
        F: Send,
    {
        self
    }
}

impl Told for () {
    fn told(self) -> Result<(u8, String)> {
        Ok((0, String::new()))
    }
}

impl Told for &str {
    fn told(self) -> Result<(u8, String)> {
        Ok((0, self.to_owned()))
    }
}

impl Told for String {
    fn told(self) -> Result<(u8, String)> {
        Ok((0, self))
    }
}

impl Told for u8 {
    fn told(self) -> Result<(u8, String)> {
        Ok((self, String::new()))
    }
}

impl<T: Into<String>> Told for (u8, T) {
    fn told(self) -> Result<(u8, String)> {
        Ok((self.0, self.1.into()))
    }
}

impl<T: Told, E: Into<Error>> Told for Result<T, E> {
    fn told(self) -> Result<(u8, String)> {
        self.map_err(Into::into)?.told()
    }
}

/// A command's function with the types of its arguments and marker.
pub(super) struct Function<V, T> {
    function: V,
    types: PhantomData<fn() -> T>,
}

impl<V, T> Function<V, T> {
    pub(super) fn new(function: V) -> Self {
        Self {
            function,
            types: PhantomData,
        }
    }
}

impl<V, A, M> CallCommand for Function<V, (A, M)>
where
    V: ViewFn<A>,
    A: Args,
    M: 'static,
    V::Out: CommandReply<M, Output: Told> + Send,
{
    fn call<'a>(&'a self, cx: &'a Cx) -> Calling<'a, (u8, String)> {
        Box::pin(async move {
            let args = A::take(cx).await?;
            self.function.invoke(args).resolve().await.told()
        })
    }
}
