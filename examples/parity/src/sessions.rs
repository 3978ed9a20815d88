//! What a client is remembered by: values, logins, messages.

use std::time::{Duration, SystemTime};

use carafe::session::tagged::{Dict, Value};
use carafe::*;

#[derive(serde::Deserialize)]
struct Login {
    user: String,
}

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("sessions")
        .prefix("/s")
        .get(
            "/untouched",
            named("untouched", async |_: Session| "untouched"),
        )
        .get("/show", named("show", show))
        .get("/set", named("set", set))
        .get("/pop/<name>", named("pop", pop))
        .get("/count", named("count", count))
        .get("/clear", named("clear", clear))
        .get("/permanent/<int:on>", named("permanent", permanent))
        .get("/types", named("types", types))
        .get("/trap", named("trap", trap))
        .get("/big", named("big", big))
        .post("/login", log_in)
        .post("/logout", log_out)
        .get("/home", home)
        .get("/failing", named("failing", failing))
        .get("/flash", named("flash", flash))
        .get("/flashes", named("flashes", flashes))
}

async fn show(session: Session) -> Json<Vec<(String, serde_json::Value)>> {
    let pair = |name: String| {
        let value = session.value(&name)?.plain();
        Some((name, value))
    };
    Json(session.names().into_iter().filter_map(pair).collect())
}

async fn set(cx: Cx, session: Session) -> Result<&'static str> {
    for (name, value) in cx.args().iter() {
        session.set(name, value)?;
    }
    Ok("set")
}

async fn pop(name: String, session: Session) -> Result<String> {
    let value: Option<String> = session.get(&name)?;
    session.remove(&name);
    Ok(value.unwrap_or_else(|| "none".to_owned()))
}

async fn count(session: Session) -> Result<String> {
    let visits = session.get("visits")?.unwrap_or(0) + 1;
    session.set("visits", visits)?;
    Ok(visits.to_string())
}

async fn clear(session: Session) -> &'static str {
    session.clear();
    "cleared"
}

async fn permanent(on: i64, session: Session) -> Result<&'static str> {
    session.set_permanent(on == 1)?;
    Ok("set")
}

async fn types(session: Session) -> Result<&'static str> {
    let text = |text: &str| Value::Text(text.to_owned());
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    session.set_value("tuple", Value::Tuple(vec![text("a"), text("ü 😀")]))?;
    session.set_value("bytes", Value::Bytes(vec![0, 255, 13]))?;
    session.set_value("markup", Value::Markup("<b>x</b>".to_owned()))?;
    session.set_value("uuid", Value::Uuid(id))?;
    session.set_value("date", Value::Date(at))?;
    session.set("number", 1.5)?;
    session.set("negative", -7)?;
    session.set("nothing", ())?;
    session.set("yes", true)?;
    session.set("list", serde_json::json!([1, [2, {"three": 3}], "4"]))?;
    Ok("typed")
}

async fn trap(session: Session) -> Result<&'static str> {
    let one = |name: &str| {
        let value = Value::from(serde_json::json!(1));
        Value::Dict(Dict::from([(name.to_owned(), value)]))
    };
    session.set_value("tagged", one(" t"))?;
    session.set_value("escaped", one(" t__"))?;
    session.set_value("odd", one(" di"))?;
    Ok("trapped")
}

async fn big(session: Session) -> Result<&'static str> {
    session.set("big", "x".repeat(2_000))?;
    Ok("big")
}

async fn log_in(cx: Cx, session: Session, form: Form<Login>) -> Result<Response> {
    session.clear();
    session.set("user", &form.user)?;
    session.flash("message", format!("Welcome, {}.", form.user))?;
    Ok(redirect(cx.url(home, ())?))
}

async fn log_out(cx: Cx, session: Session) -> Result<Response> {
    session.remove("user");
    Ok(redirect(cx.url(home, ())?))
}

async fn home(session: Session) -> Result<String> {
    let user: String = session.get("user")?.or_abort(401)?;
    let messages: Vec<String> = session
        .flashed()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    Ok(format!("{user}: {}", messages.join(" ")))
}

async fn failing(session: Session) -> Result<String> {
    session.set("kept", "though it fails")?;
    abort(403)
}

async fn flash(cx: Cx) -> Result<&'static str> {
    for (category, text) in cx.args().iter() {
        cx.flash(category, text)?;
    }
    Ok("flashed")
}

async fn flashes(cx: Cx) -> Json<Vec<(String, String)>> {
    let first = cx.flashed();
    assert_eq!(first, cx.flashed(), "messages stay for the request");
    Json(first)
}
