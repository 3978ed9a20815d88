//! Apache's mod_proxy_fcgi, mod_proxy_scgi and mod_proxy_uwsgi, and mod_cgid with `gateway-cgi`.

use std::fs;

use gateway_tests::apache::Apache;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::cgi::script;
use gateway_tests::client::{Client, chunked, get, post};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::response::Response;
use gateway_tests::until;
use serde_json::Value;
use tempfile::TempDir;

use super::{fetch, seen};

/// By what an application is reached, and the scheme of that in Apache's words.
const PROXIED: [(&str, &str); 4] = [
    ("http", "http"),
    ("fastcgi", "fcgi"),
    ("scgi", "scgi"),
    ("uwsgi", "uwsgi"),
];

/// All but HTTP.
const WAYS: [&str; 4] = ["fastcgi", "scgi", "uwsgi", "cgi"];

struct Site {
    apache: Apache,
    _server: Gatewayd,
    _folder: TempDir,
}

impl Site {
    /// The module at `/http`, `/fastcgi`, `/scgi` and `/uwsgi` without a mount, and at `/cgi` with one.
    fn of(module: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let module = Artefacts::built().module(module);
        let mut command = program();
        for (protocol, _) in PROXIED {
            command.args(["--bind", &format!("{protocol}://127.0.0.1:0")]);
        }
        let server = Gatewayd::start(command.args(["--workers", "1"]).arg(module));
        let mut site = String::from(COMMON);
        for ((protocol, scheme), address) in PROXIED.iter().zip(&server.addresses) {
            site += &format!("ProxyPass \"/{protocol}\" \"{scheme}://{address}/{protocol}\"\n");
        }
        site += &cgi_at("/cgi", &script(module, folder.path()).display().to_string());
        Self {
            apache: Apache::serve(&site, &MODULES, folder.path()),
            _server: server,
            _folder: folder,
        }
    }

    /// Sends a request in which `@` is where the application is.
    fn fetch(&self, way: &str, request: &str, body: &[u8]) -> Response {
        let request = request.replace('@', &format!("/{way}"));
        fetch(&self.apache.address, &[request.as_bytes(), body].concat())
    }

    fn get(&self, way: &str, path: &str) -> Response {
        self.fetch(way, &get(&format!("@{path}")), b"")
    }
}

fn cgi_at(place: &str, script: &str) -> String {
    format!("ScriptSock @folder@/cgi.sock\nScriptAlias \"{place}\" \"{script}\"\n")
}

