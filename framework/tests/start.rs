//! Start and stop: extensions, configuration, the pool, work that outlives a request.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use carafe::*;

#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    fn add(&self, what: impl Into<String>) {
        self.0
            .lock()
            .expect("no panic under the lock")
            .push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic under the lock").clone()
    }
}

struct Named(&'static str, Trace);

#[derive(Clone, Default)]
struct Words(Vec<&'static str>);

impl Extension for Named {
    fn setup(&self, mut app: App) -> App {
        self.1.add(format!("setup {}", self.0));
        app.part::<Words>().0.push(self.0);
        app
    }

    async fn start(&self, starting: &mut Starting<'_>) -> Result<()> {
        let words = starting.part::<Words>().map(|words| words.0.join("+"));
        self.1
            .add(format!("start {} {}", self.0, words.unwrap_or_default()));
        if starting.config().get::<String>("fails")?.as_deref() == Some(self.0) {
            return Err(Error::message("as it was told"));
        }
        starting.provide(self.0.len());
        Ok(())
    }

    async fn stop(&self) {
        self.1.add(format!("stop {}", self.0));
    }
}

fn app(trace: &Trace) -> App {
    App::new()
        .extension(Named("one", trace.clone()))
        .extension(Named("three", trace.clone()))
        .get("/", async |length: State<usize>| length.to_string())
}

#[test]
fn extensions_start_in_order_and_stop_in_reverse() {
    let trace = Trace::default();
    let client = app(&trace).test();
    assert_eq!(client.get("/").text(), "5");
    drop(client);
    let expected = [
        "setup one",
        "setup three",
        "start one one+three",
        "start three one+three",
        "stop three",
        "stop one",
    ];
    assert_eq!(trace.all(), expected);
}

#[test]
fn an_extension_that_cannot_start_stops_those_before_it() {
    let trace = Trace::default();
    let mistakes = app(&trace)
        .config_set("fails", "three")
        .try_test()
        .unwrap_err();
    assert!(
        mistakes
            .to_string()
            .contains("start::Named cannot start: as it was told"),
        "{mistakes}"
    );
    assert_eq!(trace.all().last().map(String::as_str), Some("stop one"));
}

#[test]
fn mistakes_that_can_be_seen_before_are_told_before_an_extension_starts() {
    async fn none() -> &'static str {
        ""
    }
    async fn one(id: i64) -> String {
        id.to_string()
    }
    let trace = Trace::default();
    let wrong = app(&trace)
        .get("no-slash", one)
        .get("/f", none)
        .get("/f/<int:id>/<name>", none)
        .get("/one/<name>", one)
        .templates("nowhere")
        .command("", "Says nothing.", async || "");
    let mistakes = wrong.try_test().unwrap_err().to_string();
    for told in [
        "rule `no-slash`: expected `/`",
        "rule `/f/<int:id>/<name>` gives [i64, String], but view `none` takes []",
        "rule `/one/<name>` gives [String], but view `one` takes [i64]",
        "nowhere, found none: the application's folder is what `root` in `[app.config]` says, or `App::root`",
        "command ``: ",
    ] {
        assert!(mistakes.contains(told), "{told} is not in {mistakes}");
    }
    assert_eq!(trace.all(), ["setup one", "setup three"]);
}

#[test]
fn files_are_read_from_the_applications_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("app.toml"),
        "greeting = \"hi\"\n[json]\nindent = 1\n",
    )
    .expect("a file");
    let client = App::new()
        .root(folder.path())
        .config_file("app.toml")
        .get("/", async |cx: Cx| -> Result<Json<Vec<String>>> {
            Ok(Json(vec![cx.config().require("greeting")?]))
        })
        .test();
    assert_eq!(client.get("/").text(), "[\n \"hi\"\n]");
    let absent = App::new()
        .root(folder.path())
        .config_file("other.toml")
        .try_test();
    assert!(absent.unwrap_err().to_string().contains("other.toml"));
    let mistyped = App::new().config_set("body_limit", "large").try_test();
    let told = mistyped.unwrap_err().to_string();
    assert!(
        told.contains("`body_limit`, set by the application: expected"),
        "{told}"
    );
}

#[test]
fn hosts_that_are_not_trusted_are_refused() {
    let client = App::new()
        .config_set("trusted_hosts", [".example.org"])
        .get("/", async || "x")
        .test();
    assert_eq!(
        client
            .request(GET, "/")
            .host("www.example.org")
            .send()
            .status(),
        200
    );
    assert_eq!(
        client.request(GET, "/").host("evil.test").send().status(),
        400
    );
}

#[test]
fn a_full_pool_answers_503_and_serves_async_views_all_the_same() {
    let (hold, held) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel();
    let (held, begun) = (Mutex::new(held), Mutex::new(begun));
    let client = App::new()
        .config_set("views.threads", 1)
        .config_set("views.queue", 0)
        .get("/holds", move || {
            begun
                .lock()
                .expect("one at a time")
                .send(())
                .expect("the test to wait");
            held.lock()
                .expect("one at a time")
                .recv()
                .expect("the test to let go");
            "held"
        })
        .get("/plain", || "plain")
        .get("/async", async || "async")
        .test();
    std::thread::scope(|scope| {
        let holds = scope.spawn(|| client.get("/holds").text());
        begins.recv().expect("the view to begin");
        let refused = client.get("/plain");
        assert_eq!(
            (refused.status(), refused.header("retry-after")),
            (503, Some("1"))
        );
        assert_eq!(client.get("/async").text(), "async");
        hold.send(()).expect("the view to wait");
        assert_eq!(holds.join().expect("no panic"), "held");
    });
    // Its thread is free a moment after the answer was read.
    let answered = (0..100_000).any(|_| client.get("/plain").text() == "plain");
    assert!(answered);
}

#[test]
fn teardown_waits_for_the_end_of_a_streamed_body() {
    let trace = Trace::default();
    let (inside, after) = (trace.clone(), trace.clone());
    let client = App::new()
        .get("/", move || {
            let trace = inside.clone();
            stream(async move |mut pieces| {
                pieces.send("a").await?;
                trace.add("produced");
                Ok(())
            })
        })
        .teardown(move || after.add("teardown"))
        .test();
    assert_eq!(client.get("/").text(), "a");
    drop(client);
    assert_eq!(trace.all(), ["produced", "teardown"]);
}

#[test]
fn a_stream_that_fails_breaks_off_behind_its_pieces() {
    let client = App::new()
        .get("/", async || {
            stream(async |mut pieces| {
                pieces.send("a").await?;
                Err(Error::message("no more"))
            })
        })
        .test();
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| client.get("/")));
    let said = broken.expect_err("the body to break off");
    let said = said.downcast_ref::<String>().expect("a message");
    assert!(said.contains("broke off: no more"), "{said}");
}

#[test]
fn an_error_of_a_teardown_is_told_and_spares_the_others() {
    let trace = Trace::default();
    let last = trace.clone();
    let client = App::new()
        .get("/", async || "x")
        .teardown(move || last.add("last"))
        .teardown(async || -> Result<()> { Err(Error::message("first")) })
        .test()
        .errors_as_responses();
    assert_eq!(client.get("/").text(), "x");
    drop(client);
    assert_eq!(trace.all(), ["last"]);
}
