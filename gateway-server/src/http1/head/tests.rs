use gateway_spec::abi::{method, names};
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::{BodyLength, Form, Head, Version};
use crate::http1::error::HeadError;
use crate::limits::HeadLimits;

/// The head, its buffer and length, parsed whole; the same verdict is required byte by byte.
fn parse(text: &str) -> Result<(Head, Vec<u8>, usize), HeadError> {
    parse_within(text.as_bytes(), &HeadLimits::default())
}

fn parse_within(text: &[u8], limits: &HeadLimits) -> Result<(Head, Vec<u8>, usize), HeadError> {
    let mut buf = text.to_vec();
    let mut head = Head::default();
    let whole = head.parse(&mut buf, limits);
    let mut slow_buf = text.to_vec();
    let mut slow_head = Head::default();
    let slow = (0..=text.len())
        .map(|end| slow_head.parse(&mut slow_buf[..end], limits))
        .find(|verdict| verdict != &Ok(None))
        .unwrap_or(Ok(None));
    assert_eq!(whole, slow, "{}", text.escape_ascii());
    let length = whole?.expect("the head is complete");
    assert_eq!(fields(&head, &buf), fields(&slow_head, &slow_buf));
    Ok((head, buf, length))
}

fn fields(head: &Head, buf: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    head.fields(buf)
        .map(|field| (text(field.name()), text(field.value())))
        .collect()
}

