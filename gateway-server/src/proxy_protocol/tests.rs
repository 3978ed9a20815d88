use gateway_spec::Address;

use super::*;

/// A header of version 2 with these bytes behind its length.
fn record(command: u8, family: u8, rest: &[&[u8]]) -> Vec<u8> {
    let rest = rest.concat();
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [record::SIGN, &[command, family], &length, &rest].concat()
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind], &length[..], value].concat()
}

fn client(text: &str) -> Source {
    let address: std::net::SocketAddr = text.parse().unwrap();
    Source::Client(address.into())
}

/// The verdict on a header, which has to be the same with anything behind it, and open at every byte
/// before the one that decides.
fn judge(bytes: &[u8]) -> Result<Introduction, ProxyError> {
    let verdict = parse(bytes);
    for length in 0..bytes.len() {
        match parse(&bytes[..length]) {
            Ok(None) => {}
            decided => assert_eq!(decided, verdict, "after {length} bytes"),
        }
    }
    let (introduction, length) = verdict?.expect("a whole header");
    assert_eq!(length, bytes.len());
    for behind in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\n",
        b"PROXY UNKNOWN\r\n",
        &[0; 300],
    ] {
        let more = [bytes, behind].concat();
        assert_eq!(parse(&more), Ok(Some((introduction.clone(), length))));
    }
    Ok(introduction)
}

const V4: &[u8] = &[192, 0, 2, 7, 127, 0, 0, 1, 0xD4, 0x31, 0, 80];

#[test]
fn lines_name_clients_or_nobody() {
    for (line, source) in [
        (
            "PROXY TCP4 192.0.2.7 127.0.0.1 54321 80\r\n",
            client("192.0.2.7:54321"),
        ),
        (
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            client("255.255.255.255:65535"),
        ),
        ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", client("0.0.0.0:0")),
        (
            "PROXY TCP6 2001:db8::7 ::1 1 2\r\n",
            client("[2001:db8::7]:1"),
        ),
        (
            "PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n",
            client("[::ffff:192.0.2.7]:1"),
        ),
        ("PROXY UNKNOWN\r\n", Source::Unknown),
        ("PROXY UNKNOWN \r\n", Source::Unknown),
        (
            "PROXY UNKNOWN whatever \x01 stands here\r\n",
            Source::Unknown,
        ),
    ] {
        let found = judge(line.as_bytes());
        assert_eq!(found, Ok(Introduction::of(source)), "{line:?}");
    }
    let longest = format!("PROXY UNKNOWN {}\r\n", "f".repeat(PROXY_LINE - 16));
    assert_eq!(longest.len(), PROXY_LINE);
    let unknown = Introduction::of(Source::Unknown);
    assert_eq!(judge(longest.as_bytes()), Ok(unknown));
    let longer = longest.replacen('f', "ff", 1);
    assert_eq!(judge(longer.as_bytes()), Err(ProxyError::LineTooLong));
}

#[test]
fn lines_that_are_not_to_the_letter_are_refused() {
    for line in [
        "PROXY\x20\r\n",
        "PROXY  TCP4 192.0.2.7 127.0.0.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 1 2\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 1 2 \r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 1 2 3\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 1\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 1 \r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 01 2\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 +1 2\r\n",
        "PROXY TCP4 192.0.2.7 127.0.0.1 65536 2\r\n",
        "PROXY TCP4 192.0.2.07 127.0.0.1 1 2\r\n",
        "PROXY TCP4 192.0.2 127.0.0.1 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.7 127.0.0.1 1 2\r\n",
        "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        "PROXY TCP6 [::1] ::1 1 2\r\n",
        "PROXY TCP6 ::1 nowhere 1 2\r\n",
        "PROXY tcp4 192.0.2.7 127.0.0.1 1 2\r\n",
        "PROXY UDP4 192.0.2.7 127.0.0.1 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY UNKNOWN a\rb\r\n",
        "PROXY TCP4\t192.0.2.7 127.0.0.1 1 2\r\n",
    ] {
        assert_eq!(judge(line.as_bytes()), Err(ProxyError::Line), "{line:?}");
    }
}

#[test]
fn what_begins_otherwise_is_no_header() {
    for other in [
        "GET / HTTP/1.1\r\n",
        "proxy TCP4 ",
        "PROXX",
        " PROXY ",
        "\nPROXY",
        "\r\n\r\nGET",
        "\x16\x03\x01",
        "PRI * HTTP/2.0\r\n",
        "\0",
    ] {
        assert_eq!(
            judge(other.as_bytes()),
            Err(ProxyError::Missing),
            "{other:?}"
        );
    }
    assert_eq!(parse(b""), Ok(None));
}

