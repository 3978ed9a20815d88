//! The same files from workers in a sandbox, which may not ask the kernel to keep a path within a folder.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::client::get;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::until;
use nix::sys::signal::Signal;

use super::attacks::{no_way_leads_out, trap};
use super::{Site, as_nobody};

/// A server in a sandbox that has the files at `/assets`; its application makes a temporary file.
fn confined(site: &Site, arguments: &[&str]) -> Gatewayd {
    let folder = std::env::temp_dir().display().to_string();
    let walls = ["--sandbox", "required", "--sandbox-write", &folder];
    site.serve(&[&walls, arguments].concat())
}

#[test]
fn no_way_leads_out_of_the_folder_where_no_link_is_followed() {
    let site = trap();
    let server = confined(&site, &[]);
    no_way_leads_out(&server);
    for (path, status) in [
        ("/a", 200),
        ("/%61", 200),
        ("/.well-known/acme-challenge/token", 200),
        ("/link-within", 404),
    ] {
        assert_eq!(
            server.get(&format!("/assets{path}")).status,
            status,
            "{path}"
        );
    }
    assert_eq!(server.stop().0, 0);
}

#[test]
fn files_are_sent_as_ever_and_only_what_the_user_of_the_workers_may_read() {
    let site = Site::new(&[
        ("index.html", b"<h1>index</h1>"),
        ("deep/er/digits", b"0123456789"),
        ("script.js", b"long, uncompressed"),
        ("script.js.gz", b"packed"),
        ("closed", b"secret"),
        ("shut/file", b"secret"),
    ]);
    let close = |name| {
        let nobodys = fs::Permissions::from_mode(0o000);
        fs::set_permissions(site.public().join(name), nobodys).unwrap();
    };
    close("closed");
    close("shut");
    let server = confined(&site, as_nobody());
    let ask = |path: &str, fields: &str| {
        let request = get(&format!("/assets{path}"));
        server.fetch(request.replacen("\r\n\r\n", &format!("\r\n{fields}\r\n"), 1))
    };
    let index = ask("/", "");
    assert_eq!((index.status, index.text()), (200, "<h1>index</h1>"));
    let tag = index.field("etag").unwrap().to_owned();
    let again = ask("/", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.status, again.text()), (304, ""));
    let part = ask("/deep/er/digits", "Range: bytes=2-4\r\n");
    assert_eq!((part.status, part.text()), (206, "234"));
    let packed = ask("/script.js", "Accept-Encoding: gzip\r\n");
    assert_eq!(packed.field("content-encoding"), Some("gzip"));
    assert_eq!(packed.text(), "packed");
    for path in ["/closed", "/shut/file", "/shut/"] {
        let refused = ask(path, "");
        assert!((400..500).contains(&refused.status), "{path}: {refused:?}");
        assert!(!refused.text().contains("secret"), "{path}");
    }
    // For whoever removes the folder.
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(site.public().join("shut"), open).unwrap();
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_reload_opens_other_folders_before_the_walls_rise() {
    let site = Site::new(&[("1/a", b"one"), ("2/a", b"two")]);
    let public = site.public().display().to_string();
    let file = site.folder.path().join("g.toml");
    let configure = |mounts: &str| {
        let app = Artefacts::built().module("probe").display();
        let folder = std::env::temp_dir();
        let walls = format!(
            "sandbox = 'required'\nsandbox-write = '{}'",
            folder.display()
        );
        let text = format!(
            "app = '{app}'\nbind = '127.0.0.1:0'\nworkers = 2\n{walls}\nstatic = [{mounts}]\n"
        );
        fs::write(&file, text).unwrap();
    };
    configure(&format!("'/x={public}/1'"));
    let server = Gatewayd::start(program().args(["--config", &file.display().to_string()]));
    let expect = |path: &str, text: Option<&str>| {
        let response = server.get(path);
        let found = (response.status == 200).then(|| response.text());
        assert_eq!(found, text, "{path}");
    };
    expect("/x/a", Some("one"));
    expect("/y/a", None);
    // A worker that leaves may be the one that accepts, until it has.
    let expect_soon = |path: &str, text: Option<&str>| {
        until("the new folders to be served", || {
            let response = server.get(path);
            (response.status == 200).then(|| response.text()) == text
        });
    };
    let reload = |generation: u32| {
        server.process.signal(Signal::SIGHUP);
        let done = format!("all workers run generation {generation}");
        server.process.line_with(&done, 0);
    };
    configure(&format!("'/x={public}/2', '/y={public}/1'"));
    reload(2);
    expect_soon("/x/a", Some("two"));
    expect_soon("/y/a", Some("one"));
    // What is no longer mounted is no longer to be had, and what is changed is served as it is now.
    configure(&format!("'/x={public}/2'"));
    reload(3);
    expect_soon("/y/a", None);
    site.write("2/a", b"three");
    expect("/x/a", Some("three"));
    // A folder that workers cannot open keeps the ones that serve.
    configure("'/x=/nowhere'");
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("the reload is off", 0);
    expect("/x/a", Some("three"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_mount_is_no_opening_for_the_application() {
    let site = Site::new(&[("a", b"public")]);
    symlink("/etc/passwd", site.public().join("link")).unwrap();
    let server = confined(&site, &[]);
    assert_eq!(server.get("/assets/a").text(), "public");
    assert_eq!(server.get("/assets/link").status, 404);
    // The application answers what lies beside the mount.
    assert_eq!(server.get("/version").status, 200);
    assert_eq!(server.stop().0, 0);
}
