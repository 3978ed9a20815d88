//! Redirects to where a client says.

use carafe::*;

fn app() -> App {
    App::new()
        .get("/go", async |cx: Cx| {
            let target = cx.args().get("to").unwrap_or_default();
            safe_redirect(&cx, target)
        })
        .route("/back", [GET, POST], async |cx: Cx| {
            cx.form().await?;
            Ok::<_, Error>(redirect_back(&cx, "/home"))
        })
}

/// The status of a redirect to `to`, asked of `http://localhost:8000`.
fn go(to: &str, secure: bool) -> u16 {
    let client = app().test();
    let mut query = form_urlencoded::Serializer::new(String::new());
    let target = format!("/go?{}", query.append_pair("to", to).finish());
    let request = client.request(GET, &target).host("localhost:8000");
    let request = if secure { request.secure() } else { request };
    let response = request.send();
    if response.status() == 302 {
        assert_eq!(response.header("location"), Some(to));
    }
    response.status()
}

#[test]
fn addresses_of_this_site_are_followed() {
    for to in [
        "/",
        "/a?next=http://evil.example//",
        "/a:b",
        "page",
        "page/a:b",
        "?q=1",
        "#top",
        "/..//evil.example",
        "http://localhost:8000",
        "HTTP://LocalHost:8000/a",
        "https://localhost:8000?x",
    ] {
        assert_eq!(go(to, false), 302, "{to}");
    }
}

#[test]
fn other_sites_and_what_browsers_take_for_them_are_not() {
    for to in [
        "",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "\u{1}//evil.example",
        "http://evil.example",
        "http:evil.example",
        "http:/evil.example",
        "https:///evil.example",
        "http://localhost:8000@evil.example",
        "http://localhost:8000.evil.example",
        "http://localhost:80",
        "http://localhost",
        "http://",
        "javascript:alert(1)",
        "javascript://localhost:8000/%0aalert(1)",
        "data:text/html,x",
        "ftp://localhost:8000/",
        "evil:x",
    ] {
        assert_eq!(go(to, false), 400, "{to:?}");
    }
    assert_eq!(go("http://localhost:8000/", true), 400);
}

#[test]
fn the_way_back_is_the_next_page_the_last_one_or_the_fallback() {
    let client = app().test();
    let back = |path: &str, referer: &str| {
        let request = client.request(GET, path).header("Referer", referer);
        request
            .send()
            .header("location")
            .unwrap_or_default()
            .to_owned()
    };
    let (here, evil) = ("http://localhost/list?page=2", "http://evil.example/");
    assert_eq!(back("/back?next=/cart", here), "/cart");
    assert_eq!(back("/back?next=//evil.example", here), here);
    assert_eq!(back("/back", evil), "/home");
    assert_eq!(back("/back", "http://localhost/back"), "/home");
    assert_eq!(
        client.post("/back", [("next", "/cart")]).header("location"),
        Some("/cart")
    );
    assert_eq!(client.get("/back").header("location"), Some("/home"));
}
