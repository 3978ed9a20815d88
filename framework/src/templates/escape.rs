//! Escaping as Flask's: the same characters, written the same way.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, Output, State, Value, escape_formatter};

/// Escapes in documents of browsers, with MarkupSafe's entities.
pub(super) fn install(environment: &mut Environment<'static>) {
    environment.set_auto_escape_callback(|name| match is_document(name) {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.set_formatter(write);
    environment.add_filter("escape", escape);
    environment.add_filter("e", escape);
}

/// Whether values in the template are escaped: by what its name ends in, `.j2` and the like left aside, and always
/// for templates that stand in the code.
pub(super) fn is_document(name: &str) -> bool {
    let bare = TEMPLATE_ENDS.iter().find_map(|end| name.strip_suffix(end));
    let bare = bare.unwrap_or(name);
    bare == STRING || DOCUMENT_ENDS.iter().any(|end| bare.ends_with(end))
}

fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let plain = value.is_safe() || matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    if plain || *state.auto_escape() != AutoEscape::Html {
        return escape_formatter(out, state, value);
    }
    match value.as_str() {
        Some(text) => write_escaped(out, text)?,
        None => write_escaped(out, &value.to_string())?,
    }
    Ok(())
}

fn escape(value: &Value) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    let mut escaped = String::new();
    write_escaped(&mut escaped, &value.to_string())?;
    Ok(Value::from_safe_string(escaped))
}

fn write_escaped(out: &mut impl std::fmt::Write, text: &str) -> std::fmt::Result {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&#34;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.write_str(&text[from..at])?;
        out.write_str(entity)?;
        from = at + 1;
    }
    out.write_str(&text[from..])
}

/// The name of a template that stands in a view: what Flask calls them.
pub(super) const STRING: &str = "<string>";
const DOCUMENT_ENDS: [&str; 5] = [".html", ".htm", ".xml", ".xhtml", ".svg"];
const TEMPLATE_ENDS: [&str; 3] = [".j2", ".jinja", ".jinja2"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_decides() {
        for name in ["a.html", "b/c.svg", "a.xml.j2", "<string>"] {
            assert!(is_document(name), "{name}");
        }
        for name in ["a.txt", "html", "a.html.txt", "mail.j2", "a.js"] {
            assert!(!is_document(name), "{name}");
        }
    }

    #[test]
    fn entities_are_markupsafes() {
        let mut out = String::new();
        write_escaped(&mut out, "é<a href=\"/x\">'&'</a>").unwrap();
        assert_eq!(out, "é&lt;a href=&#34;/x&#34;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    }
}
