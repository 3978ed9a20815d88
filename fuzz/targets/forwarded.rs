//! What a client writes into the fields of proxies changes nothing of what the proxy says behind it, and
//! what is believed is what it claims to be.

use std::net::SocketAddr;

use gateway_server::internal::proxies::{Told, hear};
use gateway_spec::abi::{Field, names};

/// Asserts it of one input: lines, of which the first byte chooses the field.
pub(crate) fn run(input: &[u8]) {
    let forged: Vec<(&str, &[u8])> = input
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let (first, value) = line.split_first()?;
            let clean = |byte: &u8| *byte >= b' ' && *byte != 0x7F || *byte == b'\t';
            let value = value.trim_ascii();
            let name = FIELDS[usize::from(*first) % FIELDS.len()];
            value.iter().all(clean).then_some((name, value))
        })
        .collect();
    for hops in [0, 1, 2] {
        is_what_it_claims(&told(&forged, hops));
    }
    let said = [forged, PROXYS.to_vec()].concat();
    let alone = told(PROXYS, 1);
    assert_eq!(alone.client, Some(client()));
    for hops in [0, 1] {
        let heard = told(&said, hops);
        assert_eq!(heard.client, alone.client, "{hops} hops");
        assert_eq!(heard.scheme, alone.scheme, "{hops} hops");
        assert_eq!(heard.authority, alone.authority, "{hops} hops");
        assert_eq!(heard.prefix, alone.prefix, "{hops} hops");
    }
}

fn told<'r>(lines: &[(&'r str, &'r [u8])], hops: u32) -> Told<'r> {
    let fields = lines.iter().map(|(name, value)| {
        let id = names::id_of(name.as_bytes());
        Field::new(id, name.as_bytes(), value)
    });
    // Nobody on the way is trusted by address.
    hear(fields, hops)
}

fn is_what_it_claims(told: &Told<'_>) {
    if let Some(prefix) = told.prefix {
        let text = std::str::from_utf8(prefix).expect("a prefix is ASCII");
        assert!(text.starts_with('/') && !text.ends_with('/'), "{text}");
        assert!(
            text.split('/')
                .skip(1)
                .all(|one| !matches!(one, "" | "." | "..")),
            "{text}"
        );
    }
    if let Some(authority) = told.authority {
        assert!(!authority.is_empty());
        assert!(authority.iter().all(|byte| !b" /@?#\\\"".contains(byte)));
    }
}

fn client() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], 0))
}

/// What the proxy writes, each on a line of its own.
const PROXYS: &[(&str, &[u8])] = &[
    ("forwarded", b"for=192.0.2.7;proto=https;host=example.org"),
    ("x-forwarded-for", b"192.0.2.7"),
    ("x-forwarded-proto", b"https"),
    ("x-forwarded-host", b"example.org"),
    ("x-forwarded-prefix", b"/app"),
];

const FIELDS: &[&str] = &[
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-prefix",
];
