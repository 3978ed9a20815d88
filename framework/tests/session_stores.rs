//! Sessions on the server's side: what the client has is a name, and what it names is nobody else's.

use std::sync::Arc;
use std::time::Duration;

use carafe::session::{FileStore, MemoryStore, Save, SessionStore, Stored};
use carafe::*;
use tokio::sync::Barrier;

/// Both requests of a test are in their views at once.
struct Together(Barrier);

fn routes(app: App) -> App {
    app.get("/add/<name>", async |session: Session, name: String| {
        session.set(name, 1).map(|()| "added")
    })
    .get(
        "/both/<name>",
        async |session: Session, cx: Cx, name: String| {
            let names = session.names();
            let together = cx.state::<Together>().or_abort(500)?;
            together.0.wait().await;
            session.set(name, names.len())?;
            Ok::<_, Error>("done")
        },
    )
    .get("/remove/<name>", async |session: Session, name: String| {
        session.remove(&name).to_string()
    })
    .get("/names", async |session: Session| session.names().join(" "))
    .get("/log-in", async |session: Session| {
        session.log_in("ann").map(|()| "in")
    })
    .get("/log-out", async |session: Session| {
        session.log_out();
        "out"
    })
    .get("/clear", async |session: Session| {
        session.clear();
        "cleared"
    })
    .get("/untouched", async || "x")
    .get("/large", async |session: Session| {
        session.set("large", "x".repeat(300_000)).map(|()| "kept")
    })
}

/// Runs a test with each store.
fn each(test: impl Fn(App)) {
    test(routes(App::new().session_store(MemoryStore::new())));
    let folder = tempfile::tempdir().expect("a folder");
    test(routes(
        App::new()
            .root(folder.path())
            .session_store(FileStore::new("sessions")),
    ));
}

fn id(client: &testing::Client) -> String {
    client.cookie("session").unwrap_or_default()
}

#[test]
fn the_cookie_is_a_name_and_the_values_stay_here() {
    each(|app| {
        let client = app.test();
        assert_eq!(client.get("/names").text(), "");
        assert_eq!(id(&client), "", "nothing to remember");
        client.get("/add/secret");
        let first = id(&client);
        assert!(
            first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{first}"
        );
        client.get("/add/other");
        assert_eq!(id(&client), first, "the name stays");
        assert_eq!(client.get("/names").text(), "other secret");
        assert_eq!(client.get("/names").header("vary"), Some("Cookie"));
        assert_eq!(client.get("/untouched").header("vary"), None);
        client
            .session(|session| session.set("by-test", 1))
            .expect("a secret");
        assert_eq!(client.get("/names").text(), "by-test other secret");
    });
}

#[test]
fn a_name_that_the_client_made_up_is_never_taken_over() {
    each(|app| {
        let client = app.test();
        for made_up in [&"a".repeat(64), "../../etc/passwd", ""] {
            client.set_cookie("session", made_up);
            assert_eq!(client.get("/names").text(), "");
            client.get("/add/x");
            assert_ne!(id(&client), made_up, "{made_up}");
        }
    });
}

#[test]
fn logging_in_and_out_change_the_name_and_the_old_one_is_worthless() {
    each(|app| {
        let client = app.test();
        client.get("/add/cart");
        let before = id(&client);
        client.get("/log-in");
        let inside = id(&client);
        assert_ne!(inside, before);
        assert_eq!(client.get("/names").text(), "_fresh _user_id cart");
        client.set_cookie("session", &before);
        assert_eq!(client.get("/names").text(), "", "the name from before");
        client.set_cookie("session", &inside);
        client.get("/log-out");
        assert_eq!(client.get("/names").text(), "cart");
        client.set_cookie("session", &inside);
        assert_eq!(
            client.get("/names").text(),
            "",
            "a cookie that was stolen before"
        );
    });
}

#[test]
fn a_session_that_is_cleared_is_gone_from_the_store() {
    each(|app| {
        let client = app.test();
        client.get("/add/x");
        let name = id(&client);
        client.get("/clear");
        assert_eq!(client.cookie("session"), None);
        client.set_cookie("session", &name);
        assert_eq!(client.get("/names").text(), "");
    });
}

#[test]
fn requests_at_the_same_time_keep_each_others_changes() {
    each(|app| {
        let client = Arc::new(app.state(Together(Barrier::new(2))).test());
        client.get("/add/old");
        let other = Arc::clone(&client);
        let beside = std::thread::spawn(move || other.get("/both/left").text());
        assert_eq!(client.get("/both/right").text(), "done");
        assert_eq!(beside.join().expect("the other request"), "done");
        assert_eq!(client.get("/names").text(), "left old right");
    });
}

#[test]
fn what_lives_too_long_or_is_too_large_is_refused() {
    each(|app| {
        let client = app.config_set("session.lifetime", 0).test();
        client.get("/add/x");
        assert_eq!(client.get("/names").text(), "");
    });
    each(|app| {
        let client = app.test().errors_as_responses();
        assert_eq!(client.get("/large").status(), 500);
    });
}

/// A store whose entries are always another's already.
struct Contended;

impl SessionStore for Contended {
    async fn load(&self, _: &str) -> Result<Option<Stored>> {
        let data = b"{\"theirs\":1}".to_vec();
        Ok(Some(Stored { data, version: 7 }))
    }

    async fn save(&self, key: &str, _: Vec<u8>, _: Option<u64>, _: Duration) -> Result<Save> {
        assert_eq!(key.len(), 64);
        Ok(Save::Conflict)
    }

    async fn delete(&self, _: &str) -> Result<()> {
        Err(Error::message("the store is away"))
    }
}

#[test]
fn a_store_of_ones_own_whose_troubles_are_errors_of_the_application() {
    let client = routes(App::new().session_store(Contended))
        .test()
        .errors_as_responses();
    client.set_cookie("session", "x");
    assert_eq!(client.get("/names").text(), "theirs");
    assert_eq!(client.get("/add/mine").status(), 500, "never saved");
    assert_eq!(client.get("/clear").status(), 500, "not deleted");
}

#[test]
fn a_full_store_forgets_the_session_that_ends_first() {
    let app = App::new().session_store(MemoryStore::new().capacity(2));
    let client = routes(app).test();
    let mut names = Vec::new();
    for _ in 0..3 {
        client.set_cookie("session", "");
        client.get("/add/x");
        names.push(id(&client));
    }
    let seen = names.iter().map(|name| {
        client.set_cookie("session", name);
        client.get("/names").text()
    });
    assert_eq!(seen.collect::<Vec<_>>(), ["", "x", "x"]);
}
