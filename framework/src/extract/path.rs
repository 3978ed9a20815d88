//! Values of the path as arguments: numbers, text, and what converters of one's own make.

use std::any::type_name;
use std::ops::Deref;
use std::sync::Arc;

use gateway_spec::http::StatusCode;
use uuid::Uuid;

use super::{Arg, Kind, Take};
use crate::error::{Error, Result, abort};
use crate::routing::{Value, ValueType};

/// A value that a converter of the application's own made.
#[derive(Debug)]
pub struct PathValue<T>(Arc<T>);

impl<T> Deref for PathValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> Arg for PathValue<T> {
    const KIND: Kind = Kind::Path("PathValue", ValueType::Custom(""));
    type Path<Rest> = (Self, Rest);

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        match t.value() {
            Some(Value::Custom(value)) => Arc::clone(value).downcast().map(Self).map_err(|_| {
                let expected = type_name::<T>();
                Error::message(format!("expected a converter that makes `{expected}`"))
            }),
            other => Err(mismatch("a converter's own value", other)),
        }
    }
}

/// Integers: a number that does not fit the type is no such page.
macro_rules! integers {
    ($($int:ident)*) => { $(
        impl Arg for $int {
            const KIND: Kind = Kind::Path(stringify!($int), ValueType::Int);
            type Path<Rest> = (Self, Rest);

            async fn take(t: &mut Take<'_>) -> Result<Self> {
                match t.value() {
                    Some(Value::Int(number)) => match Self::try_from(number) {
                        Ok(number) => Ok(number),
                        Err(_) => abort(StatusCode::NOT_FOUND),
                    },
                    other => Err(mismatch(stringify!($int), other)),
                }
            }
        }
    )* };
}

macro_rules! values {
    ($($rust:ident, $kind:ident, $value:pat => $made:expr;)*) => { $(
        impl Arg for $rust {
            const KIND: Kind = Kind::Path(stringify!($rust), ValueType::$kind);
            type Path<Rest> = (Self, Rest);

            async fn take(t: &mut Take<'_>) -> Result<Self> {
                match t.value() {
                    Some($value) => Ok($made),
                    other => Err(mismatch(stringify!($rust), other)),
                }
            }
        }
    )* };
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
values! {
    f64, Float, Value::Float(number) => number;
    bool, Bool, Value::Bool(truth) => truth;
    Uuid, Uuid, Value::Uuid(uuid) => uuid;
    String, Text, Value::Text(text) => text.to_owned();
}

/// Start-up compares rules with views, so this is a hook that asks for a path value.
#[cold]
fn mismatch(expected: &str, found: Option<Value<'_>>) -> Error {
    Error::message(match found {
        Some(found) => format!("expected `{expected}` in the path, found {found:?}"),
        None => format!("expected `{expected}` in the path, found no more values"),
    })
}
