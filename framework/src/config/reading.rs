//! [`read`]: a value as a type; which settings the type asks for, and which of them went wrong.

use std::cell::RefCell;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value, map};

/// What a type asked for on the way.
#[derive(Default)]
pub(super) struct Seen {
    /// Sections that have fields, with them.
    pub(super) sections: Vec<(String, &'static [&'static str])>,
    /// Sections whose names are not fixed.
    pub(super) whole: Vec<String>,
    /// The innermost setting that did not read.
    fault: Option<Place>,
}

/// Where a value did not read.
pub(super) enum Place {
    /// The value of this key.
    Value(String),
    /// A key that is none of the fields that its section has.
    Unknown {
        key: String,
        fields: &'static [&'static str],
    },
}

/// Why a value is no `T`.
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) error: Error,
}

/// The value of the setting `path` as a `T`.
pub(super) fn read<T: DeserializeOwned>(path: &str, value: Value) -> (Result<T, Fault>, Seen) {
    let seen = RefCell::new(Seen::default());
    let reading = Reading {
        path: path.to_owned(),
        value,
        seen: &seen,
    };
    let read = T::deserialize(reading);
    let mut seen = seen.into_inner();
    let read = read.map_err(|error| Fault {
        place: seen.fault.take().unwrap_or(Place::Value(path.to_owned())),
        error,
    });
    (read, seen)
}

struct Reading<'a> {
    path: String,
    value: Value,
    seen: &'a RefCell<Seen>,
}

/// The entries of a section that is read as a struct.
struct Fields<'a> {
    path: String,
    fields: &'static [&'static str],
    entries: map::IntoIter,
    next: Option<(String, Value)>,
    seen: &'a RefCell<Seen>,
}

impl<'de> Deserializer<'de> for Reading<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_object() {
            self.seen.borrow_mut().whole.push(self.path);
        }
        self.value.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Value::Object(entries) = self.value else {
            return self.value.deserialize_struct(name, fields, visitor);
        };
        let section = (self.path.clone(), fields);
        self.seen.borrow_mut().sections.push(section);
        visitor.visit_map(Fields {
            path: self.path,
            fields,
            entries: entries.into_iter(),
            next: None,
            seen: self.seen,
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.value.is_object() {
            self.seen.borrow_mut().whole.push(self.path);
        }
        self.value.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl Fields<'_> {
    /// Keeps the first place that is told: the innermost one.
    fn fail(&self, place: Place) {
        self.seen.borrow_mut().fault.get_or_insert(place);
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.entries.next() else {
            return Ok(None);
        };
        let path = format!("{}.{name}", self.path);
        self.next = Some((path.clone(), value));
        let name: StringDeserializer<Error> = name.into_deserializer();
        let key = seed.deserialize(name);
        key.map(Some).inspect_err(|_| {
            self.fail(Place::Unknown {
                key: path,
                fields: self.fields,
            });
        })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (path, value) = self.next.take().unwrap_or_default();
        let reading = Reading {
            path: path.clone(),
            value,
            seen: self.seen,
        };
        let read = seed.deserialize(reading);
        read.inspect_err(|_| self.fail(Place::Value(path)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}
