//! [`ViewFn`] and [`Reply`]: functions that answer requests, plain and async, and what changes them.

use std::any::{TypeId, type_name};
use std::future::{Future, Ready, ready};

use crate::answer::Answer;
use crate::route_options::RouteOptions;

/// A function or closure whose arguments are the tuple `A`.
///
/// Plain functions run on the pool for views, async ones on the event loop.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "expected a function or closure",
    note = "a view is `fn`, `async fn`, a closure or `async ||`, with at most 12 arguments; a closure's arguments need their types written",
    note = "`async move ||` that captures values is not callable twice: take shared values as `State<T>`, or clone them inside"
)]
pub trait ViewFn<A>: Send + Sync + 'static {
    /// What calling it gives: an answer, or the future of one.
    type Out;

    /// Calls it.
    fn invoke(&self, args: A) -> Self::Out;

    /// Its options: its name and what modifiers added.
    fn options(&self) -> RouteOptions;
}

/// A function or closure that is given something first: the response, or an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take `{First}` as its first argument",
    label = "expected a function or closure whose first argument is `{First}`",
    note = "the other arguments are those of a view: `Cx`, `State<T>`, .."
)]
pub trait FirstFn<First, A>: Send + Sync + 'static {
    /// What calling it gives.
    type Out;

    /// Calls it.
    fn invoke(&self, first: First, args: A) -> Self::Out;

    /// Whether it runs on the event loop though it is plain; see [`inline`].
    fn is_inline(&self) -> bool {
        false
    }
}

/// Marks what is at hand. Always inferred.
#[derive(Debug)]
#[non_exhaustive]
pub struct Now;

/// Marks what is awaited. Always inferred.
#[derive(Debug)]
#[non_exhaustive]
pub struct Later;

/// What a view gives: an answer, or the future of one. `M` tells them apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "a view cannot return `{Self}`",
    label = "expected something that becomes a response, or a future of it",
    note = "text (`&str`, `String`), `Html(..)`, `Json(..)`, `Bytes`, a status, `(status, ..)`, `(status, headers, ..)`, `Response`, `Option` of those (`None` is 404), or a `Result` of those",
    note = "to return a type of your own, wrap it in `Json(..)` or implement `IntoResponse` for it"
)]
pub trait Reply<M> {
    /// Whether it is at hand, so that the function that gave it may have blocked.
    const PLAIN: bool;
    /// The answer.
    type Output;
    /// The future of the answer.
    fn resolve(self) -> impl Future<Output = Self::Output> + Send
    where
        Self: Send;
}

impl<R: crate::answer::IntoResponse> Reply<Now> for R {
    const PLAIN: bool = true;
    type Output = R;

    fn resolve(self) -> impl Future<Output = R> + Send
    where
        R: Send,
    {
        ready(self)
    }
}

impl<F: Future> Reply<Later> for F {
    const PLAIN: bool = false;
    type Output = F::Output;

    fn resolve(self) -> impl Future<Output = F::Output> + Send
    where
        F: Send,
    {
        self
    }
}

/// What a hook gives that runs before the view or after all of it; see [`Reply`].
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "expected nothing, an answer, or a future of those",
    note = "`()`, `Response`, `Option<Response>`, or a `Result` of those"
)]
pub trait HookReply<M> {
    /// Whether it is at hand.
    const PLAIN: bool;
    /// The answer.
    type Output;
    /// The future of the answer.
    fn resolve(self) -> impl Future<Output = Self::Output> + Send
    where
        Self: Send;
}

impl<R: Answer> HookReply<Now> for R {
    const PLAIN: bool = true;
    type Output = R;

    fn resolve(self) -> impl Future<Output = R> + Send
    where
        R: Send,
    {
        let now: Ready<R> = ready(self);
        now
    }
}

impl<F: Future> HookReply<Later> for F {
    const PLAIN: bool = false;
    type Output = F::Output;

    fn resolve(self) -> impl Future<Output = F::Output> + Send
    where
        F: Send,
    {
        self
    }
}

