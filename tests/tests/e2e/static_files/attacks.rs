//! Nothing outside the folder, nothing hidden and nothing but regular files is ever sent.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use gateway_tests::client::get;
use gateway_tests::curl::curl;
use gateway_tests::gatewayd::Gatewayd;
use nix::sys::stat::Mode;

use super::{Site, as_nobody, probe};

const SECRET: &str = "the secret";

/// Every way in that servers have been caught with; each leads to a file that is there.
const WAYS: &[&str] = &[
    "/../secret",
    "/../../../../../../../../../../etc/passwd",
    "/%2e%2e/secret",
    "/%2E%2E/secret",
    "/.%2e/secret",
    "/%2e./secret",
    "/..%2fsecret",
    "/..%2Fsecret",
    "/%2e%2e%2fsecret",
    "/%252e%252e/secret",
    "/%252e%252e%252fsecret",
    "/..\\secret",
    "/..%5csecret",
    "/%2e%2e%5csecret",
    "/sub/../../secret",
    "/sub/%2e%2e/%2e%2e/secret",
    "/sub/..;/..;/secret",
    "/..;/secret",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/%2f%2e%2e%2fsecret",
    "/..%c0%afsecret",
    "/%c0%ae%c0%ae/secret",
    "/..%ef%bc%8fsecret",
    "/a%00.html",
    "/..%00/secret",
    "/%00/../secret",
    "/./../secret",
    "/....//secret",
    "/.hidden",
    "/%2ehidden",
    "/.git/config",
    "/sub/.hidden",
    "/.well-known/.hidden",
    "/sub/.well-known/a",
    "/link-out",
    "/link-absolute",
    "/link-up/secret",
    "/link-chain",
    "/link-proc/secret",
    "/link-loop",
    "/pipe",
    "/socket",
    "/sub",
    "/a/",
    "/a/../a",
];

/// A folder with something to be caught with at every corner.
pub(super) fn trap() -> Site {
    let site = Site::new(&[
        ("a", b"public"),
        (".hidden", SECRET.as_bytes()),
        (".git/config", SECRET.as_bytes()),
        ("sub/.hidden", SECRET.as_bytes()),
        ("sub/.well-known/a", SECRET.as_bytes()),
        (".well-known/.hidden", SECRET.as_bytes()),
        (".well-known/acme-challenge/token", b"public"),
    ]);
    let (outer, public) = (site.folder.path(), site.public());
    fs::write(outer.join("secret"), SECRET).unwrap();
    let link = |to: &Path, name: &str| symlink(to, public.join(name)).unwrap();
    link(Path::new("../secret"), "link-out");
    link(&outer.join("secret"), "link-absolute");
    link(Path::new(".."), "link-up");
    link(Path::new("link-out"), "link-chain");
    link(Path::new("/proc/self/cwd"), "link-proc");
    link(Path::new("link-loop"), "link-loop");
    link(Path::new("a"), "link-within");
    nix::unistd::mkfifo(&public.join("pipe"), Mode::S_IRWXU).unwrap();
    drop(UnixListener::bind(public.join("socket")).unwrap());
    site
}

#[test]
fn no_way_leads_out_of_the_folder_or_to_what_is_hidden() {
    let site = trap();
    let server = site.serve(&[]);
    no_way_leads_out(&server);
    for open in [
        "/a",
        "/link-within",
        "/%61",
        "/.well-known/acme-challenge/token",
    ] {
        assert_eq!(
            server.get(&format!("/assets{open}")).text(),
            "public",
            "{open}"
        );
    }
}

/// Asks for everything that is not to be had.
pub(super) fn no_way_leads_out(server: &Gatewayd) {
    let mut client = server.connect();
    for way in WAYS {
        client.send(get(&format!("/assets{way}")));
        let response = client.response();
        let (status, text) = (response.status, String::from_utf8_lossy(&response.body));
        assert!(matches!(status, 400 | 404), "{way}: {status} {text}");
        assert!(
            !text.contains(SECRET) && !text.contains("root:"),
            "{way}: {text}"
        );
        if response.closes() {
            client = server.connect();
        }
    }
}

#[test]
fn nor_over_http2_nor_where_the_application_has_the_rest() {
    let site = trap();
    let mount = site.mount("/");
    let server = probe(&["--workers", "1", &mount]);
    for way in WAYS {
        let url = server.url(way);
        let asked = ["--path-as-is", "--http2-prior-knowledge", "--include", &url];
        let outcome = curl(&asked);
        let said = outcome.stdout.contains(SECRET) || outcome.stdout.contains("root:");
        assert!(!said, "{way}: {outcome:?}");
    }
    assert_eq!(server.get("/a").text(), "public");
    assert_eq!(server.get("/version").status, 200);
}

#[test]
fn a_name_is_bytes_and_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let site = Site::new(&[]);
    let name = std::ffi::OsStr::from_bytes(b"\xff\xfe \n.txt");
    fs::write(site.public().join(name), "odd").unwrap();
    let server = site.serve(&[]);
    assert_eq!(server.get("/assets/%ff%FE%20%0a.txt").text(), "odd");
    let long = "n".repeat(300);
    assert_eq!(server.get(&format!("/assets/{long}")).status, 404);
    let deep = "/d".repeat(3000);
    assert_eq!(server.get(&format!("/assets{deep}")).status, 404);
}

#[test]
fn a_pipe_that_nobody_writes_to_holds_nobody_up() {
    let site = trap();
    let server = site.serve(&["--worker-timeout", "2s"]);
    let workers = server.workers();
    for _ in 0..20 {
        assert_eq!(server.get("/assets/pipe").status, 404);
    }
    assert_eq!(server.get("/assets/a").text(), "public");
    assert_eq!(server.workers(), workers, "no worker was replaced");
}

#[test]
fn a_file_that_the_worker_may_not_read_is_forbidden_and_logged() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::new(&[("a", b"public"), ("private", b"private")]);
    let private = fs::Permissions::from_mode(0o000);
    fs::set_permissions(site.public().join("private"), private).unwrap();
    let server = site.serve(as_nobody());
    assert_eq!(server.get("/assets/a").text(), "public");
    assert_eq!(server.get("/assets/private").status, 403);
    server
        .process
        .line_with("static /assets: cannot open /assets/private: ", 0);
}

#[test]
fn no_redirect_leads_to_another_host() {
    let site = Site::new(&[("evil.test/index.html", b"here"), ("index.html", b"home")]);
    let mount = site.mount("/");
    let server = probe(&["--workers", "1", &mount]);
    assert_eq!(
        server.get("/evil.test").field("location"),
        Some("/evil.test/")
    );
    for path in [
        "//evil.test",
        "/\\evil.test",
        "/%5cevil.test",
        "/%2fevil.test",
        "/./evil.test",
    ] {
        let response = server.get(path);
        assert_eq!(response.field("location"), None, "{path}");
    }
}
