//! nginx with each of the sites of `deploy/nginx`.

use std::fs;

use gateway_tests::address::Address;
use gateway_tests::certificates::Certificates;
use gateway_tests::client::{Client, get};
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::nginx::Nginx;
use gateway_tests::websocket::{self, Frame, Sent, opcode};
use serde_json::Value;
use tempfile::TempDir;

use super::{below, deployed, serve};

/// A server behind one of the sites.
struct Site {
    folder: TempDir,
    _server: Gatewayd,
    nginx: Nginx,
}

impl Site {
    /// The site's own address is `own`, and `bind` is what the server listens on.
    fn new(file: &str, own: &str, bind: &str, app: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = below(folder.path(), "app.sock");
        let server = serve(app, &[&bind.replace("SOCKET", &socket)], arguments);
        let there = match &server.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(path) => path.display().to_string(),
        };
        let text = deployed(&format!("nginx/{file}"), &[(own, &there)]);
        let text = text.replace("/srv/app/", &below(folder.path(), ""));
        Self {
            nginx: Nginx::serve(&text, folder.path()),
            folder,
            _server: server,
        }
    }

    fn on_unix(file: &str, app: &str) -> Self {
        let trust = ["--trusted-proxies", "unix"];
        Self::new(file, "/run/gatewayd/app.sock", "unix:SOCKET", app, &trust)
    }
}

const LOCAL: [&str; 2] = ["--trusted-proxies", "127.0.0.1"];

