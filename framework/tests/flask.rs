//! What Flask and carafe hand each other: sessions, tokens, password hashes, and names of files.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use carafe::session::tagged::{Dict, Value};
use carafe::*;
use serde_json::{Value as Json, json};

#[test]
fn sessions_that_flask_signed_are_read_unless_another_secret_did() {
    let told = ask(json!({}));
    let cookies = told["cookies"].as_array().unwrap();
    assert!(cookies.len() >= 20);
    for cookie in cookies {
        let client = app().test();
        client.set_cookie("session", cookie["cookie"].as_str().unwrap());
        let found = client.session(plain);
        match cookie["key"].as_str().unwrap() {
            "other" => assert_eq!(found, json!({}), "{cookie}"),
            _ => assert_eq!(found, cookie["plain"], "{cookie}"),
        }
    }
}

#[test]
fn sessions_that_carafe_signed_are_read_by_flask() {
    let (mut cookies, mut wanted) = (Vec::new(), Vec::new());
    for document in documents() {
        let client = app().test();
        client.session(|session| {
            for (name, value) in document {
                session.set_value(name, value).unwrap();
            }
            wanted.push(plain(session));
        });
        cookies.push(client.cookie("session").unwrap());
    }
    let told = ask(json!({"cookies": cookies}));
    assert_eq!(told["opened"], json!(wanted));
}

#[test]
fn each_checks_the_passwords_that_the_other_hashed() {
    let hash = |method| generate_password_hash_by(method, PASSWORD).unwrap();
    let ours = [PasswordMethod::Scrypt, PasswordMethod::Pbkdf2].map(hash);
    let told = ask(json!({"hashes": ours}));
    assert_eq!(told["checked"], json!([true, true]));
    assert_eq!(told["refused"], json!([false, false]));
    let theirs = told["hashes"].as_array().unwrap();
    assert_eq!(theirs.len(), 5);
    for hash in theirs {
        let hash = hash.as_str().unwrap();
        assert_eq!(check_password_hash(hash, PASSWORD), Ok(true), "{hash}");
        assert_eq!(check_password_hash(hash, "another"), Ok(false), "{hash}");
    }
}

#[test]
fn a_token_in_a_form_of_either_is_good_for_the_other() {
    let app = || {
        app()
            .get("/form", async |cx: Cx| cx.csrf_token())
            .post("/act", async || "done")
    };
    let client = app().test();
    let token = client.get("/form").text();
    let session = client.cookie("session").unwrap();
    let told = ask(json!({"session": session, "token": token}));
    assert_eq!(told["valid"], "valid");

    let client = app().test();
    let cookie = told["token"]["cookie"].as_str().unwrap();
    client.set_cookie("session", cookie);
    let post = |token: &str| {
        let post = client.request(POST, "/act").from_old_browser();
        post.body([("csrf_token", token)]).send().status()
    };
    assert_eq!(post(told["token"]["token"].as_str().unwrap()), 200);
    assert_eq!(post("another"), 400);
}

#[test]
fn names_of_files_are_what_werkzeug_makes_of_them() {
    let told = ask(json!({"names": NAMES}));
    for (name, theirs) in NAMES.iter().zip(told["names"].as_array().unwrap()) {
        assert_eq!(secure_filename(name), theirs.as_str().unwrap(), "{name:?}");
    }
    for (name, theirs) in NAMES.iter().zip(told["joined"].as_array().unwrap()) {
        let ours = safe_join(Path::new("/srv"), name);
        // A separator elsewhere, and the end of a name for the system: neither belongs into a path.
        if name.contains(['\\', '\0']) {
            assert_eq!(ours, None, "{name:?}");
        } else {
            assert_eq!(ours, theirs.as_str().map(PathBuf::from), "{name:?}");
        }
    }
}

fn app() -> App {
    App::new()
        .config_set("secret_key", SECRET)
        .config_set("secret_key_fallbacks", [FORMER])
        .get("/", async |_: Session| "")
}

/// All values of a session, without what JSON cannot say.
fn plain(session: &Session) -> Json {
    let pair = |name: String| {
        let value = session.value(&name)?.plain();
        Some((name, value))
    };
    Json::Object(session.names().into_iter().filter_map(pair).collect())
}

fn documents() -> Vec<Dict> {
    let text = |text: &str| Value::Text(text.to_owned());
    let of = |name: &str, value| Dict::from([(name.to_owned(), value)]);
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    vec![
        of("text", text("ü 😀 \u{2028} \\ \" <>")),
        of(
            "numbers",
            json!([0, -1, 1.5, 9_007_199_254_740_992_i64, null, true]).into(),
        ),
        of("tuple", Value::Tuple(vec![text("a"), Value::Tuple(vec![])])),
        of("bytes", Value::Bytes(vec![0, 255])),
        of("markup", Value::Markup("<b>".to_owned())),
        of("uuid", Value::Uuid(Uuid::from_u128(7))),
        of("date", Value::Date(date)),
        of(
            "trap",
            Value::Dict(of(" t", Value::Dict(of(" di__", Value::Null)))),
        ),
        of("big", text(&"x".repeat(1_000))),
        of(
            "_flashes",
            Value::List(vec![Value::Tuple(vec![text("message"), text("hi")])]),
        ),
    ]
}

/// What Flask says; what a question does not ask stays empty.
fn ask(question: Json) -> Json {
    let mut whole = json!({
        "secret": SECRET, "former": FORMER, "password": PASSWORD,
        "cookies": [], "hashes": [], "names": [], "session": "", "token": "",
    });
    for (name, value) in question.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../target/oracle/bin/python");
    let mut child = Command::new(&python)
        .arg(root.join("tests/oracle/words.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}: {INSTALL}", python.display()));
    let mut input = child.stdin.take().unwrap();
    input.write_all(whole.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the oracle failed; {INSTALL}");
    serde_json::from_slice(&output.stdout).unwrap()
}

const SECRET: &str = "words-0123456789-abcdef-present!";
const FORMER: &str = "words-9876543210-fedcba-former!!";
const PASSWORD: &str = "correct hörse 😀";
const INSTALL: &str = "Flask is installed by: python3 -m venv target/oracle && \
    target/oracle/bin/pip install -r framework/tests/oracle/requirements.txt";
const NAMES: &[&str] = &[
    "x.txt",
    "My cool movie.mov",
    "../../../etc/passwd",
    "/etc/passwd",
    "a/b/c",
    "a/../b",
    "a/../../b",
    "..",
    ".",
    "",
    "./a",
    "a//b",
    "a/",
    "a/.",
    "../",
    "..a",
    "a..",
    "...",
    ".hidden",
    "__x__",
    "a b\tc\nd",
    "  spaced  ",
    "a\u{b}b\u{1c}c\u{1f}d\u{7f}e",
    "ümläut.txt",
    "ﬁle Å ½ ①.txt",
    "日本語.txt",
    "日本語",
    "C:\\dir\\x.txt",
    "a\\..\\b",
    "a\0b",
    "nul",
    "CON.txt",
    "a;b|c&d$e.txt",
    "a'b\"c.txt",
    "-rf",
    "a%2Fb",
    "~root",
    "e\u{301}.txt",
    "a\u{200b}b\u{a0}c",
    "x\u{2028}y",
];
