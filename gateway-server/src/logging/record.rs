//! [`Record`]: one message on standard error, with whatever belongs to it.

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::dates::rfc3339;
use super::line::{Line, PAGE};
use super::quote::push_json;

/// What an event says.
#[derive(Debug, Default)]
pub(super) struct Record {
    message: String,
    /// What the application calls the part of it that speaks.
    target: Option<String>,
    /// The request that it speaks of.
    request: Option<String>,
    /// Everything else, as text and as members of an object.
    values: String,
    members: String,
}

/// Names and values that an application has added to its message.
pub(super) struct Values(pub(super) Vec<(String, String)>);

impl Record {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut record = Self::default();
        event.record(&mut record);
        record
    }

    /// An object in a line of its own, shorter than what a pipe takes at once.
    pub(super) fn to_json(&self, level: Level, pid: u32) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let (second, micros) = (rfc3339(now.as_secs()), now.subsec_micros());
        let mut line = format!(
            "{{\"time\":\"{second}.{micros:06}Z\",\"level\":\"{level}\",\"pid\":{pid},\"target\":{},",
            json(self.target.as_deref().unwrap_or("gatewayd"), SHORT)
        );
        if let Some(request) = &self.request {
            let _ = write!(line, "\"request_id\":{},", json(request, SHORT));
        }
        let _ = write!(line, "\"message\":{}", json(&self.message, LONG));
        if !self.members.is_empty() {
            let _ = write!(line, ",\"fields\":{{{}}}", &self.members[1..]);
        }
        line + "}\n"
    }
}

/// As text, without its level.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(request) = &self.request {
            write!(f, "{request} ")?;
        }
        if let Some(target) = &self.target {
            write!(f, "[{target}] ")?;
        }
        write!(f, "{}{}", self.message, self.values)
    }
}

impl Visit for Record {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "app.target" => self.target = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into memory cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "app.request" => {
                let text = format!("{value:?}");
                self.request = Some(text).filter(|text| !text.is_empty());
                Ok(())
            }
            "app.values" => {
                let _ = write!(self.members, "{value:#?}");
                write!(self.values, "{value:?}")
            }
            name => {
                let text = format!("{value:?}");
                push_member(&mut self.members, name, &text);
                write!(self.values, " {name}={text}")
            }
        };
    }
}

/// ` name=value`, or in the alternate form members of an object, each behind a comma.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return self
                .0
                .iter()
                .try_for_each(|(name, value)| write!(f, " {name}={value}"));
        }
        let mut members = String::new();
        for (name, value) in &self.0 {
            push_member(&mut members, name, value);
        }
        f.write_str(&members)
    }
}

fn push_member(members: &mut String, name: &str, value: &str) {
    let member = format!(",{}:{}", json(name, SHORT), json(value, SHORT));
    if members.len() + member.len() <= MEMBERS {
        members.push_str(&member);
    }
}

fn json(text: &str, most: usize) -> String {
    let mut page = [0; PAGE];
    let mut line = Line::on(&mut page);
    push_json(&mut line, text.as_bytes(), most);
    String::from_utf8(line.to_vec()).unwrap_or_default()
}

/// Bytes of strings; all of them together are less than a pipe takes at once.
const LONG: usize = 1_500;
const SHORT: usize = 255;
const MEMBERS: usize = 1_500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_json_whatever_an_application_says() {
        let values = Values(vec![
            ("a\"".into(), "b\n".into()),
            ("c".into(), "x".repeat(9_000)),
        ]);
        let record = Record {
            message: "\",\"level\":\"ERROR\n".repeat(300),
            target: Some("t".into()),
            request: Some("1-2".into()),
            values: format!("{values:?}"),
            members: format!("{values:#?}"),
        };
        let line = record.to_json(Level::INFO, 7);
        assert!(line.len() <= 4_096 && line.lines().count() == 1, "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["level"], "INFO");
        assert_eq!(read["request_id"], "1-2");
        assert_eq!(read["fields"]["a\""], "b\n");
        let text = Record {
            message: "m".into(),
            values: format!("{:?}", Values(vec![("a".into(), "b".into())])),
            ..record
        };
        assert_eq!(text.to_string(), "1-2 [t] m a=b");
    }
}
