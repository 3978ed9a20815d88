//! The converters that every map has: string, any, path, int, float, uuid, regex.

use uuid::Uuid;

use super::arguments::{Argument, Arguments};
use super::number;
use super::value::{OwnedValue, Value, ValueType};

/// A converter that every map has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Builtin {
    /// One segment of `min` to `max` characters.
    Text {
        min: usize,
        max: Option<usize>,
    },
    /// One of these texts.
    Any(Vec<String>),
    /// One or more segments.
    Path,
    Int(Number<i64>),
    Float(Number<f64>),
    Uuid,
    /// What matches a regular expression.
    Regex(String),
}

/// The limits of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number<T> {
    /// How many characters it has, sign included; 0 for any number.
    fixed_digits: usize,
    min: Option<T>,
    max: Option<T>,
    signed: bool,
}

impl Builtin {
    pub(super) const NAMES: [&'static str; 8] = [
        "any", "default", "float", "int", "path", "regex", "string", "uuid",
    ];

    /// The converter `name`, or what is wrong with its arguments; `None` if there is no such converter.
    pub(super) fn new(name: &str, arguments: &Arguments) -> Option<Result<Self, String>> {
        Some(match name {
            "string" | "default" => Self::text(arguments),
            "any" => Self::any(arguments),
            "path" => arguments.bind([]).map(|[]| Self::Path),
            "uuid" => arguments.bind([]).map(|[]| Self::Uuid),
            "int" => arguments
                .bind(["fixed_digits", "min", "max", "signed"])
                .and_then(Number::new)
                .map(Self::Int),
            "float" => arguments
                .bind(["min", "max", "signed"])
                .and_then(|[min, max, signed]| Number::new([None, min, max, signed]))
                .map(Self::Float),
            "regex" => arguments.bind(["pattern"]).and_then(|[pattern]| {
                let pattern = pattern.ok_or("expected a pattern in quotes, found nothing")?;
                Ok(Self::Regex(pattern.text().to_owned()))
            }),
            _ => return None,
        })
    }

    fn text(arguments: &Arguments) -> Result<Self, String> {
        let [min, max, length] = arguments.bind(["minlength", "maxlength", "length"])?;
        let [min, max, length] = [number(min)?, number(max)?, number(length)?];
        let (min, max) = match length {
            Some(length) => (length, Some(length)),
            None => (min.unwrap_or(1), max),
        };
        if max.is_some_and(|max| max < min || max == 0) {
            return Err(format!(
                "expected a maxlength of at least {}, found {}",
                min.max(1),
                max.unwrap_or(0)
            ));
        }
        Ok(Self::Text { min, max })
    }

    fn any(arguments: &Arguments) -> Result<Self, String> {
        let items = arguments.texts()?;
        if items.is_empty() {
            return Err("expected at least one text, found nothing".to_owned());
        }
        match items.iter().find(|item| item.contains('/')) {
            Some(item) => Err(format!("expected texts without slashes, found `{item}`")),
            None => Ok(Self::Any(items)),
        }
    }

    pub(super) fn pattern(&self) -> String {
        let signed = |signed| if signed { "-?" } else { "" };
        match self {
            Self::Text { min, max: None } => format!("[^/]{{{min},}}"),
            Self::Text {
                min,
                max: Some(max),
            } => format!("[^/]{{{min},{max}}}"),
            Self::Any(items) => {
                let items: Vec<String> = items.iter().map(|item| regex::escape(item)).collect();
                format!("(?:{})", items.join("|"))
            }
            Self::Path => "[^/].*?".to_owned(),
            Self::Int(int) => format!("{}[0-9]+", signed(int.signed)),
            Self::Float(float) => format!("{}[0-9]+\\.[0-9]+", signed(float.signed)),
            Self::Uuid => {
                let digits = |count| format!("[A-Fa-f0-9]{{{count}}}");
                [8, 4, 4, 4, 12].map(digits).join("-")
            }
            Self::Regex(pattern) => pattern.clone(),
        }
    }

    pub(super) fn weight(&self) -> i32 {
        match self {
            Self::Int(_) | Self::Float(_) => 50,
            Self::Path => 200,
            Self::Text { .. } | Self::Any(_) | Self::Uuid | Self::Regex(_) => 100,
        }
    }

    pub(super) fn crosses_slashes(&self) -> bool {
        match self {
            Self::Path => true,
            Self::Regex(pattern) => pattern.contains('/'),
            _ => false,
        }
    }

    pub(super) fn value_type(&self) -> ValueType {
        match self {
            Self::Text { .. } | Self::Any(_) | Self::Path | Self::Regex(_) => ValueType::Text,
            Self::Int(_) => ValueType::Int,
            Self::Float(_) => ValueType::Float,
            Self::Uuid => ValueType::Uuid,
        }
    }

