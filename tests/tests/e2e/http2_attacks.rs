//! Who abuses HTTP/2 is cut, costs bounded memory, and keeps nobody from being served.

use gateway_tests::artefacts::Artefacts;
use gateway_tests::curl::curl;
use gateway_tests::frames::{
    ACK, CONTINUATION, DATA, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, Http2Client,
    INITIAL_WINDOW_SIZE, PADDED, PING, PROTOCOL_ERROR, RST_STREAM, SETTINGS, WINDOW_UPDATE, field,
    frame, headers, request,
};
use gateway_tests::gatewayd::Gatewayd;

/// A server under attack; others are served and its memory is looked at when it is dropped.
struct Attacked {
    server: Gatewayd,
    before: u64,
}

impl Attacked {
    fn new(arguments: &[&str]) -> Self {
        let one = [&["--workers", "1"], arguments].concat();
        let server = Gatewayd::serve(Artefacts::built().module("probe"), &one);
        assert_eq!(server.get("/version").status, 200);
        let before = resident(&server);
        Self { server, before }
    }

    fn connect(&self) -> Http2Client {
        Http2Client::connect(&self.server.address, &[])
    }

    /// Others were served meanwhile, and the attack has cost at most so many kibibytes.
    fn withstands(&self, most: u64) {
        let url = self.server.url("/version");
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let outcome = curl(&[version, &url]);
            assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "unset"));
        }
        let grown = resident(&self.server).saturating_sub(self.before);
        assert!(grown < most, "grown by {grown} KiB");
    }
}

