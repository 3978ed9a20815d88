//! The life of a request: order of hooks, errors and their handlers, threads, teardown.

use std::sync::{Arc, Mutex};

use carafe::*;

#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<&'static str>>>);

impl Trace {
    fn add(&self, what: &'static str) {
        self.0.lock().expect("no panic under the lock").push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().expect("no panic under the lock"))
    }
}

fn before(what: &'static str) -> impl Fn(State<Trace>) + Send + Sync + 'static {
    move |trace: State<Trace>| trace.add(what)
}

fn after(
    what: &'static str,
) -> impl Fn(Response, State<Trace>) -> Response + Send + Sync + 'static {
    move |response: Response, trace: State<Trace>| {
        trace.add(what);
        response
    }
}

fn traced(trace: &Trace) -> App {
    let child = Blueprint::new("c")
        .prefix("/c")
        .before(before("before c"))
        .after(after("after c"))
        .teardown(before("teardown c"))
        .get("/", async |trace: State<Trace>, cx: Cx| {
            trace.add("view");
            let inner = Trace::clone(&trace);
            cx.after_this_request(move |response| {
                inner.add("after this");
                response
            });
            "c"
        })
        .get("/fails", async || abort::<&str>(403));
    let parent = Blueprint::new("p")
        .prefix("/p")
        .before(before("before p"))
        .after(after("after p 1"))
        .after(after("after p 2"))
        .teardown(before("teardown p"))
        .blueprint(child);
    App::new()
        .state(trace.clone())
        .before(before("before app"))
        .guard(before("guard"))
        .after(after("after app"))
        .teardown(before("teardown app"))
        .blueprint(parent)
}

#[test]
fn hooks_run_from_the_outside_in_and_back() {
    let trace = Trace::default();
    let client = traced(&trace).test();
    assert_eq!(client.get("/p/c/").text(), "c");
    drop(client);
    assert_eq!(
        trace.take(),
        [
            "guard",
            "before app",
            "before p",
            "before c",
            "view",
            "after this",
            "after c",
            "after p 2",
            "after p 1",
            "after app",
            "teardown c",
            "teardown p",
            "teardown app"
        ]
    );
}

#[test]
fn a_path_that_no_rule_takes_runs_the_applications_hooks_alone() {
    let trace = Trace::default();
    let client = traced(&trace).test();
    assert_eq!(client.get("/p/nothing").status(), 404);
    drop(client);
    assert_eq!(
        trace.take(),
        ["guard", "before app", "after app", "teardown app"]
    );
}

#[test]
fn a_hook_that_answers_spares_the_view_but_not_the_hooks_after_it() {
    let trace = Trace::default();
    let app = traced(&trace).before(|| Some("taken"));
    let client = app.test();
    assert_eq!(client.get("/p/c/").text(), "taken");
    drop(client);
    let seen = trace.take();
    assert!(
        !seen.contains(&"view") && !seen.contains(&"before p"),
        "{seen:?}"
    );
    assert!(
        seen.contains(&"after c") && seen.contains(&"teardown c"),
        "{seen:?}"
    );
}

