use gateway_spec::abi::{Field, method, names};

use super::{
    BodyFraming, DateLine, Framing, Length, Outgoing, Recipient, ResponseHead, chunk_head,
    informational, response_head, trailer_section,
};
use crate::http1::error::EncodeError;
use crate::http1::head::Version;

const CLIENT: Recipient = Recipient {
    version: Version::Http11,
    method_id: method::GET,
    keep_alive: true,
};
const OLD_CLIENT: Recipient = Recipient {
    version: Version::Http10,
    ..CLIENT
};
const HEAD_CLIENT: Recipient = Recipient {
    method_id: method::HEAD,
    ..CLIENT
};
const CONNECT_CLIENT: Recipient = Recipient {
    method_id: method::CONNECT,
    ..CLIENT
};
const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

fn outgoing(text: &[u8]) -> Outgoing {
    let mut out = Outgoing::default();
    out.extend_from_slice(text);
    out
}

fn field<'a>(name: &'a str, value: &'a str) -> Field<'a> {
    Field::new(
        names::id_of(name.as_bytes()),
        name.as_bytes(),
        value.as_bytes(),
    )
}

fn response<'a>(status: u16, fields: &'a [Field<'a>], length: Length) -> ResponseHead<'a> {
    ResponseHead {
        status,
        fields,
        length,
        upgrade: None,
        date: None,
    }
}

/// The head as text, and how the body follows. After an error nothing must have been written.
fn encode(
    head: &ResponseHead<'_>,
    to: &Recipient,
) -> Result<(String, BodyFraming, bool), EncodeError> {
    let mut out = outgoing(b"before");
    match response_head(&mut out, head, to) {
        Ok(Framing { body, keep_alive }) => {
            let text = String::from_utf8(out.to_vec()).unwrap();
            Ok((
                text.strip_prefix("before").unwrap().to_owned(),
                body,
                keep_alive,
            ))
        }
        Err(error) => {
            assert_eq!(*out, *b"before");
            Err(error)
        }
    }
}

fn refusal(status: u16, name: &str, value: &str) -> EncodeError {
    encode(
        &response(
            status,
            &[field("x", "y"), field(name, value)],
            Length::Actual(2),
        ),
        &CLIENT,
    )
    .expect_err(name)
}

#[test]
fn a_simple_response_is_written_with_length_and_date() {
    let fields = [field("content-type", "text/plain"), field("x-own", "")];
    let head = ResponseHead {
        date: Some(&DateLine::new(DATE)),
        ..response(200, &fields, Length::Actual(13))
    };
    let (text, body, keep_alive) = encode(&head, &CLIENT).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-own: \r\ncontent-length: 13\r\n\
         date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
    );
    assert_eq!((body, keep_alive), (BodyFraming::Sized(13), true));
}

#[test]
fn an_unknown_length_is_chunked_or_ends_with_the_connection() {
    let head = response(200, &[], Length::Unknown);
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    assert_eq!(
        encode(&head, &CLIENT),
        Ok((chunked, BodyFraming::Chunked, true))
    );
    let until_close = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned();
    assert_eq!(
        encode(&head, &OLD_CLIENT),
        Ok((until_close, BodyFraming::UntilClose, false))
    );
}

#[test]
fn the_connections_fate_is_announced() {
    let head = response(404, &[], Length::Actual(0));
    let text = |to: &Recipient| encode(&head, to).unwrap().0;
    let line = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n";
    assert_eq!(text(&CLIENT), format!("{line}\r\n"));
    assert_eq!(
        text(&OLD_CLIENT),
        format!("{line}connection: keep-alive\r\n\r\n")
    );
    let closing = Recipient {
        keep_alive: false,
        ..CLIENT
    };
    assert_eq!(text(&closing), format!("{line}connection: close\r\n\r\n"));
}

#[test]
fn head_announces_what_get_would_send() {
    let own = [field("content-length", "5")];
    for (fields, length, announced) in [
        (&[][..], Length::Actual(7), Some(7)),
        (&[], Length::Actual(0), None),
        (&[], Length::Declared(7), Some(7)),
        (&[], Length::Unknown, None),
        (&own, Length::Actual(0), Some(5)),
        (&own, Length::Unknown, Some(5)),
    ] {
        let (text, body, keep_alive) =
            encode(&response(200, fields, length), &HEAD_CLIENT).unwrap();
        let line = announced.map_or(String::new(), |n| format!("content-length: {n}\r\n"));
        assert_eq!(text, format!("HTTP/1.1 200 OK\r\n{line}\r\n"));
        assert_eq!((body, keep_alive), (BodyFraming::None, true));
    }
}

