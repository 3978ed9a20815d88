//! What is asked of every server, of applications that tell what they are told.

use crate::client::chunked;

/// A request, and the name under which a difference is reported.
#[derive(Debug)]
pub struct Turn {
    pub name: String,
    /// As they go over a connection of HTTP/1.1.
    pub bytes: Vec<u8>,
    /// Sent by a visitor, who keeps cookies: the fields of the form to fill in, empty for none.
    pub form: Option<String>,
}

impl Turn {
    /// `fields` are whole lines.
    #[must_use]
    pub fn new(method: &str, target: &str, fields: &str, body: &[u8]) -> Self {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
        let short = |text: &str| text.chars().take(60).collect::<String>();
        Self {
            name: format!("{method} {} {:?}", short(target), short(fields)),
            bytes: [head.as_bytes(), fields.as_bytes(), b"\r\n", body].concat(),
            form: None,
        }
    }

    /// A GET without anything.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target, "", b"")
    }

    /// With a body of declared length.
    #[must_use]
    pub fn sized(method: &str, target: &str, body: &[u8]) -> Self {
        let length = format!("Content-Length: {}\r\n", body.len());
        Self::new(method, target, &length, body)
    }

    /// A page that a visitor looks at, or a form of it that is sent filled in.
    #[must_use]
    pub fn visit(target: &str, form: &str) -> Self {
        let method = if form.is_empty() { "GET" } else { "POST" };
        let turn = Self::new(method, target, "", b"");
        Self {
            name: format!("{} {form}", turn.name),
            form: Some(form.to_owned()),
            ..turn
        }
    }

    /// With a body in the chunked coding.
    #[must_use]
    pub fn chunked(method: &str, target: &str, parts: &[&[u8]]) -> Self {
        Self::new(
            method,
            target,
            "Transfer-Encoding: chunked\r\n",
            &chunked(parts),
        )
    }

    /// Whether its method is HEAD.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.bytes.starts_with(b"HEAD ")
    }
}

/// For the echo application: every form of method, target, field and body.
#[must_use]
pub fn for_echo() -> Vec<Turn> {
    let mut turns: Vec<Turn> = METHODS
        .iter()
        .map(|method| Turn::new(method, "/m", "", b""))
        .collect();
    turns.extend(TARGETS.iter().map(|target| Turn::get(target)));
    turns.push(Turn::get(&format!("/{}", "l".repeat(3000))));
    turns.push(Turn::new("OPTIONS", "*", "", b""));
    turns.extend(
        FIELDS
            .iter()
            .map(|fields| Turn::new("GET", "/f", fields, b"")),
    );
    turns.push(Turn::new(
        "GET",
        "/f",
        &format!("X-Long: {}\r\n", "v".repeat(4000)),
        b"",
    ));
    turns.extend(bodies("/b"));
    turns.push(Turn::sized("GET", "/b", b"abc"));
    turns.push(Turn::sized("DELETE", "/b", b"abc"));
    let raw = |name: &str, text: &str| Turn {
        name: name.to_owned(),
        bytes: text.into(),
        form: None,
    };
    turns.push(raw(
        "fields that Connection names",
        "GET /c HTTP/1.1\r\nHost: t\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-Stay: 1\r\n\r\n",
    ));
    turns.push(raw(
        "a host with capitals and a port",
        "GET /c HTTP/1.1\r\nHost: Example.ORG:80\r\nConnection: close\r\n\r\n",
    ));
    turns
}

/// Bodies of many sizes, in both codings.
#[must_use]
pub fn bodies(target: &str) -> Vec<Turn> {
    let body = vec![b'b'; 1_000_000];
    let sizes = [0, 1, 1000, 65_535, 65_536, 65_537, 300_000, 1_000_000];
    let mut turns: Vec<Turn> = sizes
        .iter()
        .map(|size| Turn::sized("POST", target, &body[..*size]))
        .collect();
    turns.push(Turn::chunked("POST", target, &[]));
    turns.push(Turn::chunked("PUT", target, &[b"hello"]));
    turns.push(Turn::chunked(
        "POST",
        target,
        &[b"a", &body[..70_000], b"bcd", &body[..200_000]],
    ));
    let small: Vec<&[u8]> = body[..500].chunks(1).collect();
    turns.push(Turn::chunked("POST", target, &small));
    turns
}

