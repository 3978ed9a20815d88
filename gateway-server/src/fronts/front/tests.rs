use super::*;

const LIMITS: FrontLimits = FrontLimits {
    variables: 2_000,
    connections: 8,
    idle_records: 8,
};

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[1, kind, 0, 1, length[0], length[1], 0, 0], content].concat()
}

/// A request of FastCGI that keeps the connection; its body in these pieces.
fn fastcgi(variables: &[(&str, &str)], body: &[&[u8]]) -> Vec<u8> {
    let mut params = Vec::new();
    for (name, value) in variables {
        params.extend([name, value].map(|part| u8::try_from(part.len()).unwrap()));
        params.extend_from_slice(name.as_bytes());
        params.extend_from_slice(value.as_bytes());
    }
    let mut bytes = record(1, &[0, 1, 1, 0, 0, 0, 0, 0]);
    for content in [&params[..], b""] {
        bytes.extend(record(4, content));
    }
    for piece in body.iter().chain([&&b""[..]]) {
        bytes.extend(record(5, piece));
    }
    bytes
}

fn scgi(variables: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let own = [("CONTENT_LENGTH", length.as_str()), ("SCGI", "1")];
    let pairs = own.iter().chain(variables);
    let block: String = pairs
        .map(|(name, value)| format!("{name}\0{value}\0"))
        .collect();
    let head = format!("{}:{block},", block.len());
    [head.as_bytes(), body].concat()
}

fn uwsgi(variables: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for part in variables.iter().flat_map(|(name, value)| [name, value]) {
        block.extend_from_slice(&u16::try_from(part.len()).unwrap().to_le_bytes());
        block.extend_from_slice(part.as_bytes());
    }
    let size = u16::try_from(block.len()).unwrap().to_le_bytes();
    [&[0, size[0], size[1], 0], &block[..], body].concat()
}

/// All words that come of bytes in pieces of this size, and what follows them. An empty line may stand
/// before them, where it was of use.
fn words(front: &mut Front, bytes: &[u8], piece: usize) -> (String, Taken) {
    let (mut words, mut end) = (Vec::new(), Taken::More);
    for piece in bytes.chunks(piece) {
        front.input().extend_from_slice(piece);
        end = take_all(front, &mut words);
    }
    let text = String::from_utf8(words).unwrap();
    (text.strip_prefix("\r\n").unwrap_or(&text).to_owned(), end)
}

fn take_all(front: &mut Front, words: &mut Vec<u8>) -> Taken {
    let mut room = [0; 7];
    loop {
        match front.take(&mut room) {
            Taken::Text(count) => words.extend_from_slice(&room[..count]),
            end => return end,
        }
    }
}

const GET: [(&str, &str); 3] = [
    ("REQUEST_METHOD", "GET"),
    ("REQUEST_URI", "/a"),
    ("HTTP_HOST", "h"),
];
const POST: [(&str, &str); 4] = [
    ("REQUEST_METHOD", "POST"),
    ("REQUEST_URI", "/a"),
    ("HTTP_HOST", "h"),
    ("CONTENT_LENGTH", "5"),
];
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn requests_are_told_alike_however_their_bytes_arrive() {
    let get = "GET /a HTTP/1.1\r\nhost: h\r\n";
    let post = "POST /a HTTP/1.1\r\nhost: h\r\n";
    let sized = "content-length: 5\r\n\r\nhello";
    let chunked = "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    for (bytes, words_of) in [
        (fastcgi(&GET, &[]), format!("{get}\r\n")),
        (fastcgi(&POST, &[b"hel", b"lo"]), format!("{post}{sized}")),
        (fastcgi(&POST, &[b"hello"]), format!("{post}{sized}")),
    ] {
        for piece in 1..bytes.len() {
            let mut front = Front::new(Protocol::FastCgi, LIMITS);
            for _ in 0..3 {
                let (text, end) = words(&mut front, &bytes, piece);
                assert_eq!((text, end), (words_of.clone(), Taken::More), "{piece}");
                front.write(ANSWER);
                assert!(!front.is_last());
                front.output().clear();
            }
        }
    }
    let mut front = Front::new(Protocol::FastCgi, LIMITS);
    let bytes = fastcgi(&GET, &[b"hel", b"lo"]);
    assert_eq!(
        words(&mut front, &bytes, bytes.len()).0,
        format!("{get}{chunked}")
    );
    let close = |text: &str| text.replace("HTTP/1.1\r\n", "HTTP/1.1\r\nconnection: close\r\n");
    for (protocol, bytes) in [
        (Protocol::Scgi, scgi(&POST[..3], b"hello")),
        (Protocol::Uwsgi, uwsgi(&POST, b"hello")),
    ] {
        for piece in 1..bytes.len() {
            let mut front = Front::new(protocol, LIMITS);
            let found = words(&mut front, &bytes, piece);
            assert_eq!(
                found,
                (close(post) + sized, Taken::More),
                "{protocol:?} {piece}"
            );
        }
    }
}

