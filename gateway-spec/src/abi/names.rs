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
];

/// The id of a lower-case name, or 0 if it is not in [`NAMES`].
///
/// A name with capitals is not in the table: lower-case it first.
#[must_use]
#[inline]
pub fn id_of(name: &[u8]) -> u16 {
    let Some(key) = Key::of(name) else { return 0 };
    let mut slot = key.slot();
    loop {
        let id = SLOTS[slot];
        let known = &KEYS[usize::from(id)];
        if known.is(&key) && (name.len() <= 16 || known.middle == Key::middle_of(name)) {
            return u16::from(id);
        }
        if id == 0 {
            return 0;
        }
        slot = (slot + 1) % SLOTS.len();
    }
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

/// A name of at most 32 bytes as words, equal exactly if the names are.
#[derive(Clone, Copy)]
struct Key {
    length: usize,
    /// The first 8 and the last 8 bytes, which overlap in names of less than 16; shorter names
    /// than 8 are in the first word alone.
    ends: [u64; 2],
    /// The 8 bytes behind the first 8, and those before the last 8, of names of more than 16.
    middle: [u64; 2],
}

impl Key {
    const EMPTY: Self = Self {
        length: 0,
        ends: [0; 2],
        middle: [0; 2],
    };

    /// Without the middle, which few names have.
    #[inline(always)]
    const fn of(name: &[u8]) -> Option<Self> {
        let n = name.len();
        let ends = match n {
            8..=32 => [word(name, 0), word(name, n - 8)],
            4..=7 => [half(name, 0) | half(name, n - 4) << 32, 0],
            1..=3 => {
                let bytes = [name[0], name[n / 2], name[n - 1], 0];
                [u32::from_le_bytes(bytes) as u64, 0]
            }
            _ => return None,
        };
        Some(Self {
            length: n,
            ends,
            ..Self::EMPTY
        })
    }

    #[inline(always)]
    const fn middle_of(name: &[u8]) -> [u64; 2] {
        [word(name, 8), word(name, name.len() - 16)]
    }

    /// Whether both agree on everything but the middle.
    #[inline(always)]
    const fn is(&self, other: &Self) -> bool {
        self.ends[0] == other.ends[0]
            && self.ends[1] == other.ends[1]
            && self.length == other.length
    }

    /// Where the search for this key begins.
    #[inline(always)]
    const fn slot(&self) -> usize {
        let sum = self.ends[0]
            .wrapping_add(self.ends[1])
            .wrapping_add(self.length as u64);
        let mixed = sum.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> (u64::BITS - SLOT_BITS)) as usize
    }
}

#[inline(always)]
const fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.split_at(at).1.first_chunk() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => 0,
    }
}

#[inline(always)]
const fn half(bytes: &[u8], at: usize) -> u64 {
    match bytes.split_at(at).1.first_chunk() {
        Some(chunk) => u32::from_le_bytes(*chunk) as u64,
        None => 0,
    }
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

/// The table is four times sparser than the names are many, so that most searches end at once.
const SLOT_BITS: u32 = 9;

/// Ids by hash, open addressing with linear probing; 0 marks a free slot.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the table holds at most 255 names"
)]
static SLOTS: [u8; 1 << SLOT_BITS] = {
    assert!(NAMES.len() <= u8::MAX as usize && NAMES.len() * 2 < 1 << SLOT_BITS);
    let mut slots = [0; 1 << SLOT_BITS];
    let mut i = 0;
    while i < NAMES.len() {
        let mut slot = KEYS[i + 1].slot();
        while slots[slot] != 0 {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = i as u8 + 1;
        i += 1;
    }
    slots
};

/// The keys by id; that of 0 belongs to no name.
static KEYS: [Key; NAMES.len() + 1] = {
    let mut keys = [Key::EMPTY; NAMES.len() + 1];
    let mut i = 0;
    while i < NAMES.len() {
        let name = NAMES[i].as_bytes();
        keys[i + 1] = Key::of(name).expect("a name has 1 to 32 bytes");
        if name.len() > 16 {
            keys[i + 1].middle = Key::middle_of(name);
        }
        i += 1;
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
