//! Each application has its own limits, and what it does within them is no other's concern.

use gateway_tests::client::{Client, get, post};
use gateway_tests::curl::curl;

use super::Site;

const SITE: &str = "\
bind = '127.0.0.1:0'
workers = 1
max-body = 100
request-timeout = '60s'
[[app]]
name = 'narrow'
path = 'probe.so'
mount = '/narrow'
max-body = 10
request-timeout = '200ms'
max-requests-in-flight = 1
queue = 0
[[app]]
name = 'wide'
path = 'probe.so'
mount = '/wide'
max-body = '1KiB'
";

fn site() -> Site {
    Site::serve(SITE, &[("probe.so", "probe")], &[])
}

#[test]
fn a_body_that_is_too_long_for_one_is_not_for_another() {
    let site = site();
    for (target, length, status) in [
        ("/narrow/mirror", 10, 200),
        ("/narrow/mirror", 11, 413),
        ("/wide/mirror", 1024, 200),
        ("/wide/mirror", 1025, 413),
    ] {
        let response = Client::fetch(&site.server.address, post(target, &vec![b'x'; length]));
        assert_eq!(response.status, status, "{target} {length}");
    }
    for (target, length) in [("/narrow/mirror", 10), ("/wide/mirror", 1024)] {
        let (url, body) = (site.server.url(target), "x".repeat(length));
        let sent = ["--http2-prior-knowledge", "-d", &body, &url];
        assert_eq!(curl(&sent).stdout, body);
    }
}

#[test]
fn an_application_that_takes_too_long_is_cut_off_by_its_own_timeout_and_named() {
    let site = site();
    assert_eq!(site.server.get("/narrow/sleep/30000").status, 504);
    assert_eq!(site.server.get("/wide/sleep/400").status, 200);
    let url = site.server.url("/narrow/sleep/30000");
    let code = [
        "--http2-prior-knowledge",
        "-w",
        "%{response_code}",
        "-o",
        "/dev/null",
        &url,
    ];
    assert_eq!(curl(&code).stdout, "504");
    let line = site.server.process.line_with("no answer within 200ms", 0);
    assert!(
        line.contains("narrow: GET /narrow/sleep/30000 (id "),
        "{line}"
    );
}

#[test]
fn an_application_that_is_full_refuses_its_own_requests_alone() {
    let text = SITE.replace("200ms", "30s");
    let site = Site::serve(&text, &[("probe.so", "probe")], &[]);
    let mut first = site.server.connect();
    first.send(get("/narrow/events"));
    assert_eq!(first.response_to_head().status, 200);
    let refused = site.server.get("/narrow/pid");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert_eq!(site.server.get("/wide/pid").status, 200);
    let status = |target: &str| {
        let url = site.server.url(target);
        let code = [
            "--http2-prior-knowledge",
            "-w",
            "%{response_code}",
            "-o",
            "/dev/null",
            &url,
        ];
        curl(&code).stdout
    };
    assert_eq!(
        (status("/narrow/pid"), status("/wide/pid")),
        ("503".into(), "200".into())
    );
}
