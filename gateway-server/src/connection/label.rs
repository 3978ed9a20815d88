//! [`Label`]: what the log calls a request.

use std::fmt;

use arrayvec::ArrayVec;

use crate::logging;

/// Method and path of a request, without its query, which may hold secrets; long ones are cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Label(ArrayVec<u8, LENGTH>);

impl Label {
    pub(super) fn new(method: &[u8], path: &[u8]) -> Self {
        let mut text = ArrayVec::new();
        for part in [method, b" ", path] {
            let room = text.remaining_capacity().min(part.len());
            text.extend(part[..room].iter().copied());
        }
        Self(text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&logging::printable(&self.0))?;
        f.write_str(if self.0.is_full() { "..." } else { "" })
    }
}

/// Bytes that are kept.
const LENGTH: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_line_however_long_and_odd_the_path() {
        assert_eq!(Label::new(b"GET", b"/a").to_string(), "GET /a");
        assert_eq!(Label::new(b"GET", b"/\n").to_string(), "GET /\\n");
        let long = Label::new(b"GET", &[b'x'; 1000]).to_string();
        assert_eq!(long, format!("GET {}...", "x".repeat(92)));
    }
}