/// A view under another name than its function's: what closures need to be linked to.
pub fn named<A, V: ViewFn<A>>(name: impl Into<String>, view: V) -> impl ViewFn<A, Out = V::Out> {
    let name = name.into();
    modified(view, move |options| options.name(name.clone()))
}

/// A plain view, hook or handler that runs on the event loop, since it never blocks.
pub fn inline<V>(view: V) -> Inline<V> {
    Inline(view)
}

/// A view that takes bodies of at most so many bytes, whatever the application takes elsewhere.
pub fn body_limit<A, V: ViewFn<A>>(bytes: usize, view: V) -> impl ViewFn<A, Out = V::Out> {
    modified(view, move |options| options.body_limit(bytes))
}

/// An async view that ends at its next `await` when the client goes away. Without it, a call that
/// has begun is finished, as in Flask.
pub fn cancel_on_disconnect<A, V: ViewFn<A>>(view: V) -> impl ViewFn<A, Out = V::Out> {
    modified(view, RouteOptions::cancel_on_disconnect)
}

/// A view with changed options, for modifiers of other rooms and crates.
pub fn modified<A, V: ViewFn<A>>(
    view: V,
    change: impl Fn(&mut RouteOptions) + Send + Sync + 'static,
) -> impl ViewFn<A, Out = V::Out> {
    Modified { view, change }
}

/// What [`inline`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Inline<V>(V);

impl<A, V: ViewFn<A>> ViewFn<A> for Inline<V> {
    type Out = V::Out;

    fn invoke(&self, args: A) -> V::Out {
        self.0.invoke(args)
    }

    fn options(&self) -> RouteOptions {
        let mut options = self.0.options();
        options.inline();
        options
    }
}

impl<First, A, V: FirstFn<First, A>> FirstFn<First, A> for Inline<V> {
    type Out = V::Out;

    fn invoke(&self, first: First, args: A) -> V::Out {
        self.0.invoke(first, args)
    }

    fn is_inline(&self) -> bool {
        true
    }
}

struct Modified<V, F> {
    view: V,
    change: F,
}

impl<A, V, F> ViewFn<A> for Modified<V, F>
where
    V: ViewFn<A>,
    F: Fn(&mut RouteOptions) + Send + Sync + 'static,
{
    type Out = V::Out;

    fn invoke(&self, args: A) -> V::Out {
        self.view.invoke(args)
    }

    fn options(&self) -> RouteOptions {
        let mut options = self.view.options();
        (self.change)(&mut options);
        options
    }
}

macro_rules! arity {
    ($($arg:ident $name:ident)*) => {
        impl<F, O, $($arg),*> ViewFn<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> O + Send + Sync + 'static,
        {
            type Out = O;

            fn invoke(&self, ($($name,)*): ($($arg,)*)) -> O {
                self($($name),*)
            }

            fn options(&self) -> RouteOptions {
                RouteOptions::of(TypeId::of::<F>(), type_name::<F>())
            }
        }

        impl<F, O, First, $($arg),*> FirstFn<First, ($($arg,)*)> for F
        where
            F: Fn(First, $($arg),*) -> O + Send + Sync + 'static,
        {
            type Out = O;

            fn invoke(&self, first: First, ($($name,)*): ($($arg,)*)) -> O {
                self(first, $($name),*)
            }
        }
    };
}

arity!();
arity!(A a);
arity!(A a B b);
arity!(A a B b C c);
arity!(A a B b C c D d);
arity!(A a B b C c D d E e);
arity!(A a B b C c D d E e G g);
arity!(A a B b C c D d E e G g H h);
arity!(A a B b C c D d E e G g H h I i);
arity!(A a B b C c D d E e G g H h I i J j);
arity!(A a B b C c D d E e G g H h I i J j K k);
arity!(A a B b C c D d E e G g H h I i J j K k L l);
arity!(A a B b C c D d E e G g H h I i J j K k L l M m);
