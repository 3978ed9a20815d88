//! nginx's `fastcgi_pass`, `scgi_pass` and `uwsgi_pass`, with the parameters that it comes with.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use gateway_tests::address::Address;
use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::{Client, chunked, get, post};
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::load::{Load, Plan};
use gateway_tests::nginx::Nginx;
use gateway_tests::response::{Response, To};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::{fetch, seen};

/// A server behind an nginx that reaches it in seven ways.
struct Ways {
    server: Gatewayd,
    nginx: Nginx,
    folder: TempDir,
}

/// All but plain HTTP.
const WAYS: [&str; 6] = [
    "fastcgi-tcp",
    "fastcgi-unix",
    "scgi-tcp",
    "scgi-unix",
    "uwsgi-tcp",
    "uwsgi-unix",
];

impl Ways {
    fn to(module: &str, more: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // nginx's workers are another user's.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let mut command = program();
        command.args(["--bind", "127.0.0.1:0"]);
        for way in WAYS {
            let (protocol, kind) = way.split_once('-').unwrap();
            let place = match kind {
                "tcp" => "127.0.0.1:0".to_owned(),
                _ => format!("unix:{}/gateway-{protocol}.sock", folder.path().display()),
            };
            command.arg("--bind").arg(format!("{protocol}://{place}"));
        }
        command
            .arg(Artefacts::built().module(module))
            .args(arguments);
        let server = Gatewayd::start(&mut command);
        assert_eq!(server.addresses.len(), 7);
        let nginx = Nginx::serve(&site(&server, more), folder.path());
        Self {
            server,
            nginx,
            folder,
        }
    }

    /// Where nginx listens for those that go this way.
    fn address(&self, way: &str) -> Address {
        Address::Unix(self.folder.path().join(format!("{way}.sock")))
    }

    fn fetch(&self, way: &str, request: &[u8]) -> Response {
        fetch(&self.address(way), request)
    }

    fn expect_no_complaint(&self) {
        let said = self.nginx.said();
        let complaint = said
            .lines()
            .find(|line| line.contains("[error]") || line.contains("[crit]"));
        assert_eq!(complaint, None, "{said}");
    }
}

fn site(server: &Gatewayd, more: &str) -> String {
    let mut site = format!(
        "upstream http {{ server {}; keepalive 8; }}
         client_max_body_size 64m;
         server {{ listen 80; location / {{ proxy_pass http://http; proxy_http_version 1.1;
             proxy_set_header Connection ''; proxy_set_header Host $http_host; }} }}\n",
        server.address
    );
    for (way, address) in WAYS.iter().zip(&server.addresses[1..]) {
        let (protocol, _) = way.split_once('-').unwrap();
        // A unix socket cannot carry an answer and the connection's end at once.
        let keep = match *way {
            "fastcgi-tcp" => "fastcgi_keep_conn on;",
            _ => "",
        };
        let more = more.replace("PROTOCOL", protocol);
        site += &format!(
            "upstream {way} {{ server {address}; keepalive 8; }}
             server {{ listen unix:@folder@/{way}.sock; location / {{ {keep}
                 include /etc/nginx/{protocol}_params; {more} {protocol}_pass {way}; }} }}\n"
        );
    }
    site
}

