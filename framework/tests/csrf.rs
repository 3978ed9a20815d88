//! Posts that other sites make a visitor's browser send.

use carafe::*;

fn app() -> App {
    App::new()
        .get("/form", async |cx: Cx| cx.csrf_token())
        .post("/act", async || "done")
        .post("/hook", csrf_exempt(async || "done"))
}

const ELSEWHERE: &str = "https://evil.example";

#[test]
fn a_page_of_another_site_cannot_post() {
    let visited = app().test().request(POST, "/act").cross_site().send();
    assert_eq!(visited.status(), 403);
    assert!(
        visited
            .text()
            .contains("from another site, and was not carried out.")
    );
    assert!(
        !visited.text().contains("csrf_exempt"),
        "{}",
        visited.text()
    );
    let client = app().config_set("debug", true).test();
    assert_eq!(client.post("/act", "").text(), "done");
    let refused = client.request(POST, "/act").cross_site().send();
    assert_eq!(refused.status(), 403);
    assert!(
        refused.text().contains("Sec-Fetch-Site is `cross-site`"),
        "{}",
        refused.text()
    );
    assert_eq!(
        client.request(POST, "/hook").cross_site().send().text(),
        "done"
    );
    assert_eq!(
        client.request(GET, "/form").cross_site().send().status(),
        200
    );
    assert_eq!(
        client
            .request(POST, "/nowhere")
            .cross_site()
            .send()
            .status(),
        404
    );
}

#[test]
fn trusted_origins_and_whole_applications_are_let_in_by_name() {
    let trusting = app().trusted_origin(ELSEWHERE).test();
    let post = |client: &testing::Client| {
        let post = client.request(POST, "/act").cross_site();
        post.header("origin", ELSEWHERE).send().status()
    };
    assert_eq!(post(&app().test()), 403);
    assert_eq!(post(&trusting), 200);
    let configured = app().config_set("csrf.trusted_origins", [ELSEWHERE]).test();
    assert_eq!(post(&configured), 200);
    assert_eq!(post(&app().without_csrf_protection().test()), 200);
    assert_eq!(post(&app().config_set("csrf.enabled", false).test()), 200);
    let mistake = app().trusted_origin("evil.example").try_test();
    assert!(mistake.unwrap_err().to_string().contains("no origin"));
}

/// As a browser that says nothing of where a request comes from.
fn silent(client: &testing::Client, token: Option<&str>) -> testing::TestResponse {
    let post = client.request(POST, "/act").from_old_browser();
    match token {
        Some(token) => post.body([("csrf_token", token)]).send(),
        None => post.send(),
    }
}

#[test]
fn an_old_browser_needs_a_token_of_its_session() {
    let client = app().test();
    assert_eq!(
        silent(&client, None).text(),
        "done",
        "without a cookie there is nobody to speak for"
    );
    let token = client.get("/form").text().to_owned();
    let missing = silent(&client, None);
    assert_eq!(missing.status(), 400);
    let text = missing.text();
    assert!(
        text.contains("Load the page again") && !text.contains("csrf"),
        "{text}"
    );
    assert_eq!(silent(&client, Some(&token)).text(), "done");
    let header = client.request(POST, "/act").from_old_browser();
    assert_eq!(header.header("x-csrftoken", &token).send().text(), "done");
    assert_eq!(silent(&client, Some("x")).status(), 400);
    let other = app().test();
    let foreign = other.get("/form").text().to_owned();
    assert_eq!(silent(&client, Some(&foreign)).status(), 400);
    client.session(|session| session.log_in("ann")).unwrap();
    assert_eq!(
        silent(&client, Some(&token)).status(),
        400,
        "logging in renews the token"
    );
}
