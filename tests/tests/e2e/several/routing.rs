//! Host and path decide, in every version of HTTP, and each application sees its own mount.

use std::fs;

use gateway_tests::artefacts::root;
use gateway_tests::client::Client;
use gateway_tests::curl::curl;
use gateway_tests::websocket::{self, Frame, Sent, opcode};
use nix::sys::signal::Signal;

use super::{Site, place};

const SITE: &str = "\
bind = '127.0.0.1:0'
workers = 2
lint = true
trusted-proxies = ['127.0.0.1']
proxy-fields = ['x-forwarded-host', 'x-forwarded-prefix']
access-log = 'access.log'
[[app]]
path = 'libprobe.so'
config.which = 'root'
[[app]]
name = 'shop'
path = 'libprobe.so'
mount = '/shop'
arguments = ['shopping']
config.which = 'shop'
[[app]]
name = 'admin'
path = 'libprobe.so'
mount = '/shop/admin'
host = ['example.com', '*.example.com']
config.which = 'admin'
[[app]]
name = 'blog'
path = 'blog.so'
mount = '/blog'
config.secret_key = 'a key that is long enough for a test'
config.root = 'ROOT/examples/blog'
[[app]]
name = 'ws'
path = 'ws.so'
mount = '/ws'
";

fn site() -> Site {
    let modules = [
        ("libprobe.so", "probe"),
        ("blog.so", "blog"),
        ("ws.so", "websocket-echo"),
    ];
    let root = root().display().to_string();
    Site::serve(&SITE.replace("ROOT", &root), &modules, &[])
}

#[test]
fn the_longest_mount_that_fits_host_and_path_answers_and_knows_its_mount() {
    let site = site();
    for (host, target, which) in [
        ("a", "/startup", "\nwhich=root"),
        ("a", "/shop/startup", "shopping\nwhich=shop"),
        ("example.com:80", "/shop/admin/startup", "\nwhich=admin"),
        ("b.EXAMPLE.com", "/shop/admin/startup", "\nwhich=admin"),
    ] {
        assert_eq!(site.get(host, target).text(), which, "{host}{target}");
    }
    // Another host's admin is a path of the shop's, and the probe knows none of that name.
    assert_eq!(site.get("a", "/shop/admin/startup").status, 404);
    for (target, mount, path) in [
        ("/facts", "", "/facts"),
        ("/shop/facts?a=b", "/shop", "/shop/facts"),
        ("/shop/%66acts/../facts", "/shop", "/shop/facts"),
    ] {
        let response = site.get("a", target);
        if target.contains('%') {
            // Nothing is decoded or taken together on the way.
            assert_eq!(response.status, 404);
        } else {
            assert_eq!(place(&response), (mount.into(), path.into()), "{target}");
        }
    }
    // A mount ends where a segment does, and is compared as it comes.
    for target in ["/shopping/startup", "/%73hop/startup", "/SHOP/startup"] {
        assert_eq!(site.get("a", target).status, 404, "{target}");
    }
    // What a trusted proxy took off stands before the mount, and its host decides.
    let proxied = "GET /shop/admin/facts HTTP/1.1\r\nHost: backend\r\nX-Forwarded-Host: www.example.com\r\n\
                   X-Forwarded-Prefix: /outer\r\n\r\n";
    let response = Client::fetch(&site.server.address, proxied);
    let expected = ("/outer/shop/admin", "/outer/shop/admin/facts");
    assert_eq!(place(&response), (expected.0.into(), expected.1.into()));
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("| 5 applications: probe, shop, admin, blog, ws |"),
        "{said}"
    );
    assert!(!said.contains("ERROR"), "{said}");
}

#[test]
fn requests_of_one_connection_go_to_different_applications_and_the_log_names_them() {
    let site = site();
    let mut client = site.server.connect();
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send(
        ["/startup", "/shop/sleep/1", "/shop/startup", "/blog/"]
            .map(get)
            .concat(),
    );
    for expected in ["which=root", "slept", "which=shop", "<title>"] {
        let response = client.response();
        assert!(response.text().contains(expected), "{response:?}");
    }
    // A body that is read at once, and one that is not.
    let post = |body: &str, head: &str| {
        format!(
            "POST /shop/mirror HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{head}\r\n{body}",
            body.len()
        )
    };
    client.send(post("hello", ""));
    assert_eq!(client.response().text(), "hello");
    let long = "x".repeat(200_000);
    client.send(post(&long, ""));
    assert_eq!(client.response().text(), long);
    drop(client);
    let log = site.path("access.log");
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
    let log = fs::read_to_string(log).unwrap();
    for (request, app) in [
        ("GET /startup", "\"probe\""),
        ("GET /shop/sleep/1", "\"shop\""),
        ("POST /shop/mirror", "\"shop\""),
        ("GET /blog/", "\"blog\""),
    ] {
        let line = log.lines().find(|line| line.contains(request)).unwrap();
        assert!(line.ends_with(app), "{line}");
    }
}

