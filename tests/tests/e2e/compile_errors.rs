//! What rustc says of a view that is wrong is one sentence that says why.

use std::collections::BTreeMap;
use std::process::Command;

use gateway_tests::artefacts::root;
use serde_json::Value;

#[test]
fn rustc_says_in_one_sentence_what_is_wrong_with_a_view() {
    let said = errors_of("view_mistakes");
    let source = include_str!("../../examples/view_mistakes.rs");
    let mut told = Vec::new();
    for (number, line) in source.lines().enumerate() {
        if let Some((message, label)) = said.get(&(number as u64 + 1)) {
            told.push(format!("{}\n    {message}\n    {label}", line.trim()));
        }
    }
    let told = told.join("\n");
    assert_eq!(told, EXPECTED.trim(), "found:\n{told}\n");
}

/// First message and label of each error, by the line of the label.
fn errors_of(example: &str) -> BTreeMap<u64, (String, String)> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "check",
            "--quiet",
            "--locked",
            "--message-format=json",
            "-p",
            "gateway-tests",
        ])
        .args(["--features", "mistakes", "--example", example])
        .current_dir(root())
        .output()
        .expect("cargo to start");
    let mut errors = BTreeMap::new();
    for line in output.stdout.split(|&byte| byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let diagnostic = &message["message"];
        if diagnostic["level"] != "error" {
            continue;
        }
        let spans = diagnostic["spans"].as_array().into_iter().flatten();
        let Some(span) = spans.into_iter().find(|span| span["is_primary"] == true) else {
            continue;
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let line = span["line_start"].as_u64().expect("a line");
        errors
            .entry(line)
            .or_insert((text(&diagnostic["message"]), text(&span["label"])));
    }
    assert!(
        !errors.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    errors
}

const EXPECTED: &str = r#"
let _ = App::new().get("/", user);
    a view cannot return `User`
    expected something that becomes a response
let _ = App::new().get("/", plain_user);
    a view cannot return `User`
    expected something that becomes a response, or a future of it
let _ = App::new().get("/", maybe_user);
    a view cannot return `User`
    expected something that becomes a response
let _ = App::new().get("/", nothing);
    a view cannot return `()`
    expected something that becomes a response, or a future of it
let _ = App::new().get("/", "text");
    `&str` is not a view
    expected a function or closure
let _ = App::new().get("/", database);
    `Db` is not something a view can ask for
    expected an extractor
let _ = App::new().get("/", not_send);
    future cannot be sent between threads safely
    future returned by `not_send` is not `Send`
let _ = App::new().before(async || 5);
    a hook cannot return `{integer}`
    expected nothing, or an answer
let _ = App::new().after(context);
    `fn(carafe::Cx) -> impl std::future::Future<Output = &'static str> {context}` does not take `carafe::Response` as its first argument
    expected a function or closure whose first argument is `carafe::Response`
client.url(show, ("x",));
    `&str` is no value for a path value of type `i64`
    expected `i64`
client.url(show, ());
    these values do not make a URL of this view
    expected a tuple of the view's path values, `(i64,)`
"#;
