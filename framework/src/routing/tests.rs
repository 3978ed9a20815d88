//! The router as its callers see it; what Werkzeug does alike is compared with Werkzeug itself.

use std::sync::Arc;

use http::Method;

use super::*;

fn at() -> Binding<'static> {
    Binding {
        scheme: "http",
        server_name: "example.com",
        subdomain: "",
        mount: "",
        query: b"",
        method: &Method::GET,
        websocket: false,
    }
}

fn map(rules: impl IntoIterator<Item = Rule>) -> Result<Map, Mistakes> {
    let builder = Map::builder(Options::default());
    rules.into_iter().fold(builder, MapBuilder::rule).build()
}

fn found(map: &Map, path: &str) -> Found {
    match map.find(&at(), path.as_bytes(), &Method::GET) {
        Outcome::Found(found) => found,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn all_mistakes_are_told_at_once_with_the_lines_that_made_them() {
    let first = line!() + 2;
    let mistakes = map([
        Rule::new("/a/<x>", "a").methods(&[Method::GET]),
        Rule::new("/<nothing:x>", "b"),
        Rule::new("/a/<y>", "c").methods(&[Method::POST, Method::GET]),
        Rule::new("/<int(big=1):x>", "d"),
    ]);
    let Mistakes(mistakes) = mistakes.unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let place = |after: u32| format!("{}:{}", file!(), first + after);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with(&place(1)), "{}", told[0]);
    assert!(told[0].ends_with(
        "rule `/<nothing:x>`: expected a converter of any, default, float, int, path, regex, string, uuid, \
         found `nothing`"
    ));
    assert!(
        told[1].contains("never gets GET: rule `/a/<x>` of "),
        "{}",
        told[1]
    );
    assert!(told[1].contains(&place(0)), "{}", told[1]);
    assert!(told[2].contains("found `big`"), "{}", told[2]);
}

#[test]
fn rules_that_share_a_path_but_no_method_are_no_duplicates() {
    let get = Rule::new("/x", "get")
        .methods(&[Method::GET])
        .automatic_options();
    let post = Rule::new("/x", "post")
        .methods(&[Method::POST])
        .automatic_options();
    let rest = Rule::new("/x", "rest");
    let map = map([get, post, rest]).unwrap();
    for (method, endpoint) in [
        (Method::HEAD, "get"),
        (Method::POST, "post"),
        (Method::PUT, "rest"),
    ] {
        let Outcome::Found(found) = map.find(&at(), b"/x", &method) else {
            panic!("{method}");
        };
        assert_eq!(map.endpoint_name(found.endpoint), endpoint);
    }
}

#[test]
fn head_after_get_is_a_duplicate_and_before_it_is_none() {
    let get = || Rule::new("/x", "get").methods(&[Method::GET]);
    let head = || Rule::new("/x", "head").methods(&[Method::HEAD]);
    map([head(), get()]).unwrap();
    let mistakes = map([get(), head()]).unwrap_err().to_string();
    assert!(mistakes.contains("never gets HEAD"), "{mistakes}");
}

#[test]
fn values_have_the_types_that_the_rule_tells() {
    let rule = Rule::new("/<int:a>/<float:b>/<uuid:c>/<d>", "x").default_value("e", true);
    let map = map([rule]).unwrap();
    let path = "/7/1.5/a8098c1a-f86e-11da-bd1a-00112444be1e/caf%C3%A9";
    let found = found(&map, path);
    let rule = map.rule(found.rule).unwrap();
    let types: Vec<_> = rule
        .arguments()
        .map(|(name, of)| format!("{name}: {}", of.name()))
        .collect();
    assert_eq!(
        types,
        ["a: i64", "b: f64", "c: Uuid", "d: String", "e: bool"]
    );
    assert_eq!(found.value(0, path.as_bytes()), Some(Value::Int(7)));
    assert_eq!(found.value(3, path.as_bytes()), Some(Value::Text("café")));
    assert_eq!(found.value(4, path.as_bytes()), Some(Value::Bool(true)));
    assert_eq!(found.value(5, path.as_bytes()), None);
}

#[test]
fn texts_read_from_another_path_are_nothing_and_no_panic() {
    let map = map([Rule::new("/<x>", "x")]).unwrap();
    let found = found(&map, "/long-enough");
    assert_eq!(found.value(0, b"/"), None);
}

#[test]
fn allowed_lists_the_methods_of_all_rules_of_a_path() {
    let get = Rule::new("/x", "get")
        .methods(&[Method::GET])
        .automatic_options();
    let put = Rule::new("/<y>", "put").methods(&[Method::PUT]);
    let map = map([get, put]).unwrap();
    assert_eq!(
        map.allowed(&at(), b"/x").to_string(),
        "GET, HEAD, PUT, OPTIONS"
    );
    assert!(map.allowed(&at(), b"/x/y").is_empty());
}

#[test]
fn a_function_decides_where_a_rule_redirects_to() {
    let call: Redirector = Arc::new(|values| {
        assert_eq!(values, [("id", Value::Int(7))]);
        "/new?id=7".to_owned()
    });
    let map = map([Rule::new("/old/<int:id>", "old").redirect_to(RedirectTo::Call(call))]).unwrap();
    let Outcome::Redirect(location) = map.find(&at(), b"/old/7", &Method::GET) else {
        panic!("no redirect");
    };
    assert_eq!(location, "http://example.com/new?id=7");
}

#[test]
fn an_anchor_is_encoded_and_stands_last() {
    let map = map([Rule::new("/", "index")]).unwrap();
    let options = UrlOptions {
        anchor: Some("a b\"é"),
        ..UrlOptions::default()
    };
    let url = map
        .url(&at(), "index", &[("q", Value::Int(1))], options)
        .unwrap();
    assert_eq!(url, "/?q=1#a%20b%22%C3%A9");
}

#[test]
fn errors_of_building_suggest_what_to_do() {
    let map = map([
        Rule::new("/user/<int:id>", "user.show").methods(&[Method::GET]),
        Rule::new("/", "index"),
    ])
    .unwrap();
    let error = |endpoint, values: &[(&str, Value<'_>)], method| {
        let options = UrlOptions {
            method,
            ..UrlOptions::default()
        };
        map.url(&at(), endpoint, values, options)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("user_show", &[], None),
        "cannot build a URL for endpoint `user_show`: did you mean `user.show`?"
    );
    assert_eq!(
        error("user.show", &[("q", Value::Text("x"))], None),
        "cannot build a URL for endpoint `user.show` with values for q: did you forget id?"
    );
    assert_eq!(
        error("user.show", &[("id", Value::Int(1))], Some(&Method::PUT)),
        "cannot build a URL for endpoint `user.show` with values for id: its methods are GET, HEAD"
    );
    assert_eq!(
        error("user.show", &[("id", Value::Text("x"))], None),
        "cannot build a URL for endpoint `user.show`: rule `/user/<int:id>`: `id`: expected an integer, \
         found \"x\""
    );
}

#[test]
fn the_listing_shows_every_rule_in_the_order_asked_for() {
    let map = map([
        Rule::new("/z", "b")
            .methods(&[Method::POST])
            .automatic_options(),
        Rule::new("/a/<int:x>", "a").methods(&[Method::GET]),
        Rule::new("/", "b"),
    ])
    .unwrap();
    let order = |order| -> Vec<String> {
        map.listing(order)
            .rows()
            .map(|row| row[3].clone())
            .collect()
    };
    assert_eq!(order(Order::Endpoint), ["/a/<int:x>", "/z", "/"]);
    assert_eq!(order(Order::Rule), ["/", "/a/<int:x>", "/z"]);
    assert_eq!(order(Order::Registration), ["/z", "/a/<int:x>", "/"]);
    let table = map.listing(Order::Methods).to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("Endpoint  Methods  Rule        Registered at"),
        "{table}"
    );
    assert!(
        lines[2].starts_with("a         GET      /a/<int:x>  framework/src/routing/tests.rs:"),
        "{table}"
    );
    assert_eq!(lines.len(), 5, "{table}");
    assert_eq!(
        Map::builder(Options::default())
            .build()
            .unwrap()
            .listing(Order::Rule)
            .to_string(),
        "no routes\n"
    );
}

#[test]
fn repeated_nonsense_ends_soon() {
    let map = map([
        Rule::new("/<path:a>/<path:b>/<path:c>/x", "a"),
        Rule::new("/<regex(\"(a|a)*b\"):a>", "b"),
        Rule::new("/<a>-<b>-<c>-<d>", "c"),
    ])
    .unwrap();
    for nonsense in ["a/", "-", "/", "a-", "%2F", "é", "%"] {
        let path = format!("/{}", nonsense.repeat(20_000));
        let outcome = map.find(&at(), path.as_bytes(), &Method::GET);
        assert!(!matches!(outcome, Outcome::MethodNotAllowed(_)));
    }
}
