//! [`Label`]: what the log calls a request.

use std::fmt;

use arrayvec::ArrayVec;

use crate::logging;
use crate::scoreboard::RequestId;

/// Method and path of a request, without its query, which may hold secrets; long ones are cut. Before
/// them the name of the application, where there are several, and behind them the request's id.
#[derive(Clone, Debug)]
pub(super) struct Label {
    text: ArrayVec<u8, LENGTH>,
    id: RequestId,
    /// What a proxy calls it.
    told: Option<Box<[u8]>>,
}

impl Label {
    /// `told` is what a proxy calls it, if that is believed.
    pub(super) fn new(
        app: Option<&str>,
        [method, path]: [&[u8]; 2],
        id: RequestId,
        told: Option<&[u8]>,
    ) -> Self {
        let mut text = ArrayVec::new();
        let (app, colon): (_, &[u8]) = app.map_or((&b""[..], b""), |app| (app.as_bytes(), b": "));
        for part in [app, colon, method, b" ", path] {
            let room = text.remaining_capacity().min(part.len());
            text.extend(part[..room].iter().copied());
        }
        Self {
            text,
            id,
            told: told.map(Box::from),
        }
    }

    /// All but the id.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&logging::printable(&self.text))?;
        f.write_str(if self.text.is_full() { "..." } else { "" })?;
        match &self.told {
            Some(told) => write!(f, " (id {})", logging::printable(told)),
            None => write!(f, " (id {})", self.id),
        }
    }
}

/// Bytes that are kept.
const LENGTH: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_line_however_long_and_odd_the_path() {
        let id = crate::scoreboard::new_id();
        let label = |path: &[u8]| Label::new(None, [b"GET", path], id, None).to_string();
        assert_eq!(label(b"/a"), format!("GET /a (id {id})"));
        assert_eq!(label(b"/\n"), format!("GET /\\n (id {id})"));
        let named = Label::new(Some("shop"), [b"GET", b"/a"], id, None);
        assert_eq!(named.text(), b"shop: GET /a");
        let long = label(&[b'x'; 1000]);
        assert_eq!(long, format!("GET {}... (id {id})", "x".repeat(92)));
    }
}
