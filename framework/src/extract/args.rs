//! [`Args`]: the arguments of a function, as a tuple, up to twelve.

use std::future::Future;

use super::check::Check;
use super::{Arg, Kind, Take};
use crate::context::Cx;
use crate::error::Result;

/// A tuple of [`Arg`]s.
pub trait Args: Sized + Send + 'static {
    /// The tuple of the path values among them.
    type Path;

    /// What they are, in order.
    fn kinds() -> Vec<Kind>;

    /// Says at start-up what is missing for them.
    fn check(check: &mut Check<'_>);

    /// Takes them, from left to right.
    ///
    /// # Errors
    ///
    /// The first error of an argument.
    fn take(cx: &Cx) -> impl Future<Output = Result<Self>> + Send;
}

/// A nested pair list as a tuple: `(A, (B, ()))` is `(A, B)`.
pub trait Flat {
    /// The tuple.
    type Tuple;
}

macro_rules! list {
    ($end:ty;) => { $end };
    ($end:ty; $head:ident $($tail:ident)*) => { <$head as Arg>::Path<list!($end; $($tail)*)> };
}

macro_rules! nest {
    () => { () };
    ($head:ident $($tail:ident)*) => { ($head, nest!($($tail)*)) };
}

macro_rules! arity {
    ($($arg:ident)*) => {
        impl<$($arg),*> Flat for nest!($($arg)*) {
            type Tuple = ($($arg,)*);
        }

        impl<$($arg: Arg),*> Args for ($($arg,)*)
        where
            list!((); $($arg)*): Flat,
        {
            type Path = <list!((); $($arg)*) as Flat>::Tuple;

            fn kinds() -> Vec<Kind> {
                vec![$($arg::KIND),*]
            }

            fn check(_check: &mut Check<'_>) {
                $($arg::check(_check);)*
            }

            async fn take(_cx: &Cx) -> Result<Self> {
                let mut _take = Take::new(_cx);
                Ok(($($arg::take(&mut _take).await?,)*))
            }
        }
    };
}

arity!();
arity!(A);
arity!(A B);
arity!(A B C);
arity!(A B C D);
arity!(A B C D E);
arity!(A B C D E F);
arity!(A B C D E F G);
arity!(A B C D E F G H);
arity!(A B C D E F G H I);
arity!(A B C D E F G H I J);
arity!(A B C D E F G H I J K);
arity!(A B C D E F G H I J K L);
