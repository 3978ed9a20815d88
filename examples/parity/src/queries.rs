//! What a request says of itself.

use carafe::*;
use serde_json::{Value, json};

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("queries")
        .prefix("/q")
        .get("/args", named("args", args))
        .get("/typed", named("typed", typed))
        .get("/needed", named("needed", needed))
        .get("/request", named("request", request))
        .get(
            "/request/<path:rest>",
            named("request_rest", async |_: String, cx: Cx| request(cx).await),
        )
        .get("/fields", named("fields", fields))
}

async fn args(cx: Cx) -> Json<Vec<(String, String)>> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut all: Vec<_> = cx.args().iter().map(owned).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    Json(all)
}

async fn typed(cx: Cx) -> String {
    let page: i64 = cx.args().get_as("page").unwrap_or(1);
    let tags: Vec<_> = cx.args().get_all("tag").collect();
    format!("{page} {}", tags.join("+"))
}

async fn needed(cx: Cx) -> Result<String> {
    Ok(cx.args().get("q").or_abort(400)?.to_owned())
}

async fn request(cx: Cx) -> Json<Value> {
    Json(json!({
        "method": cx.method().as_str(),
        "path": cx.path(),
        "full_path": cx.full_path(),
        "query": String::from_utf8_lossy(cx.query_string()),
        "url": cx.request().url(),
        "base_url": cx.base_url(),
        "root_url": cx.root_url(),
        "host": cx.host(),
        "scheme": cx.scheme(),
        "secure": cx.is_secure(),
        "endpoint": cx.endpoint(),
        "blueprint": cx.blueprint(),
        "rule": cx.rule(),
        "remote": cx.remote_addr().map(|address| address.to_string()),
    }))
}

async fn fields(cx: Cx) -> Json<Value> {
    Json(json!({
        "agent": cx.header("user-agent"),
        "custom": cx.header("x-custom"),
        "mimetype": cx.mimetype().unwrap_or_default(),
        "is_json": cx.is_json(),
        "best": cx.accept().best(&["text/html", "application/json", "text/plain"]),
    }))
}
