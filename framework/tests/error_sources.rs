//! Error handlers find their errors among the causes of others.

use std::fmt;
use std::num::ParseIntError;

use carafe::*;

#[derive(Debug)]
struct Wrapped(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrapped")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

fn number() -> Result<u8, ParseIntError> {
    "x".parse()
}

fn wrapped() -> Result<u8, Wrapped> {
    number().map_err(|error| Wrapped(Box::new(error)))
}

fn app() -> App {
    App::new()
        .get("/bare", async || -> Result<String> {
            Ok(number()?.to_string())
        })
        .get("/wrapped", async || -> Result<String> {
            Ok(wrapped()?.to_string())
        })
}

#[test]
fn the_nearest_cause_wins_and_the_very_type_before_a_source() {
    let client = app()
        .error_type(async |_: Source<ParseIntError>| (400, "source"))
        .error_type(async |_: ParseIntError| (400, "bare"))
        .test();
    assert_eq!(client.get("/bare").text(), "bare");
    assert_eq!(client.get("/wrapped").text(), "source");
    let client = app()
        .error_type(async |_: Source<ParseIntError>| (400, "inner"))
        .error_type(async |error: Source<Wrapped>| (400, format!("outer of {}", error.whole())))
        .test();
    assert_eq!(
        client.get("/wrapped").text(),
        "outer of wrapped: invalid digit found in string"
    );
    assert_eq!(client.get("/bare").text(), "inner");
}

#[test]
fn a_type_without_source_does_not_look_inside() {
    let client = app()
        .error_type(async |_: ParseIntError| (400, "bare"))
        .test()
        .errors_as_responses();
    assert_eq!(client.get("/wrapped").status(), 500);
}

#[test]
fn an_abort_in_an_error_handler_is_no_fault_of_the_application() {
    let client = app()
        .error_type(async |_: ParseIntError| abort::<&str>(404))
        .test();
    assert_eq!(client.get("/bare").status(), 404);
}

#[test]
fn an_abort_in_an_error_handler_brings_its_own_fields() {
    let client = app()
        .error_type(async |_: ParseIntError| -> Result<&str> {
            let busy: Error = abort::<()>(503).expect_err("always");
            Err(busy.with(header::RETRY_AFTER, HeaderValue::from_static("7")))
        })
        .test();
    let answer = client.get("/bare");
    assert_eq!(
        (answer.status(), answer.header("retry-after")),
        (503, Some("7"))
    );
}
