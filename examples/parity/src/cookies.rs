//! Cookies in and out.

use std::time::{Duration, SystemTime};

use carafe::*;

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("cookies")
        .prefix("/c")
        .get("/show", named("show", show))
        .get("/set", named("set", set))
        .get(
            "/usual",
            named("usual", async || {
                Response::text("set").cookie(&Cookie::new("usual", "1"))
            }),
        )
        .get(
            "/two",
            named("two", async || {
                Response::text("two")
                    .cookie(&bare("a", "1"))
                    .cookie(&bare("b", "2"))
            }),
        )
        .get(
            "/delete/<name>",
            named("delete", async |name: String| {
                Response::text("deleted").delete_cookie(bare(&name, ""))
            }),
        )
        .get("/attributes/<which>", named("attributes", attributes))
}

/// A cookie without the attributes that carafe adds.
fn bare(name: &str, value: &str) -> Cookie {
    Cookie::new(name, value).http_only(false).same_site(None)
}

async fn show(cx: Cx) -> Json<Vec<(String, String)>> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut all: Vec<_> = cx.cookies().iter().map(owned).collect();
    all.sort();
    Json(all)
}

async fn set(cx: Cx) -> Response {
    let pairs = cx.args().iter();
    pairs.fold(Response::text("set"), |response, (name, value)| {
        response.cookie(&bare(name, value))
    })
}

async fn attributes(which: String) -> Result<Response> {
    let cookie = bare("kept", "1");
    let cookie = match which.as_str() {
        "path" => cookie.path("/c".to_owned()),
        "no-path" => cookie.path(None),
        "domain" => cookie.domain(".example.org".to_owned()),
        "max-age" => cookie.max_age(Duration::from_secs(60)),
        "expires" => cookie.expires(SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000)),
        "secure" => cookie.secure(true),
        "http-only" => cookie.http_only(true),
        "strict" => cookie.same_site(SameSite::Strict),
        "lax" => cookie.same_site(SameSite::Lax),
        "none" => cookie.same_site(SameSite::None).secure(true),
        "partitioned" => cookie.partitioned(true),
        _ => return abort(404),
    };
    Ok(Response::text(which).cookie(&cookie))
}