#[test]
fn records_name_clients_of_every_family_or_nobody() {
    let v6 = [
        &[0x20, 1, 0x0D, 0xB8][..],
        &[0; 11],
        &[7],
        &[0; 16],
        &[0, 1, 0, 2],
    ]
    .concat();
    let mut unix = [b"/run/client.sock".as_slice(), &[0; 200]].concat();
    let mut hidden = [b"\0hidden".as_slice(), &[0; 209]].concat();
    let unnamed = vec![0; 216];
    unix.truncate(216);
    hidden.truncate(216);
    let path = |bytes: &[u8]| Source::Client(Address::Unix(bytes.into()));
    for (command, family, rest, source) in [
        (0x21, 0x11, V4, client("192.0.2.7:54321")),
        (0x21, 0x12, V4, client("192.0.2.7:54321")),
        (0x21, 0x21, &v6, client("[2001:db8::7]:1")),
        (0x21, 0x22, &v6, client("[2001:db8::7]:1")),
        (0x21, 0x31, &unix, path(b"/run/client.sock")),
        (0x21, 0x32, &hidden, path(b"\0hidden")),
        (0x21, 0x31, &unnamed, path(b"")),
        (0x21, 0x00, b"", Source::Unknown),
        (0x21, 0x00, b"whatever", Source::Unknown),
        (0x20, 0x00, b"", Source::Proxy),
        (0x20, 0x11, V4, Source::Proxy),
        (0x20, 0xFF, b"whatever", Source::Proxy),
    ] {
        let mut rest = rest.to_vec();
        if family & 0xF0 == 0x30 {
            rest.resize(216, 0);
        }
        let found = judge(&record(command, family, &[&rest]));
        assert_eq!(
            found,
            Ok(Introduction::of(source)),
            "{command:x} {family:x}"
        );
    }
}

#[test]
fn records_that_are_not_to_the_letter_are_refused() {
    let of = |command, family| judge(&record(command, family, &[V4]));
    assert_eq!(of(0x11, 0x11), Err(ProxyError::Command(0x11)));
    assert_eq!(of(0x22, 0x11), Err(ProxyError::Command(0x22)));
    assert_eq!(of(0x31, 0x11), Err(ProxyError::Command(0x31)));
    for family in [0x01, 0x10, 0x13, 0x20, 0x41, 0xFF] {
        assert_eq!(of(0x21, family), Err(ProxyError::Family(family)));
    }
    for (family, expected) in [(0x21, 36), (0x31, 216)] {
        let found = V4.len();
        assert_eq!(
            of(0x21, family),
            Err(ProxyError::Addresses { expected, found })
        );
    }
    let broken = record::SIGN.to_ascii_lowercase();
    assert_eq!(judge(&broken), Err(ProxyError::Missing));
}

#[test]
fn what_stands_behind_the_addresses_is_bounded() {
    let filler = |length: usize| tlv(0x04, &vec![0; length - 3]);
    let fits = record(0x21, 0x11, &[V4, &filler(PROXY_OPTIONS)]);
    assert!(judge(&fits).is_ok());
    let longer = record(0x21, 0x11, &[V4, &filler(PROXY_OPTIONS + 1)]);
    assert_eq!(judge(&longer), Err(ProxyError::TooLong(PROXY_OPTIONS + 1)));
    // The length is enough to know it.
    assert_eq!(
        judge(&longer[..16]),
        Err(ProxyError::TooLong(PROXY_OPTIONS + 1))
    );
    let longest = record(0x20, 0, &[&vec![0; LONGEST - record::FIXED]]);
    assert_eq!(
        (longest.len(), judge(&longest)),
        (LONGEST, Ok(Introduction::of(Source::Proxy)))
    );
}

#[test]
fn tls_at_the_proxy_is_heard_of() {
    let version = tlv(0x21, b"TLSv1.3");
    for (client, said) in [(0x01, true), (0x07, true), (0x00, false)] {
        let ssl = tlv(0x20, &[&[client, 0, 0, 0, 0][..], &version].concat());
        let others = [
            tlv(0x02, b"site.test"),
            tlv(0x05, b"id"),
            tlv(0xEA, b"\x01vpce"),
        ]
        .concat();
        let found = judge(&record(0x21, 0x11, &[V4, &others, &ssl])).unwrap();
        assert_eq!(found.tls, said);
        let twice = judge(&record(0x21, 0x11, &[V4, &ssl, &ssl]));
        assert_eq!(twice, Err(ProxyError::Repeated(0x20)));
    }
}

#[test]
fn options_have_to_be_whole() {
    for options in [
        &b"\x02"[..],
        b"\x02\0",
        b"\x02\0\x05site",
        b"\x04\0\0\x02",
        b"\x03\0\x03abc",
        b"\x20\0\x04abcd",
        b"\x20\0\0",
        // A TLV within that of TLS which goes on behind it.
        b"\x20\0\x08\x01\0\0\0\0\x21\0\x07",
    ] {
        let found = judge(&record(0x21, 0x11, &[V4, options]));
        assert_eq!(found, Err(ProxyError::Options), "{options:?}");
    }
}

#[test]
fn a_checksum_has_to_be_right() {
    let mut header = record(
        0x21,
        0x11,
        &[V4, &tlv(0x03, &[0; 4]), &tlv(0x02, b"site.test")],
    );
    let sum = crc32c::checksum([&header[..]]);
    let at = record::FIXED + V4.len() + 3;
    header[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(judge(&header).unwrap().source, client("192.0.2.7:54321"));
    // All but the byte that says that this is the checksum.
    for bit in (0..header.len() * 8).filter(|bit| bit / 8 != at - 3) {
        let mut changed = header.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // A changed length may ask for more bytes; nothing that was changed is believed.
        let believed = matches!(parse(&changed), Ok(Some((one, _))) if matches!(one.source, Source::Client(_)));
        assert!(!believed, "bit {bit}");
    }
    let twice = record(0x21, 0x11, &[V4, &tlv(0x03, &[0; 4]), &tlv(0x03, &[0; 4])]);
    assert!(judge(&twice).is_err());
}
