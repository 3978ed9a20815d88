//! Texts of clients in lines of ours: nothing that anybody sends ends a line, a quoted part or a string.

use super::format::Quoting;

/// Appends a text; in JSON as a string of at most `most` bytes, with an ellipsis for what is cut.
#[inline(always)]
pub(super) fn push(line: &mut Vec<u8>, text: &[u8], quoting: Quoting, most: usize) {
    match quoting {
        Quoting::Text => push_text(line, text),
        Quoting::Json => push_json(line, text, most),
    }
}

/// Appends what is absent.
pub(super) fn push_absent(line: &mut Vec<u8>, quoting: Quoting) {
    line.extend_from_slice(match quoting {
        Quoting::Text => b"-",
        Quoting::Json => b"null",
    });
}

#[inline(always)]
fn push_text(line: &mut Vec<u8>, text: &[u8]) {
    match is_plain(text) {
        true => line.extend_from_slice(text),
        false => push_backslashed(line, text),
    }
}

#[inline(never)]
fn push_backslashed(line: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => line.push(byte),
            _ => {
                line.extend_from_slice(b"\\x");
                push_hex(line, byte);
            }
        }
    }
}

#[inline(never)]
pub(super) fn push_json(line: &mut Vec<u8>, text: &[u8], most: usize) {
    line.push(b'"');
    if is_plain(text) && text.len() <= most {
        line.extend_from_slice(text);
    } else {
        push_escaped(line, text, most);
    }
    line.push(b'"');
}

/// Apart, so that the usual text is a copy.
#[inline(never)]
fn push_escaped(line: &mut Vec<u8>, text: &[u8], most: usize) {
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
                        push_hex(&mut escaped, high);
                        push_hex(&mut escaped, low);
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

/// Whether nothing has to be escaped. Eight bytes are looked at as one number: most texts are short, and vectors take
/// longer to begin than these take.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk() else {
        return odd_bytes(short(text)) & HIGHEST == 0;
    };
    let (chunks, _) = text.as_chunks();
    let look = |odd, chunk: &[u8; 8]| odd | odd_bytes(u64::from_le_bytes(*chunk));
    // What is left behind the chunks lies in the last eight.
    look(chunks.iter().fold(0, look), last) & HIGHEST == 0
}

/// Fewer than eight bytes as one number, with blanks behind them. It is put together of two parts that overlap.
#[inline]
fn short(text: &[u8]) -> u64 {
    let length = text.len();
    let (first, last): (u64, u64) = match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|part| u32::from_le_bytes(*part));
            (first.into(), u64::from(last) << (8 * (length - 4)))
        }
        _ => {
            let at = |at: usize| text.get(at).map_or(0, |byte| u64::from(*byte) << (8 * at));
            (at(0), at(1) | at(2))
        }
    };
    first | last | (EACH * u64::from(b' ')) << (8 * length)
}

/// Has one of the [`HIGHEST`] bits if one of the bytes is no printable character of ASCII, or a quote or a backslash.
/// Subtracting in all of them at once may borrow from the next byte, but never where none is odd; and what a byte
/// beyond ASCII looks like then does not matter, since it is odd itself.
#[inline]
fn odd_bytes(bytes: u64) -> u64 {
    let is_below = |bytes: u64, bound: u64| bytes.wrapping_sub(EACH * bound);
    let is_like = |byte: u8| is_below(bytes ^ (EACH * u64::from(byte)), 1);
    let low = is_below(bytes, u64::from(b' '));
    let high = bytes | bytes.wrapping_add(EACH);
    low | high | is_like(b'"') | is_like(b'\\')
}

fn push_hex(line: &mut Vec<u8>, byte: u8) {
    let digits = b"0123456789abcdef";
    line.push(digits[usize::from(byte >> 4)]);
    line.push(digits[usize::from(byte & 15)]);
}

/// Appends the first `length` of eight bytes: all of them are copied, which takes fewer steps than to copy
/// some, and what is too much is taken back.
#[inline(always)]
pub(super) fn push_short(line: &mut Vec<u8>, (bytes, length): ([u8; 8], usize)) {
    let end = line.len() + length;
    line.extend_from_slice(&bytes);
    line.truncate(end);
}

/// Appends a number in decimal.
#[inline(always)]
pub(super) fn push_number(line: &mut Vec<u8>, number: u64) {
    match usize::try_from(number).ok().and_then(|at| SMALL.get(at)) {
        Some([digits @ .., length]) => {
            let [a, b, c] = *digits;
            push_short(line, ([a, b, c, 0, 0, 0, 0, 0], usize::from(*length)));
        }
        None => push_large(line, number),
    }
}

#[inline(never)]
fn push_large(line: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        let digit = (rest % 10) as u8;
        digits[at] = b'0' + digit;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[at..]);
}

/// Appends a number with so many decimals, of which it counts the last.
pub(super) fn push_decimal(line: &mut Vec<u8>, number: u64, decimals: u32) {
    let scale = 10_u64.pow(decimals);
    push_number(line, number / scale);
    line.push(b'.');
    let rest = number % scale;
    let mut digit = scale / 10;
    while digit > 0 {
        line.push(b'0' + (rest / digit % 10) as u8);
        digit /= 10;
    }
}

/// The digits of the numbers below 1000, and how many these are.
static SMALL: [[u8; 4]; 1000] = {
    let mut small = [[0; 4]; 1000];
    let mut number = 0_u16;
    while number < 1000 {
        let [ones, tens, hundreds] = [number % 10, number / 10 % 10, number / 100];
        let [ones, tens, hundreds] = [
            b'0' + ones.to_le_bytes()[0],
            b'0' + tens.to_le_bytes()[0],
            b'0' + hundreds.to_le_bytes()[0],
        ];
        small[number as usize] = match number {
            0..10 => [ones, 0, 0, 1],
            10..100 => [tens, ones, 0, 2],
            _ => [hundreds, tens, ones, 3],
        };
        number += 1;
    }
    small
};
/// A 1 in each of eight bytes, and the highest bit of each.
const EACH: u64 = u64::from_le_bytes([1; 8]);
const HIGHEST: u64 = EACH << 7;
/// Stands for what was cut, within a string.
const ELLIPSIS: &[u8] = "…".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &[u8], most: usize) -> String {
        let mut line = Vec::new();
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
            let mut line = Vec::new();
            push_json(&mut line, text.as_bytes(), 1000);
            assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        }
        assert_eq!(json(b"\xff\xc3(", 1000), "\u{fffd}\u{fffd}(");
        let cut = json("\u{1}".repeat(1000).as_bytes(), 100);
        assert!(cut.ends_with("\u{1}…") && cut.len() < 100);
    }

    #[test]
    fn every_byte_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let plain = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
            for length in 1..20 {
                for at in 0..length {
                    for fill in [b' ', b'~', b'!', b'#', b'[', b']'] {
                        let mut text = vec![fill; length];
                        text[at] = byte;
                        assert_eq!(is_plain(&text), plain, "{text:?}");
                    }
                }
            }
        }
        assert!(is_plain(b""));
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        let mut line = Vec::new();
        for number in [0, 7, 10, 99, 100, 999, 1000] {
            push_number(&mut line, number);
            line.push(b' ');
        }
        assert_eq!(line, b"0 7 10 99 100 999 1000 ");
        line.clear();
        for number in [0, 7, 1234, u64::MAX] {
            push_number(&mut line, number);
            line.push(b' ');
        }
        push_decimal(&mut line, 1_000_042, 6);
        assert_eq!(line, b"0 7 1234 18446744073709551615 1.000042");
    }
}
