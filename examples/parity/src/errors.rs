//! Errors and who answers them.

use std::fmt;

use carafe::*;

/// An error with a handler in the application.
#[derive(Debug)]
pub(crate) struct Teapot(&'static str);

/// An error with a handler in the blueprint.
#[derive(Debug)]
struct Spill(i64);

/// An error that nobody handles.
#[derive(Debug)]
struct Stray;

pub(crate) fn blueprint() -> Blueprint {
    let inner = Blueprint::new("inner")
        .prefix("/inner")
        .get("/abort/<int:code>", named("abort", abort_with))
        .get("/spill", named("spill", spill))
        .get("/teapot", named("teapot", teapot))
        .error(410, async || (410, "gone from inner"));
    let all = Blueprint::new("all")
        .prefix("/all")
        .get("/abort/<int:code>", named("abort", abort_with))
        .get("/spill", named("spill", spill))
        .error_type(async |error: HttpError| {
            let code = error.status().as_u16();
            (code, format!("all {code}"))
        });
    Blueprint::new("errors")
        .prefix("/e")
        .get("/abort/<int:code>", named("abort", abort_with))
        .get("/told/<int:code>", named("told", told))
        .get("/returned", named("returned", async || (404, "returned")))
        .get("/spill", named("spill", spill))
        .get("/teapot", named("teapot", teapot))
        .get("/stray", named("stray", stray))
        .get("/again", named("again", async || abort::<String>(428)))
        .get("/plain", named("plain", async || abort::<String>(429)))
        .get("/response", named("response", respond))
        .blueprint(inner)
        .blueprint(all)
        .error(410, async || (410, "gone from errors"))
        .error(418, async |error: HttpError| {
            (418, format!("short and stout: {}", error.name()))
        })
        .error(428, async || abort::<String>(410))
        .error(429, async || "slow down")
        .error(405, async || (405, "method from errors"))
        .error_type(async |error: Spill| (503, format!("spilled {}", error.0)))
}

pub(crate) async fn conflict() -> (u16, &'static str) {
    (409, "conflict from the application")
}

pub(crate) async fn app_teapot(error: Teapot) -> (u16, String) {
    (418, format!("teapot from the application: {}", error.0))
}

async fn abort_with(code: u16) -> Result<String> {
    abort(code)
}

async fn told(code: u16) -> Result<String> {
    abort((code, "A sentence of its own."))
}

async fn spill() -> Result<String> {
    Err(Spill(7))?
}

async fn teapot() -> Result<String> {
    Err(Teapot("green"))?
}

async fn stray() -> Result<String> {
    Err(Stray)?
}

async fn respond() -> Result<String> {
    abort(Response::text("a response").with_status(StatusCode::PAYMENT_REQUIRED))
}

macro_rules! errors {
    ($($name:ident)*) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
        impl std::error::Error for $name {}
    )* };
}

errors!(Teapot Spill Stray);
