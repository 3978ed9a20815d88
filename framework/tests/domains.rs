//! Subdomains, hosts, and values of the prefix that a whole blueprint shares.

use carafe::*;

async fn place(cx: Cx) -> String {
    format!(
        "{} {}",
        cx.endpoint().unwrap_or("-"),
        cx.value("team")
            .and_then(|team| team.as_str())
            .unwrap_or_default()
    )
}

fn shop() -> App {
    let teams = Blueprint::new("teams")
        .subdomain("<team>")
        .pull("team")
        .get("/", named("home", place))
        .get("/members", named("members", place))
        .get("/link", async |cx: Cx| cx.url_for("teams.members", &[]));
    App::new()
        .subdomain_matching()
        .config_set("server_name", "shop.example")
        .get("/", named("front", place))
        .get(rule("/").subdomain("api"), named("api", place))
        .blueprint(teams)
}

#[test]
fn subdomains_choose_rules_and_fixed_ones_come_first() {
    let client = shop().test();
    let at = |host: &str, target: &str| client.request(GET, target).host(host).send();
    assert_eq!(at("shop.example", "/").text(), "front ");
    assert_eq!(at("api.shop.example", "/").text(), "api ");
    assert_eq!(at("red.shop.example", "/").text(), "teams.home red");
    assert_eq!(
        at("RED.shop.example", "/members").text(),
        "teams.members red"
    );
    for host in [
        "other.example",
        "shop.example.evil.example",
        "xshop.example",
    ] {
        assert_eq!(at(host, "/members").status(), 404, "{host}");
    }
}

#[test]
fn a_pulled_value_is_filled_in_where_links_are_made() {
    let client = shop().test();
    let link = |host: &str| client.request(GET, "/link").host(host).send().text();
    assert_eq!(link("red.shop.example"), "/members");
}

#[test]
fn a_language_in_the_prefix_is_the_hooks_and_the_links_business() {
    let pages = Blueprint::new("pages")
        .prefix("/<any(de, en):lang>")
        .pull("lang")
        .before(async |cx: Cx| {
            let lang = cx
                .value("lang")
                .and_then(|lang| lang.as_str().map(str::to_owned));
            cx.put(lang.unwrap_or_default());
        })
        .get(
            "/about",
            named("about", async |cx: Cx| {
                let lang = cx.get::<String>().or_abort(500)?;
                Ok::<_, Error>(format!(
                    "{lang} {}",
                    cx.url_for(".post", &[("id", routing::Value::Int(7))])?
                ))
            }),
        )
        .get(
            "/post/<int:id>",
            named("post", async |id: i64| id.to_string()),
        );
    let client = App::new().blueprint(pages).test();
    assert_eq!(client.get("/de/about").text(), "de /de/post/7");
    assert_eq!(client.get("/en/about").text(), "en /en/post/7");
    assert_eq!(client.get("/fr/about").status(), 404);
}

#[test]
fn whole_hosts_choose_rules() {
    let client = App::new()
        .host_matching()
        .get(rule("/").host("www.example"), named("www", place))
        .get(
            rule("/").host("<team>.example"),
            named("team", async |team: String| team),
        )
        .test();
    let at = |host: &str| client.request(GET, "/").host(host).send();
    assert_eq!(at("www.example").text(), "www ");
    assert_eq!(at("red.example").text(), "red");
    assert_eq!(at("example").status(), 404);
}
