//! Documents in and out.

use carafe::*;
use serde_json::{Value, json};

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("json")
        .prefix("/j")
        .post(
            "/echo",
            named("echo", async |document: Json<Value>| document),
        )
        .get("/document", named("document", document))
        .get(
            "/status",
            named("status", async || (201, Json(json!({"made": true})))),
        )
        .get(
            "/list",
            named("list", async || Json(json!([1, "two", null, true]))),
        )
        .get("/date", named("date", date))
}

async fn document() -> Json<Value> {
    Json(json!({"b": 1, "a": {"ü": "é 😀", "html": "<&>"}, "list": [1.5, -2, []], "none": null}))
}

async fn date() -> Json<Value> {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    Json(json!({"at": HttpDate(at), "id": Uuid::nil().to_string()}))
}
