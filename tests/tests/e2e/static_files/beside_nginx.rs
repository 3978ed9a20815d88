//! The same requests for the same files to nginx: where we differ is listed, with the reason.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use gateway_tests::address::Address;
use gateway_tests::client::Client;
use gateway_tests::nginx::Nginx;
use gateway_tests::response::Response;

use super::Site;

const CHANGED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
const BEFORE: &str = "Tue, 14 Nov 2023 22:13:19 GMT";
const AFTER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";
const PATH: &str = "/assets/a.bin";

/// Both servers, with the same folder.
struct Pair {
    ours: Address,
    nginx: Address,
    _site: Site,
    _running: (gateway_tests::gatewayd::Gatewayd, Nginx),
}

impl Pair {
    fn start() -> Self {
        let site = Site::new(&[
            ("a.bin", b"0123456789"),
            ("sub/index.html", b"page"),
            ("bare/x", b"x"),
        ]);
        let of_nginx = site.folder.path().join("nginx");
        std::fs::create_dir(&of_nginx).unwrap();
        std::fs::set_permissions(&of_nginx, Permissions::from_mode(0o755)).unwrap();
        let server = site.serve(&[]);
        let folder = site.public();
        let nginx = format!(
            "server {{ listen 80; if_modified_since before; max_ranges 1; absolute_redirect off;
            location /assets {{ alias {}; }} }}",
            folder.display()
        );
        let nginx = Nginx::serve(&nginx, &of_nginx);
        Self {
            ours: server.address.clone(),
            nginx: nginx.address.clone(),
            _site: site,
            _running: (server, nginx),
        }
    }

    /// The answers of both. `@tag@` in `fields` is each server's own.
    fn ask(&self, method: &str, path: &str, fields: &str) -> [Response; 2] {
        [&self.ours, &self.nginx].map(|address| {
            let mut client = Client::connect(address);
            let mut ask = |method: &str, path: &str, fields: &str| {
                client.send(format!(
                    "{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"
                ));
                match method {
                    "HEAD" => client.response_to_head(),
                    _ => client.response(),
                }
            };
            let tag = ask("GET", PATH, "").field("etag").unwrap().to_owned();
            ask(method, path, &fields.replace("@tag@", &tag))
        })
    }
}

/// What both are to say alike.
fn said(response: &Response) -> (u16, Vec<Option<String>>, String) {
    let mut alike = vec!["content-range", "last-modified", "location"];
    // nginx does not say it with a part, which says it by being one.
    if response.status == 200 {
        alike.push("accept-ranges");
    }
    let fields = alike
        .iter()
        .map(|name| response.field(name).map(str::to_owned));
    // Words about errors are everybody's own.
    let is_file = matches!(response.status, 200 | 206);
    let body = if is_file {
        response.text().to_owned()
    } else {
        String::new()
    };
    (response.status, fields.collect(), body)
}