#[test]
fn http2_goes_the_same_ways() {
    let site = site();
    let get = |host: &str, target: &str| {
        let url = site.server.url(target);
        let host = format!("Host: {host}");
        let code = [
            "--write-out",
            " %{http_version} %{response_code}",
            "-H",
            &host,
        ];
        curl(&[&["--http2-prior-knowledge", &url], &code[..]].concat()).stdout
    };
    assert_eq!(get("a", "/startup"), "\nwhich=root 2 200");
    assert_eq!(get("a", "/shop/startup"), "shopping\nwhich=shop 2 200");
    assert_eq!(
        get("x.example.com", "/shop/admin/startup"),
        "\nwhich=admin 2 200"
    );
    assert!(get("a", "/shop/facts").contains("mount: /shop\n"));
    let url = site.server.url("/shop/mirror");
    let sent = ["--http2-prior-knowledge", "-d", "a body", &url];
    assert_eq!(curl(&sent).stdout, "a body");
    assert!(get("a", "/shop/sleep/1").ends_with("slept 2 200"));
}

#[test]
fn urls_that_a_mounted_application_makes_begin_with_its_mount() {
    let site = site();
    let response = site.get("a", "/blog/create");
    assert_eq!(response.status, 302, "{response:?}");
    assert_eq!(response.field("location"), Some("/blog/auth/login"));
    let page = site.get("a", "/blog/auth/login");
    assert!(
        page.text().contains("href=\"/blog/static/"),
        "{}",
        page.text()
    );
    let link = page.text().split("href=\"").nth(1).unwrap();
    let style = link.split('"').next().unwrap();
    assert_eq!(site.get("a", style).status, 200, "{style}");
    // Without the slash the application decides, and carafe sends on to where relative links work.
    let bare = site.get("a", "/blog?a=b");
    assert_eq!(bare.status, 308, "{bare:?}");
    assert_eq!(bare.field("location"), Some("http://a/blog/?a=b"));
}

#[test]
fn a_websocket_opens_through_a_mounted_application() {
    let site = site();
    let mut client = websocket::open(&site.server.address, "/ws/echo", "");
    client.send(Sent::new(opcode::TEXT, "through the mount").bytes());
    let frame = Frame::read(&mut client).unwrap().unwrap();
    assert_eq!(frame.payload, b"through the mount");
}

#[test]
fn nobody_for_the_host_is_421_and_nobody_for_the_path_404() {
    let text = "bind = '127.0.0.1:0'\nworkers = 1\n[[app]]\npath = 'a.so'\nhost = 'a.org'\nmount = '/a'\n\
                [[app]]\npath = 'b.so'\nhost = 'b.org'\n";
    let site = Site::serve(text, &[("a.so", "probe"), ("b.so", "probe")], &[]);
    for (host, target, status) in [
        ("a.org", "/a/pid", 200),
        ("a.org", "/pid", 404),
        ("b.org.", "/pid", 200),
        ("c.org", "/pid", 421),
        ("127.0.0.1", "/a/pid", 421),
    ] {
        assert_eq!(site.get(host, target).status, status, "{host}{target}");
    }
    let nameless = "GET /pid HTTP/1.0\r\n\r\n";
    assert_eq!(Client::fetch(&site.server.address, nameless).status, 421);
    // The connection stays, for a request without a body that another may follow.
    let mut client = site.server.connect();
    client.send("GET / HTTP/1.1\r\nHost: c\r\n\r\nGET /pid HTTP/1.1\r\nHost: b.org\r\n\r\n");
    assert_eq!(
        [client.response().status, client.response().status],
        [421, 200]
    );
    let url = site.server.url("/pid");
    let code = [
        "--http2-prior-knowledge",
        "--write-out",
        "%{response_code}",
        "--output",
        "/dev/null",
    ];
    assert_eq!(curl(&[&code[..], &[&url]].concat()).stdout, "421");
    assert_eq!(
        curl(&[&code[..], &["-H", "Host: a.org", &url]].concat()).stdout,
        "404"
    );
}

#[test]
fn reload_upgrade_and_death_keep_all_of_them() {
    let site = site();
    let which = |target: &str| site.get("a", target).text().to_owned();
    for (signal, end) in [
        (Signal::SIGHUP, "all workers run generation 2"),
        (Signal::SIGUSR2, "all workers run generation 3"),
        (Signal::SIGHUP, "all workers run generation 4"),
    ] {
        site.server.process.signal(signal);
        site.server.process.line_with(end, 0);
        assert_eq!(which("/startup"), "\nwhich=root");
        assert_eq!(which("/shop/startup"), "shopping\nwhich=shop");
    }
    // A death is told with the application's name and file.
    let mut client = site.server.connect();
    client.send("GET /shop/abort HTTP/1.1\r\nHost: a\r\n\r\n");
    client.expect_end();
    site.server
        .process
        .line_with("was at shop: GET /shop/abort, whose call did not return", 0);
    let frame = site.server.process.line_with("libprobe.so(", 0);
    assert!(frame.contains("worker"), "{frame}");
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
}
