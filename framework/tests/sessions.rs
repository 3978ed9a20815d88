//! Sessions, from the outside: what a client keeps, and what it cannot do with it.

use carafe::session::tagged::Value;
use carafe::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

async fn count(session: Session) -> Result<String> {
    let visits: u32 = session.get("visits")?.unwrap_or(0) + 1;
    session.set("visits", visits)?;
    Ok(visits.to_string())
}

fn app() -> App {
    App::new()
        .get("/count", count)
        .get("/untouched", async |_: Session| "x")
        .get("/look", async |session: Session| {
            session.contains("visits").to_string()
        })
        .get("/clear", async |session: Session| {
            session.clear();
            "cleared"
        })
        .get("/permanent", async |session: Session| {
            session.set_permanent(true).map(|()| "kept")
        })
        .get("/large", async |session: Session| {
            let noise: Vec<u32> = (0..2_000)
                .map(|n: u32| n.wrapping_mul(2_654_435_761))
                .collect();
            session.set("noise", noise).map(|()| "stored")
        })
        .get("/flash", async |cx: Cx| {
            cx.flash("info", "Saved.").map(|()| "left")
        })
        .get("/show", async |cx: Cx| Json((cx.flashed(), cx.flashed())))
}

fn set_cookie(response: &testing::TestResponse) -> String {
    response.header("set-cookie").unwrap_or_default().to_owned()
}

#[test]
fn a_session_lasts_from_request_to_request() {
    let client = app().test();
    assert_eq!(client.get("/count").text(), "1");
    assert_eq!(client.get("/count").text(), "2");
    assert_eq!(client.get("/look").text(), "true");
    client.get("/clear");
    assert_eq!(client.cookie("session"), None);
    assert_eq!(client.get("/count").text(), "1");
}

#[test]
fn only_what_is_looked_at_makes_a_response_vary() {
    let client = app().test();
    assert_eq!(client.get("/untouched").header("vary"), None);
    assert_eq!(client.get("/look").header("vary"), Some("Cookie"));
    assert_eq!(set_cookie(&client.get("/look")), "");
}

#[test]
fn the_cookie_is_hidden_from_scripts_and_other_sites_and_asks_for_https() {
    let client = app().test();
    let local = set_cookie(&client.get("/count"));
    assert!(
        local.ends_with("; HttpOnly; Path=/; SameSite=Lax"),
        "{local}"
    );
    let public = client.request(GET, "/count").host("example.org").send();
    let public = set_cookie(&public);
    assert!(
        public.ends_with("; Secure; HttpOnly; Path=/; SameSite=Lax"),
        "{public}"
    );
}

#[test]
fn a_permanent_session_has_an_end_and_is_prolonged_by_looking_at_it() {
    let client = app().config_set("session.lifetime", "1h").test();
    assert!(set_cookie(&client.get("/permanent")).contains("; Expires="));
    assert!(set_cookie(&client.get("/look")).contains("; Expires="));
    assert_eq!(set_cookie(&client.get("/untouched")), "");
}

#[test]
fn a_session_that_another_secret_signed_is_none() {
    let client = app().config_set("secret_key", SECRET).test();
    client.get("/count");
    let cookie = client.cookie("session").unwrap();
    let other = app().test();
    other.set_cookie("session", &cookie);
    assert_eq!(other.get("/count").text(), "1");
    let rotated = app()
        .config_set("secret_key", "fedcba9876543210fedcba9876543210")
        .config_set("secret_key_fallbacks", [SECRET])
        .test();
    rotated.set_cookie("session", &cookie);
    assert_eq!(rotated.get("/count").text(), "2");
    assert_ne!(rotated.cookie("session").unwrap(), cookie);
}

#[test]
fn a_session_ends_with_its_absolute_lifetime() {
    let client = app().config_set("session.absolute_lifetime", "1h").test();
    client.get("/count");
    assert_eq!(client.get("/count").text(), "2");
    client
        .session(|session| {
            let long_ago = serde_json::json!(1_000_000_000);
            session.set_value("_created", Value::from(long_ago))
        })
        .unwrap();
    assert_eq!(client.get("/count").text(), "1");
}

#[test]
fn more_than_a_cookie_holds_is_an_error_and_not_a_silent_loss() {
    let client = app().test().errors_as_responses();
    let response = client.get("/large");
    assert_eq!(response.status(), 500);
    assert_eq!(set_cookie(&response), "");
}

#[test]
fn messages_are_shown_once() {
    let client = app().test();
    client.get("/flash");
    client.get("/flash");
    let saved = r#"["info","Saved."]"#;
    let both = format!("[[{saved},{saved}],[{saved},{saved}]]");
    assert_eq!(client.get("/show").text(), both);
    assert_eq!(client.get("/show").text(), "[[],[]]");
}

#[test]
fn logging_in_makes_tokens_in_forms_worthless() {
    let client = app().test();
    client.session(|session| {
        session.set("csrf_token", "x").unwrap();
        session.log_in(7).unwrap();
        assert!(!session.contains("csrf_token"));
    });
    client.session(|session| {
        assert_eq!(session.user_id::<i64>(), Some(7));
        assert_eq!(session.value("_fresh"), Some(Value::Bool(true)));
        session.log_out();
    });
    client.session(|session| assert_eq!(session.user_id::<i64>(), None));
}

#[test]
fn an_application_that_uses_sessions_needs_a_strong_secret() {
    let weak = app().config_set("secret_key", "dev").try_test();
    let mistakes = weak.unwrap_err().to_string();
    assert!(mistakes.contains("`secret_key` is too weak"), "{mistakes}");
    assert!(!mistakes.contains("dev"), "{mistakes}");
    let debug = app()
        .config_set("secret_key", "dev")
        .config_set("debug", true)
        .try_test();
    assert!(debug.is_ok(), "a developer may use any");
}
