//! Ids of well-known field names: an append-only table, used both ways across the ABI.

/// The names, lower-case. The id of `NAMES[i]` is `i + 1`; 0 means: not in the table.
///
/// Append only: an id is never given to another name.
pub const NAMES: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "content-type",
    "date",
    "accept",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "cookie",
    "set-cookie",
    "expect",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "server",
    "location",
    "cache-control",
    "etag",
    "last-modified",
    "if-none-match",
    "if-modified-since",
    "if-match",
    "if-unmodified-since",
    "if-range",
    "range",
    "accept-ranges",
    "content-range",
    "content-encoding",
    "content-language",
    "content-disposition",
    "vary",
    "allow",
    "age",
    "expires",
    "pragma",
    "referer",
    "origin",
    "authorization",
    "www-authenticate",
    "proxy-authorization",
    "proxy-authenticate",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-real-ip",
    "x-request-id",
    "via",
    "link",
    "retry-after",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-accept",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "upgrade-insecure-requests",
    "dnt",
    "priority",
    "traceparent",
    "tracestate",
    "access-control-request-method",
    "access-control-request-headers",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-credentials",
    "access-control-expose-headers",
    "access-control-max-age",
    "strict-transport-security",
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "cross-origin-embedder-policy",
    "alt-svc",
    "server-timing",
    "x-xss-protection",
];

/// The id of a lower-case name, or 0 if it is not in [`NAMES`].
///
/// A name with capitals is not in the table: lower-case it first.
#[must_use]
#[inline]
pub fn id_of(name: &[u8]) -> u16 {
    let [a, b, c, d] = match name.len() {
        0..=32 => words(name),
        _ => return 0,
    };
    if name.len() <= 16 {
        id_of_words([a, b]).unwrap_or(0)
    } else {
        id_of_long_words([a, b, c, d]).unwrap_or(0)
    }
}

/// As [`id_of`], for a name of at most 16 bytes: they are the words, the first byte lowest, with
/// zeros behind them. `None` if the name is not in the table.
#[must_use]
#[inline(always)]
pub fn id_of_words(name: [u64; 2]) -> Option<u16> {
    let [a, b] = name;
    let id = SHORT.ids[slot([a, b, 0, 0], SHORT.factor)];
    (SHORT_KEYS[usize::from(id)] == name).then_some(u16::from(id))
}

/// As [`id_of_words`], for a name of 17 to 32 bytes.
#[must_use]
#[inline]
pub fn id_of_long_words(name: [u64; 4]) -> Option<u16> {
    let id = LONG.ids[slot(name, LONG.factor)];
    (KEYS[usize::from(id)] == name).then_some(u16::from(id))
}

/// The name with this id, or `None` for 0 and for ids that this version does not know.
#[must_use]
#[inline]
pub fn name_of(id: u16) -> Option<&'static str> {
    NAMES.get(usize::from(id).wrapping_sub(1)).copied()
}

/// The id of a name of the table, for constants.
///
/// # Panics
///
/// If the table does not hold the name: in a constant, the build fails.
#[must_use]
pub const fn id(name: &str) -> u16 {
    let id = id_const(name.as_bytes());
    assert!(id != 0, "the table of names does not hold this name");
    id
}

/// Ids by hash. No two names share a slot, so that one comparison decides.
struct Slots {
    factor: u64,
    /// 0 marks a free slot.
    ids: [u8; 1 << SLOT_BITS],
}

impl Slots {
    /// Of the names with at least `shortest` and at most `longest` bytes: tries one factor after
    /// another until each of them has a slot of its own.
    ///
    /// # Panics
    ///
    /// If none of many factors does: the build fails, and the table needs more slots.
    const fn of(shortest: usize, longest: usize) -> Self {
        let mut factor = 0x9E37_79B9_7F4A_7C15;
        let mut tries = 0;
        loop {
            if let Some(slots) = Self::with(factor, shortest, longest) {
                return slots;
            }
            factor = factor.wrapping_mul(0xD134_2543_DE82_EF95);
            tries += 1;
            assert!(tries < 200, "the names of the table collide");
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the table holds at most 255 names"
    )]
    const fn with(factor: u64, shortest: usize, longest: usize) -> Option<Self> {
        let mut ids = [0; 1 << SLOT_BITS];
        let mut id = 1;
        while id <= NAMES.len() {
            let length = NAMES[id - 1].len();
            if shortest <= length && length <= longest {
                let slot = slot(KEYS[id], factor);
                if ids[slot] != 0 {
                    return None;
                }
                ids[slot] = id as u8;
            }
            id += 1;
        }
        Some(Self { factor, ids })
    }
}