/// Kibibytes that the worker has in memory.
fn resident(server: &Gatewayd) -> u64 {
    let [worker] = server.workers()[..] else {
        panic!("expected one worker");
    };
    let status = std::fs::read_to_string(format!("/proc/{worker}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes.unwrap().parse().unwrap()
}

/// Sends the same again and again while the server takes it, then hears why it has ended.
fn flood(mut client: Http2Client, mut piece: impl FnMut(u32) -> Vec<u8>) -> Option<u32> {
    let mut sender = client.split();
    let sending = std::thread::spawn(move || client.end());
    for round in 0..ROUNDS {
        if !sender.send(&piece(round)) {
            break;
        }
    }
    sending.join().unwrap()
}

#[test]
fn rapid_reset_is_cut() {
    let attacked = Attacked::new(&[]);
    // Of requests that are answered at once, and of some that are not.
    for path in ["/version", "/cancelled"] {
        let code = flood(attacked.connect(), |round| {
            let stream = 2 * round + 1;
            let cancel = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
            [headers(stream, END_STREAM, &request("GET", path)), cancel].concat()
        });
        assert_eq!(code, Some(ENHANCE_YOUR_CALM), "{path}");
    }
    attacked.withstands(8 * 1024);
}

#[test]
fn streams_that_the_server_is_made_to_reset_are_cut() {
    let attacked = Attacked::new(&[]);
    let post = |stream| headers(stream, 0, &request("POST", "/spawned"));
    let short = |stream| {
        let said = [request("POST", "/spawned"), field("content-length", "9")].concat();
        let come = frame(DATA, END_STREAM, stream, b"12345");
        [headers(stream, 0, &said), come].concat()
    };
    let of_the_hop = |stream| {
        let block = [request("GET", "/version"), field("connection", "close")].concat();
        headers(stream, END_STREAM, &block)
    };
    let ways: [(&str, Way<'_>); 4] = [
        // More than a window can hold.
        ("window", &|stream| {
            let more = ((1_u32 << 31) - 1).to_be_bytes();
            [post(stream), frame(WINDOW_UPDATE, 0, stream, &more)].concat()
        }),
        ("length", &short),
        ("field", &of_the_hop),
        // More at once than there may be: these wait, and those behind them are refused.
        ("many", &post),
    ];
    for (what, way) in ways {
        let code = flood(attacked.connect(), |round| way(2 * round + 1));
        assert_eq!(code, Some(ENHANCE_YOUR_CALM), "{what}");
    }
    attacked.withstands(8 * 1024);
}

#[test]
fn floods_of_content_in_tiny_frames_are_cut() {
    let attacked = Attacked::new(&[]);
    // One byte in each; nothing but padding in each.
    for (what, piece) in [
        ("a byte", frame(DATA, 0, 1, b"x")),
        ("padding", frame(DATA, PADDED, 1, &[0])),
        ("more padding", frame(DATA, PADDED, 1, &[9; 10])),
    ] {
        // Of a request that nobody reads.
        let code = flood(attacked.connect(), |round| match round {
            0 => headers(1, 0, &request("POST", "/cancelled")),
            _ => piece.repeat(100),
        });
        assert_eq!(code, Some(ENHANCE_YOUR_CALM), "{what}");
    }
    attacked.withstands(8 * 1024);
}

#[test]
fn floods_of_frames_that_bring_nothing_are_cut() {
    let attacked = Attacked::new(&[]);
    let ping = frame(PING, 0, 0, &[0; 8]);
    let settings = frame(SETTINGS, 0, 0, &[]);
    let acknowledged = frame(SETTINGS, ACK, 0, &[]);
    let window = frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes());
    let unknown = frame(0xaa, 0, 0, b"?");
    let priority = frame(2, 0, 1, &[0, 0, 0, 0, 9]);
    for one in [ping, settings, acknowledged, window, unknown, priority] {
        let many = one.repeat(100);
        let code = flood(attacked.connect(), |_| many.clone());
        // The library has a word of its own about some of them.
        assert!(code.is_some_and(|code| code != 0), "{code:?}: {one:?}");
    }
    attacked.withstands(8 * 1024);
}

#[test]
fn floods_within_a_request_are_cut() {
    let attacked = Attacked::new(&[]);
    let empty = frame(DATA, 0, 1, &[]);
    let code = flood(attacked.connect(), |round| match round {
        0 => headers(1, 0, &request("POST", "/spawned")),
        _ => empty.repeat(100),
    });
    assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    let more = frame(CONTINUATION, 0, 1, &field("x-more", &"y".repeat(1000)));
    let code = flood(attacked.connect(), |round| match round {
        0 => frame(HEADERS, END_STREAM, 1, &request("GET", "/version")),
        _ => more.clone(),
    });
    assert!(code.is_some_and(|code| code != 0), "{code:?}");
    // A field of 4,000 bytes is named again and again, one byte each time.
    let entry = [&[0x40], &field("x-bomb", &"y".repeat(3900))[1..]].concat();
    let bomb = [request("GET", "/version"), entry, vec![0xbe; 12_000]].concat();
    let code = flood(attacked.connect(), |round| {
        headers(2 * round + 1, END_STREAM, &bomb)
    });
    assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    attacked.withstands(16 * 1024);
}

#[test]
fn streams_that_are_never_read_are_reset_and_their_connection_ends() {
    let attacked = Attacked::new(&[
        "--write-timeout",
        "1s",
        "--keep-alive",
        "1s",
        "--linger",
        "1s",
    ]);
    let none = [(INITIAL_WINDOW_SIZE, 0)];
    let mut client = Http2Client::connect(&attacked.server.address, &none);
    for stream in 0..100 {
        let path = ["/chunks/1000000", "/version"][stream % 2];
        client.get(u32::try_from(stream).unwrap() * 2 + 1, path);
    }
    // Meanwhile others are served.
    assert_eq!(attacked.server.get("/version").text(), "unset");
    for _ in 0..100 {
        assert!(client.frame_of(RST_STREAM).is_some());
    }
    assert_eq!(client.end(), Some(0));
    attacked.withstands(16 * 1024);
}

#[test]
fn a_client_that_does_not_read_is_cut_with_all_its_streams() {
    let attacked = Attacked::new(&["--write-timeout", "1s"]);
    let wide = [(INITIAL_WINDOW_SIZE, (1 << 31) - 1)];
    let mut client = Http2Client::connect(&attacked.server.address, &wide);
    let all = (1_u32 << 31) - 1 - 65_535;
    client.send(&frame(WINDOW_UPDATE, 0, 0, &all.to_be_bytes()));
    for stream in 0..50 {
        client.get(2 * stream + 1, "/chunks/1000000");
    }
    // Nothing is read until the server has given up; others are served meanwhile.
    gateway_tests::until("end of the connection", || {
        !client.send(&frame(PING, 0, 0, &[0; 8]))
    });
    attacked.withstands(32 * 1024);
}

#[test]
fn who_says_nothing_or_half_of_something_is_cut_in_time() {
    let attacked = Attacked::new(&[
        "--head-timeout",
        "1s",
        "--keep-alive",
        "1s",
        "--linger",
        "1s",
    ]);
    let mut silent = attacked.connect();
    assert_eq!(silent.end(), Some(0));
    // What may yet become the preface is answered as a request line that does not end.
    for begun in ["P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let mut unclear = attacked.server.connect();
        unclear.send(begun);
        assert_eq!(unclear.response().status, 408);
        unclear.expect_end();
    }
    let mut half = attacked.connect();
    half.send(&headers(1, END_STREAM, &request("GET", "/version"))[..20]);
    assert_eq!(half.end(), Some(0));
    let mut idle = attacked.connect();
    idle.get(1, "/version");
    assert!(idle.frame_of(DATA).is_some());
    assert_eq!(idle.end(), Some(0));
    attacked.withstands(4 * 1024);
}

#[test]
fn malformed_requests_are_reset_and_the_connection_stays() {
    let attacked = Attacked::new(&[]);
    let mut client = attacked.connect();
    let get = request("GET", "/version");
    let with = |name: &str, value: &str| [get.clone(), field(name, value)].concat();
    let malformed = [
        [field(":method", "GET"), field(":path", "/")].concat(),
        with(":path", "/twice"),
        with(":status", "200"),
        with(":protocol", "websocket"),
        with("connection", "close"),
        with("keep-alive", "1"),
        with("proxy-connection", "close"),
        with("transfer-encoding", "chunked"),
        with("upgrade", "websocket"),
        with("te", "gzip"),
        with("content-length", "5"),
        [field("a", "b"), get.clone()].concat(),
    ];
    let mut stream = 1;
    for block in malformed {
        client.send(&headers(stream, END_STREAM, &block));
        let reset = client.frame_of(RST_STREAM).unwrap();
        assert_eq!((reset.stream, reset.code()), (stream, PROTOCOL_ERROR));
        stream += 2;
    }
    // More or less content than declared.
    for length in ["3", "9"] {
        let post = [request("POST", "/spawned"), field("content-length", length)].concat();
        client.send(&headers(stream, 0, &post));
        client.send(&frame(DATA, END_STREAM, stream, b"12345"));
        let reset = client.frame_of(RST_STREAM).unwrap();
        assert_eq!((reset.stream, reset.code()), (stream, PROTOCOL_ERROR));
        stream += 2;
    }
    // What HTTP/1 could have said is answered as there: 400, number 12 of the static table.
    let pseudo = |name: &str| field(name, if name == ":method" { "GET" } else { "http" });
    for block in [
        [pseudo(":method"), pseudo(":scheme")].concat(),
        [pseudo(":method"), pseudo(":scheme"), field(":path", "/")].concat(),
        with("host", "other"),
        with("x", "a "),
    ] {
        client.send(&headers(stream, END_STREAM, &block));
        let answer = client.frame_of(HEADERS).unwrap();
        assert_eq!((answer.stream, answer.payload[0]), (stream, 0x8c));
        stream += 2;
    }
    client.get(stream, "/version");
    let answer = loop {
        let data = client.frame_of(DATA).unwrap();
        if data.stream == stream {
            break data.payload;
        }
    };
    assert_eq!(answer, b"unset");
    // What no sound client's library can send ends the connection.
    for (name, value) in [(":unknown", "x"), ("X-Upper", "x"), ("x", "a\nb")] {
        let mut client = attacked.connect();
        client.send(&headers(1, END_STREAM, &with(name, value)));
        assert_eq!(client.end(), Some(PROTOCOL_ERROR), "{name}");
    }
    attacked.withstands(4 * 1024);
}

#[test]
fn heads_are_held_to_the_limits_and_the_policy_of_http1() {
    let attacked = Attacked::new(&[]);
    let url = attacked.server.url("/version");
    let long = format!("x: {}", "y".repeat(9_000));
    let target = attacked.server.url(&format!("/{}", "y".repeat(9_000)));
    for (arguments, status) in [
        (vec!["--header", &long, &url], "431"),
        (vec![target.as_str()], "414"),
        (vec!["--header", "Expect: foo", "--data", "x", &url], "417"),
        (
            vec!["--header", "Range: a", "--header", "Range: b", &url],
            "400",
        ),
    ] {
        let told = ["--http2-prior-knowledge", "--write-out", "%{http_code}"];
        let outcome = curl(&[&told[..], &["--output", "/dev/null"], &arguments].concat());
        assert_eq!(outcome.stdout, status, "{arguments:?}");
    }
    let fields: Vec<String> = (0..101).map(|n| format!("x-{n}: y")).collect();
    let many: Vec<&str> = fields
        .iter()
        .flat_map(|line| ["--header", line.as_str()])
        .collect();
    let told = ["--http2-prior-knowledge", "--write-out", "%{http_code}"];
    let outcome = curl(&[&told[..], &["--output", "/dev/null", &url], &many].concat());
    assert_eq!(outcome.stdout, "431");
}

/// What is sent on a stream.
type Way<'a> = &'a dyn Fn(u32) -> Vec<u8>;

/// More than any budget.
const ROUNDS: u32 = 20_000;
