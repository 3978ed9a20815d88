//! The application as its visitors find it.

use carafe::testing::{Client, TestResponse};
use rusqlite::Row;
use tempfile::TempDir;

use super::*;

/// The application with a database of its own: two users and a post.
struct Blog {
    client: Client,
    _folder: TempDir,
}

impl Blog {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let database = folder.path().join("blog.sqlite");
        let client = app().config_set("database", database).test();
        let blog = Self {
            client,
            _folder: folder,
        };
        let db = blog.db().connect().unwrap();
        db.execute_batch(include_str!("tests.sql")).unwrap();
        blog
    }

    fn logged_in() -> Self {
        let blog = Self::start();
        blog.log_in("test", "test");
        blog
    }

    fn log_in(&self, username: &str, password: &str) -> TestResponse {
        let form = [("username", username), ("password", password)];
        self.client.post("/auth/login", form)
    }

    fn get(&self, path: &str) -> TestResponse {
        self.client.get(path)
    }

    fn post(&self, path: &str) -> TestResponse {
        self.client.post(path, "")
    }

    fn user(&self) -> Option<i64> {
        self.client.session(Session::user_id)
    }

    fn db(&self) -> std::sync::Arc<Database> {
        self.client.state().unwrap()
    }

    fn one(&self, query: &str) -> Option<String> {
        let first = |row: &Row<'_>| row.get(0);
        self.db()
            .connect()
            .unwrap()
            .query_row(query, (), first)
            .ok()
    }
}

#[test]
fn hello() {
    assert_eq!(Blog::start().get("/hello").text(), "Hello, World!");
}

#[test]
fn visitors_register() {
    let blog = Blog::start();
    assert_eq!(blog.get("/auth/register").status(), 200);
    let form = [("username", "a"), ("password", "a")];
    let registered = blog.client.post("/auth/register", form);
    assert_eq!(registered.header("location"), Some("/auth/login"));
    let hash = blog
        .one("SELECT password FROM user WHERE username = 'a'")
        .unwrap();
    assert!(check_password_hash(&hash, "a").unwrap());
}

#[test]
fn registering_is_refused_with_a_message() {
    let blog = Blog::start();
    for (username, password, message) in [
        ("", "", "Username is required."),
        ("a", "", "Password is required."),
        ("test", "test", "User test is already registered."),
    ] {
        let form = [("username", username), ("password", password)];
        let page = blog.client.post("/auth/register", form).text();
        assert!(page.contains(message), "{message}: {page}");
    }
}

#[test]
fn users_log_in_and_out() {
    let blog = Blog::start();
    assert_eq!(blog.get("/auth/login").status(), 200);
    assert_eq!(blog.log_in("test", "test").header("location"), Some("/"));
    assert_eq!(blog.user(), Some(1));
    assert_eq!(blog.post("/auth/logout").header("location"), Some("/"));
    assert_eq!(blog.user(), None);
}

#[test]
fn logging_in_is_refused_with_a_message() {
    let blog = Blog::start();
    let message = |username, password| blog.log_in(username, password).text();
    assert!(message("a", "test").contains("Incorrect username."));
    assert!(message("test", "a").contains("Incorrect password."));
    assert_eq!(blog.user(), None);
}

#[test]
fn the_front_page_shows_the_posts() {
    let blog = Blog::start();
    let page = blog.get("/").text();
    assert!(
        page.contains("Log in") && page.contains("Register"),
        "{page}"
    );
    blog.log_in("test", "test");
    let page = blog.get("/").text();
    for part in [
        "test title",
        "test</b> on 2018-01-01",
        "test\nbody",
        "href=\"/1/update\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn visitors_are_sent_to_log_in() {
    let blog = Blog::start();
    for path in ["/create", "/1/update", "/1/delete"] {
        assert_eq!(blog.post(path).header("location"), Some("/auth/login"));
    }
}

#[test]
fn posts_belong_to_their_authors() {
    let blog = Blog::start();
    blog.log_in("other", "other");
    assert_eq!(blog.post("/1/update").status(), 403);
    assert_eq!(blog.post("/1/delete").status(), 403);
    assert!(!blog.get("/").text().contains("/1/update"));
}

#[test]
fn a_post_that_is_not_there_is_not_found() {
    let blog = Blog::logged_in();
    assert_eq!(blog.post("/2/update").status(), 404);
    assert_eq!(blog.post("/2/delete").status(), 404);
}

#[test]
fn users_create_posts() {
    let blog = Blog::logged_in();
    assert_eq!(blog.get("/create").status(), 200);
    blog.client
        .post("/create", [("title", "created"), ("body", "")]);
    let title = "SELECT title FROM post WHERE id = 2 AND author_id = 1";
    assert_eq!(blog.one(title).as_deref(), Some("created"));
}

#[test]
fn authors_update_posts() {
    let blog = Blog::logged_in();
    assert!(blog.get("/1/update").text().contains("test title"));
    blog.client
        .post("/1/update", [("title", "updated"), ("body", "")]);
    let title = "SELECT title FROM post WHERE id = 1";
    assert_eq!(blog.one(title).as_deref(), Some("updated"));
}

#[test]
fn a_post_needs_a_title() {
    let blog = Blog::logged_in();
    for path in ["/create", "/1/update"] {
        let page = blog
            .client
            .post(path, [("title", ""), ("body", "text")])
            .text();
        assert!(
            page.contains("Title is required.") && page.contains(">text<"),
            "{page}"
        );
    }
}

#[test]
fn authors_delete_posts() {
    let blog = Blog::logged_in();
    assert_eq!(blog.post("/1/delete").header("location"), Some("/"));
    assert_eq!(blog.one("SELECT title FROM post"), None);
}

#[test]
fn the_command_init_db_begins_anew() {
    let blog = Blog::start();
    let said = blog.client.command(["init-db"]);
    assert_eq!(said.output(), "The database is empty now.\n");
    assert_eq!(blog.one("SELECT title FROM post"), None);
    assert_eq!(blog.get("/").status(), 200);
}
