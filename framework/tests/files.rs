//! Files as responses, from the outside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use carafe::testing::{Client, TestResponse};
use carafe::*;
use tempfile::TempDir;

const TEXT: &str = "0123456789";

/// A folder with `static/digits.txt`, and `secret.txt` beside it.
fn folder() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "static/digits.txt", TEXT);
    write(root.path(), "static/css/site.css", "a{}");
    write(root.path(), "static/.well-known/x", "known");
    write(root.path(), "static/empty.txt", "");
    write(root.path(), "secret.txt", "secret");
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn app(root: &TempDir) -> App {
    App::new().root(root.path()).static_files("static")
}

fn ask(client: &Client, fields: &[(&str, &str)]) -> TestResponse {
    let mut request = client.request(GET, "/static/digits.txt");
    for (name, value) in fields {
        request = request.header(name, value);
    }
    request.send()
}

#[test]
fn a_static_file_says_what_it_is() {
    let root = folder();
    let client = app(&root)
        .get("/", async |cx: Cx| {
            render_str(
                &cx,
                "{{ url_for('static', filename='css/site.css') }}",
                ctx! {},
            )
        })
        .test();
    let file = client.get("/static/digits.txt");
    assert_eq!((file.status(), file.text().as_str()), (200, TEXT));
    assert_eq!(
        file.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        file.header("content-disposition"),
        Some("inline; filename=digits.txt")
    );
    assert_eq!(file.header("cache-control"), Some("no-cache"));
    assert_eq!(file.header("accept-ranges"), Some("bytes"));
    assert!(file.header("last-modified").unwrap().ends_with(" GMT"));
    assert_eq!(client.get("/").text(), "/static/css/site.css");
    assert_eq!(client.get("/static/css/site.css").text(), "a{}");
    assert_eq!(client.get("/static/.well-known/x").text(), "known");
    assert_eq!(client.get("/static/empty.txt").text(), "");
    let head = client
        .request(HEAD, "/static/digits.txt")
        .header("Range", "bytes=0-1")
        .send();
    assert_eq!(
        (head.status(), head.header("etag")),
        (200, file.header("etag"))
    );
    assert_eq!(client.post("/static/digits.txt", ()).status(), 405);
}

#[test]
fn nothing_outside_of_the_folder_and_nothing_but_files_is_served() {
    let root = folder();
    std::os::unix::fs::symlink("digits.txt", root.path().join("static/link.txt")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(root.path().join("static/socket"));
    socket.unwrap();
    let client = app(&root).test();
    for name in [
        "none.txt",
        "css",
        "css/",
        "socket",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "css/../../secret.txt",
        "..%5csecret.txt",
        "%2fetc/passwd",
        "a%00b",
        "digits.txt/x",
        &"x".repeat(300),
        &"x/".repeat(3000),
    ] {
        assert_eq!(
            client
                .request(GET, &format!("/static/{name}"))
                .follow()
                .status(),
            404,
            "{name}"
        );
    }
    assert_eq!(client.get("/static/link.txt").text(), TEXT);
}

#[test]
fn a_copy_that_is_still_good_is_not_sent_again() {
    let root = folder();
    let client = app(&root).test();
    let first = client.get("/static/digits.txt");
    let (etag, date) = (
        first.header("etag").unwrap(),
        first.header("last-modified").unwrap(),
    );
    assert!(
        !etag.contains("digits") && !etag.starts_with("W/"),
        "{etag}"
    );
    let again = ask(&client, &[("If-None-Match", etag)]);
    assert_eq!((again.status(), again.body()), (304, &b""[..]));
    assert_eq!(again.header("etag"), Some(etag));
    assert_eq!(again.header("cache-control"), Some("no-cache"));
    assert_eq!(again.header("content-type"), None);
    assert_eq!(ask(&client, &[("If-Modified-Since", date)]).status(), 304);
    assert_eq!(
        ask(&client, &[("If-None-Match", etag), ("Range", "bytes=0-1")]).status(),
        304
    );
    assert_eq!(ask(&client, &[("If-Match", "\"other\"")]).status(), 412);
    write(root.path(), "static/digits.txt", "changed");
    assert_eq!(ask(&client, &[("If-None-Match", etag)]).text(), "changed");
}

#[test]
fn parts_are_sent_as_asked_for() {
    let root = folder();
    let client = app(&root).test();
    for (range, content_range, part) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=8-", "bytes 8-9/10", "89"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=5-99", "bytes 5-9/10", "56789"),
    ] {
        let response = ask(&client, &[("Range", range)]);
        assert_eq!(
            (response.status(), response.text().as_str()),
            (206, part),
            "{range}"
        );
        assert_eq!(response.header("content-range"), Some(content_range));
    }
    for range in ["bytes=10-", "bytes=-0"] {
        let response = ask(&client, &[("Range", range)]);
        assert_eq!(
            (response.status(), response.header("content-range")),
            (416, Some("bytes */10")),
            "{range}"
        );
    }
    for range in ["lines=1-2", "bytes=4-2", "bytes=0-1,3-4", "bytes"] {
        let response = ask(&client, &[("Range", range)]);
        assert_eq!(
            (response.status(), response.text().as_str()),
            (200, TEXT),
            "{range}"
        );
    }
    let etag = client
        .get("/static/digits.txt")
        .header("etag")
        .unwrap()
        .to_owned();
    let if_range =
        |condition: &str| ask(&client, &[("Range", "bytes=0-0"), ("If-Range", condition)]).status();
    assert_eq!(if_range(&etag), 206);
    assert_eq!(if_range("\"other\""), 200);
    assert_eq!(if_range("Tue, 14 Nov 2023 22:13:20 GMT"), 200);
}

