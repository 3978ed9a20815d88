//! The values that stand in paths: read out of them, written into them, given as defaults.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// A value of a path or query, borrowed from where it stands.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// From `string`, `path`, `any` and `regex`; percent-decoded.
    Text(&'a str),
    /// From `int`.
    Int(i64),
    /// From `float`.
    Float(f64),
    /// From defaults only.
    Bool(bool),
    /// From `uuid`.
    Uuid(Uuid),
    /// From a converter of the application's own.
    Custom(&'a Arc<dyn Any + Send + Sync>),
}

/// A value that owns its content: a rule's default, or what a converter made.
#[derive(Clone)]
pub enum OwnedValue {
    /// Text.
    Text(Arc<str>),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A UUID.
    Uuid(Uuid),
    /// What a converter of the application's own made.
    Custom(Arc<dyn Any + Send + Sync>),
}

/// The Rust type that a view receives for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// `String`
    Text,
    /// `i64`
    Int,
    /// `f64`
    Float,
    /// `bool`
    Bool,
    /// `Uuid`
    Uuid,
    /// The type that a converter of the application's own names.
    Custom(&'static str),
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl OwnedValue {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Uuid(uuid) => Value::Uuid(*uuid),
            Self::Custom(custom) => Value::Custom(custom),
        }
    }

    /// The Rust type of the value.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Int(_) => ValueType::Int,
            Self::Float(_) => ValueType::Float,
            Self::Bool(_) => ValueType::Bool,
            Self::Uuid(_) => ValueType::Uuid,
            Self::Custom(_) => ValueType::Custom("custom"),
        }
    }
}

impl ValueType {
    /// The type's name as a view's author writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Int => "i64",
            Self::Float => "f64",
            Self::Bool => "bool",
            Self::Uuid => "Uuid",
            Self::Custom(name) => name,
        }
    }
}

impl PartialEq for Value<'_> {
    /// As in Python an integer equals the float of the same value. Custom values are equal if they are
    /// one and the same.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            #[expect(
                clippy::cast_precision_loss,
                reason = "equality as floats is what is asked"
            )]
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => *a as f64 == *b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::Custom(a), Self::Custom(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(out),
            Self::Int(number) => number.fmt(out),
            Self::Float(number) => number.fmt(out),
            Self::Bool(truth) => truth.fmt(out),
            Self::Uuid(uuid) => fmt::Display::fmt(uuid, out),
            Self::Custom(_) => out.write_str("custom"),
        }
    }
}

impl fmt::Debug for OwnedValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_value().fmt(out)
    }
}

impl PartialEq for OwnedValue {
    fn eq(&self, other: &Self) -> bool {
        self.as_value() == other.as_value()
    }
}

impl From<&str> for OwnedValue {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for OwnedValue {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for OwnedValue {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for OwnedValue {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for OwnedValue {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Uuid> for OwnedValue {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}
