//! Views, hooks and URLs that must not compile; a test reads what rustc says of each, and builds it with
//! the feature `mistakes`.

use carafe::*;

struct User;
struct Db;

async fn user() -> User {
    User
}

fn plain_user() -> User {
    User
}

async fn maybe_user() -> Result<User> {
    Ok(User)
}

async fn database(_: Db) -> &'static str {
    ""
}

async fn not_send() -> &'static str {
    let shared = std::rc::Rc::new(());
    std::future::ready(()).await;
    drop(shared);
    ""
}

async fn show(_: i64) -> &'static str {
    ""
}

async fn context(_: Cx) -> &'static str {
    ""
}

fn nothing() {}

fn main() {
    let _ = App::new().get("/", user);
    let _ = App::new().get("/", plain_user);
    let _ = App::new().get("/", maybe_user);
    let _ = App::new().get("/", nothing);
    let _ = App::new().get("/", "text");
    let _ = App::new().get("/", database);
    let _ = App::new().get("/", not_send);
    let _ = App::new().before(async || 5);
    let _ = App::new().after(context);
    let client = App::new().test();
    client.url(show, ("x",));
    client.url(show, ());
}