/// Requests to `@`, and their bodies.
fn requests() -> Vec<(String, Vec<u8>)> {
    let of = |line: &str, fields: &str| format!("{line} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
    let mut all: Vec<_> = LINES
        .iter()
        .map(|line| (of(line, ""), Vec::new()))
        .collect();
    let fields = "Cookie: a=1; b=2\r\nAuthorization: Basic YTpi\r\nX-Two-Words:  a b \r\nAccept: text/html\r\n\
                  Proxy: http://evil/\r\nIf-None-Match: \"x\"\r\nX_Under: dropped\r\n";
    all.push((of("GET @/f", fields), Vec::new()));
    for length in [0, 1, 65_536, 200_000] {
        let fields = format!("Content-Type: text/plain\r\nContent-Length: {length}\r\n");
        all.push((of("POST @/b", &fields), vec![b'b'; length]));
    }
    all
}

/// What the application was told, but for what a proxy of HTTP says of itself, and where it is mounted.
fn told(response: &Response, way: &str) -> Value {
    let mut told = seen(response);
    let is_own = |name: &str| {
        let others = ["proxy", "content-length", "x_under"];
        name.starts_with("x-forwarded-") || others.contains(&name)
    };
    let fields = told["headers"].as_array_mut().unwrap();
    fields.retain(|field| !is_own(field[0].as_str().unwrap()));
    for part in ["target", "path"] {
        let text = told[part].as_str().unwrap();
        told[part] = text.replacen(&format!("/{way}"), "@", 1).into();
    }
    told
}

#[test]
fn an_application_sees_the_same_request_by_every_module_of_apache() {
    let site = Site::of("echo");
    for (request, body) in requests() {
        let expected = told(&site.fetch("http", &request, &body), "http");
        for way in WAYS {
            let response = site.fetch(way, &request, &body);
            let text = response.text();
            let is_clean = !text.contains("dropped") && !text.contains("evil");
            assert!(is_clean, "{way}: {text}");
            let mut found = told(&response, way);
            // mod_proxy_http tidies a path up before it passes it on; the others say both.
            let target = request.split(' ').nth(1).unwrap();
            assert_eq!(found["target"], target, "{way}: {request}");
            for part in ["target", "path"] {
                found[part] = expected[part].clone();
            }
            assert_eq!(found, expected, "{way}: {request}");
        }
    }
}

#[test]
fn an_application_answers_the_same_by_every_module_of_apache() {
    let echo = Site::of("echo");
    for way in WAYS {
        let head = echo.fetch(way, "HEAD @/h HTTP/1.1\r\nHost: test\r\n\r\n", b"");
        let of_head = (head.status, head.body.len(), head.field("content-type"));
        assert_eq!(of_head, (200, 0, Some("application/json")), "{way}");
    }
    // A body of unknown length Apache passes on by FastCGI and to programs alone.
    let head = "PUT @/c HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = chunked(&[b"one", &[b'2'; 50_000]]);
    for (way, status) in WAYS.iter().zip([200, 411, 411, 200]) {
        let found = echo.fetch(way, head, &body);
        assert_eq!(found.status, status, "{way}");
        if status == 200 {
            assert_eq!(found.json()["body_len"], 50_003, "{way}");
        }
    }
    let probe = Site::of("probe");
    for (path, status, body) in [
        ("/version", 200, "unset"),
        ("/status/204", 204, ""),
        ("/status/304", 304, ""),
        ("/status/404", 404, ""),
        ("/status/503", 503, ""),
        ("/after/1", 200, "answered"),
        ("/trailers", 200, "hello"),
    ] {
        // A program alone knows its mount.
        let found = probe.get("cgi", path);
        assert_eq!((found.status, found.text()), (status, body), "{path}");
    }
    assert_eq!(probe.get("cgi", "/mebibytes/3").body.len(), 3 << 20);
    let body = [b'm'; 300_000];
    let found = fetch(&probe.apache.address, &post("/cgi/mirror", &body));
    assert_eq!(found.body, body);
    // An upload that the application leaves alone costs it no answer.
    let found = fetch(&probe.apache.address, &post("/cgi/unread", &body));
    assert_eq!((found.status, found.text()), (200, "not read"));
    // What Location names is for the client, not for Apache.
    let found = probe.get("cgi", "/redirect");
    assert_eq!((found.status, found.field("location")), (302, Some("/pid")));
    let facts = probe.get("cgi", "/facts?q");
    for fact in [
        "mount: /cgi",
        "path: /cgi/facts",
        "target: /cgi/facts?q",
        "client: 127.0.0.1:",
    ] {
        assert!(facts.text().contains(fact), "{}", facts.text());
    }
}

#[test]
fn a_program_without_its_application_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let script = script(Artefacts::built().module("hello"), folder.path());
    fs::remove_file(folder.path().join("app.so")).unwrap();
    let site = cgi_at("/cgi", &script.display().to_string());
    let apache = Apache::serve(&site, &MODULES, folder.path());
    assert_eq!(Client::get(&apache.address, "/cgi").status, 500);
    until("a word in the error log", || {
        apache.said().contains("app.so")
    });
}

const COMMON: &str = "
AllowEncodedSlashes NoDecode
ProxyPreserveHost On
<Location />
    CGIPassAuth On
</Location>
";

const MODULES: [&str; 7] = [
    "alias",
    "cgid",
    "proxy",
    "proxy_http",
    "proxy_fcgi",
    "proxy_scgi",
    "proxy_uwsgi",
];

const LINES: [&str; 18] = [
    "GET @/",
    "DELETE @/m",
    "OPTIONS @/m",
    "PROPFIND @/m",
    "GET @",
    "GET @/a%2Fb/c",
    "GET @/a//b/./c",
    "GET @/%ff%FE",
    "GET @/?",
    "GET @/?a=b&c=%20&d=?x=/y",
    "GET @/?a+b",
    "GET @/;p=1",
    "GET @/a%20b",
    "GET @/a%3Fb%23c",
    "GET @/a%2541",
    "GET @/a%25b",
    "GET @/a%252Fb%2F",
    "GET @/a%2525",
];