fn requests() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for method in ["GET", "OPTIONS", "DELETE", "PUT", "PATCH", "POST", "MKCOL"] {
        all.push(format!("{method} /m HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").into());
    }
    for target in [
        "/",
        "/a%2Fb/c%20d",
        "/%ff%FE/%e2%82%ac",
        "//a///b//",
        "/a/./b/../c/",
        "/a;p=1/b,c/~d/$e&f=g+h",
        "/?",
        "/?a=b&c=%20&d=?x=/y",
        "/q?q=%2F#",
        "/plus+and%2Bplus?plus+and%2Bplus",
    ] {
        all.push(get(target.trim_end_matches('#')).into());
    }
    let long = "y".repeat(3_000);
    for fields in [
        "X-One: 1\r\nX-Two:   spaced  out  \r\nX-Empty:\r\n",
        "Cookie: a=1; b=2\r\nAuthorization: Basic YTpi\r\n",
        "Accept: text/html\r\nAccept-Language: de\r\nReferer: http://r/\r\nRange: bytes=0-1\r\n",
        "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "Proxy: http://evil/\r\nX-Underscored_Name: dropped\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        &format!("X-Long: {long}\r\n"),
    ] {
        all.push(format!("GET /f HTTP/1.1\r\nHost: test\r\n{fields}\r\n").into());
    }
    for length in [0, 1, 1_000, 100_000, 3_000_000] {
        all.push(post("/b", &vec![b'b'; length]));
    }
    let mut pieces =
        b"PUT /c HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    pieces.extend(chunked(&[b"one", b"two", &[b'3'; 100_000]]));
    all.push(pieces);
    all
}

#[test]
fn an_application_sees_the_same_request_by_every_wire() {
    let ways = Ways::to("echo", "", &["--workers", "2"]);
    for request in requests() {
        let expected = seen(&fetch(&ways.nginx.address, &request));
        // Fields that nginx passes on or not, by protocol.
        let without = |mut seen: serde_json::Value, names: &[&str]| {
            let fields = seen["headers"].as_array_mut().unwrap();
            fields.retain(|field| !names.contains(&field[0].as_str().unwrap()));
            seen
        };
        for way in WAYS {
            let found = seen(&ways.fetch(way, &request));
            let names = ["proxy", "content-length"];
            let head = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
            assert_eq!(
                without(found.clone(), &names),
                without(expected.clone(), &names),
                "{way}: {head}"
            );
            let fields = found["headers"].to_string();
            assert!(
                !fields.contains("proxy") && !fields.contains("dropped"),
                "{fields}"
            );
        }
    }
    ways.expect_no_complaint();
}

