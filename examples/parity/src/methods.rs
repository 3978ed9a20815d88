//! Which methods a rule takes.

use carafe::*;

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("methods")
        .prefix("/m")
        .get("/get", named("only_get", told))
        .post("/post", named("only_post", told))
        .route("/both", [GET, POST], named("both", told))
        .route("/change", [PUT, PATCH, DELETE], named("change", told))
        .route("/options", [GET, OPTIONS], named("own_options", told))
        .get("/split", named("split_get", async || "split get"))
        .post("/split", named("split_post", async || "split post"))
        .delete("/split/", named("split_delete", async || "split delete"))
        .get("/branch/", named("branch", told))
        .put("/<int:n>", named("put", async |n: i64| format!("put {n}")))
        .get(
            "/<name>",
            named("get_name", async |name: String| format!("get {name}")),
        )
}

async fn told(method: Method) -> String {
    format!("by {method}")
}
