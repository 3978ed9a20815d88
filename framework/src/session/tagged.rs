//! The values of a session cookie: JSON, with the types that JSON lacks marked by tags as Flask marks them
//! (`flask.json.tag.TaggedJSONSerializer`).

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Number, Value as Json};
use uuid::Uuid;

use crate::ascii_json;

/// A value that Flask's session cookie can hold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` or `float`.
    Number(Number),
    /// A `str`.
    Text(String),
    /// A `list`.
    List(Vec<Self>),
    /// A `tuple`.
    Tuple(Vec<Self>),
    /// A `dict`, in the order of its keys.
    Dict(Dict),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// `markupsafe.Markup`: text that is HTML already.
    Markup(String),
    /// `uuid.UUID`.
    Uuid(Uuid),
    /// A `datetime`, to the second.
    Date(SystemTime),
}

/// A `dict`.
pub type Dict = BTreeMap<String, Value>;

/// Why the text of a session is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadValue {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Outermost there is something else.
    #[error("expected an object of names and values")]
    NoDict,
    /// What follows a tag is not what the tag promises.
    #[error("behind the tag `{tag}`: expected {expected}")]
    Tag {
        /// The tag.
        tag: &'static str,
        /// What belongs behind it.
        expected: &'static str,
    },
}

/// The dict whose JSON text is `text`.
///
/// # Errors
///
/// Says where the text is not what Flask would have written.
pub fn read(text: &[u8]) -> Result<Dict, BadValue> {
    match untag(serde_json::from_slice(text)?)? {
        Value::Dict(dict) => Ok(dict),
        _ => Err(BadValue::NoDict),
    }
}

/// The JSON text of `dict`: compact, keys in order, in ASCII.
///
/// # Errors
///
/// A date before the year 1970 or after 9999 has no text.
pub fn write(dict: &Dict) -> Result<Vec<u8>, serde_json::Error> {
    ascii_json::to_vec(&Tagged::Dict(dict))
}

impl Value {
    /// The value without its tags, for deserializing into a type of Rust's: tuples are arrays, bytes arrays of
    /// numbers, the others text.
    pub fn plain(&self) -> Json {
        let all = |values: &[Self]| values.iter().map(Self::plain).collect();
        match self {
            Self::Null => Json::Null,
            Self::Bool(yes) => Json::Bool(*yes),
            Self::Number(number) => Json::Number(number.clone()),
            Self::Text(text) | Self::Markup(text) => Json::String(text.clone()),
            Self::List(values) | Self::Tuple(values) => Json::Array(all(values)),
            Self::Dict(dict) => {
                let plain = |(key, value): (&String, &Self)| (key.clone(), value.plain());
                Json::Object(dict.iter().map(plain).collect())
            }
            Self::Bytes(bytes) => Json::from(bytes.as_slice()),
            Self::Uuid(uuid) => Json::String(uuid.to_string()),
            Self::Date(date) => Json::String(httpdate::fmt_http_date(*date)),
        }
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(yes) => Self::Bool(yes),
            Json::Number(number) => Self::Number(number),
            Json::String(text) => Self::Text(text),
            Json::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            Json::Object(members) => {
                let value = |(key, json)| (key, Self::from(json));
                Self::Dict(members.into_iter().map(value).collect())
            }
        }
    }
}

fn untag(json: Json) -> Result<Value, BadValue> {
    Ok(match json {
        Json::Array(values) => {
            Value::List(values.into_iter().map(untag).collect::<Result<_, _>>()?)
        }
        Json::Object(members) => {
            let value = |(key, json)| Ok((key, untag(json)?));
            let dict: Dict = members
                .into_iter()
                .map(value)
                .collect::<Result<_, BadValue>>()?;
            match sole(&dict).and_then(tag_named) {
                Some(tag) => tag.read(dict.into_values().next().unwrap_or(Value::Null))?,
                None => Value::Dict(dict),
            }
        }
        scalar => scalar.into(),
    })
}

/// The key of a dict that has one.
fn sole(dict: &Dict) -> Option<&str> {
    let mut keys = dict.keys();
    let key = keys.next()?;
    keys.next().is_none().then_some(key)
}

fn tag_named(key: &str) -> Option<Tag> {
    TAGS.into_iter().find(|tag| tag.name() == key)
}

/// The marks of the types that JSON lacks.
#[derive(Clone, Copy)]
enum Tag {
    /// A dict whose one key is a tag's name.
    Dict,
    Tuple,
    Bytes,
    Markup,
    Uuid,
    Date,
}

impl Tag {
    fn name(self) -> &'static str {
        match self {
            Self::Dict => " di",
            Self::Tuple => " t",
            Self::Bytes => " b",
            Self::Markup => " m",
            Self::Uuid => " u",
            Self::Date => " d",
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Dict => "an object of one member whose name ends in `__`",
            Self::Tuple => "an array",
            Self::Bytes => "base64",
            Self::Markup => "a string",
            Self::Uuid => "32 hexadecimal digits",
            Self::Date => "a date such as `Tue, 14 Nov 2023 22:13:20 GMT`",
        }
    }

    fn read(self, behind: Value) -> Result<Value, BadValue> {
        let value = match (self, behind) {
            (Self::Dict, Value::Dict(dict)) => escaped(dict),
            (Self::Tuple, Value::List(values)) => Some(Value::Tuple(values)),
            (Self::Bytes, Value::Text(text)) => BASE64.decode(text).ok().map(Value::Bytes),
            (Self::Markup, Value::Text(text)) => Some(Value::Markup(text)),
            (Self::Uuid, Value::Text(text)) => Uuid::try_parse(&text).ok().map(Value::Uuid),
            (Self::Date, Value::Text(text)) => {
                httpdate::parse_http_date(&text).ok().map(Value::Date)
            }
            _ => None,
        };
        value.ok_or(BadValue::Tag {
            tag: self.name(),
            expected: self.expected(),
        })
    }
}

