//! Flask's tutorial application on carafe.

use std::fs;
use std::path::Path;

use gateway_tests::artefacts::{Artefacts, root};
use gateway_tests::browser::Browser;
use gateway_tests::gatewayd::{Gatewayd, program};
use nix::sys::signal::Signal;

/// Lines with code in Flask 3.1.3's examples/tutorial: `flaskr/*.py` and `tests/*.py`. A line counts unless it
/// is blank, or holds nothing but a comment or a part of a docstring. Queries within the code count as they
/// do here; templates, styles and files of SQL count on neither side.
const FLASK: (usize, usize) = (213, 166);

#[test]
fn the_blog_has_at_most_30_percent_more_lines_than_flask_s() {
    let (mut application, mut tests) = (0, 0);
    for file in fs::read_dir(root().join("examples/blog/src")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        let lines = source.lines().map(str::trim).filter(is_code).count();
        match path.file_name().is_some_and(|name| name == "tests.rs") {
            true => tests += lines,
            false => application += lines,
        }
    }
    assert!(application > 100 && tests > 100, "{application}, {tests}");
    assert!(application * 10 <= FLASK.0 * 13, "{application} lines");
    let all = application + tests;
    assert!(all * 10 <= (FLASK.0 + FLASK.1) * 13, "{all} lines");
}

#[test]
fn in_a_browser_a_visitor_registers_writes_changes_deletes_and_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    let mut browser = Browser::start(folder.path());
    browser.open(&server.url("/"));
    assert!(browser.text().contains("Nobody has written anything yet."));
    picture(&mut browser, "empty");

    // Nobody writes without an account, and no name is taken twice.
    browser.open(&server.url("/create"));
    assert_eq!(browser.path(), "/auth/login");
    browser.follow("main a");
    assert_eq!(browser.path(), "/auth/register");
    sign(&mut browser, "Ann", "tea at five");
    assert_eq!(browser.path(), "/auth/login");
    browser.open(&server.url("/auth/register"));
    sign(&mut browser, "Ann", "coffee");
    assert!(browser.text().contains("User Ann is already registered."));
    picture(&mut browser, "taken");

    browser.follow("nav a[href='/auth/login']");
    sign(&mut browser, "Ann", "coffee");
    assert!(browser.text().contains("Incorrect password."));
    sign(&mut browser, "Ann", "tea at five");
    assert_eq!(browser.path(), "/");
    assert!(browser.text().contains("Log out"));

    browser.follow("a.button");
    picture(&mut browser, "new");
    write(&mut browser, "Tea <b>first</b>", "One leaf,\ntwo leaves.");
    assert_eq!(browser.path(), "/");
    let page = browser.text();
    assert!(page.contains("Tea <b>first</b>"), "{page}");
    assert!(page.contains("One leaf,\ntwo leaves."), "{page}");

    // Whichever worker answers, and whoever replaces it, the session is good.
    server.process.signal(Signal::SIGHUP);
    server.process.line_with("all workers run generation 2", 0);
    browser.follow("article a");
    assert_eq!(browser.path(), "/1/update");
    write(&mut browser, "Tea before all", "Three leaves.");
    assert!(browser.text().contains("Tea before all"));
    assert!(!browser.text().contains("Two leaves"));
    picture(&mut browser, "posts");

    browser.follow("article a");
    browser.click("[popovertarget=delete]");
    assert!(browser.text().contains("It is gone for good then."));
    picture(&mut browser, "delete");
    browser.follow("#delete button");
    assert_eq!(browser.path(), "/");
    assert!(browser.text().contains("Nobody has written anything yet."));

    browser.follow("header form button");
    assert!(browser.text().contains("Log in"));
    browser.open(&server.url("/create"));
    assert_eq!(browser.path(), "/auth/login");
    drop(browser);
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn in_a_browser_a_page_of_another_site_does_not_post_to_the_blog() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path());
    // Another port is another origin, and gets the cookies all the same.
    let elsewhere = Gatewayd::serve(Artefacts::built().module("hello"), &[]);
    let mut browser = Browser::start(folder.path());
    browser.open(&server.url("/auth/register"));
    sign(&mut browser, "Ann", "tea");
    sign(&mut browser, "Ann", "tea");
    browser.open(&server.url("/create"));
    write(&mut browser, "Mine", "");
    for path in ["/1/delete", "/create", "/auth/logout"] {
        browser.open(&elsewhere.url("/"));
        let action = server.url(path);
        let form = format!(
            "<form method=post action={action}><input name=title value=Theirs><button>Win</button></form>"
        );
        browser.run(&format!("document.body.innerHTML = {form:?}"));
        browser.follow("button");
        let page = browser.text();
        assert!(
            page.contains("This request comes from another site"),
            "{page}"
        );
    }
    picture(&mut browser, "forged");
    browser.open(&server.url("/"));
    let page = browser.text();
    assert!(page.contains("Mine") && page.contains("Log out"), "{page}");
    assert!(!page.contains("Theirs"), "{page}");
}

/// The blog with three workers, as an operator configures it; its database is in `folder`.
fn serve(folder: &Path) -> Gatewayd {
    let (config, secret) = (folder.join("gatewayd.toml"), folder.join("secret"));
    fs::write(&secret, "a secret for this test, of which nobody knows\n").unwrap();
    let text = format!(
        "[app.config]\nroot = {:?}\ndatabase = {:?}\n[app.secrets]\nsecret_key = {secret:?}\n",
        root().join("examples/blog"),
        folder.join("blog.sqlite"),
    );
    fs::write(&config, text).unwrap();
    let mut command = program();
    command.args(["--bind", "127.0.0.1:0", "--workers", "3", "--config"]);
    Gatewayd::start(command.arg(config).arg(Artefacts::built().module("blog")))
}

/// Fills in the form for registering or logging in.
fn sign(browser: &mut Browser, username: &str, password: &str) {
    browser.type_into("[name=username]", username);
    browser.type_into("[name=password]", password);
    browser.follow("main form button");
}

/// Fills in the form of a post.
fn write(browser: &mut Browser, title: &str, body: &str) {
    browser.type_into("[name=title]", title);
    browser.type_into("[name=body]", body);
    browser.follow("main > form button");
}

/// Leaves a picture of the page where a person can look at it.
fn picture(browser: &mut Browser, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("blog");
    fs::create_dir_all(&folder).unwrap();
    let png = browser.picture();
    assert!(png.starts_with(b"\x89PNG"), "not a picture of {name}");
    fs::write(folder.join(name).with_extension("png"), png).unwrap();
}
