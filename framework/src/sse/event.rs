//! [`Event`]: one event as it is sent.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::error::Result;

/// One event: its data, and what else the client may be told of it.
#[must_use = "an event does nothing until it is sent"]
#[derive(Clone, Debug)]
pub struct Event {
    /// The lines of everything but the data.
    fields: String,
    data: Option<String>,
    bad: Option<BadEvent>,
}

/// An event that cannot be sent: a line break would begin another field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {field} of an event must be one line of text, found {found:?}")]
pub struct BadEvent {
    field: &'static str,
    found: String,
}

impl Event {
    /// An event with this text, which may have several lines. The client gets `\n` for each line break.
    pub fn new(data: impl Into<String>) -> Self {
        Self {
            data: Some(data.into()),
            ..Self::empty()
        }
    }

    /// An event whose data is a document of JSON.
    ///
    /// # Errors
    ///
    /// The value does not serialize.
    pub fn json<T: Serialize + ?Sized>(data: &T) -> Result<Self> {
        Ok(Self::new(serde_json::to_string(data)?))
    }

    /// A comment, of which the page learns nothing.
    pub fn comment(text: impl AsRef<str>) -> Self {
        let mut event = Self::empty();
        for line in lines(text.as_ref()) {
            let _ = writeln!(event.fields, ": {line}");
        }
        event
    }

    /// What happened, in one line: the page listens for it by this name, instead of `message`.
    pub fn name(self, name: impl AsRef<str>) -> Self {
        self.field("event", name.as_ref(), &['\r', '\n'])
    }

    /// What the client names when it comes back after a break, in one line; see
    /// [`Cx::last_event_id`](crate::Cx::last_event_id).
    pub fn id(self, id: impl AsRef<str>) -> Self {
        // A client does not keep an id with NUL in it.
        self.field("id", id.as_ref(), &['\r', '\n', '\0'])
    }

    /// How long the client waits before it connects again, in whole milliseconds.
    pub fn retry(mut self, wait: Duration) -> Self {
        let _ = writeln!(self.fields, "retry: {}", wait.as_millis());
        self
    }

    /// The event as it stands in the stream.
    pub(super) fn into_text(self) -> Result<String, BadEvent> {
        if let Some(bad) = self.bad {
            return Err(bad);
        }
        let mut text = self.fields;
        if let Some(data) = &self.data {
            for line in lines(data) {
                let _ = writeln!(text, "data: {line}");
            }
        }
        text.push('\n');
        Ok(text)
    }

    fn empty() -> Self {
        Self {
            fields: String::new(),
            data: None,
            bad: None,
        }
    }

    fn field(mut self, field: &'static str, value: &str, refused: &[char]) -> Self {
        if value.contains(refused) {
            let found = value.to_owned();
            self.bad.get_or_insert(BadEvent { field, found });
        } else {
            let _ = writeln!(self.fields, "{field}: {value}");
        }
        self
    }
}

/// The lines of a text, as the client would tell them apart: by CR, LF or both.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_data_is_a_field_whatever_breaks_it() {
        let event = Event::new("a\nb\r\nc\rd\n");
        let expected = "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n";
        assert_eq!(event.into_text().unwrap(), expected);
    }

    #[test]
    fn all_fields_of_an_event_are_sent() {
        let event = Event::new("x").name("tea").id("7");
        let event = event.retry(Duration::from_secs(3));
        let expected = "event: tea\nid: 7\nretry: 3000\ndata: x\n\n";
        assert_eq!(event.into_text().unwrap(), expected);
        let comment = Event::comment("a\rdata: b");
        assert_eq!(comment.into_text().unwrap(), ": a\n: data: b\n\n");
    }

    #[test]
    fn a_line_break_in_a_name_or_an_id_is_refused() {
        for event in [
            Event::new("x").name("a\ndata: b"),
            Event::new("x").name("a\rb"),
            Event::new("x").id("a\nb"),
            Event::new("x").id("a\0b"),
        ] {
            assert!(event.into_text().is_err());
        }
        let told = Event::new("x").id("1\n2").into_text().unwrap_err();
        assert!(told.to_string().contains(r#"found "1\n2""#), "{told}");
    }
}