fn names_of(text: &str) -> Vec<String> {
    let (head, buf, _) = parse(text).unwrap();
    fields(&head, &buf)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

fn refusal(text: &str) -> HeadError {
    parse(text).map(|_| ()).expect_err(text)
}

#[test]
fn a_request_line_stands_in_one_piece() {
    for line in [
        "GET / HTTP/1.1",
        "POST /a?b HTTP/1.1",
        "DELETE /a HTTP/1.0",
        "OPTIONS * HTTP/1.1",
        "GET http://h/a HTTP/1.1",
        "CONNECT h:1 HTTP/1.1",
    ] {
        for before in ["", "\r\n"] {
            let host = if line.starts_with("CONNECT") {
                "h:1"
            } else {
                "h"
            };
            let (head, buf, _) = parse(&format!("{before}{line}\r\nHost: {host}\r\n\r\n")).unwrap();
            assert_eq!(head.line(&buf), line.as_bytes());
        }
    }
}

#[test]
fn a_simple_head_is_read_in_place() {
    let text = "GET /a%20b?x=1&y HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Empty:\r\n\
                Accept:  text/html \t\r\n\r\nrest";
    let (head, buf, length) = parse(text).unwrap();
    assert_eq!(&buf[length..], b"rest");
    assert_eq!(
        (head.method(&buf), head.method_id()),
        (&b"GET"[..], method::GET)
    );
    assert_eq!(head.target(&buf), b"/a%20b?x=1&y");
    assert_eq!(
        (head.path(&buf), head.query(&buf)),
        (&b"/a%20b"[..], Some(&b"x=1&y"[..]))
    );
    assert_eq!(
        (head.form(), head.version()),
        (Form::Origin, Version::Http11)
    );
    assert_eq!(head.authority(&buf), b"127.0.0.1:8000");
    assert_eq!(head.body(), BodyLength::None);
    assert!(head.keep_alive() && !head.expect_continue() && head.upgrade(&buf).is_none());
    let expected = [
        ("host", "127.0.0.1:8000"),
        ("x-empty", ""),
        ("accept", "text/html"),
    ];
    assert_eq!(
        fields(&head, &buf),
        expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
}

#[test]
fn the_same_head_serves_one_request_after_another() {
    let first =
        b"POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
    let second = b"GET /second HTTP/1.0\r\n\r\n";
    let mut buf = [&first[..], second].concat();
    let (mut head, limits) = (Head::default(), HeadLimits::default());
    let length = head.parse(&mut buf, &limits).unwrap().unwrap();
    assert_eq!(head.body(), BodyLength::Length(3));
    assert!(!head.keep_alive());
    let rest = &mut buf[length..];
    assert_eq!(head.parse(rest, &limits), Ok(Some(second.len())));
    assert_eq!(
        (head.body(), head.target(rest)),
        (BodyLength::None, &b"/second"[..])
    );
    assert_eq!(
        (head.authority(rest), head.fields(rest).len()),
        (&b""[..], 0)
    );
}

#[test]
fn a_missing_query_differs_from_an_empty_one() {
    let query = |target: &str| {
        let (head, buf, _) = parse(&format!("GET {target} HTTP/1.0\r\n\r\n")).unwrap();
        head.query(&buf).map(<[u8]>::to_vec)
    };
    assert_eq!(query("/a"), None);
    assert_eq!(query("/a?"), Some(vec![]));
    assert_eq!(query("/a?b?c"), Some(b"b?c".to_vec()));
    assert_eq!(
        query("/a-long-path-beyond-one-block/and/another?q"),
        Some(b"q".to_vec())
    );
    assert_eq!(query("http://a?q"), Some(b"q".to_vec()));
}

#[test]
fn fields_of_the_hop_are_removed() {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop,TE\r\nKeep-Alive: 5\r\n\
                X-Hop: 1\r\nProxy-Connection: x\r\nTE: deflate, Trailers;q=1, trailers\r\n\
                Upgrade: x\r\nX-End: 2\r\nTE: trailers\r\n\r\n";
    let (parsed, buf, _) = parse(head).unwrap();
    let left = [("host", "a"), ("te", "trailers"), ("x-end", "2")];
    assert_eq!(
        fields(&parsed, &buf),
        left.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    assert_eq!(
        names_of("GET / HTTP/1.1\r\nHost: a\r\nTE: gzip\r\n\r\n"),
        ["host"]
    );
}

#[test]
fn an_absolute_target_gives_host_and_path() {
    let (head, buf, _) = parse("GET HTTP://a.example?q HTTP/1.0\r\nX: y\r\n\r\n").unwrap();
    assert_eq!(
        (head.path(&buf), head.query(&buf)),
        (&b"/"[..], Some(&b"q"[..]))
    );
    let expected = [("x", "y"), ("host", "a.example")];
    assert_eq!(
        fields(&head, &buf),
        expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    let (head, buf, _) = parse("GET http://a:80/p HTTP/1.1\r\nHost: A\r\n\r\n").unwrap();
    assert_eq!(
        (head.authority(&buf), head.path(&buf)),
        (&b"a:80"[..], &b"/p"[..])
    );
    assert_eq!(head.fields(&buf).len(), 1);
    let other = "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n";
    assert_eq!(refusal(other), HeadError::HostDisagrees);
}

#[test]
fn upgrade_counts_only_with_connection_and_without_a_body() {
    let upgrade = |rest: &str| {
        let (head, buf, _) = parse(&format!("GET / {rest}\r\n\r\n")).unwrap();
        head.upgrade(&buf)
            .map(|value| value.escape_ascii().to_string())
    };
    let host = "HTTP/1.1\r\nHost: a\r\n";
    let wants = "Connection: Upgrade\r\nUpgrade: websocket, h2c/1";
    assert_eq!(
        upgrade(&format!("{host}{wants}")).as_deref(),
        Some("websocket, h2c/1")
    );
    assert_eq!(upgrade(&format!("{host}Upgrade: websocket")), None);
    assert_eq!(upgrade(&format!("{host}Connection: upgrade")), None);
    assert_eq!(
        upgrade(&format!("{host}Connection: upgrade\r\nUpgrade: a/b/c")),
        None
    );
    assert_eq!(
        upgrade(&format!("{host}{wants}\r\nContent-Length: 1")),
        None
    );
    assert_eq!(upgrade(&format!("HTTP/1.0\r\nHost: a\r\n{wants}")), None);
}

#[test]
fn continue_is_expected_only_for_a_body() {
    let expects = |rest: &str| {
        parse(&format!("PUT / {rest}\r\n\r\n"))
            .unwrap()
            .0
            .expect_continue()
    };
    let host = "HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n";
    assert!(expects(&format!("{host}Content-Length: 1")));
    assert!(expects(&format!("{host}Transfer-Encoding: Chunked")));
    assert!(!expects(&format!("{host}Content-Length: 0")));
    assert!(!expects(
        "HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1"
    ));
}

#[test]
fn limits_are_exact() {
    let limits = HeadLimits {
        request_line: 20,
        field_line: 10,
        fields: 2,
        head: 64,
    };
    let verdict = |text: &str| parse_within(text.as_bytes(), &limits).map(|_| ());
    let line = |n: usize| format!("GET /{} HTTP/1.0\r\n\r\n", "a".repeat(n));
    assert_eq!(verdict(&line(6)), Ok(()));
    assert_eq!(verdict(&line(7)), Err(HeadError::RequestLineTooLong));
    assert_eq!(verdict(&line(700)), Err(HeadError::RequestLineTooLong));
    let field = |n: usize| format!("GET / HTTP/1.0\r\na:{}\r\n\r\n", "b".repeat(n));
    assert_eq!(verdict(&field(8)), Ok(()));
    assert_eq!(verdict(&field(9)), Err(HeadError::FieldLineTooLong));
    let name = |n: usize| format!("GET / HTTP/1.0\r\n{}:\r\n\r\n", "n".repeat(n));
    assert_eq!(verdict(&name(9)), Ok(()));
    assert_eq!(verdict(&name(11)), Err(HeadError::FieldLineTooLong));
    assert_eq!(verdict("GET / HTTP/1.0\r\na:\r\nb:\r\n\r\n"), Ok(()));
    assert_eq!(
        verdict("GET / HTTP/1.0\r\na:\r\nb:\r\nc:\r\n\r\n"),
        Err(HeadError::TooManyFields)
    );
    let limits = HeadLimits {
        head: 64,
        ..HeadLimits::default()
    };
    let head = |n: usize| format!("GET / HTTP/1.0\r\na:{}\r\n\r\n", "b".repeat(n));
    let verdict = |text: &str| parse_within(text.as_bytes(), &limits).map(|_| ());
    assert_eq!(head(42).len(), 64);
    assert_eq!(verdict(&head(42)), Ok(()));
    assert_eq!(verdict(&head(43)), Err(HeadError::HeadTooLarge));
}

#[test]
fn a_line_of_the_exact_limit_waits_for_its_end() {
    let limits = HeadLimits {
        request_line: 20,
        field_line: 10,
        ..HeadLimits::default()
    };
    for text in [
        "GET /aaaaaa HTTP/1.0\r",
        "GET / HTTP/1.0\r\na:bbbbbbbb\r",
        "GET / HTTP/1.0\r",
    ] {
        let mut buf = text.as_bytes().to_vec();
        assert_eq!(
            Head::default().parse(&mut buf, &limits),
            Ok(None),
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        method in "[A-Z]{1,10}|[a-z!#$%&'*+.^_`|~-]{1,5}",
        target in "/[!$-~]{0,60}",
        fields in proptest::collection::vec(("[Xx][A-Za-z0-9._~-]{0,40}", "[!-~]([ -~\t]{0,60}[!-~])?|"), 0..20),
        blanks in "[ \t]{0,3}",
        garbage in "[a-zA-Z:\r\n ]{0,80}",
        cut in 0_usize..400,
    ) {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n").into_bytes();
        for (name, value) in &fields {
            text.extend_from_slice(format!("{name}:{blanks}{value}{blanks}\r\n").as_bytes());
        }
        text.extend_from_slice(b"\r\n");
        let length = text.len();
        text.extend_from_slice(garbage.as_bytes());
        let (mut head, limits) = (Head::default(), HeadLimits::default());
        let cut = cut.min(length - 1);
        if method == "CONNECT" {
            return Ok(());
        }
        prop_assert_eq!(head.parse_filled(&mut text, cut, &limits), Ok(None));
        // Garbage may have been changed, but nothing of what counts.
        prop_assert_eq!(head.parse_filled(&mut text, length, &limits), Ok(Some(length)));
        prop_assert_eq!(head.method(&text), method.as_bytes());
        prop_assert_eq!(head.target(&text), target.as_bytes());
        let found: Vec<_> = head.fields(&text).map(|f| (f.name().to_vec(), f.value().to_vec())).collect();
        let expected: Vec<_> = [("Host".to_owned(), "a".to_owned())]
            .iter()
            .chain(&fields)
            .map(|(name, value)| (name.to_ascii_lowercase().into_bytes(), value.clone().into_bytes()))
            .collect();
        prop_assert_eq!(found, expected);
    }
}

/// Names that are known, names that are not, and both with a byte changed or their case.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let known = proptest::sample::select(names::NAMES).prop_map(|name| name.as_bytes().to_vec());
    let special = proptest::sample::select(vec![
        "Host",
        "Content-Length",
        "Connection",
        "TE",
        "Upgrade",
        "Expect",
        "Transfer-Encoding",
    ]);
    let name = prop_oneof![
        6 => known,
        3 => special.prop_map(|name| name.as_bytes().to_vec()),
        3 => "[A-Za-z0-9.-]{0,40}".prop_map(String::into_bytes),
        1 => "[A-Za-z_!~]{1,20}".prop_map(String::into_bytes),
    ];
    (name, any::<u32>(), any::<u8>(), 0_usize..200).prop_map(|(mut name, upper, byte, at)| {
        for (i, letter) in name.iter_mut().enumerate() {
            if upper >> (i % 32) & 1 != 0 {
                letter.make_ascii_uppercase();
            }
        }
        if let Some(place) = name.get_mut(at) {
            *place = if byte.is_multiple_of(2) {
                *place ^ 0x20
            } else {
                byte
            };
        }
        name
    })
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        10 => "[!-~]([ -~]{0,80}[!-~])?".prop_map(String::into_bytes),
        3 => "[0-9a-z.-]{1,20}(:[0-9]{0,6})?".prop_map(String::into_bytes),
        2 => "[ \t]{0,2}[ -~\t]{0,70}[ \t]{0,2}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..70),
        1 => "chunked|close|keep-alive|trailers|100-continue|5".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn blocks_and_bytes_come_to_the_same_verdict(
        start in prop_oneof![
            8 => "(GET|POST) /[!-\"$-~]{0,40} HTTP/1.1\r\n",
            1 => "(GET|POST|PUT|OPTIONS|get) [/*a-z:#?é]{0,40} HTTP/1.[01]\r\n",
            1 => "[GETPOS /HT.1\r\n]{0,40}",
        ],
        host in prop_oneof![
            4 => "Host: [a-z0-9.-]{1,20}(:[0-9]{1,5})?\r\n", 1 => "host:[ -~]{0,8}\r\n", 1 => "",
        ],
        lines in proptest::collection::vec(
            (
                name(),
                prop_oneof![8 => ": ", 1 => ":", 1 => ":  ", 1 => " :", 1 => ":\t", 1 => ""],
                value(),
                prop_oneof![12 => "\r\n", 1 => " \r\n", 1 => "\n", 1 => "\r"],
            ),
            0..8,
        ),
        behind in "[A-Za-z :\r\n]{0,120}",
        room in 0_usize..120,
        small in any::<bool>(),
    ) {
        let mut text = [start.as_bytes(), host.as_bytes()].concat();
        for (name, colon, value, end) in &lines {
            text.extend_from_slice(&[name, colon.as_bytes(), value, end.as_bytes()].concat());
        }
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(behind.as_bytes());
        let filled = text.len();
        text.resize(filled + room, b':');
        let limits = HeadLimits {
            field_line: if small { 70 } else { 8_190 },
            fields: if small { 5 } else { 100 },
            ..HeadLimits::default()
        };
        let (mut buf, mut slow_buf) = (text.clone(), text);
        let (mut head, mut slow) = (Head::default(), Head::default());
        // The second time, the memory of the first is there.
        for _ in 0..2 {
            head.clear();
            slow.clear();
            let verdict = head.lines_of::<true>(&mut buf, filled, &limits);
            prop_assert_eq!(verdict, slow.lines_of::<false>(&mut slow_buf, filled, &limits));
            if let Ok(Some(length)) = verdict {
                prop_assert_eq!(&buf[..length], &slow_buf[..length]);
                prop_assert_eq!(facts(&head, &buf), facts(&slow, &slow_buf));
            }
        }
    }
}

/// All that a head says.
fn facts(head: &Head, buf: &[u8]) -> String {
    let fields: Vec<_> = head
        .fields(buf)
        .map(|f| (f.name(), f.value(), f.name_id()))
        .collect();
    let line = (
        head.method(buf),
        head.method_id(),
        head.target(buf),
        head.form(),
        head.path(buf),
        head.query(buf),
        head.authority(buf),
        head.version(),
    );
    let rest = (
        head.body(),
        head.keep_alive(),
        head.expect_continue(),
        head.upgrade(buf),
    );
    format!("{line:?} {fields:?} {rest:?}")
}

#[test]
fn what_stands_behind_the_filled_part_means_nothing() {
    let text = b"GET /a HTTP/1.1\r\nHost: a\r\nX-A: one two\r\nIf-Modified-Since: three\r\n\r\n";
    let limits = HeadLimits::default();
    for garbage in [
        "\r\n\r\nHost: b\r\n\r\n",
        " HTTP/1.1\r\nHost: b\r\n\r\n",
        ": z\r\nX: y\r\n\r\n",
        "z\r\n\r\n",
        "\n\r\nX: y\r\n\r\n",
    ] {
        for cut in 0..text.len() {
            let mut buf = [&text[..cut], garbage.as_bytes(), &[b'g'; 200]].concat();
            let mut head = Head::default();
            assert_eq!(head.parse_filled(&mut buf, cut, &limits), Ok(None), "{cut}");
            buf[cut..text.len()].copy_from_slice(&text[cut..]);
            let verdict = head.parse_filled(&mut buf, text.len(), &limits);
            assert_eq!(verdict, Ok(Some(text.len())), "{cut}");
            let expected = [
                ("host", "a"),
                ("x-a", "one two"),
                ("if-modified-since", "three"),
            ];
            assert_eq!(
                fields(&head, &buf),
                expected.map(|(n, v)| (n.to_owned(), v.to_owned())),
                "{cut}"
            );
        }
    }
}

#[test]
fn a_byte_of_another_name_is_never_taken_for_the_known_one() {
    for name in names::NAMES {
        for at in 0..name.len() {
            for bit in 0..8 {
                let mut line = name.as_bytes().to_vec();
                line[at] ^= 1 << bit;
                let text = [
                    b"GET / HTTP/1.0\r\n",
                    &line[..],
                    b": 5\r\n\r\n",
                    &[b'g'; 80],
                ]
                .concat();
                let filled = text.len() - 80;
                let (mut buf, mut slow_buf) = (text.clone(), text);
                let (mut head, mut slow) = (Head::default(), Head::default());
                // A head that was read before leaves the memory that the short way needs.
                slow.lines.push(super::parts::Line::default());
                head.lines.push(super::parts::Line::default());
                head.clear();
                slow.clear();
                let limits = HeadLimits::default();
                let verdict = head.lines_of::<true>(&mut buf, filled, &limits);
                assert_eq!(
                    verdict,
                    slow.lines_of::<false>(&mut slow_buf, filled, &limits),
                    "{}",
                    line.escape_ascii()
                );
                if verdict.is_ok() {
                    assert_eq!(facts(&head, &buf), facts(&slow, &slow_buf));
                }
            }
        }
    }
}
