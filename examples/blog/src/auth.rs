//! Who the visitors are: registering, logging in and out.

use std::sync::Arc;

use carafe::*;
use rusqlite::{ErrorCode, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

use crate::blog::index;
use crate::db::{Database, Db};

#[derive(Serialize)]
pub(crate) struct User {
    pub(crate) id: i64,
    username: String,
    #[serde(skip)]
    password: String,
}

impl User {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            username: row.get("username")?,
            password: row.get("password")?,
        })
    }
}

/// Views that ask for it are for people who have logged in; others are sent to do so.
pub(crate) struct LoggedIn(pub(crate) Arc<User>);

impl Arg for LoggedIn {
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        match t.cx().get() {
            Some(user) => Ok(Self(user)),
            None => abort(redirect(t.cx().url(login, ())?)),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Credentials {
    username: String,
    password: String,
}

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("auth")
        .prefix("/auth")
        .route("/register", [GET, POST], register)
        .route("/login", [GET, POST], login)
        .post("/logout", logout)
}

/// Before every view: leaves the user for it, if somebody has logged in.
pub(crate) fn load_user(cx: Cx, session: Session, database: State<Database>) -> Result<()> {
    // Files are the same for everybody: unless the session is looked into, caches may share them.
    if cx.endpoint() != Some("static")
        && let Some(id) = session.user_id::<i64>()
    {
        let query = "SELECT * FROM user WHERE id = ?";
        let user = database.connect()?.query_row(query, [id], User::from_row);
        user.optional()?.map(|user| cx.put(user));
    }
    Ok(())
}

fn register(cx: Cx, db: Db, form: Form<Credentials>) -> Result<Response> {
    if cx.method() == POST {
        let error = if form.username.is_empty() {
            "Username is required.".to_owned()
        } else if form.password.is_empty() {
            "Password is required.".to_owned()
        } else {
            let inserted = db.execute(
                "INSERT INTO user (username, password) VALUES (?, ?)",
                [&form.username, &generate_password_hash(&form.password)?],
            );
            match inserted {
                Ok(_) => return Ok(redirect(cx.url(login, ())?)),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    format!("User {} is already registered.", form.username)
                }
                Err(error) => return Err(error.into()),
            }
        };
        cx.flash("error", error)?;
    }
    render(&cx, "auth/register.html", ctx! {})?.into_response()
}

fn login(cx: Cx, session: Session, db: Db, form: Form<Credentials>) -> Result<Response> {
    if cx.method() == POST {
        let query = "SELECT * FROM user WHERE username = ?";
        let user = db.query_row(query, [&form.username], User::from_row);
        let error = match user.optional()? {
            None => "Incorrect username.",
            Some(user) if !check_password_hash(&user.password, &form.password)? => {
                "Incorrect password."
            }
            Some(user) => {
                session.log_in(user.id)?;
                return Ok(redirect(cx.url(index, ())?));
            }
        };
        session.flash("error", error)?;
    }
    render(&cx, "auth/login.html", ctx! {})?.into_response()
}

async fn logout(cx: Cx, session: Session) -> Result<Response> {
    session.log_out();
    Ok(redirect(cx.url(index, ())?))
}