#[test]
fn bodiless_statuses_have_no_body() {
    let framing = |status, length| encode(&response(status, &[], length), &CLIENT).unwrap();
    for length in [
        Length::Actual(0),
        Length::Actual(9),
        Length::Unknown,
        Length::Declared(9),
    ] {
        let (text, body, keep_alive) = framing(204, length);
        assert_eq!(text, "HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!((body, keep_alive), (BodyFraming::None, true));
        let (text, body, _) = framing(205, length);
        assert_eq!(
            text,
            "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"
        );
        assert_eq!(body, BodyFraming::None);
    }
    assert_eq!(
        framing(304, Length::Actual(0)).0,
        "HTTP/1.1 304 Not Modified\r\n\r\n"
    );
    let declared = framing(304, Length::Declared(9)).0;
    assert_eq!(
        declared,
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"
    );
}

#[test]
fn the_applications_length_is_a_declaration() {
    let with = |value: &str, length| {
        encode(
            &response(200, &[field("content-length", value)], length),
            &CLIENT,
        )
        .map(|(text, body, _)| (text.matches("content-length: ").count(), body))
    };
    assert_eq!(with("5", Length::Unknown), Ok((1, BodyFraming::Sized(5))));
    assert_eq!(with("5", Length::Actual(5)), Ok((1, BodyFraming::Sized(5))));
    assert_eq!(
        with("5", Length::Actual(6)),
        Err(EncodeError::LengthDisagrees)
    );
    assert_eq!(
        with("5", Length::Declared(6)),
        Err(EncodeError::LengthDisagrees)
    );
    for value in ["", "+5", "5, 5", "0x5", "99999999999999999999"] {
        assert_eq!(
            with(value, Length::Unknown),
            Err(EncodeError::LengthSyntax),
            "{value}"
        );
    }
    assert_eq!(
        refusal(200, "content-length", "3"),
        EncodeError::LengthDisagrees
    );
    let twice = [field("content-length", "2"), field("content-length", "2")];
    let twice = encode(&response(200, &twice, Length::Actual(2)), &CLIENT);
    assert_eq!(twice, Err(EncodeError::LengthSyntax));
}

#[test]
fn the_applications_date_is_the_only_one() {
    let fields = [field("date", "x"), field("server", "s")];
    let head = ResponseHead {
        date: Some(&DateLine::new(DATE)),
        ..response(200, &fields, Length::Actual(0))
    };
    let text = encode(&head, &CLIENT).unwrap().0;
    assert_eq!(
        text,
        "HTTP/1.1 200 OK\r\ndate: x\r\nserver: s\r\ncontent-length: 0\r\n\r\n"
    );
}

#[test]
fn nobody_splits_a_response() {
    for value in [
        "a\r\nb: c",
        "a\nb",
        "a\rb",
        "a\0b",
        "\u{7f}",
        "\u{1b}",
        "a\r\n\r\nbody",
    ] {
        assert_eq!(
            refusal(200, "x", value),
            EncodeError::FieldValue,
            "{value:?}"
        );
        assert_eq!(
            refusal(200, "location", value),
            EncodeError::FieldValue,
            "{value:?}"
        );
    }
    for name in ["", "A", "Content-Type", "a b", "a:", "a\r\nb", "é", "a\0"] {
        assert_eq!(refusal(200, name, "y"), EncodeError::FieldName, "{name:?}");
    }
    let long = "x".repeat(100);
    assert!(
        encode(
            &response(200, &[field(&long, "a\tb é")], Length::Unknown),
            &CLIENT
        )
        .is_ok()
    );
}

#[test]
fn values_of_any_length_are_checked_and_written() {
    let text = "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz";
    for length in 0..text.len() {
        let value = &text[..length];
        for name in ["etag", "x-own"] {
            let fields = [field(name, value)];
            let head = response(200, &fields, Length::Actual(0));
            let (written, ..) = encode(&head, &CLIENT).unwrap();
            let expected =
                format!("HTTP/1.1 200 OK\r\n{name}: {value}\r\ncontent-length: 0\r\n\r\n");
            assert_eq!(written, expected);
        }
        for at in 0..length {
            for byte in *b"\0\n\r\x1f\x7f" {
                let mut value = value.as_bytes().to_vec();
                value[at] = byte;
                let fields = [Field::new(names::id("etag"), b"etag", &value)];
                let refused = encode(&response(200, &fields, Length::Actual(0)), &CLIENT);
                assert_eq!(
                    refused,
                    Err(EncodeError::FieldValue),
                    "{byte} at {at} of {length}"
                );
            }
            for byte in *b" \t" {
                let mut value = value.as_bytes().to_vec();
                value[at] = byte;
                let fields = [Field::new(names::id("etag"), b"etag", &value)];
                let accepted = encode(&response(200, &fields, Length::Actual(0)), &CLIENT).is_ok();
                assert_eq!(
                    accepted,
                    at > 0 && at + 1 < length,
                    "{byte} at {at} of {length}"
                );
            }
        }
    }
}

#[test]
fn lengths_are_written_in_decimal() {
    for length in [
        0,
        7,
        10,
        4_096,
        99_999_999,
        100_000_000,
        u64::from(u32::MAX),
        u64::MAX,
    ] {
        let (text, ..) = encode(&response(200, &[], Length::Declared(length)), &CLIENT).unwrap();
        assert_eq!(
            text,
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")
        );
    }
}

#[test]
fn fields_of_the_hop_are_the_servers() {
    for name in [
        "connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "te",
    ] {
        assert_eq!(refusal(200, name, "x"), EncodeError::ReservedField);
        // Nor does it help to hide the name's id.
        let hidden = [Field::new(0, name.as_bytes(), b"x")];
        let head = response(200, &hidden, Length::Unknown);
        assert_eq!(encode(&head, &CLIENT), Err(EncodeError::ReservedField));
    }
}

#[test]
fn a_known_id_decides_about_the_name() {
    let fields = [Field::new(names::id("etag"), b"x\r\ny: z", b"1")];
    let text = encode(&response(200, &fields, Length::Actual(0)), &CLIENT)
        .unwrap()
        .0;
    assert_eq!(
        text,
        "HTTP/1.1 200 OK\r\netag: 1\r\ncontent-length: 0\r\n\r\n"
    );
}

#[test]
fn statuses_outside_200_to_599_are_refused() {
    for status in [0, 99, 100, 101, 103, 199, 600, 999, u16::MAX] {
        let head = response(status, &[], Length::Actual(0));
        assert_eq!(encode(&head, &CLIENT), Err(EncodeError::Status(status)));
    }
    let text = encode(&response(299, &[], Length::Actual(0)), &CLIENT)
        .unwrap()
        .0;
    assert_eq!(text, "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n");
}

#[test]
fn an_upgrade_is_101_or_the_answer_to_connect() {
    let head = |status, protocol| ResponseHead {
        upgrade: Some(protocol),
        ..response(status, &[], Length::Unknown)
    };
    let (text, body, keep_alive) = encode(&head(101, b"websocket"), &CLIENT).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    );
    assert_eq!((body, keep_alive), (BodyFraming::Upgraded, false));
    assert_eq!(
        encode(&head(200, b"x"), &CONNECT_CLIENT).unwrap().0,
        "HTTP/1.1 200 OK\r\n\r\n"
    );
    assert_eq!(
        encode(&head(101, b"a\r\nb"), &CLIENT),
        Err(EncodeError::Protocol)
    );
    assert_eq!(
        encode(&head(404, b"x"), &CLIENT),
        Err(EncodeError::UpgradeStatus(404))
    );
    assert_eq!(
        encode(&head(101, b"x"), &OLD_CLIENT),
        Err(EncodeError::UpgradeInHttp10)
    );
    let trailer = [field("trailer", "x-sum")];
    let announcing = ResponseHead {
        fields: &trailer,
        ..head(101, b"x")
    };
    assert_eq!(
        encode(&announcing, &CLIENT),
        Err(EncodeError::ReservedField)
    );
    let tunnel = response(200, &[], Length::Actual(0));
    assert_eq!(
        encode(&tunnel, &CONNECT_CLIENT),
        Err(EncodeError::NoTunnel(200))
    );
    assert!(encode(&response(405, &[], Length::Actual(0)), &CONNECT_CLIENT).is_ok());
}