#[test]
fn conditions_and_ranges_are_answered_as_nginx_answers_them() {
    let pair = Pair::start();
    let mut cases: Vec<String> = vec![String::new()];
    for tags in ["@tag@", "W/@tag@", "\"other\"", "\"other\", @tag@", "*"] {
        cases.push(format!("If-None-Match: {tags}\r\n"));
        cases.push(format!("If-Match: {tags}\r\n"));
        cases.push(format!("If-Match: {tags}\r\nIf-None-Match: @tag@\r\n"));
    }
    for date in [BEFORE, CHANGED, AFTER] {
        cases.push(format!("If-Modified-Since: {date}\r\n"));
        cases.push(format!("If-Unmodified-Since: {date}\r\n"));
    }
    cases.push(format!(
        "If-None-Match: \"other\"\r\nIf-Modified-Since: {AFTER}\r\n"
    ));
    cases.push(format!(
        "If-None-Match: @tag@\r\nIf-Modified-Since: {AFTER}\r\n"
    ));
    cases.push(format!(
        "If-Unmodified-Since: {BEFORE}\r\nIf-None-Match: @tag@\r\n"
    ));
    for range in [
        "0-3",
        "5-",
        "-3",
        "9-9",
        "0-99999999999999999",
        "10-",
        "-0",
        "0-0,5-6",
    ] {
        cases.push(format!("Range: bytes={range}\r\n"));
        cases.push(format!("Range: bytes={range}\r\nIf-None-Match: @tag@\r\n"));
    }
    for condition in ["@tag@", "\"other\"", CHANGED, BEFORE] {
        cases.push(format!("Range: bytes=0-3\r\nIf-Range: {condition}\r\n"));
    }
    cases.push("Range: lines=0-3\r\n".to_owned());
    for fields in &cases {
        for method in ["GET", "HEAD"] {
            let [ours, nginx] = pair.ask(method, PATH, fields);
            let about_ranges = method == "HEAD" && fields.contains("Range: bytes");
            // RFC 9110 §14.2 defines Range for GET alone; nginx answers HEAD with 206 and 416.
            if !about_ranges {
                let (ours, nginx) = (said(&ours), said(&nginx));
                let bare = matches!(ours.0, 304 | 412 | 416);
                let same = if bare {
                    ours.0 == nginx.0
                } else {
                    ours == nginx
                };
                assert!(same, "{method} {fields:?}: {ours:?}, nginx {nginx:?}");
            }
            if method == "GET" {
                assert_eq!(
                    ours.field("content-range"),
                    nginx.field("content-range"),
                    "{fields}"
                );
            }
        }
    }
}

#[test]
fn where_nginx_answers_otherwise_the_rfc_says_as_we_do() {
    let pair = Pair::start();
    for (fields, ours, nginx, why) in [
        (
            format!("If-Match: @tag@\r\nIf-Unmodified-Since: {BEFORE}\r\n"),
            200,
            412,
            "§13.1.4: a recipient ignores If-Unmodified-Since beside If-Match",
        ),
        (
            format!("If-None-Match: @tag@\r\nIf-Modified-Since: {BEFORE}\r\n"),
            304,
            200,
            "§13.1.3: a recipient ignores If-Modified-Since beside If-None-Match",
        ),
        (
            "If-Unmodified-Since: nonsense\r\n".to_owned(),
            200,
            412,
            "§13.1.4: a recipient ignores what is no date",
        ),
        (
            "Range: bytes=5-4\r\n".to_owned(),
            200,
            416,
            "§14.1.1: such a range is invalid, and §14.2: an invalid Range is ignored",
        ),
    ] {
        let [first, second] = pair.ask("GET", PATH, &fields);
        assert_eq!((first.status, second.status), (ours, nginx), "{why}");
    }
}

#[test]
fn paths_lead_where_they_lead_in_nginx() {
    let pair = Pair::start();
    for (path, ours, nginx) in [
        ("/assets/a.bin", 200, 200),
        ("/assets/%61.bin", 200, 200),
        ("/assets/sub/", 200, 200),
        ("/assets/missing", 404, 404),
        ("/assets/a.bin/", 404, 404),
        // For good, and with the same method.
        ("/assets/sub", 308, 301),
        // Whether there is such a folder is nobody's business.
        ("/assets/bare/", 404, 403),
        // What clients resolve is not resolved once more.
        ("/assets/sub/../a.bin", 404, 200),
        ("/assets//a.bin", 404, 200),
    ] {
        let [first, second] = pair.ask("GET", path, "");
        assert_eq!((first.status, second.status), (ours, nginx), "{path}");
        if ours == 200 {
            assert_eq!(first.body, second.body);
        } else if ours == 308 {
            assert_eq!(first.field("location"), second.field("location"));
        }
    }
    let [first, second] = pair.ask("DELETE", PATH, "");
    assert_eq!((first.status, second.status), (405, 405));
}
