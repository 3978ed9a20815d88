//! [`Step`]: a view, hook or handler whose type is forgotten.

use std::any::TypeId;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use crate::answer::{Answer, IntoResponse};
use crate::context::Cx;
use crate::error::{Caught, Error, Result};
use crate::extract::{Args, Check, Kind};
use crate::response::Response;
use crate::view::{FirstFn, HookReply, Reply, ViewFn};

/// A view, hook or handler. `Call` says what goes in and comes out.
pub(crate) struct Step<Call: ?Sized> {
    pub(crate) call: Arc<Call>,
    pub(crate) facts: Facts,
}

/// What start-up has to know of a step.
#[derive(Clone)]
pub(crate) struct Facts {
    /// Whether it may block, so that it belongs on the pool.
    pub(crate) plain: bool,
    /// Whether it is passed over for GET and other safe methods (RFC 9110 §9.2.1).
    pub(crate) only_unsafe: bool,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) check: fn(&mut Check<'_>),
    pub(crate) origin: &'static Location<'static>,
}

/// Who takes arguments, in words, for these to say whether they will work once everything is there that they may
/// ask for.
pub(crate) type Asking = Vec<(String, Facts)>;

/// What a step's call gives: one allocation a step.
pub(crate) type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A view or error handler by code.
pub(crate) trait CallView: Send + Sync {
    fn call<'a>(&'a self, cx: &'a Cx) -> Calling<'a, Response>;
}

/// A hook that may answer in the view's place.
pub(crate) trait CallHook: Send + Sync {
    fn call<'a>(&'a self, cx: &'a Cx) -> Calling<'a, Option<Response>>;
}

/// A hook that changes the response.
pub(crate) trait CallChange: Send + Sync {
    fn call<'a>(&'a self, cx: &'a Cx, response: Response) -> Calling<'a, Response>;
}

/// An error handler by type.
pub(crate) trait CallCatch: Send + Sync {
    /// The type of errors that it takes; none for all.
    fn takes(&self) -> Option<TypeId>;
    /// How far from the outermost error the one is that it takes; none if there is no such one.
    fn distance(&self, error: &Error) -> Option<usize>;
    fn call<'a>(&'a self, cx: &'a Cx, error: Error) -> Calling<'a, Response>;
}

impl<Call: ?Sized> Clone for Step<Call> {
    fn clone(&self) -> Self {
        Self {
            call: Arc::clone(&self.call),
            facts: self.facts.clone(),
        }
    }
}

impl Facts {
    pub(crate) fn of<A: Args>(plain: bool, origin: &'static Location<'static>) -> Self {
        Self {
            plain,
            only_unsafe: false,
            kinds: A::kinds(),
            check: A::check,
            origin,
        }
    }

    /// What its arguments ask for in vain.
    pub(crate) fn ask<'a>(
        &self,
        what: &'a str,
        mut check: Check<'_>,
    ) -> impl Iterator<Item = String> + use<'a> {
        (self.check)(&mut check);
        let origin = self.origin;
        let mistakes = check.into_mistakes().into_iter();
        mistakes.map(move |mistake| format!("{origin}: {what}: {mistake}"))
    }

    /// Whether it reads the whole body.
    pub(crate) fn reads_body(&self) -> bool {
        self.kinds.contains(&Kind::Buffered)
    }

    /// Whether it reads the form in the body.
    pub(crate) fn reads_form(&self) -> bool {
        self.kinds.contains(&Kind::Form)
    }
}

pub(crate) fn view<V, A, M>(view: V, origin: &'static Location<'static>) -> Step<dyn CallView>
where
    V: ViewFn<A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    let inline = view.options().inline;
    Step {
        facts: Facts::of::<A>(<V::Out as Reply<M>>::PLAIN && !inline, origin),
        call: Arc::new(Typed::<_, (A, M)>::new(view)),
    }
}

pub(crate) fn hook<V, A, M>(hook: V, origin: &'static Location<'static>) -> Step<dyn CallHook>
where
    V: ViewFn<A>,
    A: Args,
    M: 'static,
    V::Out: HookReply<M, Output: Answer> + Send,
{
    let inline = hook.options().inline;
    Step {
        facts: Facts::of::<A>(<V::Out as HookReply<M>>::PLAIN && !inline, origin),
        call: Arc::new(Typed::<_, (A, M)>::new(hook)),
    }
}

