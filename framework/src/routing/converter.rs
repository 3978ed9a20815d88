//! Converters: what a variable matches, and what it becomes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::arguments::Arguments;
use super::builtin::Builtin;
use super::value::{OwnedValue, Value, ValueType};

/// A converter of an application's own.
///
/// ```
/// # use carafe::routing::{Arguments, Converter, Map, Options, OwnedValue, Value, ValueType};
/// # use std::sync::Arc;
/// /// `a+b+c` as a list.
/// struct List;
///
/// impl Converter for List {
///     fn value_type(&self) -> ValueType {
///         ValueType::Custom("Vec<String>")
///     }
///     fn parse(&self, text: &str) -> Option<OwnedValue> {
///         let list: Vec<String> = text.split('+').map(str::to_owned).collect();
///         Some(OwnedValue::Custom(Arc::new(list)))
///     }
///     fn format(&self, value: Value<'_>) -> Result<String, String> {
///         let Value::Custom(value) = value else {
///             return Err("expected a list".to_owned());
///         };
///         let list = value.downcast_ref::<Vec<String>>().ok_or("expected a list of texts")?;
///         Ok(list.join("+"))
///     }
/// }
///
/// let map = Map::builder(Options::default()).converter("list", |_| Ok(Arc::new(List)));
/// ```
pub trait Converter: Send + Sync + 'static {
    /// The regular expression that the variable's text matches as a whole; by default one segment.
    fn pattern(&self) -> &str {
        "[^/]+"
    }

    /// Rules with smaller weights are tried first; 50 for numbers, 200 for `path`, by default 100.
    fn weight(&self) -> i32 {
        100
    }

    /// Whether the pattern may match slashes; by default not.
    fn crosses_slashes(&self) -> bool {
        false
    }

    /// The Rust type of the values; by default `String`.
    fn value_type(&self) -> ValueType {
        ValueType::Text
    }

    /// The value of a text that matched the pattern, by default the text. `None` if it has none: the path
    /// is not found then, even if a later rule would match it.
    fn parse(&self, text: &str) -> Option<OwnedValue> {
        Some(text.into())
    }

    /// The text of a value, which is percent-encoded afterwards; the reverse of [`parse`](Self::parse).
    ///
    /// # Errors
    /// What was expected instead of the value.
    fn format(&self, value: Value<'_>) -> Result<String, String>;
}

/// Makes a converter from the arguments in a rule; the error says what is wrong with them.
pub type Factory = Arc<dyn Fn(&Arguments) -> Result<Arc<dyn Converter>, String> + Send + Sync>;

/// All converters that rules may name.
#[derive(Clone, Default)]
pub(super) struct Converters(HashMap<String, Factory>);

/// The converter of one variable.
#[derive(Clone)]
pub(super) enum AnyConverter {
    Builtin(Builtin),
    Custom(Arc<dyn Converter>),
}

/// Why a variable has no converter.
#[derive(Debug)]
pub(super) enum ConverterError {
    /// There is none of this name; what there is.
    Unknown(Vec<String>),
    /// Its arguments are wrong.
    Arguments(String),
}

impl Converters {
    /// Adds a converter, or replaces one, be it built in.
    pub(super) fn insert(&mut self, name: String, factory: Factory) {
        self.0.insert(name, factory);
    }

    /// The converter `name` with these arguments.
    pub(super) fn make(&self, name: &str, arguments: &str) -> Result<AnyConverter, ConverterError> {
        let arguments = Arguments::parse(arguments).map_err(ConverterError::Arguments)?;
        let made = match self.0.get(name) {
            Some(factory) => factory(&arguments).map(AnyConverter::Custom),
            None => match Builtin::new(name, &arguments) {
                Some(builtin) => builtin.map(AnyConverter::Builtin),
                None => return Err(ConverterError::Unknown(self.names())),
            },
        };
        made.map_err(ConverterError::Arguments)
    }

    fn names(&self) -> Vec<String> {
        let own = self.0.keys().map(String::as_str);
        let mut names: Vec<String> = Builtin::NAMES
            .into_iter()
            .chain(own)
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl AnyConverter {
    pub(super) fn pattern(&self) -> String {
        match self {
            Self::Builtin(builtin) => builtin.pattern(),
            Self::Custom(custom) => custom.pattern().to_owned(),
        }
    }

    pub(super) fn weight(&self) -> i32 {
        match self {
            Self::Builtin(builtin) => builtin.weight(),
            Self::Custom(custom) => custom.weight(),
        }
    }

    pub(super) fn crosses_slashes(&self) -> bool {
        match self {
            Self::Builtin(builtin) => builtin.crosses_slashes(),
            Self::Custom(custom) => custom.crosses_slashes(),
        }
    }

    pub(super) fn value_type(&self) -> ValueType {
        match self {
            Self::Builtin(builtin) => builtin.value_type(),
            Self::Custom(custom) => custom.value_type(),
        }
    }

    pub(super) fn format(&self, value: Value<'_>) -> Result<String, String> {
        match self {
            Self::Builtin(builtin) => builtin.format(value),
            Self::Custom(custom) => custom.format(value),
        }
    }
}

impl fmt::Debug for Converters {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

impl fmt::Debug for AnyConverter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(builtin) => builtin.fmt(out),
            Self::Custom(_) => write!(out, "{}", self.value_type().name()),
        }
    }
}
