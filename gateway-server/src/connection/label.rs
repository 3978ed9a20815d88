//! [`Label`]: what the log calls a request.

use std::fmt;

use arrayvec::ArrayVec;

use crate::logging;
use crate::scoreboard::RequestId;

/// Method and path of a request, without its query, which may hold secrets; long ones are cut. Then its
/// id.
#[derive(Clone, Debug)]
pub(super) struct Label {
    text: ArrayVec<u8, LENGTH>,
    id: RequestId,
}

impl Label {
    pub(super) fn new(method: &[u8], path: &[u8], id: RequestId) -> Self {
        let mut text = ArrayVec::new();
        for part in [method, b" ", path] {
            let room = text.remaining_capacity().min(part.len());
            text.extend(part[..room].iter().copied());
        }
        Self { text, id }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&logging::printable(&self.text))?;
        f.write_str(if self.text.is_full() { "..." } else { "" })?;
        write!(f, " (id {})", self.id)
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
        let label = |path: &[u8]| Label::new(b"GET", path, id).to_string();
        assert_eq!(label(b"/a"), format!("GET /a (id {id})"));
        assert_eq!(label(b"/\n"), format!("GET /\\n (id {id})"));
        let long = label(&[b'x'; 1000]);
        assert_eq!(long, format!("GET {}... (id {id})", "x".repeat(92)));
    }
}
