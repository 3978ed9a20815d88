//! Rules and converters: each view says what it was called with.

use carafe::*;

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("routes")
        .prefix("/r")
        .get("/leaf", named("leaf", async || "leaf"))
        .get("/branch/", named("branch", async || "branch"))
        .get("/branch/<name>/", named("twig", async |name: String| name))
        .get("/int/<int:n>", named("int", number))
        .get("/signed/<int(signed=True):n>", named("signed", number))
        .get("/limits/<int(min=1, max=9):n>", named("limits", number))
        .get("/fixed/<int(fixed_digits=3):n>", named("fixed", number))
        .get("/float/<float:x>", named("float", decimal))
        .get("/floats/<float(signed=True):x>", named("floats", decimal))
        .get("/text/<name>", named("text", text))
        .get("/two/<string(length=2):name>", named("two", text))
        .get(
            "/some/<string(minlength=2, maxlength=4):name>",
            named("some", text),
        )
        .get("/path/<path:name>", named("path", text))
        .get(
            "/path/<path:name>/edit",
            named("edit", async |name: String| format!("edit {name}")),
        )
        .get(
            "/uuid/<uuid:id>",
            named("uuid", async |id: Uuid| id.to_string()),
        )
        .get("/any/<any(de, en, \"x,y\"):name>", named("any", text))
        .get(
            "/mixed/<a>-<b>",
            named("mixed", async |a: String, b: String| format!("{a}|{b}")),
        )
        .get(
            "/mixed/pre-<x>",
            named("pre", async |x: String| format!("pre {x}")),
        )
        .get("/mixed/<int:n>", named("mixed_int", number))
        .get(rule("/pages/").default("page", 1), page)
        .get("/pages/<int:page>", page)
        .get(
            rule("/loose/").strict_slashes(false),
            named("loose", async || "loose"),
        )
        .get(
            rule("/unmerged/<path:name>").merge_slashes(false),
            named("unmerged", text),
        )
        .get(
            rule("/old/<int:n>").redirect_to("/r/int/<n>"),
            named("old", number),
        )
        .get("/café/<name>", named("cafe", text))
        .get(
            "/<lang>/<int:year>/<slug>",
            named("deep", async |lang: String, year: i64, slug: String| {
                format!("{lang} {year} {slug}")
            }),
        )
}

async fn number(n: i64) -> String {
    n.to_string()
}

async fn decimal(x: f64) -> String {
    format!("{x:?}")
}

async fn text(name: String) -> String {
    name
}

async fn page(page: i64) -> String {
    format!("page {page}")
}