pub(crate) fn change<V, A, M>(change: V, origin: &'static Location<'static>) -> Step<dyn CallChange>
where
    V: FirstFn<Response, A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    let inline = change.is_inline();
    Step {
        facts: Facts::of::<A>(<V::Out as Reply<M>>::PLAIN && !inline, origin),
        call: Arc::new(Typed::<_, (A, M)>::new(change)),
    }
}

pub(crate) fn catch<E, V, A, M>(
    handler: V,
    origin: &'static Location<'static>,
) -> Step<dyn CallCatch>
where
    E: Caught,
    V: FirstFn<E, A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    let inline = handler.is_inline();
    Step {
        facts: Facts::of::<A>(<V::Out as Reply<M>>::PLAIN && !inline, origin),
        call: Arc::new(Catch::<E, V, (A, M)>(handler, PhantomData)),
    }
}

pub(crate) fn catch_all<V, A, M>(
    handler: V,
    origin: &'static Location<'static>,
) -> Step<dyn CallCatch>
where
    V: FirstFn<Error, A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    let inline = handler.is_inline();
    Step {
        facts: Facts::of::<A>(<V::Out as Reply<M>>::PLAIN && !inline, origin),
        call: Arc::new(Typed::<_, (A, M)>::new(handler)),
    }
}

/// A function with its arguments and marker, which the calls of a step name no more.
struct Typed<V, T> {
    function: V,
    types: PhantomData<fn() -> T>,
}

impl<V, T> Typed<V, T> {
    fn new(function: V) -> Self {
        Self {
            function,
            types: PhantomData,
        }
    }
}

impl<V, A, M> CallView for Typed<V, (A, M)>
where
    V: ViewFn<A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    fn call<'a>(&'a self, cx: &'a Cx) -> Calling<'a, Response> {
        Box::pin(async move {
            let args = A::take(cx).await?;
            let reply = self.function.invoke(args).resolve().await;
            reply.into_response()
        })
    }
}

impl<V, A, M> CallHook for Typed<V, (A, M)>
where
    V: ViewFn<A>,
    A: Args,
    M: 'static,
    V::Out: HookReply<M, Output: Answer> + Send,
{
    fn call<'a>(&'a self, cx: &'a Cx) -> Calling<'a, Option<Response>> {
        Box::pin(async move {
            let args = A::take(cx).await?;
            self.function.invoke(args).resolve().await.answer()
        })
    }
}

impl<V, A, M> CallChange for Typed<V, (A, M)>
where
    V: FirstFn<Response, A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    fn call<'a>(&'a self, cx: &'a Cx, response: Response) -> Calling<'a, Response> {
        Box::pin(async move {
            let args = A::take(cx).await?;
            let reply = self.function.invoke(response, args).resolve().await;
            reply.into_response()
        })
    }
}

impl<V, A, M> CallCatch for Typed<V, (A, M)>
where
    V: FirstFn<Error, A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    fn takes(&self) -> Option<TypeId> {
        None
    }

    fn distance(&self, _: &Error) -> Option<usize> {
        Some(0)
    }

    fn call<'a>(&'a self, cx: &'a Cx, error: Error) -> Calling<'a, Response> {
        Box::pin(async move {
            let args = A::take(cx).await?;
            let reply = self.function.invoke(error, args).resolve().await;
            reply.into_response()
        })
    }
}

/// A handler of errors of type `E`.
struct Catch<E, V, T>(V, PhantomData<fn() -> (E, T)>);

impl<E, V, A, M> CallCatch for Catch<E, V, (A, M)>
where
    E: Caught,
    V: FirstFn<E, A>,
    A: Args,
    M: 'static,
    V::Out: Reply<M, Output: IntoResponse> + Send,
{
    fn takes(&self) -> Option<TypeId> {
        Some(TypeId::of::<E>())
    }

    fn distance(&self, error: &Error) -> Option<usize> {
        E::distance(error)
    }

    fn call<'a>(&'a self, cx: &'a Cx, error: Error) -> Calling<'a, Response> {
        Box::pin(async move {
            let error = E::caught(error)?;
            let args = A::take(cx).await?;
            let reply = self.0.invoke(error, args).resolve().await;
            reply.into_response()
        })
    }
}
