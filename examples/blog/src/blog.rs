//! The posts: everybody reads them, authors change and delete their own.

use carafe::*;
use rusqlite::{OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

use crate::auth::{LoggedIn, User};
use crate::db::Db;

#[derive(Serialize)]
struct Post {
    id: i64,
    title: String,
    body: String,
    created: String,
    author_id: i64,
    username: String,
}

impl Post {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            title: row.get("title")?,
            body: row.get("body")?,
            created: row.get("created")?,
            author_id: row.get("author_id")?,
            username: row.get("username")?,
        })
    }

    /// The post, if it is by this user.
    fn of(user: &User, db: &Db, id: i64) -> Result<Self> {
        let query = "SELECT post.*, username FROM post JOIN user ON author_id = user.id \
                     WHERE post.id = ?";
        let post = db.query_row(query, [id], Self::from_row).optional()?;
        let post = post.or_abort((404, format!("Post id {id} doesn't exist.")))?;
        if post.author_id != user.id {
            return abort(403);
        }
        Ok(post)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Draft {
    title: String,
    body: String,
}

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("blog")
        .get("/", index)
        .route("/create", [GET, POST], create)
        .route("/<int:id>/update", [GET, POST], update)
        .post("/<int:id>/delete", delete)
}

pub(crate) fn index(cx: Cx, db: Db) -> Result<Html> {
    let mut posts = db.prepare(
        "SELECT post.*, username FROM post JOIN user ON author_id = user.id \
         ORDER BY created DESC, post.id DESC",
    )?;
    let posts: Vec<Post> = posts
        .query_map((), Post::from_row)?
        .collect::<Result<_, _>>()?;
    render(&cx, "blog/index.html", ctx! { posts })
}

fn create(cx: Cx, user: LoggedIn, db: Db, form: Form<Draft>) -> Result<Response> {
    if cx.method() == POST {
        if form.title.is_empty() {
            cx.flash("error", "Title is required.")?;
        } else {
            db.execute(
                "INSERT INTO post (title, body, author_id) VALUES (?, ?, ?)",
                (&form.title, &form.body, user.0.id),
            )?;
            return Ok(redirect(cx.url(index, ())?));
        }
    }
    render(&cx, "blog/create.html", ctx! {})?.into_response()
}

fn update(cx: Cx, id: i64, user: LoggedIn, db: Db, form: Form<Draft>) -> Result<Response> {
    let post = Post::of(&user.0, &db, id)?;
    if cx.method() == POST {
        if form.title.is_empty() {
            cx.flash("error", "Title is required.")?;
        } else {
            db.execute(
                "UPDATE post SET title = ?, body = ? WHERE id = ?",
                (&form.title, &form.body, id),
            )?;
            return Ok(redirect(cx.url(index, ())?));
        }
    }
    render(&cx, "blog/update.html", ctx! { post })?.into_response()
}

fn delete(cx: Cx, id: i64, user: LoggedIn, db: Db) -> Result<Response> {
    Post::of(&user.0, &db, id)?;
    db.execute("DELETE FROM post WHERE id = ?", [id])?;
    Ok(redirect(cx.url(index, ())?))
}