/// For the probe: statuses, ways to wait and to fail, kinds of bodies.
#[must_use]
pub fn for_probe() -> Vec<Turn> {
    let mut turns: Vec<Turn> = PROBED.iter().map(|target| Turn::get(target)).collect();
    for target in ["/chunks/3", "/file", "/status/200", "/sleep/5", "/redirect"] {
        turns.push(Turn::new("HEAD", target, "", b""));
    }
    turns.push(Turn::sized("POST", "/spawned", b"hello"));
    turns.push(Turn::chunked(
        "POST",
        "/spawned",
        &[b"abc", &[b'd'; 70_000]],
    ));
    turns.extend(bodies("/mirror"));
    turns
}

/// What no server may hand to the application.
#[must_use]
pub fn refused() -> Vec<Turn> {
    let texts = [
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX bad: 1\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\nConnection: close\r\n\r\n",
    ];
    let turns = texts.iter().map(|text| Turn {
        name: (*text).to_owned(),
        bytes: (*text).into(),
        form: None,
    });
    turns.collect()
}

const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "M-SEARCH",
];

const TARGETS: &[&str] = &[
    "/",
    "/a/b",
    "/a%2Fb",
    "/a%2fb",
    "/%41",
    "/a%20b",
    "/a+b",
    "/%C3%A9",
    "/%FF",
    "/a;b=c",
    "/a//b",
    "//a",
    "/a/./b",
    "/a/../b",
    "/a/b/..",
    "/..",
    "/%2E%2E/x",
    "/~u/-._!$&'()*,=:@",
    "/a|b",
    "/a{b}",
    "/a?",
    "/?x",
    "/?x=1&y=2",
    "/?x=%20+%2B",
    "/?a?b",
    "/?%FF",
    "/?a=/b/../c",
    "http://test/abs/x?y=1",
];

const FIELDS: &[&str] = &[
    "X-A: 1\r\nX-A: 2\r\n",
    "Cookie: a=1\r\nCookie: b=2\r\n",
    "Accept: a\r\nX-B: 1\r\nAccept: b\r\n",
    "X-Empty:\r\n",
    "X-Spaces:   a b  \r\n",
    "X-Tab: a\tb\r\n",
    "X-Quoted: \"a, b\"\r\n",
    "X-Under: 1\r\n",
    "X_Under: 1\r\n",
    "Proxy: http://evil\r\n",
    "TE: trailers\r\n",
    "TE: gzip\r\n",
    "Keep-Alive: 5\r\n",
    "Proxy-Connection: x\r\n",
    "Authorization: Basic eDp5\r\n",
    "X!Odd#Name: 1\r\n",
    "X-1.2: 1\r\n",
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /p\r\n",
    "X-Script-Name: /p\r\nScript-Name: /p\r\nPath-Info: /q\r\n",
    "Content-Type: text/plain\r\n",
    "Content-Length: 0\r\n",
    "Upgrade: websocket\r\n",
    "Range: bytes=0-1\r\n",
    "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
];

const PROBED: &[&str] = &[
    "/status/200",
    "/status/201",
    "/status/204",
    "/status/205",
    "/status/304",
    "/status/404",
    "/status/413",
    "/status/418",
    "/status/500",
    "/status/503",
    "/redirect",
    "/sleep/20",
    "/pooled/5",
    "/panic",
    "/panic-later",
    "/panic-in-drop",
    "/hints",
    "/chunks/5",
    "/chunks/200",
    "/trailers",
    "/file",
    "/unknown",
];