#[test]
fn a_view_chooses_name_kind_and_age() {
    let root = folder();
    let view = async |cx: Cx| {
        send_file(&cx, "secret.txt")
            .download_name("Übersicht.csv")
            .as_attachment()
            .max_age(Duration::from_secs(60))
            .conditional(false)
            .await
    };
    let plain = |cx: Cx| {
        send_file(&cx, "secret.txt")
            .mimetype("application/x-own")
            .wait()
    };
    let client = app(&root).get("/report", view).get("/plain", plain).test();
    let report = client
        .request(GET, "/report")
        .header("Range", "bytes=0-1")
        .send();
    assert_eq!((report.status(), report.text().as_str()), (200, "secret"));
    assert_eq!(
        report.header("content-disposition"),
        Some("attachment; filename=Ubersicht.csv; filename*=UTF-8''%C3%9Cbersicht.csv")
    );
    assert_eq!(
        report.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(report.header("cache-control"), Some("public, max-age=60"));
    assert!(report.header("expires").unwrap().ends_with(" GMT"));
    assert_eq!(report.header("accept-ranges"), None);
    assert_eq!(
        client.get("/plain").header("content-type"),
        Some("application/x-own")
    );
    let aged = app(&root).config_set("files.max_age", "1h").test();
    let file = aged.get("/static/digits.txt");
    assert_eq!(file.header("cache-control"), Some("public, max-age=3600"));
}

#[test]
fn a_file_that_the_application_names_must_be_there() {
    let root = folder();
    let view = async |cx: Cx, name: String| send_file(&cx, &name).await;
    let client = app(&root)
        .get("/<path:name>", view)
        .test()
        .errors_as_responses();
    let missing = client.get("/none.txt");
    assert_eq!(missing.status(), 500);
    assert!(!missing.text().contains("none.txt"));
    assert_eq!(client.get("/static").status(), 500);
}

#[test]
fn odd_times_of_a_file_are_no_obstacle() {
    let root = folder();
    let file = fs::File::options()
        .append(true)
        .open(root.path().join("static/digits.txt"))
        .unwrap();
    let client = app(&root).test();
    file.set_modified(SystemTime::UNIX_EPOCH - Duration::from_secs(9))
        .unwrap();
    let old = client.get("/static/digits.txt");
    assert_eq!((old.status(), old.header("last-modified")), (200, None));
    file.set_modified(SystemTime::now() + Duration::from_secs(400 * 24 * 60 * 60))
        .unwrap();
    let date: HttpDate = client
        .get("/static/digits.txt")
        .header("last-modified")
        .unwrap()
        .parse()
        .unwrap();
    assert!(date.0 <= SystemTime::now());
}

#[test]
fn blueprints_have_folders_of_their_own() {
    let root = folder();
    write(root.path(), "shop/a.js", "1");
    let index = async |cx: Cx| {
        let source =
            "{{ url_for('.static', filename='a.js') }} {{ url_for('static', filename='b') }}";
        render_str(&cx, source, ctx! {})
    };
    let shop = Blueprint::new("shop")
        .prefix("/shop")
        .static_files("shop")
        .get("/", index);
    let client = App::new()
        .root(root.path())
        .static_files_at("/assets/", "static")
        .blueprint(shop)
        .test();
    assert_eq!(client.get("/shop/").text(), "/shop/static/a.js /assets/b");
    let script = client.get("/shop/static/a.js");
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(client.get("/assets/digits.txt").text(), TEXT);
}

#[test]
fn a_folder_that_is_missing_or_one_too_many_is_a_mistake() {
    let root = folder();
    let missing = Blueprint::new("b").static_files_at("/b", "none");
    let app = app(&root)
        .static_files_at("/more", "static")
        .blueprint(missing);
    let mistakes = app.try_test().unwrap_err();
    let told: Vec<&str> = mistakes.iter().collect();
    assert!(
        told[0].starts_with("static files: expected one folder, found static and static"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("static files: expected a folder at /"),
        "{told:?}"
    );
}
