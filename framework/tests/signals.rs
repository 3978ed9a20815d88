//! What happens is told to those who listen, and to nobody else.

use std::sync::{Arc, Mutex};

use carafe::signals::events::{
    BeforeRenderTemplate, GotRequestException, MessageFlashed, RequestFinished, RequestStarted,
    RequestTearingDown, TemplateRendered,
};
use carafe::*;

type Heard = Arc<Mutex<Vec<String>>>;

fn note(heard: &Heard, what: impl Into<String>) {
    heard
        .lock()
        .unwrap_or_else(|lost| lost.into_inner())
        .push(what.into());
}

/// An application whose every signal is noted.
fn app(heard: &Heard) -> App {
    let notes = || Arc::clone(heard);
    let [started, finished, torn, failed, before, rendered, flashed] = [(); 7].map(|()| notes());
    let (hook, view) = (notes(), notes());
    App::new()
        .on(move |cx: &Cx, _: &RequestStarted| note(&started, format!("started {}", cx.path())))
        .on(move |_: &Cx, event: &RequestFinished| {
            note(&finished, format!("finished {}", event.status.as_u16()));
        })
        .on(move |_: &Cx, _: &RequestTearingDown| note(&torn, "torn down"))
        .on(move |_: &Cx, event: &GotRequestException| {
            note(&failed, format!("failed: {}", event.error));
        })
        .on(move |_: &Cx, event: &BeforeRenderTemplate| {
            note(&before, format!("before {}", event.template));
        })
        .on(move |_: &Cx, event: &TemplateRendered| {
            let name = event.context.get_attr("name").map(|name| name.to_string());
            note(
                &rendered,
                format!("rendered {} {}", event.template, name.unwrap_or_default()),
            );
        })
        .on(move |_: &Cx, event: &MessageFlashed| {
            note(
                &flashed,
                format!("flashed {}: {}", event.category, event.message),
            );
        })
        .before(inline(move || note(&hook, "hook")))
        .template("hello.html", "Hello {{ name }}")
        .get("/hello", move |cx: Cx| {
            note(&view, "view");
            cx.flash("info", "Hi.")?;
            render(&cx, "hello.html", ctx! { name => "Ann" })
        })
        .get("/failing", || -> Result<&'static str> {
            Err(Error::message("no tea"))
        })
        .get("/text", async || "text")
}

fn taken(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut *heard.lock().unwrap_or_else(|lost| lost.into_inner()))
}

#[test]
fn the_signals_of_a_request_come_in_flasks_order() {
    let heard = Heard::default();
    let client = app(&heard).test();
    client.get("/hello");
    drop(client); // teardown has ended then
    assert_eq!(
        taken(&heard),
        [
            "started /hello",
            "hook",
            "view",
            "flashed info: Hi.",
            "before hello.html",
            "rendered hello.html Ann",
            "finished 200",
            "torn down"
        ]
    );
}

#[test]
fn errors_that_nobody_expected_are_told_and_others_are_not() {
    let heard = Heard::default();
    let client = app(&heard).test().errors_as_responses();
    assert_eq!(client.get("/failing").status(), 500);
    assert_eq!(client.get("/missing").status(), 404);
    drop(client);
    let mut told = taken(&heard);
    told.retain(|line| line != "hook" && line != "torn down");
    assert_eq!(
        told,
        [
            "started /failing",
            "failed: no tea",
            "finished 500",
            "started /missing",
            "finished 404"
        ]
    );
}

#[test]
fn a_listener_that_panics_disturbs_neither_the_request_nor_the_next_listener() {
    struct Poured;
    let heard = Heard::default();
    let notes = Arc::clone(&heard);
    let client = App::new()
        .on(|_: &Cx, _: &Poured| std::panic::resume_unwind(Box::new("told to")))
        .on(move |_: &Cx, _: &Poured| note(&notes, "poured"))
        .get("/", async |cx: Cx| {
            cx.signal(Poured);
            cx.signal(7_u8); // nobody listens
            "done"
        })
        .test();
    assert_eq!(client.get("/").text(), "done");
    assert_eq!(taken(&heard), ["poured"]);
}

#[test]
fn an_extension_may_listen() {
    struct Counting(Heard);
    impl Extension for Counting {
        fn setup(&self, app: App) -> App {
            let heard = Arc::clone(&self.0);
            app.on(move |_: &Cx, event: &RequestFinished| note(&heard, event.status.as_str()))
        }
    }
    let heard = Heard::default();
    let client = App::new()
        .get("/", async || "x")
        .extension(Counting(Arc::clone(&heard)))
        .test();
    client.get("/");
    client.get("/x");
    assert_eq!(taken(&heard), ["200", "404"]);
}
