//! A blog: visitors register, log in, and write, change and delete posts of their own.
//!
//! Flask's tutorial builds the same application; see docs/guide for this one, step by step.

mod auth;
mod blog;
mod db;
#[cfg(test)]
mod tests;

use carafe::*;

use crate::auth::User;
use crate::db::Database;

fn app() -> App {
    App::new()
        .config_default("database", "instance/blog.sqlite")
        .config_env("BLOG")
        .extension(Database::default())
        .command(
            "init-db",
            "Forgets everything and begins anew.",
            db::init_db,
        )
        .templates("templates")
        .static_files("static")
        .context(|cx| ctx! { user => cx.get::<User>() })
        .before(auth::load_user)
        .blueprint(auth::blueprint())
        .blueprint(blog::blueprint())
        .get("/hello", async || "Hello, World!")
        .error(400..=599, error_page)
}

/// What went wrong, on a page like the others.
fn error_page(cx: Cx, error: HttpError) -> Result<Html> {
    let (title, text) = (error.name(), error.description());
    render(&cx, "error.html", ctx! { title, text })
}

export!(app());
