//! One application is loaded anew without reading a byte of the others, or of the configuration.

use std::fs;
use std::time::Duration;

use gateway_tests::artefacts::{Artefacts, install};
use gateway_tests::load::{Load, Plan};
use nix::sys::signal::Signal;

use super::Site;

const SITE: &str = "\
bind = '127.0.0.1:0'
workers = 2
reload = true
linger = '200ms'
[[app]]
name = 'one'
path = 'one.so'
[[app]]
name = 'two'
path = 'two.so'
mount = '/two'
";

fn site() -> Site {
    Site::serve(SITE, &[("one.so", "hello"), ("two.so", "probe")], &[])
}

/// Puts another module in the place of a file.
fn replace(site: &Site, file: &str, package: &str) {
    install(Artefacts::built().module(package), &site.path(file));
}

#[test]
fn a_changed_file_replaces_its_application_alone_while_the_other_serves_on() {
    let site = site();
    let load = Load::start(&Plan {
        pace: Duration::from_millis(2),
        ..Plan::new(
            &site.server.address,
            "GET /two/pid HTTP/1.1\r\nHost: a\r\n\r\n",
        )
    });
    assert_eq!(site.get("a", "/").text(), "Hello, World!");
    // Whatever reads the other's file, or the configuration, fails.
    fs::remove_file(site.path("two.so")).unwrap();
    replace(&site, "one.so", "probe");
    site.server.process.line_with("one.so has changed", 0);
    site.server
        .process
        .line_with("loading one anew, generation 2", 0);
    site.server
        .process
        .line_with("all workers run generation 2", 0);
    site.until("/status/204", 204);
    assert_eq!(site.get("a", "/two/status/205").status, 205);
    // Workers that are started later have what the others have.
    site.server.process.signal(Signal::SIGTTIN);
    site.server.process.line_with("3 workers from now on", 0);
    site.server.process.signal(Signal::SIGHUP);
    let refused = site
        .server
        .process
        .line_with("the running generation goes on", 0);
    assert!(
        refused.contains("two.so: cannot read the application"),
        "{refused}"
    );
    load.more(20);
    load.stop().expect_no_failure();
    // Once its file is back, everything can be loaded, and the program be replaced.
    replace(&site, "two.so", "probe");
    site.server.process.line_with("loading two anew", 0);
    site.server
        .process
        .line_with("all workers run generation 4", 0);
    site.server.process.signal(Signal::SIGUSR2);
    site.server
        .process
        .line_with("all workers run generation 5", 0);
    assert_eq!(site.get("a", "/two/status/205").status, 205);
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_file_that_is_no_application_changes_nothing_and_is_named() {
    let site = site();
    let before = site.server.workers();
    fs::write(site.path("fresh.so"), "no module").unwrap();
    fs::rename(site.path("fresh.so"), site.path("one.so")).unwrap();
    let refused = site
        .server
        .process
        .line_with("the running generation goes on", 0);
    assert!(refused.contains("application one: "), "{refused}");
    assert_eq!(site.get("a", "/").text(), "Hello, World!");
    assert_eq!(site.get("a", "/two/status/205").status, 205);
    assert_eq!(site.server.workers(), before);
    // The configuration is read with everything else.
    let text = SITE.replace("mount = '/two'", "mount = '/second'");
    replace(&site, "one.so", "probe");
    site.server
        .process
        .line_with("all workers run generation 3", 0);
    super::write(site.folder.path(), &text);
    site.server
        .process
        .line_with("changed: app.mount of two", 0);
    site.server
        .process
        .line_with("all workers run generation 4", 0);
    site.until("/second/status/205", 205);
    site.until("/two/status/205", 404);
}
