//! The guide's database, as its chapter makes it: for the chapters after it, whose tables the setting
//! `schema` makes.

use std::ops::Deref;
use std::path::PathBuf;

use carafe::*;
use rusqlite::Connection;

/// Where the database is.
#[derive(Debug, Default)]
pub struct Database {
    path: PathBuf,
}

impl Extension for Database {
    async fn start(&self, starting: &mut Starting<'_>) -> Result<()> {
        let config = starting.config();
        let path: PathBuf = config.get("database")?.or_abort(500)?;
        let schema: String = config.get("schema")?.or_abort(500)?;
        Connection::open(&path)?.execute_batch(&schema)?;
        starting.provide(Self { path });
        Ok(())
    }
}

/// A connection, opened for the view that asks for it.
#[derive(Debug)]
pub struct Db(Connection);

impl Arg for Db {
    type Path<Rest> = Rest;

    fn check(check: &mut Check<'_>) {
        check.needs_state::<Database>();
    }

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        let database = State::<Database>::take(t).await?;
        Ok(Self(Connection::open(&database.path)?))
    }
}

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}