#[inline(always)]
const fn slot(key: [u64; 4], factor: u64) -> usize {
    let sum = key[0]
        .wrapping_add(key[1])
        .wrapping_add(key[2])
        .wrapping_add(key[3]);
    (sum.wrapping_mul(factor) >> (u64::BITS - SLOT_BITS)) as usize
}

/// A name of at most 32 bytes, and zeros behind it.
#[inline(always)]
const fn words(name: &[u8]) -> [u64; 4] {
    let mut words = [0; 4];
    let mut rest = name;
    let mut at = 0;
    while let Some((chunk, tail)) = rest.split_first_chunk() {
        words[at] = u64::from_le_bytes(*chunk);
        rest = tail;
        at += 1;
    }
    if rest.is_empty() {
        return words;
    }
    // The last word without those of its bytes that stand in the word before.
    words[at] = match name.last_chunk() {
        Some(chunk) => u64::from_le_bytes(*chunk) >> (u64::BITS as usize - 8 * rest.len()),
        None => short_word(rest),
    };
    words
}

/// As [`words`], for 1 to 7 bytes.
#[inline(always)]
const fn short_word(name: &[u8]) -> u64 {
    let n = name.len();
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return first as u64 | (last as u64) << (8 * (n - 4));
    }
    let (middle, last) = (name[n / 2] as u64, name[n - 1] as u64);
    name[0] as u64 | middle << (8 * (n / 2)) | last << (8 * (n - 1))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the table holds at most 255 names"
)]
const fn id_const(name: &[u8]) -> u16 {
    let mut i = 0;
    while i < NAMES.len() {
        let known = NAMES[i].as_bytes();
        let mut k = 0;
        while k < name.len() && k < known.len() && known[k] == name[k] {
            k += 1;
        }
        if k == name.len() && k == known.len() {
            return i as u16 + 1;
        }
        i += 1;
    }
    0
}

/// Many more slots than names, so that a factor without collisions is soon found.
const SLOT_BITS: u32 = 10;

static SHORT: Slots = Slots::of(1, 16);
static LONG: Slots = Slots::of(17, 32);

/// The names by id; what no name has stands elsewhere. As long as every byte is an index.
static KEYS: [[u64; 4]; 256] = {
    assert!(NAMES.len() < 256, "ids are held in bytes here");
    let mut keys = [[u64::MAX; 4]; 256];
    let mut i = 0;
    while i < NAMES.len() {
        keys[i + 1] = words(NAMES[i].as_bytes());
        i += 1;
    }
    keys
};

/// The first half of [`KEYS`], which is all of a short name.
static SHORT_KEYS: [[u64; 2]; 256] = {
    let mut keys = [[u64::MAX; 2]; 256];
    let mut id = 0;
    while id < keys.len() {
        keys[id] = [KEYS[id][0], KEYS[id][1]];
        id += 1;
    }
    keys
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_place_as_id() {
        for (i, name) in NAMES.iter().enumerate() {
            assert_eq!(usize::from(id_of(name.as_bytes())), i + 1, "{name}");
            assert_eq!(usize::from(id(name)), i + 1, "{name}");
            assert_eq!(name_of(u16::try_from(i + 1).unwrap()), Some(*name));
        }
        assert_eq!(name_of(0), None);
        assert_eq!(name_of(u16::try_from(NAMES.len() + 1).unwrap()), None);
    }

    #[test]
    fn names_are_lower_case_tokens_and_differ() {
        for (i, name) in NAMES.iter().enumerate() {
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            );
            assert!(!NAMES[..i].contains(name), "{name}");
        }
    }

    #[test]
    fn names_off_by_one_byte_are_not_known() {
        for name in NAMES {
            let name = name.as_bytes();
            let mut near = Vec::new();
            for at in 0..name.len() {
                for bit in 0..8 {
                    let mut other = name.to_vec();
                    other[at] ^= 1 << bit;
                    near.push(other);
                }
            }
            near.push(name[1..].to_vec());
            near.push(name[..name.len() - 1].to_vec());
            near.push([name, b"-"].concat());
            near.push([b"x", name].concat());
            near.push(name.to_ascii_uppercase());
            for other in near {
                let known = NAMES.iter().any(|name| name.as_bytes() == other);
                assert_eq!(id_of(&other) != 0, known, "{}", other.escape_ascii());
            }
        }
        assert_eq!(id_of(b""), 0);
        assert_eq!(id_of(&[b'a'; 200]), 0);
    }
}
