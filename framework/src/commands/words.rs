//! [`Words`]: the arguments of a command as a type.

use std::ops::Deref;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::extract::{Arg, Take};

/// The arguments of a command, read as a type: `import FILE [--limit N]` as `struct { file: PathBuf, limit:
/// Option<u32> }`. Names are in lower case, with `_` for `-`; a switch is a `bool`.
#[derive(Clone, Copy, Debug)]
pub struct Words<T>(pub T);

impl<T> Deref for Words<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What was given, by names: the context of a command holds it.
pub(crate) struct Given(pub(crate) Vec<(String, String)>);

/// The arguments do not fit the command.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongWords(pub(crate) String);

impl<T: DeserializeOwned + Send + 'static> Arg for Words<T> {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        let given = t.cx().get::<Given>();
        let given = given.ok_or_else(|| Error::message("only commands have `Words`"))?;
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(&given.0);
        let read = serde_html_form::from_str(&pairs.finish());
        Ok(Self(read.map_err(|error| WrongWords(error.to_string()))?))
    }
}
