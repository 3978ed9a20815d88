//! Texts of clients in lines of ours: nothing that anybody sends ends a line, a quoted part or a string.

use super::format::Quoting;
use super::line::Line;
use super::plain::push_plain;

/// Appends a text; in JSON as a string of at most `most` bytes, with an ellipsis for what is cut.
#[inline(always)]
pub(super) fn push(line: &mut Line<'_>, text: &[u8], quoting: Quoting, most: usize) {
    match quoting {
        Quoting::Text => push_text(line, text),
        Quoting::Json => push_json(line, text, most),
    }
}

/// Appends what is absent.
pub(super) fn push_absent(line: &mut Line<'_>, quoting: Quoting) {
    line.extend_from_slice(match quoting {
        Quoting::Text => b"-",
        Quoting::Json => b"null",
    });
}

#[inline(always)]
fn push_text(line: &mut Line<'_>, text: &[u8]) {
    if !push_plain(line, text) {
        push_backslashed(line, text);
    }
}

#[inline(never)]
fn push_backslashed(line: &mut Line<'_>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => line.push(byte),
            _ => {
                line.extend_from_slice(b"\\x");
                line.extend_from_slice(&hex(byte));
            }
        }
    }
}

#[inline(never)]
pub(super) fn push_json(line: &mut Line<'_>, text: &[u8], most: usize) {
    line.push(b'"');
    if text.len() > most || !push_plain(line, text) {
        push_escaped(line, text, most);
    }
    line.push(b'"');
}

/// Apart, so that the usual text is a copy.
#[inline(never)]
fn push_escaped(line: &mut Line<'_>, text: &[u8], most: usize) {
    let start = line.len();
    let mut letter_bytes = [0; 4];
    for chunk in text.utf8_chunks() {
        let broken = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        for letter in chunk.valid().chars().chain(broken) {
            let mut escaped = Vec::new();
            match letter {
                '"' | '\\' => escaped.extend_from_slice(&[b'\\', letter as u8]),
                '\u{20}'..='\u{7e}' => escaped.push(letter as u8),
                // Also those that would end a line for some readers, or turn its direction.
                letter if letter.is_control() || is_odd(letter) => {
                    let mut units = [0; 2];
                    for unit in letter.encode_utf16(&mut units) {
                        escaped.extend_from_slice(b"\\u");
                        let [high, low] = unit.to_be_bytes();
                        escaped.extend_from_slice(&hex(high));
                        escaped.extend_from_slice(&hex(low));
                    }
                }
                letter => {
                    escaped.extend_from_slice(letter.encode_utf8(&mut letter_bytes).as_bytes());
                }
            }
            if line.len() - start + escaped.len() + ELLIPSIS.len() > most {
                return line.extend_from_slice(ELLIPSIS);
            }
            line.extend_from_slice(&escaped);
        }
    }
}

/// Whether a letter that is no control character changes how what is around it looks.
pub(super) fn is_odd(letter: char) -> bool {
    matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)])
}

/// Stands for what was cut, within a string.
const ELLIPSIS: &[u8] = "…".as_bytes();

#[cfg(test)]
mod tests {
    use super::super::line::PAGE;
    use super::*;

    fn json(text: &[u8], most: usize) -> String {
        let mut page = [0; PAGE];
        let mut line = Line::on(&mut page);
        push_json(&mut line, text, most);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn every_text_is_one_string_of_json_and_one_line() {
        for text in [
            "plain",
            "\",\"status\":200,\"x\":\"",
            "a\r\nb\0\\",
            "ä\u{2028}\u{202e}😀\u{7f}",
        ] {
            assert_eq!(json(text.as_bytes(), 1000), text);
            let mut page = [0; PAGE];
            let mut line = Line::on(&mut page);
            push_json(&mut line, text.as_bytes(), 1000);
            assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        }
        assert_eq!(json(b"\xff\xc3(", 1000), "\u{fffd}\u{fffd}(");
        let cut = json("\u{1}".repeat(1000).as_bytes(), 100);
        assert!(cut.ends_with("\u{1}…") && cut.len() < 100);
    }
}
