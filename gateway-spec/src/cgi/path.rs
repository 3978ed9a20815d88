//! Paths, decoded and encoded.

/// Percent-escapes as octets; what is no escape stays as it is.
pub(super) fn decoded(path: &[u8]) -> Vec<u8> {
    decoded_but(path, None)
}

/// The same, but for escapes of `/`: so servers leave a path that are told to keep its segments apart.
pub(super) fn decoded_but_slashes(path: &[u8]) -> Vec<u8> {
    decoded_but(path, Some(b'/'))
}

fn decoded_but(path: &[u8], kept: Option<u8>) -> Vec<u8> {
    let mut octets = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let escape = escape.map(|(high, low)| high << 4 | low);
        let (octet, after) = match escape.filter(|octet| Some(*octet) != kept) {
            Some(octet) => (octet, &tail[2..]),
            None => (*first, tail),
        };
        octets.push(octet);
        rest = after;
    }
    octets
}

/// A path whose every octet is one that RFC 3986 allows there, or an escape.
pub(super) fn encoded(path: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(path.len());
    for octet in path {
        if octet.is_ascii_alphanumeric() || PATH_CHARACTERS.contains(octet) {
            text.push(*octet);
        } else {
            text.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
    text
}

/// A decoded path without empty and dot segments, as servers look at it.
pub(super) fn normal(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut last: &[u8] = b"";
    for segment in path.split(|byte| *byte == b'/') {
        last = segment;
        match segment {
            b"" | b"." => {}
            b".." => _ = kept.pop(),
            other => kept.push(other),
        }
    }
    let mut text = Vec::with_capacity(path.len());
    for segment in &kept {
        text.push(b'/');
        text.extend_from_slice(segment);
    }
    if kept.is_empty() || matches!(last, b"" | b"." | b"..") {
        text.push(b'/');
    }
    text
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const PATH_CHARACTERS: &[u8] = b"-._~!$&'()*+,;=:@/";
