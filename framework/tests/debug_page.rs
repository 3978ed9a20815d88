//! What a debug run tells of an error, and to whom.

use std::net::SocketAddr;

use carafe::*;
use gateway_spec::{Address, Gateway, Startup};

#[derive(Debug, thiserror::Error)]
#[error("the <b>kettle</b> is empty")]
struct Empty(#[source] std::num::ParseIntError);

async fn fails(kettle: String) -> Result<String> {
    let litres = kettle.parse::<u32>().map_err(Empty)?; // the line that failed
    Ok(litres.to_string())
}

async fn panics() -> &'static str {
    std::hint::black_box(None::<&str>).expect("tea to be left") // the line that panicked
}

fn app() -> App {
    let app = App::new()
        .get("/fails/<kettle>", fails)
        .get("/panics", panics);
    app.config_set("debug", true)
}

fn page(target: &str) -> String {
    let client = app().test().errors_as_responses();
    let request = client.request(GET, target);
    let request = request
        .header("authorization", "Bearer hunter2")
        .header("cookie", "id=hunter2");
    let response = request.send();
    assert_eq!(response.status(), 500);
    response.text()
}

/// What a client at `peer` is answered, which names `host` and sends `field`.
async fn answered(app: App, peer: &str, host: &str, field: Option<&str>) -> String {
    let carafe = app.start(Startup::default()).await.expect("no mistakes");
    let peer: SocketAddr = peer.parse().expect("an address");
    let peer = Address::from(peer);
    let request = gateway_spec::Request::build(GET, "/fails/x").expect("a target");
    let mut request = request
        .with_authority(host)
        .with_addresses(&peer, &peer, &Address::Unknown);
    if let Some(name) = field {
        let name = name.parse().expect("a name");
        request = request.with(&name, &HeaderValue::from_static("1"));
    }
    let response = carafe.call(request).await;
    assert_eq!(response.status_code(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.into_body().collect(usize::MAX).await;
    String::from_utf8(body.expect("a whole body").to_vec()).expect("text")
}

#[test]
fn an_error_is_told_with_its_causes_and_its_line() {
    let page = page("/fails/x");
    assert!(
        page.contains("the &lt;b&gt;kettle&lt;/b&gt; is empty"),
        "{page}"
    );
    assert!(page.contains("<li>invalid digit found in string"), "{page}");
    assert!(page.contains("// the line that failed</mark>"), "{page}");
    assert!(page.contains("/fails/&lt;kettle&gt;"), "{page}");
}

#[test]
fn a_panic_is_told_with_its_line_and_backtrace() {
    let page = page("/panics");
    assert!(page.contains("panicked: tea to be left"), "{page}");
    assert!(page.contains("// the line that panicked</mark>"), "{page}");
    assert!(page.contains("<summary>Backtrace</summary>"), "{page}");
}

#[test]
fn what_a_client_sent_is_neither_html_nor_tells_its_secrets() {
    let page = page("/fails/%3Cscript%3Ealert(1)?<script>");
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("<b>"), "{page}");
    assert!(!page.contains("hunter2"), "{page}");
    assert!(
        page.contains("<tr><th>authorization<td>(not shown)"),
        "{page}"
    );
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let client = app().test().errors_as_responses();
    let response = client.get("/panics");
    let policy = response
        .header("content-security-policy")
        .expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let page = response.text();
    for loads in ["src=", "href=", "@import", "url("] {
        assert!(!page.contains(loads), "{loads} in {page}");
    }
}

#[tokio::test]
async fn only_a_direct_client_on_this_machine_is_told() {
    let here = "127.0.0.1:50000";
    for host in ["localhost:8000", "127.0.0.1", "[::1]:8000"] {
        assert!(
            answered(app(), here, host, None).await.contains("kettle"),
            "{host}"
        );
    }
    assert!(
        answered(app(), "[::1]:50000", "localhost", None)
            .await
            .contains("kettle")
    );

    assert!(
        !answered(app(), "192.0.2.7:50000", "localhost", None)
            .await
            .contains("kettle")
    );
    assert!(
        !answered(app(), here, "shop.example", None)
            .await
            .contains("kettle")
    );
    for field in [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Via",
        "X-Real-IP",
    ] {
        let page = answered(app(), here, "localhost", Some(field)).await;
        assert!(!page.contains("kettle"), "{field}: {page}");
    }
}

#[tokio::test]
async fn outside_a_debug_run_nobody_is_told() {
    let app = app().config_set("debug", false);
    let page = answered(app, "127.0.0.1:50000", "localhost", None).await;
    assert!(!page.contains("kettle"), "{page}");
    assert!(page.contains("Internal Server Error"), "{page}");
}

#[tokio::test]
async fn networks_that_are_named_may_see_it_under_an_address() {
    let near = || app().config_set("debug_allow", ["172.17.0.0/16"]);
    let told = |page: &str| page.contains("kettle</b> is empty") || page.contains("kettle&lt;");
    for host in ["172.17.0.2:8000", "localhost:8000", "[fd00::1]:8000"] {
        assert!(
            told(&answered(near(), "172.17.0.1:4000", host, None).await),
            "{host}"
        );
    }
    for (peer, host, field) in [
        ("172.18.0.1:4000", "172.17.0.2", None),
        // A page of the web may have given its own name this address.
        ("172.17.0.1:4000", "evil.example", None),
        ("172.17.0.1:4000", "172.17.0.2", Some("x-forwarded-for")),
        // Loopback is not what was named.
        ("127.0.0.1:4000", "172.17.0.2", None),
    ] {
        assert!(
            !told(&answered(near(), peer, host, field).await),
            "{peer} {host}"
        );
    }
    let wrong = app().config_set("debug_allow", ["nowhere"]).try_test();
    let wrong = wrong.expect_err("a mistake").to_string();
    assert!(
        wrong.contains("debug_allow") && wrong.contains("nowhere"),
        "{wrong}"
    );
}

#[test]
fn a_templates_error_is_told_at_the_line_that_rendered_it() {
    let app = app().get("/renders", |cx: Cx| {
        render_str(&cx, "{{ tea() }}", ctx! {}) // the line that rendered
    });
    let page = app.test().errors_as_responses().get("/renders").text();
    assert!(page.contains("// the line that rendered</mark>"), "{page}");
}
