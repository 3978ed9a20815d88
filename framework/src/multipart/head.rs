//! A part's head: which field it is for, and what kind of file it brings.

use super::disposition::Parameterized;
use super::error::{MultipartError, excerpt};

/// What stands before a part's content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartHead {
    /// The form field's name.
    pub name: String,
    /// The file's name as the client gave it, if the part is a file: never a path to write to (see
    /// `secure_filename`). Empty if no file was chosen.
    pub filename: Option<String>,
    /// The Content-Type that the client claims.
    pub content_type: Option<String>,
}

impl PartHead {
    /// Reads the lines of the head of part number `part`, each without its line end.
    ///
    /// # Errors
    ///
    /// Names the line that is no header field, or what should have named the form field.
    pub(super) fn parse(head: &[u8], part: usize) -> Result<Self, MultipartError> {
        let mut disposition = None;
        let mut content_type = None;
        for line in lines(head) {
            let (name, value) = field(line).ok_or_else(|| MultipartError::Field {
                part,
                line: excerpt(line),
            })?;
            if name.eq_ignore_ascii_case(b"content-disposition") {
                disposition.get_or_insert(value);
            } else if name.eq_ignore_ascii_case(b"content-type") {
                content_type.get_or_insert(value);
            }
        }
        let found = || match disposition {
            Some(value) => format!("`{}`", excerpt(value)),
            None => "none".to_owned(),
        };
        let parsed = disposition
            .and_then(Parameterized::parse)
            .filter(|parsed| parsed.value.eq_ignore_ascii_case(b"form-data"));
        let named = parsed.as_ref().and_then(|parsed| parsed.text("name"));
        let name = named.ok_or_else(|| MultipartError::Disposition {
            part,
            found: found(),
        })?;
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).ok();
        Ok(Self {
            name,
            filename: parsed.and_then(|parsed| parsed.text("filename")),
            content_type: content_type.and_then(text),
        })
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = head;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memmem::find(rest, b"\r\n");
        let (line, after) = match end {
            Some(end) => (&rest[..end], &rest[end + 2..]),
            None => (rest, &rest[rest.len()..]),
        };
        rest = after;
        Some(line)
    })
}

/// `name: value` (RFC 9112 section 5), the name a token, the value without control characters.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    let token = |byte: &u8| byte.is_ascii_graphic();
    let plain = |byte: &u8| *byte == b'\t' || !byte.is_ascii_control();
    let sound = !name.is_empty() && name.iter().all(token) && value.iter().all(plain);
    sound.then_some((name, value))
}