/// What the echo application says of a request through the site.
fn echoed(site: &Site, request: &str) -> Value {
    let answer = Client::fetch(&site.nginx.address, request);
    assert_eq!(answer.status, 200, "{}", site.nginx.said());
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn each_protocol_brings_target_fields_and_body_as_they_were_sent() {
    let tcp = "127.0.0.1:0";
    let sites = [
        Site::new("proxy.conf", "127.0.0.1:8000", tcp, "echo", &LOCAL),
        Site::new("../docker/nginx.conf", "app:8000", tcp, "echo", &LOCAL),
        Site::on_unix("unix.conf", "echo"),
        Site::new(
            "fastcgi.conf",
            "127.0.0.1:9000",
            "fastcgi://127.0.0.1:0",
            "echo",
            &[],
        ),
        Site::new(
            "scgi.conf",
            "/run/gatewayd/app.sock",
            "scgi://unix:SOCKET",
            "echo",
            &[],
        ),
        Site::new(
            "uwsgi.conf",
            "/run/gatewayd/app.sock",
            "uwsgi://unix:SOCKET",
            "echo",
            &[],
        ),
    ];
    for site in sites {
        let request = "PUT /a%2Fb//c%20d?x=%2F&y HTTP/1.1\r\nHost: shop.example:8080\r\nX-Own: 1\r\n\
                       Proxy: http://evil\r\nContent-Length: 5\r\n\r\nhello";
        let told = echoed(&site, request);
        assert_eq!(told["target"], "/a%2Fb//c%20d?x=%2F&y");
        assert_eq!(
            (&told["method"], &told["body_len"]),
            (&"PUT".into(), &5.into())
        );
        let fields = told["headers"].as_array().unwrap();
        let value = |name: &str| {
            let is_it = |field: &&Value| field[0].as_str().unwrap().eq_ignore_ascii_case(name);
            fields.iter().find(is_it).map(|field| field[1].clone())
        };
        assert_eq!(value("host"), Some("shop.example:8080".into()));
        assert_eq!(value("x-own"), Some("1".into()));
    }
}

#[test]
fn what_nginx_says_of_the_scheme_is_believed() {
    for (file, own, bind) in [
        ("proxy.conf", "127.0.0.1:8000", "127.0.0.1:0"),
        ("../docker/nginx.conf", "app:8000", "127.0.0.1:0"),
        ("failover.conf", "10.0.0.5:8000", "127.0.0.1:0"),
    ] {
        let site = Site::new(file, own, bind, "probe", &LOCAL);
        let request = "GET /facts HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n";
        let facts = Client::fetch(&site.nginx.address, request)
            .text()
            .to_owned();
        // The client of this nginx has no address: its socket is a unix path.
        assert!(
            facts.contains("scheme: http\nscheme_is_forwarded: true"),
            "{facts}"
        );
    }
}

#[test]
fn below_a_prefix_the_application_knows_where_it_is() {
    let fields = "x-forwarded-for,x-forwarded-proto,x-forwarded-prefix";
    let arguments = [&LOCAL[..], &["--proxy-fields", fields]].concat();
    let site = Site::new(
        "prefix.conf",
        "127.0.0.1:8000",
        "127.0.0.1:0",
        "probe",
        &arguments,
    );
    let facts = Client::get(&site.nginx.address, "/shop/facts")
        .text()
        .to_owned();
    assert!(
        facts.contains("mount: /shop\npath: /shop/facts\n"),
        "{facts}"
    );
}

#[test]
fn an_upstream_that_speaks_tls_is_checked() {
    let certificates = Certificates::new();
    certificates.issue("app", &["app.internal"]);
    certificates.issue("other", &["other.internal"]);
    for (name, status) in [("app", 200), ("other", 502)] {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (
            certificates.text(&format!("{name}.crt")),
            certificates.text(&format!("{name}.key")),
        );
        let words = ["--tls-cert", &cert, "--tls-key", &key];
        let server = serve("probe", &["https://127.0.0.1:0"], &words);
        let Address::Tcp(there) = server.address else {
            panic!("{:?}", server.address)
        };
        let text = deployed(
            "nginx/tls-upstream.conf",
            &[
                ("10.0.0.5:8443", &there.to_string()),
                ("/etc/ssl/app/ca.crt", &certificates.text("ca.crt")),
            ],
        );
        let nginx = Nginx::serve(&text, folder.path());
        assert_eq!(Client::get(&nginx.address, "/version").status, status);
    }
}

#[test]
fn a_websocket_is_opened_through_it() {
    let site = Site::on_unix("websocket.conf", "websocket-echo");
    let mut client = websocket::open(&site.nginx.address, "/echo", "");
    client.send(Sent::new(opcode::TEXT, "hello").bytes());
    let mut bytes = client.few(7).unwrap();
    while bytes.len() < 7 {
        bytes.extend(client.few(7 - bytes.len()).unwrap());
    }
    let frame = Frame::read(&mut &bytes[..]).unwrap().unwrap();
    assert_eq!(
        (frame.opcode, &frame.payload[..]),
        (opcode::TEXT, &b"hello"[..])
    );
}

#[test]
fn an_event_comes_when_it_is_told() {
    let site = Site::new(
        "sse.conf",
        "/run/gatewayd/app.sock",
        "unix:SOCKET",
        "probe",
        &["--workers", "1"],
    );
    let mut client = Client::connect(&site.nginx.address);
    client.send(get("/events"));
    let mut said = Vec::new();
    let mut until = |what: &str, said: &mut Vec<u8>| {
        while !String::from_utf8_lossy(said).contains(what) {
            said.extend(client.some());
        }
    };
    until("\r\n\r\n", &mut said);
    assert_eq!(Client::get(&site.nginx.address, "/tell/now").text(), "1");
    // The stream goes on, and the event is here.
    until("data: now", &mut said);
}

#[test]
fn a_file_that_the_application_allows_is_sent_by_nginx() {
    let site = Site::on_unix("accel.conf", "probe");
    let protected = site.folder.path().join("protected");
    fs::create_dir(&protected).unwrap();
    fs::write(protected.join("report.txt"), "secret figures").unwrap();
    for path in [site.folder.path(), &protected] {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, open).unwrap();
    }
    let answer = Client::get(&site.nginx.address, "/accelerated");
    assert_eq!((answer.status, answer.text()), (200, "secret figures"));
    assert_eq!(
        Client::get(&site.nginx.address, "/protected/report.txt").status,
        404
    );
}

