//! From requests to replies, with real folders.

use std::fs;
use std::path::Path;

use gateway_spec::abi::{Field, names};
use tempfile::TempDir;

use super::*;

/// A folder whose files were changed long ago.
struct Site {
    folder: TempDir,
    options: StaticOptions,
}

impl Site {
    fn at(path: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, content).unwrap();
            age(&file, 1_700_000_000);
        }
        let mount = format!("{path}={}", folder.path().display());
        let options = StaticOptions {
            mounts: vec![StaticMount::parse(&mount).unwrap()],
            ..StaticOptions::default()
        };
        Self { folder, options }
    }

    fn ask(&self, method_id: u32, target: &str, fields: &[(&str, &str)]) -> Option<Reply> {
        let files = StaticFiles::open(&self.options).unwrap().unwrap();
        let lines = fields.iter().map(|(name, value)| {
            let name = name.as_bytes();
            Field::new(names::id_of(name), name, value.as_bytes())
        });
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.as_bytes())),
            None => (target, None),
        };
        let asked = Asked::new(method_id, (b"", path.as_bytes(), query), lines);
        files.answer(&asked, SystemTime::now())
    }

    /// Status, named fields and what of the file is sent.
    fn get(&self, target: &str, fields: &[(&str, &str)]) -> Summary {
        self.ask(method::GET, target, fields).as_ref().map(summary)
    }
}

type Summary = Option<(u16, Vec<String>, Option<(u64, u64)>)>;

fn summary(reply: &Reply) -> (u16, Vec<String>, Option<(u64, u64)>) {
    let fields = reply.fields.iter().map(|line| {
        let field = line.as_field();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        format!("{}: {}", text(field.name()), text(field.value()))
    });
    let part = match reply.content {
        Content::File { offset, length, .. } => Some((offset, length)),
        _ => None,
    };
    (reply.status, fields.collect(), part)
}

fn age(file: &Path, seconds: u64) {
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    let opened = fs::File::options().append(true).open(file).unwrap();
    opened.set_modified(time).unwrap();
}

#[track_caller]
fn expect(found: Summary, status: u16, fields: &[&str]) {
    let (found, has, _) = found.unwrap();
    assert_eq!(found, status, "{has:?}");
    for field in fields {
        assert!(has.iter().any(|one| one == field), "{field} in {has:?}");
    }
}

#[test]
fn a_file_is_told_with_all_that_clients_need_to_keep_it() {
    let site = Site::at("/assets", &[("a.css", "body {}")]);
    let (status, fields, part) = site.get("/assets/a.css", &[]).unwrap();
    let expected = [
        "content-type: text/css; charset=utf-8",
        "etag: \"17979cfe362a0000-7\"",
        "last-modified: Tue, 14 Nov 2023 22:13:20 GMT",
        "cache-control: no-cache",
        "vary: accept-encoding",
        "accept-ranges: bytes",
        "x-content-type-options: nosniff",
    ];
    assert_eq!(status, 200);
    assert_eq!(fields[0], expected[0]);
    assert_eq!(fields[2..], expected[2..]);
    assert!(
        fields[1].starts_with("etag: \"17") && fields[1].ends_with("-7\""),
        "{fields:?}"
    );
    assert_eq!(part, Some((0, 7)));
}

#[test]
fn what_is_no_file_below_a_mount_is_404_and_at_the_root_the_applications() {
    let files = [
        ("index.html", "i"),
        ("sub/index.html", "s"),
        ("bare/a", "a"),
    ];
    let (below, root) = (Site::at("/x", &files), Site::at("/", &files));
    for rest in [
        "/missing",
        "/bare",
        "/bare/",
        "/index.html/",
        "/../a",
        "/.env",
        "//sub/",
    ] {
        expect(below.get(&format!("/x{rest}"), &[]), 404, &[]);
        assert_eq!(root.get(rest, &[]), None, "{rest}");
    }
    expect(
        below.get("/x/", &[]),
        200,
        &["content-type: text/html; charset=utf-8"],
    );
    expect(
        root.get("/", &[]),
        200,
        &["content-type: text/html; charset=utf-8"],
    );
    assert_eq!(below.get("/y", &[]), None);
    for method_id in [
        method::POST,
        method::PUT,
        method::DELETE,
        method::OPTIONS,
        method::TRACE,
    ] {
        assert!(root.ask(method_id, "/index.html", &[]).is_none());
        let reply = below.ask(method_id, "/x/missing", &[]).unwrap();
        let status = if method_id == method::OPTIONS {
            204
        } else {
            405
        };
        expect(
            Some(summary(&reply)),
            status,
            &["allow: GET, HEAD, OPTIONS"],
        );
    }
}

#[test]
fn a_folder_is_sent_on_to_its_slash() {
    let site = Site::at("/x", &[("index.html", "i"), ("a b/index.html", "s")]);
    expect(site.get("/x", &[]), 308, &["location: /x/"]);
    expect(site.get("/x?q=1/2", &[]), 308, &["location: /x/?q=1/2"]);
    expect(
        site.get("/%78/a%20b?", &[]),
        308,
        &["location: /%78/a%20b/?"],
    );
    expect(site.get("/x/a b", &[]), 308, &["location: /x/a%20b/"]);
}