#[test]
fn chunks_of_uwsgi_pass_as_they_are() {
    let variables = [&GET[..], &[("HTTP_TRANSFER_ENCODING", "chunked")]].concat();
    let mut front = Front::new(Protocol::Uwsgi, LIMITS);
    let body = "5\r\nhello\r\n0\r\n\r\n";
    let bytes = uwsgi(&variables, body.as_bytes());
    let (text, _) = words(&mut front, &bytes, 3);
    let head =
        "GET /a HTTP/1.1\r\nconnection: close\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(text, format!("{head}{body}"));
}

#[test]
fn a_body_that_is_not_as_long_as_was_said_is_a_fault_before_it_ends() {
    for (body, given) in [
        (&[&b"hell"[..]][..], "hell"),
        (&[b"hello", b"!"], "hell"),
        (&[b"hello!"], ""),
        (&[], ""),
    ] {
        let mut front = Front::new(Protocol::FastCgi, LIMITS);
        let (text, end) = words(&mut front, &fastcgi(&POST, body), 1_000);
        assert_eq!(end, Taken::Fault, "{body:?}");
        assert!(text.ends_with(&format!("\r\n\r\n{given}")), "{text}");
    }
    let denied = [&GET[..], &[("CONTENT_LENGTH", "0")]].concat();
    let mut front = Front::new(Protocol::FastCgi, LIMITS);
    assert_eq!(words(&mut front, &fastcgi(&denied, &[b"x"]), 1_000).0, "\0");
    assert_eq!(front.report().unwritable().unwrap().status, 400);
}

#[test]
fn a_request_that_cannot_be_written_down_has_a_status_and_is_read_no_further() {
    let long = "x".repeat(250);
    let many: Vec<_> = std::iter::repeat_n(("HTTP_LONG", long.as_str()), 9).collect();
    for (protocol, bytes, status) in [
        (Protocol::FastCgi, fastcgi(&GET[1..], &[]), 400),
        (Protocol::Scgi, scgi(&GET[1..], b""), 400),
        (Protocol::Uwsgi, uwsgi(&GET[1..], b""), 400),
        (Protocol::FastCgi, fastcgi(&many, &[]), 431),
        (Protocol::Scgi, scgi(&many, b""), 431),
        (Protocol::Uwsgi, uwsgi(&many, b""), 431),
        (Protocol::Scgi, b"GET / HTTP/1.1\r\n\r\n".to_vec(), 400),
        (Protocol::Uwsgi, b"GET / HTTP/1.1\r\n\r\n".to_vec(), 400),
    ] {
        let mut front = Front::new(protocol, LIMITS);
        let (text, _) = words(&mut front, &bytes, 11);
        assert_eq!(text, "\0", "{protocol:?}");
        assert_eq!(front.report().unwritable().unwrap().status, status);
    }
    let mut front = Front::new(Protocol::FastCgi, LIMITS);
    assert_eq!(
        words(&mut front, b"GET / HTTP/1.1\r\n\r\n", 11).1,
        Taken::Fault
    );
}

#[test]
fn an_abort_ends_the_request_and_with_it_the_connection() {
    let mut front = Front::new(Protocol::FastCgi, LIMITS);
    words(&mut front, &fastcgi(&GET, &[]), 1_000);
    assert_eq!(words(&mut front, &record(2, b""), 1_000).1, Taken::Gone);
    let end = &front.output()[8..];
    assert_eq!((end[1], end[12]), (3, 0), "FCGI_END_REQUEST, complete");
}

#[test]
fn a_front_of_fastcgi_that_goes_wants_no_answer() {
    let mut front = Front::new(Protocol::FastCgi, LIMITS);
    words(&mut front, &fastcgi(&GET, &[]), 1_000);
    front.end_input();
    assert_eq!(front.take(&mut [0]), Taken::Gone);
    let mut front = Front::new(Protocol::FastCgi, LIMITS);
    front.end_input();
    assert_eq!(front.take(&mut [0]), Taken::End);
    let mut front = Front::new(Protocol::Scgi, LIMITS);
    words(&mut front, &scgi(&GET, b""), 1_000);
    front.end_input();
    assert_eq!(front.take(&mut [0]), Taken::End);
}

#[test]
fn what_comes_while_a_request_is_answered_is_bounded() {
    let mut front = Front::new(Protocol::Scgi, LIMITS);
    words(&mut front, &scgi(&GET, b""), 1_000);
    let more = vec![b'x'; AHEAD];
    assert_eq!(words(&mut front, &more, AHEAD).1, Taken::Nothing);
    front.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    assert!(front.is_last());
    assert_eq!(front.take(&mut [0]), Taken::More);
}