#[test]
fn another_server_answers_for_one_that_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let servers: Vec<Gatewayd> = (0..3)
        .map(|_| serve("probe", &["127.0.0.1:0"], &[]))
        .collect();
    let there = |at: usize| match servers[at].address {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(_) => unreachable!("it was asked for a port"),
    };
    let text = deployed(
        "nginx/failover.conf",
        &[
            ("10.0.0.5:8000", &there(0)),
            ("10.0.0.6:8000", &there(1)),
            ("10.0.0.7:8000", &there(2)),
        ],
    );
    let nginx = Nginx::serve(&text, folder.path());
    let mut left = servers.into_iter();
    for _ in 0..3 {
        for _ in 0..10 {
            assert_eq!(Client::get(&nginx.address, "/version").status, 200);
        }
        assert_eq!(left.next().unwrap().stop().0, 0);
    }
    assert_eq!(Client::get(&nginx.address, "/version").status, 502);
}

#[test]
fn the_whole_site_redirects_encrypts_limits_and_says_when_it_is_away() {
    let certificates = Certificates::new();
    certificates.issue("site", &["example.com"]);
    let folder = tempfile::tempdir().unwrap();
    let (socket, secured) = (
        below(folder.path(), "app.sock"),
        below(folder.path(), "tls.sock"),
    );
    let server = serve(
        "probe",
        &[&format!("unix:{socket}")],
        &["--trusted-proxies", "unix"],
    );
    fs::create_dir(folder.path().join("static")).unwrap();
    fs::write(folder.path().join("static/a.css"), "body {}").unwrap();
    for path in [folder.path(), &folder.path().join("static")] {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, open).unwrap();
    }
    let text = deployed(
        "nginx/production.conf",
        &[
            ("/run/gatewayd/app.sock", &socket),
            ("listen 443 ssl", &format!("listen unix:{secured} ssl")),
            (
                "/etc/ssl/example.com/fullchain.pem",
                &certificates.text("site.crt"),
            ),
            (
                "/etc/ssl/example.com/privkey.pem",
                &certificates.text("site.key"),
            ),
            ("/srv/app/", &below(folder.path(), "")),
        ],
    );
    let nginx = Nginx::serve(&text, folder.path());
    let sent_on = Client::fetch(
        &nginx.address,
        "GET /a?b HTTP/1.1\r\nHost: example.com\r\n\r\n",
    );
    assert_eq!(sent_on.status, 308);
    assert_eq!(sent_on.field("location"), Some("https://example.com/a?b"));
    let authority = certificates.text("ca.crt");
    let ask = |path: &str, more: &[&str]| {
        let url = format!("https://example.com{path}");
        let place = ["--unix-socket", &secured, "--cacert", &authority];
        let told = ["--write-out", "\n%{http_code} %{http_version}", &url];
        let outcome = curl(&[&place[..], more, &told[..]].concat());
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome.stdout
    };
    let facts = ask("/facts", &[]);
    assert!(
        facts.contains("scheme: https") && facts.ends_with("200 2"),
        "{facts}"
    );
    assert!(ask("/static/a.css", &[]).starts_with("body {}"));
    // One voice says that the site is for https alone, whoever answers.
    for path in [
        "/lines/1?strict-transport-security=max-age=60",
        "/version",
        "/static/a.css",
    ] {
        let head = ask(path, &["--include"]).to_ascii_lowercase();
        let said = head
            .lines()
            .filter(|line| line.starts_with("strict-transport-security:"));
        let said: Vec<_> = said.map(str::trim).collect();
        assert_eq!(
            said,
            ["strict-transport-security: max-age=31536000"],
            "{path}"
        );
    }
    let large = below(folder.path(), "large");
    fs::write(&large, vec![0; 21 << 20]).unwrap();
    assert!(ask("/spawned", &["--upload-file", &large]).ends_with("413 2"));
    // Forty more than twenty a second are let through, of which a few were asked for above, and some of a
    // hundred are not.
    let hundred = "https://example.com/version?[1-100]";
    let place = ["--unix-socket", &secured, "--cacert", &authority];
    let told = [
        "--write-out",
        "%{http_code}\n",
        "--output",
        "/dev/null",
        hundred,
    ];
    let codes = curl(&[&place[..], &["--parallel", "--parallel-max", "15"], &told].concat());
    let count = |code: &str| codes.stdout.lines().filter(|line| *line == code).count();
    assert!(count("200") >= 35 && count("429") > 0, "{codes:?}");
    assert_eq!(server.stop().0, 0);
    assert!(ask("/unavailable-then", &["--retry", "0"]).ends_with("503 2"));
}
