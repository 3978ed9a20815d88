//! URLs of endpoints.

use carafe::routing::{UrlOptions, Value};
use carafe::*;

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("links")
        .prefix("/u")
        .get("/here/<case>", named("here", here))
        .get(
            "/<lang>/<int:page>",
            named("page", async |_: String, _: i64| ""),
        )
}

async fn here(case: String, cx: Cx) -> Result<String> {
    let plain = UrlOptions::default();
    let (endpoint, values, options): (&str, &[(&str, Value<'_>)], _) = match case.as_str() {
        "static" => ("routes.leaf", &[], plain),
        "int" => ("routes.int", &[("n", Value::Int(5))], plain),
        "fixed" => ("routes.fixed", &[("n", Value::Int(5))], plain),
        "float" => ("routes.float", &[("x", Value::Float(1.5))], plain),
        "text" => ("routes.text", &[("name", Value::Text("a b/ü?&#%"))], plain),
        "path" => ("routes.path", &[("name", Value::Text("a/b c/ü?"))], plain),
        "safe" => (
            "routes.text",
            &[("name", Value::Text("!$&'()*+,:;=@-._~"))],
            plain,
        ),
        "any" => ("routes.any", &[("name", Value::Text("x,y"))], plain),
        "any-wrong" => ("routes.any", &[("name", Value::Text("fr"))], plain),
        "default" => ("routes.page", &[("page", Value::Int(1))], plain),
        "not-default" => ("routes.page", &[("page", Value::Int(2))], plain),
        "two" => (
            "routes.mixed",
            &[("a", Value::Text("1")), ("b", Value::Text("2"))],
            plain,
        ),
        "query" => (
            "routes.leaf",
            &[("q", Value::Text("a b&c=ü/?")), ("n", Value::Int(1))],
            plain,
        ),
        "list" => (
            "routes.leaf",
            &[("q", Value::Text("a")), ("q", Value::Text("b"))],
            plain,
        ),
        "anchor" => (
            "routes.leaf",
            &[],
            UrlOptions {
                anchor: Some("top of/ü"),
                ..plain
            },
        ),
        "external" => (
            "routes.leaf",
            &[],
            UrlOptions {
                external: true,
                ..plain
            },
        ),
        "scheme" => (
            "routes.leaf",
            &[],
            UrlOptions {
                scheme: Some("https"),
                ..plain
            },
        ),
        "no-scheme" => (
            "routes.leaf",
            &[],
            UrlOptions {
                scheme: Some(""),
                external: true,
                ..plain
            },
        ),
        "method" => (
            "methods.split_post",
            &[],
            UrlOptions {
                method: Some(&POST),
                ..plain
            },
        ),
        "wrong-method" => (
            "methods.split_post",
            &[],
            UrlOptions {
                method: Some(&PUT),
                ..plain
            },
        ),
        "relative" => (
            ".page",
            &[("lang", Value::Text("de")), ("page", Value::Int(3))],
            plain,
        ),
        "relative-more" => {
            let values: &[_] = &[
                ("lang", Value::Text("de")),
                ("page", Value::Int(3)),
                ("case", Value::Text("x")),
            ];
            (".page", values, plain)
        }
        "non-ascii" => ("routes.cafe", &[("name", Value::Text("crème"))], plain),
        "nested" => ("hooks.child.view", &[], plain),
        "missing" => ("routes.int", &[], plain),
        "unknown" => ("routes.nowhere", &[], plain),
        "wrong-type" => ("routes.int", &[("n", Value::Text("x"))], plain),
        _ => return abort(404),
    };
    cx.url_with(endpoint, values, options)
}