#[test]
fn repeated_fields_arrive_whole() {
    let ways = Ways::to("echo", "", &["--workers", "1"]);
    let request = "GET / HTTP/1.1\r\nHost: test\r\nCookie: a=1\r\nX-R: one\r\nCookie: b=2\r\nX-R: two\r\n\r\n";
    for way in WAYS {
        let found = ways.fetch(way, request.as_bytes()).json();
        let of = |name: &str| -> Vec<String> {
            let fields = found["headers"].as_array().unwrap().iter();
            let ours = fields.filter(|field| field[0] == name);
            ours.map(|field| field[1].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(of("cookie"), ["a=1; b=2"], "{way}");
        // One line or two, as the front tells them.
        assert_eq!(of("x-r").join(", "), "one, two", "{way}");
    }
}

#[test]
fn an_application_answers_the_same_by_every_wire() {
    let ways = Ways::to("probe", "", &["--workers", "1"]);
    for (method, path) in [
        ("GET", "/version"),
        ("HEAD", "/version"),
        ("GET", "/status/204"),
        ("GET", "/status/304"),
        ("GET", "/status/404"),
        ("GET", "/status/418"),
        ("GET", "/status/503"),
        ("GET", "/redirect"),
        ("GET", "/panic"),
        ("GET", "/panic-later"),
        ("GET", "/dateless"),
        ("GET", "/chunks/50"),
        ("GET", "/mebibytes/3"),
        ("GET", "/file"),
        ("HEAD", "/file"),
        ("GET", "/trailers"),
        ("GET", "/after/1"),
        ("GET", "/sleep/5"),
        ("GET", "/nothing"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n").into_bytes();
        let expected = fetch(&ways.nginx.address, &request);
        for way in WAYS {
            let found = ways.fetch(way, &request);
            let case = format!("{way}: {method} {path}");
            assert_eq!(found.status, expected.status, "{case}");
            assert!(found.body == expected.body, "{case}: the bodies differ");
            for name in ["content-type", "content-length", "location", "etag"] {
                assert_eq!(found.field(name), expected.field(name), "{case}: {name}");
            }
            assert_eq!(found.all("set-cookie").count(), 0);
        }
    }
}

#[test]
fn a_body_streams_and_a_client_that_goes_ends_it() {
    let more = "PROTOCOL_buffering off; PROTOCOL_request_buffering off;";
    let ways = Ways::to("probe", more, &["--workers", "1"]);
    for way in WAYS {
        let mut listener = Client::connect(&ways.address(way));
        listener.send(get("/events"));
        for event in ["one", "two"] {
            gateway_tests::until("somebody to listen", || {
                ways.server.get(&format!("/tell/{event}")).text() == "1"
            });
            let mut heard = String::new();
            gateway_tests::until("the event", || {
                heard += &String::from_utf8_lossy(&listener.some());
                heard.contains(&format!("data: {event}\n\n"))
            });
        }
        drop(listener);
        gateway_tests::until("the stream to end", || {
            ways.server.get("/tell/three").text() == "0"
        });
    }
    // A body of unknown length that is not over; only FastCGI has one.
    let mut client = Client::connect(&ways.address("fastcgi-tcp"));
    client.send("POST /mirror HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("5\r\nhello\r\n");
    let mut heard = String::new();
    gateway_tests::until("the first chunk", || {
        heard += &String::from_utf8_lossy(&client.some());
        heard.contains("hello")
    });
}

#[test]
fn the_fronts_word_counts_for_client_and_scheme() {
    let more = "PROTOCOL_param REMOTE_ADDR 2001:db8::7; PROTOCOL_param REMOTE_PORT 4711; \
                PROTOCOL_param REQUEST_SCHEME https;";
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let log = log.to_str().unwrap();
    let ways = Ways::to("probe", more, &["--workers", "1", "--access-log", log]);
    for (number, way) in WAYS.iter().enumerate() {
        let request = "GET /facts HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 1.2.3.4\r\n\
                       Forwarded: for=5.6.7.8;proto=http\r\nUser-Agent: me\r\n\r\n";
        let facts = ways.fetch(way, request.as_bytes());
        let expected = [
            "client: [2001:db8::7]:4711",
            "client_is_peer: false",
            "client_is_forwarded: true",
            "scheme: https",
            "scheme_is_forwarded: true",
            "authority: test",
        ];
        for fact in expected {
            assert!(
                facts.text().contains(&format!("{fact}\n")),
                "{way}: {}",
                facts.text()
            );
        }
        gateway_tests::until("a line of the log", || {
            fs::read_to_string(log).is_ok_and(|log| log.lines().count() > number)
        });
    }
    for line in fs::read_to_string(log).unwrap().lines() {
        assert!(line.contains("2001:db8::7"), "{line}");
        assert!(line.contains("GET /facts HTTP/1.1"), "{line}");
    }
}

#[test]
fn reloads_and_a_stop_under_load_lose_nothing() {
    for way in ["fastcgi-tcp", "fastcgi-unix", "scgi-tcp", "uwsgi-unix"] {
        let ways = Ways::to("echo", "", &["--workers", "2"]);
        let load = Load::start(&Plan {
            clients: 8,
            pace: Duration::from_millis(2),
            // POST, which nginx does not send again by itself.
            ..Plan::new(&ways.address(way), post("/", b"x"))
        });
        load.more(200);
        for _ in 0..3 {
            ways.server.process.signal(Signal::SIGHUP);
            load.more(600);
        }
        load.stop().expect_no_failure();
        ways.expect_no_complaint();
        let (code, said) = ways.server.stop();
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn http_1_0_and_a_request_without_host_get_their_answers() {
    let ways = Ways::to("echo", "", &["--workers", "1"]);
    for way in WAYS {
        let mut client = Client::connect(&ways.address(way));
        client.send("GET /old HTTP/1.0\r\n\r\n");
        let answer = client.read(To::Other).unwrap();
        assert_eq!(answer.json()["version"], "HTTP/1.0", "{way}");
        assert_eq!(answer.json()["target"], "/old");
    }
}
