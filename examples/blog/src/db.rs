//! The database: one SQLite file, and a connection for whoever asks.

use std::fs;
use std::ops::Deref;
use std::path::PathBuf;

use carafe::*;
use rusqlite::Connection;

const SCHEMA: &str = include_str!("schema.sql");

/// Where the database is.
#[derive(Default)]
pub(crate) struct Database {
    path: PathBuf,
}

impl Database {
    pub(crate) fn connect(&self) -> rusqlite::Result<Connection> {
        let db = Connection::open(&self.path)?;
        db.pragma_update(None, "foreign_keys", true)?;
        Ok(db)
    }
}

impl Extension for Database {
    async fn start(&self, starting: &mut Starting<'_>) -> Result<()> {
        let path: PathBuf = starting.config().get("database")?.unwrap_or_default();
        let path = starting.root().join(path);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        let database = Self { path };
        database.connect()?.execute_batch(SCHEMA)?;
        starting.provide(database);
        Ok(())
    }
}

/// A connection; views that ask for it are plain functions, since SQLite blocks.
pub(crate) struct Db(Connection);

impl Arg for Db {
    type Path<Rest> = Rest;

    fn check(check: &mut Check<'_>) {
        check.needs_state::<Database>();
    }

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        let database = State::<Database>::take(t).await?;
        Ok(Self(database.connect()?))
    }
}

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

/// The command `init-db`: forgets everything and begins anew.
pub(crate) fn init_db(db: Db) -> Result<&'static str> {
    db.execute_batch("DROP TABLE IF EXISTS post; DROP TABLE IF EXISTS user;")?;
    db.execute_batch(SCHEMA)?;
    Ok("The database is empty now.")
}