/// The dict whose one key was escaped, so as not to be taken for a tag.
fn escaped(dict: Dict) -> Option<Value> {
    sole(&dict)?;
    let (key, value) = dict.into_iter().next()?;
    let key = key.strip_suffix(ESCAPE)?.to_owned();
    Some(Value::Dict(Dict::from([(key, value)])))
}

/// A value on its way to text.
enum Tagged<'a> {
    /// A dict as it stands.
    Dict(&'a Dict),
    /// The dict behind its own tag.
    Escaped(&'a str, &'a Value),
    Text(String),
    List(&'a [Value]),
}

impl Serialize for Tagged<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::List(values) => to.collect_seq(*values),
            Self::Escaped(key, value) => {
                let mut map = to.serialize_map(Some(1))?;
                map.serialize_entry(&format!("{key}{ESCAPE}"), value)?;
                map.end()
            }
            Self::Dict(dict) => match sole(dict) {
                Some(key) if tag_named(key).is_some() => {
                    tagged(to, Tag::Dict, &Tagged::Escaped(key, &dict[key]))
                }
                _ => to.collect_map(*dict),
            },
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(yes) => to.serialize_bool(*yes),
            Self::Number(number) => number.serialize(to),
            Self::Text(text) => to.serialize_str(text),
            Self::List(values) => Tagged::List(values).serialize(to),
            Self::Dict(dict) => Tagged::Dict(dict).serialize(to),
            Self::Tuple(values) => tagged(to, Tag::Tuple, &Tagged::List(values)),
            Self::Bytes(bytes) => tagged(to, Tag::Bytes, &Tagged::Text(BASE64.encode(bytes))),
            Self::Markup(html) => tagged(to, Tag::Markup, &Tagged::Text(html.clone())),
            Self::Uuid(uuid) => tagged(to, Tag::Uuid, &Tagged::Text(uuid.simple().to_string())),
            Self::Date(date) => {
                let text = date_text(*date).ok_or_else(|| serde::ser::Error::custom(NO_DATE))?;
                tagged(to, Tag::Date, &Tagged::Text(text))
            }
        }
    }
}

fn tagged<S: Serializer>(to: S, tag: Tag, behind: &Tagged<'_>) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(1))?;
    map.serialize_entry(tag.name(), behind)?;
    map.end()
}

fn date_text(date: SystemTime) -> Option<String> {
    let since = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    (since.as_secs() < YEAR_10000).then(|| httpdate::fmt_http_date(date))
}

const TAGS: [Tag; 6] = [
    Tag::Dict,
    Tag::Tuple,
    Tag::Bytes,
    Tag::Markup,
    Tag::Uuid,
    Tag::Date,
];
/// What is put behind a key that would be read as a tag.
const ESCAPE: &str = "__";
/// Seconds from 1970 to the year 10000.
const YEAR_10000: u64 = 253_402_300_800;
const NO_DATE: &str = "a session's date must lie in the years 1970 to 9999";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// As Flask 3.1 writes it.
    const SAMPLE: &str = r#"{"at":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"},"tags":{" t":["a","b"]},"trap":{" di":{" t__":1}}}"#;

    fn sample() -> Dict {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let text = |text: &str| Value::Text(text.to_owned());
        let trap = Dict::from([(" t".to_owned(), Value::from(Json::from(1)))]);
        Dict::from([
            ("at".to_owned(), Value::Date(at)),
            ("tags".to_owned(), Value::Tuple(vec![text("a"), text("b")])),
            ("trap".to_owned(), Value::Dict(trap)),
        ])
    }

    #[test]
    fn what_flask_has_written_reads_and_is_written_the_same() {
        assert_eq!(read(SAMPLE.as_bytes()).unwrap(), sample());
        assert_eq!(write(&sample()).unwrap(), SAMPLE.as_bytes());
    }

    #[test]
    fn every_type_survives() {
        let uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let nested = Dict::from([(" di".to_owned(), Value::Null)]);
        let dict = Dict::from([
            ("bytes".to_owned(), Value::Bytes(vec![0, 255, 13])),
            ("markup".to_owned(), Value::Markup("<b>".to_owned())),
            ("nested".to_owned(), Value::List(vec![Value::Dict(nested)])),
            ("uuid".to_owned(), Value::Uuid(uuid)),
            ("ümlaut 😀".to_owned(), Value::Bool(true)),
        ]);
        let text = write(&dict).unwrap();
        assert!(text.is_ascii());
        assert_eq!(read(&text).unwrap(), dict);
    }

    #[test]
    fn a_tag_with_the_wrong_thing_behind_it_is_refused_by_name() {
        let error = read(br#"{"a":{" u":"xyz"}}"#).unwrap_err().to_string();
        assert_eq!(error, "behind the tag ` u`: expected 32 hexadecimal digits");
        assert!(read(br#"{"a":{" di":{"x":1}}}"#).is_err());
        assert!(matches!(read(b"[]"), Err(BadValue::NoDict)));
    }

    #[test]
    fn a_dict_of_two_keys_is_no_tag() {
        let dict = read(br#"{"a":{" t":1," b":2}}"#).unwrap();
        assert!(matches!(&dict["a"], Value::Dict(inner) if inner.len() == 2));
    }

    #[test]
    fn plain_json_is_what_types_are_made_of() {
        let dict = read(SAMPLE.as_bytes()).unwrap();
        let tags: Vec<String> = serde_json::from_value(dict["tags"].plain()).unwrap();
        assert_eq!(tags, ["a", "b"]);
    }
}