#[test]
fn informational_responses_come_first() {
    let mut out = Outgoing::default();
    let hints = [field("link", "</a.css>; rel=preload"), field("x-own", "1")];
    assert_eq!(informational(&mut out, 103, &hints), Ok(()));
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nx-own: 1\r\n\r\n";
    assert_eq!(String::from_utf8_lossy(&out), early);
    for status in [0, 100, 101, 200, 500] {
        let refused = informational(&mut out, status, &[]);
        assert_eq!(refused, Err(EncodeError::InformationalStatus(status)));
    }
    for (name, value, error) in [
        ("content-length", "1", EncodeError::ReservedField),
        ("connection", "close", EncodeError::ReservedField),
        ("trailer", "x-sum", EncodeError::ReservedField),
        ("link", "a\nb", EncodeError::FieldValue),
    ] {
        assert_eq!(
            informational(&mut out, 103, &[field(name, value)]),
            Err(error)
        );
    }
    assert_eq!(out.len(), early.len());
}

#[test]
fn chunks_carry_their_size_in_hexadecimal() {
    for (length, text) in [
        (0, ""),
        (1, "1\r\n"),
        (0x10, "10\r\n"),
        (0xabcd, "abcd\r\n"),
        (u64::MAX, "ffffffffffffffff\r\n"),
    ] {
        let mut out = Outgoing::default();
        chunk_head(&mut out, length);
        assert_eq!(String::from_utf8_lossy(&out), text);
    }
}

#[test]
fn trailers_are_checked_like_fields() {
    let mut out = Outgoing::default();
    assert_eq!(
        trailer_section(&mut out, &[field("x-sum", "1"), field("etag", "2")]),
        Ok(())
    );
    assert_eq!(*out, *b"0\r\nx-sum: 1\r\netag: 2\r\n\r\n");
    for (name, value, error) in [
        ("content-length", "1", EncodeError::ReservedField),
        ("set-cookie", "a=b", EncodeError::ReservedField),
        ("x", "a\r\nb", EncodeError::FieldValue),
        ("X", "a", EncodeError::FieldName),
    ] {
        out.clear();
        assert_eq!(
            trailer_section(&mut out, &[field("a", "b"), field(name, value)]),
            Err(error)
        );
        assert!(out.is_empty());
    }
}
