//! The order of hooks, written down as a trace.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use carafe::*;

/// What has run in a request.
#[derive(Default)]
struct Trace(Mutex<Vec<&'static str>>);

/// What has run when requests were over, by the name that each gave itself.
static ENDED: Mutex<Option<HashMap<String, String>>> = Mutex::new(None);

pub(crate) fn blueprint() -> Blueprint {
    let child = Blueprint::new("child")
        .prefix("/child")
        .before(async |cx: Cx| note(&cx, "c1"))
        .before(async |cx: Cx| stop_at(&cx, "c2"))
        .after(async |response: Response, cx: Cx| passed(&cx, response, "-c1"))
        .after(async |response: Response, cx: Cx| passed(&cx, response, "-c2"))
        .teardown(async |cx: Cx| note(&cx, "~c"))
        .get("/view", named("view", view));
    Blueprint::new("hooks")
        .prefix("/h")
        // Registered first, so that it runs last and sees the others.
        .after(async |response: Response, cx: Cx| {
            note(&cx, "-p0");
            response.header("x-trace", traced(&cx))
        })
        .teardown(async |cx: Cx| {
            note(&cx, "~p0");
            if let Some(name) = cx.args().get("name") {
                let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
                ended
                    .get_or_insert_default()
                    .insert(name.to_owned(), traced(&cx));
            }
        })
        .before(async |cx: Cx| note(&cx, "p1"))
        .before(async |cx: Cx| stop_at(&cx, "p2"))
        .after(async |response: Response, cx: Cx| passed(&cx, response, "-p1"))
        .after(async |response: Response, cx: Cx| {
            note(&cx, "-p2");
            if cx.args().get("break") == Some("p2") {
                return abort(502);
            }
            Ok(response)
        })
        .teardown(async |cx: Cx| note(&cx, "~p1"))
        .get("/view", named("view", view))
        .blueprint(child)
        .blueprint(
            Blueprint::new("ended")
                .prefix("/ended")
                .get("/<name>", named("show", ended)),
        )
        .error(504, async |cx: Cx| {
            note(&cx, "!504");
            (504, "handled")
        })
}

async fn view(cx: Cx) -> Result<Response> {
    note(&cx, "view");
    let inner = cx.clone();
    cx.after_this_request(move |response| {
        note(&inner, "-this1");
        response.header("x-this", "1")
    });
    let inner = cx.clone();
    cx.after_this_request(move |response| {
        note(&inner, "-this2");
        response.header("x-this", "2")
    });
    match cx.args().get("fail") {
        Some("504") => abort(504),
        Some("404") => abort(404),
        Some("stray") => Err(Error::message("a stray error")),
        Some("stream") => Ok(stream(async |mut pieces| pieces.send("streamed").await)),
        _ => Ok(Response::text("viewed")),
    }
}

async fn ended(name: String) -> Option<String> {
    let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    ended.as_ref()?.get(&name).cloned()
}

fn note(cx: &Cx, what: &'static str) {
    let trace = cx.get_or_put_with(Trace::default);
    trace
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(what);
}

fn traced(cx: &Cx) -> String {
    let trace = cx.get_or_put_with(Trace::default);
    trace
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .join(" ")
}

fn passed(cx: &Cx, response: Response, what: &'static str) -> Response {
    note(cx, what);
    response
}

/// Answers in the view's place, or fails there, where the query says so.
fn stop_at(cx: &Cx, place: &'static str) -> Result<Option<String>> {
    note(cx, place);
    match (cx.args().get("stop"), cx.args().get("break")) {
        (Some(stop), _) if stop == place => Ok(Some(format!("stopped at {place}"))),
        (_, Some(fail)) if fail == place => abort(504),
        _ => Ok(None),
    }
}