#[test]
fn the_longest_path_has_the_say() {
    let (one, other) = (
        Site::at("/x", &[("a", "1")]),
        Site::at("/x/y", &[("a", "22")]),
    );
    let mut options = one.options.clone();
    options.mounts.extend(other.options.mounts.clone());
    let both = Site {
        folder: tempfile::tempdir().unwrap(),
        options,
    };
    let part = |target| both.get(target, &[]).unwrap().2;
    assert_eq!(part("/x/a"), Some((0, 1)));
    assert_eq!(part("/x/y/a"), Some((0, 2)));
}

#[test]
fn what_was_compressed_ahead_is_sent_to_who_takes_it() {
    let files = [
        ("a.js", "0123456789"),
        ("a.js.gz", "gz"),
        ("a.js.br", "b"),
        ("a.js.zst", "zst"),
    ];
    let site = Site::at("/", &files);
    let get = |accepted| site.get("/a.js", &[("accept-encoding", accepted)]);
    for (accepted, coding, length) in [
        ("gzip, deflate, br, zstd", Some("br"), 1),
        ("gzip, zstd", Some("zstd"), 3),
        ("gzip;q=1, br;q=0.1", Some("gzip"), 2),
        ("deflate", None, 10),
        ("gzip;q=0", None, 10),
    ] {
        let (status, fields, part) = get(accepted).unwrap();
        let found = fields
            .iter()
            .find_map(|field| field.strip_prefix("content-encoding: "));
        assert_eq!(
            (status, found, part),
            (200, coding, Some((0, length))),
            "{accepted}"
        );
        assert_eq!(fields[0], "content-type: text/javascript; charset=utf-8");
        assert!(fields.contains(&"vary: accept-encoding".to_owned()));
    }
    let tag = |accepted| {
        let (_, fields, _) = get(accepted).unwrap();
        fields
            .into_iter()
            .find(|field| field.starts_with("etag"))
            .unwrap()
    };
    assert_ne!(tag("gzip"), tag("br"));
    assert!(tag("gzip").ends_with("-gz\""), "{}", tag("gzip"));
    // One that is older is of another state of the file.
    age(&site.folder.path().join("a.js.br"), 1_699_999_999);
    assert_eq!(get("br").unwrap().2, Some((0, 10)));
    // By itself it is a file as any other.
    expect(
        site.get("/a.js.gz", &[]),
        200,
        &["content-type: application/gzip"],
    );
}

#[test]
fn conditions_and_ranges_are_those_of_the_file_that_is_sent() {
    let site = Site::at("/", &[("a", "0123456789"), ("a.gz", "gz")]);
    let (_, fields, _) = site.get("/a", &[]).unwrap();
    let tag = fields
        .iter()
        .find_map(|field| field.strip_prefix("etag: "))
        .unwrap();
    let copy = site.get("/a", &[("if-none-match", tag)]).unwrap();
    assert_eq!((copy.0, copy.2), (304, None));
    assert_eq!(copy.1[0], format!("etag: {tag}"));
    assert!(
        !copy.1.iter().any(|field| field.starts_with("content-")),
        "{copy:?}"
    );
    let packed = [("if-none-match", tag), ("accept-encoding", "gzip")];
    assert_eq!(site.get("/a", &packed).unwrap().0, 200);
    expect(site.get("/a", &[("if-match", "\"x\"")]), 412, &[]);
    let part = site.get("/a", &[("range", "bytes=2-4")]);
    assert_eq!(part.as_ref().unwrap().2, Some((2, 3)));
    expect(part, 206, &["content-range: bytes 2-4/10"]);
    expect(
        site.get("/a", &[("range", "bytes=10-")]),
        416,
        &["content-range: bytes */10"],
    );
    let other = [("range", "bytes=2-4"), ("if-range", "\"x\"")];
    assert_eq!(site.get("/a", &other).unwrap().2, Some((0, 10)));
    let head = site.ask(method::HEAD, "/a", &[("range", "bytes=2-4")]);
    assert_eq!(head.map(|reply| reply.status), Some(200));
}

#[test]
fn how_long_a_copy_is_good_is_a_setting() {
    let mut site = Site::at("/", &[("a", "1"), ("built/b", "2")]);
    site.options.max_age = Duration::from_secs(3600);
    site.options.immutable = vec![UrlPath::parse("/built").unwrap()];
    expect(
        site.get("/a", &[]),
        200,
        &["cache-control: public, max-age=3600"],
    );
    let forever = "cache-control: public, max-age=31536000, immutable";
    expect(site.get("/built/b", &[]), 200, &[forever]);
}

#[test]
fn times_that_no_field_can_say_are_told_as_near_as_can_be() {
    let site = Site::at("/", &[("a", "1")]);
    let file = site.folder.path().join("a");
    let opened = fs::File::options().append(true).open(&file).unwrap();
    opened
        .set_modified(UNIX_EPOCH - Duration::from_secs(1))
        .unwrap();
    expect(
        site.get("/a", &[]),
        200,
        &["last-modified: Thu, 01 Jan 1970 00:00:00 GMT"],
    );
    opened
        .set_modified(SystemTime::now() + Duration::from_secs(1 << 40))
        .unwrap();
    assert_eq!(site.get("/a", &[]).unwrap().0, 200);
}

#[test]
fn a_folder_that_cannot_be_opened_is_named() {
    let options = StaticOptions {
        mounts: vec![StaticMount::parse("/a=/no/such/folder").unwrap()],
        ..StaticOptions::default()
    };
    let error = StaticFiles::open(&options).unwrap_err().to_string();
    assert!(
        error.starts_with("static /a=/no/such/folder: cannot open the folder: "),
        "{error}"
    );
    assert!(
        StaticFiles::open(&StaticOptions::default())
            .unwrap()
            .is_none()
    );
}
