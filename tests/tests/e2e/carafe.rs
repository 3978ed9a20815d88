//! An application on carafe is a module like any other.

use std::path::Path;
use std::process::Command;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::{self, Gatewayd};
use gateway_tests::process::Process;
use nix::sys::signal::Signal;

#[test]
fn hello_is_served_and_stops() {
    let hello = Artefacts::built().module("carafe-hello");
    let server = Gatewayd::serve(hello, &["--workers", "2"]);
    let answer = server.get("/");
    assert_eq!((answer.status, answer.text()), (200, "Hello, World!"));
    assert_eq!(
        answer.field("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let mut client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
    let head = client.response_to_head();
    assert_eq!(
        (head.status, head.field("content-length")),
        (200, Some("13"))
    );
    assert!(head.body.is_empty(), "{:?}", head.body);
    let missing = server.get("/nothing");
    assert_eq!(missing.status, 404);
    assert!(
        missing.text().contains("<h1>Not Found</h1>"),
        "{}",
        missing.text()
    );
    let refused = server.fetch("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(refused.status, 405);
    assert_eq!(refused.field("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn mistakes_end_the_start_with_their_lines() {
    let probe = Artefacts::built().module("carafe-mistakes");
    let (code, said) = gatewayd::run(&["--bind", "127.0.0.1:0", probe.to_str().expect("UTF-8")]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("2 mistakes:\n  "), "{said}");
    assert!(
        said.contains("src/lib.rs:") && said.contains("view `user` takes [i64]"),
        "{said}"
    );
}

/// `carafe-hello` with this in its configuration.
fn hello_told(folder: &Path, settings: &str) -> Command {
    let config = folder.join("server.toml");
    std::fs::write(&config, format!("[app.config]\n{settings}\n")).expect("a file");
    let mut command = gatewayd::program();
    command.args(["--bind", "127.0.0.1:0", "--workers", "2"]);
    command.arg("--config").arg(config);
    command.arg(Artefacts::built().module("carafe-hello"));
    command
}

#[test]
fn settings_that_are_likely_slips_are_told_once_and_never_their_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "secrte_key = 'hunter2'\nmotto = 'read while it serves'\nbody_limti = 7";
    let told = "nobody has asked for the setting `secrte_key`, set by the server's configuration; did you mean \
                `secret_key`?";
    let server = Gatewayd::start(&mut hello_told(folder.path(), settings));
    assert_eq!(server.get("/").text(), "Hello, World!");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    let slips: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("nobody has"))
        .collect();
    assert_eq!(slips.len(), 2, "{said}");
    assert!(slips[0].contains("did you mean `body_limit`?"), "{said}");
    assert!(
        slips[1].contains(told) && slips[1].contains("WARN"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_reload_tells_slips_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = hello_told(folder.path(), "title = 'x'");
    // With one worker, the first of the next generation has another place.
    let server = Gatewayd::start(command.args(["--workers", "1"]));
    let config = folder.path().join("server.toml");
    for generation in [2, 3] {
        let from = server.process.lines_so_far();
        std::fs::write(&config, "[app.config]\nsecrte_key = 'x'\n").expect("a file");
        server.process.signal(Signal::SIGHUP);
        let over = format!("all workers run generation {generation}");
        server.process.line_with(&over, from);
        server.process.line_with("did you mean `secret_key`?", from);
    }
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_setting_that_a_section_of_the_framework_does_not_have_ends_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = Process::start(&mut hello_told(folder.path(), "views.thread = 4")).end();
    assert_eq!(code, 3, "{said}");
    let told = "the setting `views.thread`, set by the server's configuration: there is no such setting; did you \
                mean `views.threads`?";
    assert!(said.contains(told), "{said}");
}

#[test]
fn settings_of_applications_have_the_servers_units() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "body_limit = '16MiB'\nsession.lifetime = '12h'\nfiles.max_age = '500ms'";
    let server = Gatewayd::start(&mut hello_told(folder.path(), settings));
    assert_eq!(server.get("/").text(), "Hello, World!");
    assert_eq!(server.stop().0, 0);
    for (setting, expected) in [
        (
            "body_limit = '16MB'",
            "expected a size such as `8190`, `64KiB` or `1MiB`",
        ),
        (
            "session.lifetime = 'long'",
            "expected a time such as `500ms`, `30s`, `2m`, `1h`",
        ),
    ] {
        let (code, said) = Process::start(&mut hello_told(folder.path(), setting)).end();
        assert_eq!(code, 3, "{said}");
        let key = setting.split(' ').next().expect("a key");
        assert!(said.contains(&format!("the setting `{key}`")), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn advice_is_for_the_log_and_not_for_visitors() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(Artefacts::built().program("carafe-tool"));
    command.args(["--workers", "1", "--bind", "127.0.0.1:0"]);
    let server = Gatewayd::start(command.env("NO_COLOR", "1").current_dir(folder.path()));
    let refused = server.fetch(
        "POST /count HTTP/1.1\r\nhost: a\r\nsec-fetch-site: cross-site\r\ncontent-length: 0\r\n\r\n",
    );
    assert_eq!(refused.status, 403);
    let text = refused.text();
    assert!(
        text.contains("from another site, and was not carried out."),
        "{text}"
    );
    assert!(!text.contains("csrf_exempt"), "{text}");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    let advice = "POST /count: 403 Forbidden: This request comes from another site: Sec-Fetch-Site is `cross-site`";
    assert!(
        said.contains(advice) && said.contains("csrf_exempt"),
        "{said}"
    );
}

/// `carafe-tool` with two threads for plain views, and as many places before them, both of which are held by views
/// that hang.
fn hanging(folder: &Path, timeout: &str) -> Gatewayd {
    let config = folder.join("server.toml");
    let settings = format!("views.threads = 2\nviews.queue = 2\nviews.timeout = '{timeout}'");
    std::fs::write(&config, format!("[app.config]\n{settings}\n")).expect("a file");
    let mut command = Command::new(Artefacts::built().program("carafe-tool"));
    command.args(["--workers", "1", "--bind", "127.0.0.1:0"]);
    command.args(["--request-timeout", "1s", "--graceful-timeout", "1s"]);
    command.arg("--config").arg(config);
    command.arg("--control").arg(folder.join("control"));
    let server = Gatewayd::start(command.env("NO_COLOR", "1"));
    assert_eq!(server.get("/plain").text(), "plain");
    let mut hanging = [server.connect(), server.connect()];
    for client in &mut hanging {
        client.send("GET /hang HTTP/1.1\r\nhost: a\r\n\r\n");
    }
    for client in &mut hanging {
        assert_eq!(client.response().status, 504);
    }
    server
}

#[test]
fn plain_views_that_nobody_waits_for_any_more_leave_their_queue() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = hanging(folder.path(), "0");
    for _ in 0..2 {
        let mut clients = [server.connect(), server.connect()];
        for client in &mut clients {
            client.send("GET /plain HTTP/1.1\r\nhost: a\r\n\r\n");
        }
        for client in &mut clients {
            // It had a place, where 503 says that there is none.
            assert_eq!(client.response().status, 504);
        }
    }
    let mut status = gatewayd::program();
    status.args(["ctl", "status"]);
    status.env("GATEWAYD_CONTROL", folder.path().join("control"));
    let told = String::from_utf8(status.output().expect("a program").stdout).expect("UTF-8");
    assert!(!told.contains("/plain"), "{told}");
    assert!(told.contains("/hang"), "{told}");
    drop(server.stop());
}

#[test]
fn a_worker_all_of_whose_plain_views_hang_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = hanging(folder.path(), "100ms");
    let line = server
        .process
        .line_with("asking for the end of this process", 0);
    assert!(line.contains("ERROR"), "{line}");
    let named = "GET /hang (`hang`), GET /hang (`hang`)";
    assert!(line.contains(named), "{line}");
    server.process.line_with("worker 1 accepts no more", 0);
    // Who comes now waits for the next worker.
    assert_eq!(server.get("/plain").text(), "plain");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn sessions_in_memory_are_for_one_worker_alone() {
    let tool = |workers| {
        let mut command = Command::new(Artefacts::built().program("carafe-tool"));
        command.args(["--workers", workers, "--bind", "127.0.0.1:0"]);
        command.env("NO_COLOR", "1");
        command
    };
    let (code, said) = Process::start(&mut tool("2")).end();
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("the server has 2 workers") && said.contains("FileStore"),
        "{said}"
    );
    let server = Gatewayd::start(&mut tool("1"));
    let first = server.get("/count");
    assert_eq!(first.text(), "1");
    let cookie = first.field("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a name and a value");
    let again = server.fetch(format!(
        "GET /count HTTP/1.1\r\nhost: a\r\ncookie: {cookie}\r\n\r\n"
    ));
    assert_eq!(again.text(), "2");
    assert_eq!(server.stop().0, 0);
}

#[test]
fn an_error_that_nobody_expected_is_logged_once_with_its_place() {
    let server = Gatewayd::serve(
        Artefacts::built().module("parity-module"),
        &["--workers", "1"],
    );
    assert_eq!(server.get("/e/stray").status, 500);
    let line = server.process.line_with("GET /e/stray: Stray", 0);
    let place = line.rsplit_once(" (").unwrap().1;
    assert!(place.contains("src/errors.rs:"), "{line}");
    let id = line.split_whitespace().nth(3).unwrap();
    assert_eq!(line.matches(id).count(), 1, "{line}");
    assert_eq!(server.stop().0, 0);
}
