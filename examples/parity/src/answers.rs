//! What views return.

use carafe::*;

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("answers")
        .prefix("/a")
        .get("/text", named("text", async || "text"))
        .get("/html", named("html", async || Html("<p>é</p>")))
        .get("/empty", named("empty", async || ""))
        .get("/status", named("status", async || (201, "made")))
        .get(
            "/headers",
            named("headers", async || ([("x-one", "1")], "headers")),
        )
        .get(
            "/all",
            named("all", async || {
                (202, [("x-one", "1"), ("content-type", "text/csv")], "a,b")
            }),
        )
        .get(
            "/bytes",
            named("bytes", async || Bytes::from_static(b"\0\xff")),
        )
        .get("/none", named("none", async || None::<String>))
        .get(
            "/nothing",
            named("nothing", async || StatusCode::NO_CONTENT),
        )
        .get(
            "/unchanged",
            named("unchanged", async || StatusCode::NOT_MODIFIED),
        )
        .get(
            "/repeated",
            named("repeated", async || {
                Response::text("x")
                    .append("x-many", "1")
                    .append("x-many", "2")
            }),
        )
        .get(
            "/stream",
            named("streamed", async || {
                stream(async |mut pieces| {
                    for number in 0..3 {
                        pieces.send(format!("{number};")).await?;
                    }
                    Ok(())
                })
            }),
        )
        .get("/redirect", named("redirect_to", go))
        .get("/redirect/<int:code>", named("redirect_by", go_by))
        .get("/plain", named("plain", || "from a thread"))
}

async fn go(cx: Cx) -> Result<Response> {
    Ok(redirect(cx.args().get("to").or_abort(400)?))
}

async fn go_by(code: u16) -> Result<Response> {
    let status = StatusCode::from_u16(code).or_abort(404)?;
    Ok(Response::redirect(status, "/a/text"))
}