#[derive(Debug, thiserror::Error)]
#[error("no stock of {0}")]
struct NoStock(&'static str);

#[test]
fn errors_go_to_the_innermost_handler_by_type_then_code_then_class() {
    let shop = Blueprint::new("shop")
        .prefix("/shop")
        .error_type(|error: NoStock| (409, format!("shop: {error}")))
        .error(404, || "shop 404")
        .get("/stock", async || Err::<&str, _>(NoStock("tea")))
        .get("/missing", async || abort::<&str>(404))
        .get("/gone", async || abort::<&str>((410, "Sold out.")))
        .get("/broken", async || -> Result<String> {
            Ok(String::from_utf8(vec![255])?)
        });
    let client = App::new()
        .blueprint(shop)
        .error(404, || "app 404")
        .error(400..=499, |error: HttpError| {
            format!("app 4xx: {}", error.description())
        })
        .error_any(|error: Error| format!("app any: {}", error.status().as_u16()))
        .test();
    let seen = |path| {
        let response = client.get(path);
        (response.status(), response.text())
    };
    assert_eq!(
        seen("/shop/stock"),
        (409, "shop: no stock of tea".to_owned())
    );
    assert_eq!(seen("/shop/missing"), (404, "shop 404".to_owned()));
    assert_eq!(seen("/elsewhere"), (404, "app 404".to_owned()));
    assert_eq!(seen("/shop/gone"), (410, "app 4xx: Sold out.".to_owned()));
    assert_eq!(seen("/shop/broken"), (500, "app any: 500".to_owned()));
}

#[test]
fn a_panic_is_a_500_wherever_it_happens() {
    let client = App::new()
        .get("/async", async || -> &'static str {
            panic!("in an async view")
        })
        .get("/plain", || -> &'static str { panic!("in a plain view") })
        .get("/fine", || "fine")
        .error(500, async || "sorry")
        .test()
        .errors_as_responses();
    for path in ["/async", "/plain"] {
        let response = client.get(path);
        assert_eq!(
            (response.status(), response.text().as_str()),
            (500, "sorry"),
            "{path}"
        );
    }
    assert_eq!(client.get("/fine").text(), "fine");
}

#[test]
fn the_cause_of_an_error_stays_in_the_log() {
    let client = App::new()
        .get("/", async || Err::<&str, _>(NoStock("secret")))
        .test()
        .errors_as_responses();
    let response = client.get("/");
    assert_eq!(response.status(), 500);
    assert!(!response.text().contains("secret"), "{}", response.text());
    let problem = client
        .request(GET, "/")
        .header("accept", "application/json")
        .send();
    assert_eq!(
        problem.header("content-type"),
        Some("application/problem+json")
    );
    assert!(!problem.text().contains("secret"), "{}", problem.text());
}

#[test]
fn plain_views_run_on_the_pool_and_async_and_inline_ones_do_not() {
    fn on_pool() -> bool {
        std::thread::current().name() == Some("carafe-view")
    }
    let client = App::new()
        .get("/plain", || on_pool().to_string())
        .get("/inline", inline(|| on_pool().to_string()))
        .get("/async", async || on_pool().to_string())
        .blueprint(
            Blueprint::new("mixed")
                .before(|| ())
                .get("/mixed", async || on_pool().to_string())
                .after(inline(|response: Response| {
                    response.header("x-inline", on_pool().to_string())
                })),
        )
        .test();
    assert_eq!(client.get("/plain").text(), "true");
    assert_eq!(client.get("/inline").text(), "false");
    assert_eq!(client.get("/async").text(), "false");
    let mixed = client.get("/mixed");
    assert_eq!(
        (mixed.text().as_str(), mixed.header("x-inline")),
        ("false", Some("false"))
    );
}

#[test]
fn head_and_options_are_answered_and_other_methods_refused() {
    let client = App::new()
        .get("/", async || "x")
        .post("/", async || "y")
        .test();
    assert_eq!(client.request(HEAD, "/").send().status(), 200);
    let options = client.request(OPTIONS, "/").send();
    assert_eq!((options.status(), options.text().as_str()), (200, ""));
    assert_eq!(options.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
    let refused = client.request(DELETE, "/").send();
    assert_eq!(refused.status(), 405);
    assert_eq!(refused.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
}

#[test]
fn hooks_run_around_automatic_options_and_plain_ones_on_the_pool() {
    let client = App::new()
        .before(|cx: Cx| {
            cx.put(std::thread::current().name() == Some("carafe-view"));
        })
        .get("/", async || "x")
        .after(async |response: Response, cx: Cx| {
            response.header("x-pool", cx.get::<bool>().is_some_and(|on| *on).to_string())
        })
        .test();
    let options = client.request(OPTIONS, "/").send();
    assert_eq!(
        (options.status(), options.header("x-pool")),
        (200, Some("true"))
    );
}

#[test]
fn a_change_to_this_response_is_made_though_the_view_fails() {
    let client = App::new()
        .get("/", async |cx: Cx| {
            cx.after_this_request(|response| response.header("x-changed", "yes"));
            abort::<&str>(403)
        })
        .test();
    let response = client.get("/");
    assert_eq!(
        (response.status(), response.header("x-changed")),
        (403, Some("yes"))
    );
}

#[test]
fn deep_code_finds_the_context_of_its_request() {
    fn deep() -> String {
        current().map_or_else(|| "none".to_owned(), |cx| cx.path().to_owned())
    }
    let client = App::new()
        .get("/async", async || deep())
        .get("/plain", deep)
        .test();
    assert_eq!(client.get("/async").text(), "/async");
    assert_eq!(client.get("/plain").text(), "/plain");
    assert_eq!(deep(), "none");
}

#[test]
fn spawned_work_is_awaited_at_shutdown() {
    let trace = Trace::default();
    let client = App::new()
        .state(trace.clone())
        .get("/", async |cx: Cx, trace: State<Trace>| {
            let trace = Trace::clone(&trace);
            cx.spawn(async move {
                tokio::task::yield_now().await;
                trace.add("spawned");
            });
            "ok"
        })
        .test();
    client.get("/");
    drop(client);
    assert_eq!(trace.take(), ["spawned"]);
}
