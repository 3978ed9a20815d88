//! Security headers, from the outside.

use carafe::testing::TestResponse;
use carafe::*;

const PAGE_POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

fn app() -> App {
    App::new()
        .get("/text", async || "x")
        .get("/json", async || Json(1))
        .get("/page", async || Html("<p>"))
        .get("/script", async |cx: Cx| {
            render_str(
                &cx,
                "<script>f()</script><style></style>{{ x }}",
                ctx! { x => "<script>" },
            )
        })
        .get("/own", async |cx: Cx| {
            let page = format!("<script nonce={}>", cx.csp_nonce()?);
            Ok::<_, Error>(Html(page))
        })
        .get("/framed", async || {
            Response::html("<p>").header("X-Frame-Options", "SAMEORIGIN")
        })
}

fn policy(response: &TestResponse) -> &str {
    response
        .header("content-security-policy")
        .unwrap_or_default()
}

/// The names of the security headers that a response has.
fn names(response: &TestResponse) -> Vec<&str> {
    let names = response.fields().iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| !name.starts_with("content-type") && *name != "vary")
        .collect()
}

const USUAL: [&str; 5] = [
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "x-xss-protection",
];

#[test]
fn every_response_is_protected() {
    let client = app().test();
    let response = client.get("/json");
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("x-frame-options"), Some("DENY"));
    assert_eq!(
        response.header("referrer-policy"),
        Some("strict-origin-when-cross-origin")
    );
    assert_eq!(
        response.header("permissions-policy"),
        Some("browsing-topics=()")
    );
    assert_eq!(response.header("x-xss-protection"), Some("0"));
    assert_eq!(policy(&response), "");
    let missing = client.get("/none");
    assert_eq!((missing.status(), policy(&missing)), (404, PAGE_POLICY));
}

#[test]
fn a_page_without_a_nonce_has_a_policy_that_never_changes() {
    assert_eq!(policy(&app().test().get("/page")), PAGE_POLICY);
}

#[test]
fn scripts_of_a_templates_source_carry_the_nonce_of_the_response() {
    let client = app().test();
    let first = client.get("/script");
    let nonce = first.text().split('"').nth(1).unwrap().to_owned();
    assert!(nonce.len() >= 22, "{nonce}");
    assert_eq!(
        first.text(),
        format!(
            "<script nonce=\"{nonce}\">f()</script><style nonce=\"{nonce}\"></style>&lt;script&gt;"
        )
    );
    let expected = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; \
                    script-src 'self' 'nonce-X'; style-src 'self' 'nonce-X'; frame-ancestors 'none'";
    assert_eq!(policy(&first), expected.replace('X', &nonce));
    assert_ne!(policy(&first), policy(&client.get("/script")));
    let own = client.get("/own");
    assert!(policy(&own).contains(&own.text()["<script nonce=".len()..own.text().len() - 1]));
}

#[test]
fn https_is_asked_for_only_over_https_and_never_of_a_developer() {
    let client = app().test();
    let header = "strict-transport-security";
    assert_eq!(client.get("/text").header(header), None);
    let secure = client.request(GET, "/text").secure().send();
    assert_eq!(secure.header(header), Some("max-age=31556926"));
    let debug = app().config_set("debug", true).test();
    assert_eq!(
        debug.request(GET, "/text").secure().send().header(header),
        None
    );
}

#[test]
fn a_views_own_header_wins() {
    let framed = app().test().get("/framed");
    assert_eq!(framed.header("x-frame-options"), Some("SAMEORIGIN"));
    assert!(!policy(&framed).contains("frame-ancestors"));
    let app = app().after(async |response: Response| {
        response.header("content-security-policy", "default-src *")
    });
    assert_eq!(policy(&app.test().get("/page")), "default-src *");
}

#[test]
fn each_header_goes_by_its_name() {
    let settings = [
        "content_type_options",
        "frame_options",
        "referrer_policy",
        "permissions_policy",
        "xss_protection",
    ];
    for (setting, header) in settings.iter().zip(USUAL) {
        let client = app().without_security_header(setting).test();
        let others: Vec<&str> = USUAL.into_iter().filter(|other| *other != header).collect();
        assert_eq!(names(&client.get("/text")), others, "{setting}");
    }
    let no_policy = app()
        .without_security_header("content_security_policy")
        .test();
    let page = no_policy.get("/script");
    assert_eq!(names(&page), USUAL);
    assert!(page.text().starts_with("<script>"));
    assert_eq!(
        names(&app().without_security_headers().test().get("/page")),
        [""; 0]
    );
}

#[test]
fn settings_change_the_values_and_beat_the_code() {
    let app = app()
        .frame_options("SAMEORIGIN")
        .content_security_policy("default-src *")
        .config_set("security.referrer_policy", "no-referrer")
        .config_set("security.content_security_policy", "img-src 'self'")
        .config_set("security.content_security_policy_report_only", true);
    let page = app.test().get("/page");
    assert_eq!(page.header("x-frame-options"), Some("SAMEORIGIN"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(policy(&page), "");
    assert_eq!(
        page.header("content-security-policy-report-only"),
        Some("img-src 'self'; frame-ancestors 'self'")
    );
}

#[test]
fn what_is_no_setting_keeps_the_application_from_starting() {
    for (key, value, expected) in [
        (
            "security.frame_options",
            "ALLOW-FROM x",
            "expected DENY or SAMEORIGIN",
        ),
        (
            "security.referrer_policy",
            "a\nb",
            "expected the value of a header field, found `a\\nb`",
        ),
        (
            "security.content_security_policy",
            ";",
            "expected a Content-Security-Policy",
        ),
        (
            "security.x_frame_options",
            "DENY",
            "did you mean `security.frame_options`?",
        ),
    ] {
        let mistakes = app()
            .config_set(key, value)
            .try_test()
            .unwrap_err()
            .to_string();
        assert!(mistakes.contains(expected), "{mistakes}");
    }
}

#[test]
fn in_debug_runs_browsers_have_a_place_to_complain_to() {
    let app = |debug: bool| {
        App::new()
            .config_set("debug", debug)
            .template("page.html", "<p>tea</p>")
            .get("/", async |cx: Cx| render(&cx, "page.html", ctx! {}))
    };
    let policy = |client: &testing::Client| {
        let page = client.get("/");
        page.header("content-security-policy")
            .unwrap_or_default()
            .to_owned()
    };
    let client = app(true).test();
    assert!(
        policy(&client).contains("; report-uri /_carafe/csp-report"),
        "{}",
        policy(&client)
    );
    let report = r#"{"csp-report":{"document-uri":"http://localhost/","blocked-uri":"inline"}}"#;
    let sent = |body: &'static str| {
        let post = client
            .request(POST, "/_carafe/csp-report")
            .body(body.as_bytes().to_vec());
        let post = post.header("content-type", "application/csp-report");
        post.header("origin", "null").send().status()
    };
    assert_eq!(sent(report), 204);
    assert_eq!(sent("nonsense"), 400);
    let client = app(false).test();
    assert!(
        !policy(&client).contains("report-uri"),
        "{}",
        policy(&client)
    );
    assert_eq!(client.post("/_carafe/csp-report", report).status(), 404);
}
