//! [`Caught`]: what an error handler by type may take, and [`Source`], an error that is another one's cause.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::{Error, Result};

/// What an error handler by type takes first: an error of that type, or [`Source`] of it.
#[diagnostic::on_unimplemented(
    message = "an error handler cannot take `{Self}` as its error",
    label = "expected an error type, or `Source` of one",
    note = "`std::error::Error + Send + Sync + 'static`, or `Source<E>` of such an `E`"
)]
pub trait Caught: Sized + Send + 'static {
    /// How far inside of `error` it is, 0 if it is the error itself; none if it is not there.
    fn distance(error: &Error) -> Option<usize>;

    /// Takes it out.
    ///
    /// # Errors
    ///
    /// The same error, if it is not there.
    fn caught(error: Error) -> Result<Self>;
}

impl<E: StdError + Send + Sync + 'static> Caught for E {
    fn distance(error: &Error) -> Option<usize> {
        error.downcast_ref::<E>().map(|_| 0)
    }

    fn caught(error: Error) -> Result<Self> {
        error.downcast()
    }
}

/// An error of type `E`, or one that was caused by an `E`, however deep: what wraps a database's error in one of
/// its own is answered by one handler all the same.
///
/// ```
/// use carafe::*;
/// use std::num::ParseIntError;
///
/// #[derive(Debug)]
/// struct BadOrder(ParseIntError);
///
/// impl std::fmt::Display for BadOrder {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("this is no order")
///     }
/// }
///
/// impl std::error::Error for BadOrder {
///     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let app = App::new()
///     .get("/<count>", async |count: String| -> Result<String, BadOrder> {
///         let count: u32 = count.parse().map_err(BadOrder)?;
///         Ok(format!("{count} cups"))
///     })
///     .error_type(async |error: Source<ParseIntError>| (400, error.to_string()));
/// let answer = app.test().get("/two");
/// assert_eq!((answer.status(), answer.text().as_str()), (400, "invalid digit found in string"));
/// ```
pub struct Source<E> {
    error: Error,
    of: PhantomData<fn() -> E>,
}

impl<E> Source<E> {
    /// The outermost error, with all its causes.
    #[must_use]
    pub fn whole(&self) -> &Error {
        &self.error
    }
}

impl<E: StdError + 'static> Caught for Source<E> {
    fn distance(error: &Error) -> Option<usize> {
        // Behind a handler of the very type, which is as far.
        find::<E>(error).map(|(depth, _)| depth + 1)
    }

    fn caught(error: Error) -> Result<Self> {
        match find::<E>(&error) {
            Some(_) => Ok(Self {
                error,
                of: PhantomData,
            }),
            None => Err(error),
        }
    }
}

impl<E: StdError + 'static> Deref for Source<E> {
    type Target = E;

    fn deref(&self) -> &E {
        let (_, found) = find(&self.error).expect("made of an error that has one");
        found
    }
}

impl<E: StdError + 'static> fmt::Debug for Source<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", &**self)
    }
}

/// The outermost error of this type, and how deep it is.
fn find<E: StdError + 'static>(error: &Error) -> Option<(usize, &E)> {
    let mut cause: &(dyn StdError + 'static) = error.cause()?;
    for depth in 0.. {
        if let Some(found) = cause.downcast_ref() {
            return Some((depth, found));
        }
        cause = cause.source()?;
    }
    None
}