    /// Whether `text`, which has no slash unless the converter crosses them, matches the pattern. `None`
    /// where only a regular expression can tell.
    #[inline]
    pub(super) fn matches(&self, text: &[u8]) -> Option<bool> {
        let unsigned = |signed: bool| match text {
            [b'-', rest @ ..] if signed => rest,
            _ => text,
        };
        Some(match self {
            Self::Text { min, max } => {
                let length = match (min, max) {
                    (0 | 1, None) => usize::from(!text.is_empty()), // any other length is as good
                    _ => text.iter().filter(|byte| is_first(**byte)).count(),
                };
                length >= *min && max.is_none_or(|max| length <= max)
            }
            Self::Any(items) => items.iter().any(|item| item.as_bytes() == text),
            Self::Path => match text {
                [] | [b'/', ..] => false,
                [_, rest @ ..] => !rest.contains(&b'\n'),
            },
            Self::Int(int) => is_digits(unsigned(int.signed)),
            Self::Float(float) => {
                let text = unsigned(float.signed);
                let point = text.iter().position(|byte| *byte == b'.');
                point.is_some_and(|at| is_digits(&text[..at]) && is_digits(&text[at + 1..]))
            }
            Self::Uuid => text.len() == 36 && Uuid::try_parse_ascii(text).is_ok(),
            Self::Regex(_) => return None,
        })
    }

    /// The value of a matching text. `None` if it is outside of the converter's limits or its type's.
    /// `Some(None)` if the value is the text itself.
    #[inline]
    pub(super) fn parse(&self, text: &[u8]) -> Option<Option<OwnedValue>> {
        Some(Some(match self {
            Self::Int(int) => OwnedValue::Int(int.check(text, integer(text)?)?),
            Self::Float(float) => {
                let value = std::str::from_utf8(text).ok()?.parse().ok()?;
                OwnedValue::Float(float.check(text, value)?)
            }
            Self::Uuid => OwnedValue::Uuid(Uuid::try_parse_ascii(text).ok()?),
            Self::Text { .. } | Self::Any(_) | Self::Path | Self::Regex(_) => return Some(None),
        }))
    }

    /// The text of a value, not encoded.
    pub(super) fn format(&self, value: Value<'_>) -> Result<String, String> {
        match self {
            Self::Text { .. } | Self::Path | Self::Regex(_) => text_of(value),
            Self::Any(items) => {
                let text = text_of(value)?;
                if items.contains(&text) {
                    return Ok(text);
                }
                let mut sorted: Vec<&str> = items.iter().map(String::as_str).collect();
                sorted.sort_unstable();
                Err(format!(
                    "expected one of {}, found `{text}`",
                    sorted.join(", ")
                ))
            }
            Self::Int(int) => Ok(number::zero_filled(int_of(value)?, int.fixed_digits)),
            Self::Float(_) => float_of(value).map(number::float),
            Self::Uuid => uuid_of(value).map(|uuid| uuid.to_string()),
        }
    }
}

impl<T: Copy + PartialOrd + std::str::FromStr> Number<T> {
    fn new([fixed_digits, min, max, signed]: [Option<Argument>; 4]) -> Result<Self, String> {
        Ok(Self {
            fixed_digits: number(fixed_digits)?.unwrap_or(0),
            min: number(min)?,
            max: number(max)?,
            signed: signed.map_or(Ok(false), |signed| signed.truth())?,
        })
    }

    fn check(&self, text: &[u8], value: T) -> Option<T> {
        let fits = (self.fixed_digits == 0 || text.len() == self.fixed_digits)
            && self.min.is_none_or(|min| value >= min)
            && self.max.is_none_or(|max| value <= max);
        fits.then_some(value)
    }
}

/// Any value's text, as Python's `str` gives it.
pub(super) fn text_of(value: Value<'_>) -> Result<String, String> {
    Ok(match value {
        Value::Text(text) => text.to_owned(),
        Value::Int(int) => int.to_string(),
        Value::Float(float) => number::float(float),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Custom(_) => {
            return Err("expected text, found a value of the application's own type".to_owned());
        }
    })
}

fn int_of(value: Value<'_>) -> Result<i64, String> {
    match value {
        Value::Int(int) => Some(int),
        #[expect(clippy::cast_possible_truncation, reason = "its range is checked")]
        Value::Float(float) if float.abs() < 9.2e18 => Some(float as i64),
        Value::Bool(truth) => Some(truth.into()),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
    .ok_or_else(|| format!("expected an integer, found {value:?}"))
}

fn float_of(value: Value<'_>) -> Result<f64, String> {
    match value {
        Value::Float(float) => Some(float),
        #[expect(clippy::cast_precision_loss, reason = "as near as a float comes")]
        Value::Int(int) => Some(int as f64),
        Value::Bool(truth) => Some(truth.into()),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
    .ok_or_else(|| format!("expected a number, found {value:?}"))
}

fn uuid_of(value: Value<'_>) -> Result<Uuid, String> {
    match value {
        Value::Uuid(uuid) => Some(uuid),
        Value::Text(text) => Uuid::try_parse(text).ok(),
        _ => None,
    }
    .ok_or_else(|| format!("expected a UUID, found {value:?}"))
}

fn number<T: std::str::FromStr>(argument: Option<Argument>) -> Result<Option<T>, String> {
    argument.map(|argument| argument.number()).transpose()
}

/// The number that digits write, maybe behind a sign; `None` if it is too large.
#[inline]
fn integer(text: &[u8]) -> Option<i64> {
    let (digits, sign) = match text {
        [b'-', digits @ ..] => (digits, -1),
        digits => (digits, 1),
    };
    digits.iter().try_fold(0_i64, |number, &digit| {
        // With its sign, since there is one number more below zero than above.
        let digit = sign * i64::from(digit.wrapping_sub(b'0'));
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[inline]
fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Whether the byte is the first of its character.
fn is_first(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}
