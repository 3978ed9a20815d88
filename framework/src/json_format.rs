//! [`JsonFormat`]: how documents are written.

use serde::{Deserialize, Serialize};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::ascii_json::Ascii;

/// How documents are written.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JsonFormat {
    /// Spaces of a level; 0 writes all in one line.
    indent: usize,
    /// Whether keys come in alphabetical order, rather than in that of the fields.
    sort_keys: bool,
    /// Whether characters beyond ASCII are written as `\u` escapes.
    ascii: bool,
}

impl JsonFormat {
    /// The format where no setting says otherwise.
    pub(crate) fn usual(debug: bool) -> Self {
        Self {
            indent: if debug { 2 } else { 0 },
            ..Self::default()
        }
    }

    pub(crate) fn write<T: Serialize>(&self, document: &T) -> serde_json::Result<Vec<u8>> {
        if *self == Self::default() {
            return serde_json::to_vec(document);
        }
        if self.sort_keys {
            let mut document = serde_json::to_value(document)?;
            document.sort_all_objects();
            return self.spaced(&document);
        }
        self.spaced(document)
    }

    fn spaced<T: Serialize>(&self, document: &T) -> serde_json::Result<Vec<u8>> {
        if self.indent == 0 {
            return self.escaped(document, CompactFormatter);
        }
        let indent = " ".repeat(self.indent.min(MAX_INDENT));
        self.escaped(document, PrettyFormatter::with_indent(indent.as_bytes()))
    }

    fn escaped<T: Serialize>(
        &self,
        document: &T,
        formatter: impl Formatter,
    ) -> serde_json::Result<Vec<u8>> {
        let mut text = Vec::new();
        if self.ascii {
            document.serialize(&mut Serializer::with_formatter(&mut text, Ascii(formatter)))?;
        } else {
            document.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
        }
        Ok(text)
    }
}

/// Beyond it, documents are mostly spaces.
const MAX_INDENT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Document {
        name: &'static str,
        age: u8,
    }

    const ANN: Document = Document { name: "é", age: 7 };

    fn written(settings: &str) -> String {
        let format: JsonFormat = serde_json::from_str(settings).unwrap();
        String::from_utf8(format.write(&ANN).unwrap()).unwrap()
    }

    #[test]
    fn fields_keep_their_order_unless_keys_are_sorted() {
        assert_eq!(written("{}"), r#"{"name":"é","age":7}"#);
        assert_eq!(written(r#"{"sort_keys": true}"#), r#"{"age":7,"name":"é"}"#);
    }

    #[test]
    fn indent_and_escapes_go_together() {
        assert_eq!(
            written(r#"{"indent": 1, "ascii": true}"#),
            "{\n \"name\": \"\\u00e9\",\n \"age\": 7\n}"
        );
    }
}
