//! The guide's database, as its chapter prints it: for the chapters after it.

/// What the chapter on the database leaves behind: `Database` and `Db`, over the `SCHEMA` of whoever calls.
#[macro_export]
macro_rules! notebook {
    () => {
        use rusqlite::Connection;
        use std::fs;
        use std::ops::Deref;
        use std::path::PathBuf;

        /// Where the database is.
        #[derive(Default)]
        struct Database {
            path: PathBuf,
        }

        impl Database {
            fn connect(&self) -> rusqlite::Result<Connection> {
                Connection::open(&self.path)
            }
        }

        impl Extension for Database {
            async fn start(&self, starting: &mut Starting<'_>) -> Result<()> {
                let path: PathBuf = starting.config().get("database")?.unwrap_or_default();
                let path = starting.root().join(path);
                fs::create_dir_all(path.parent().unwrap_or(&path))?;
                let database = Database { path };
                database.connect()?.execute_batch(SCHEMA)?;
                starting.provide(database);
                Ok(())
            }
        }

        /// A connection, opened for the view that asks for it.
        struct Db(Connection);

        impl Arg for Db {
            type Path<Rest> = Rest;

            fn check(check: &mut Check<'_>) {
                check.needs_state::<Database>();
            }

            async fn take(t: &mut Take<'_>) -> Result<Self> {
                let database = State::<Database>::take(t).await?;
                Ok(Db(database.connect()?))
            }
        }

        impl Deref for Db {
            type Target = Connection;

            fn deref(&self) -> &Connection {
                &self.0
            }
        }
    };
}
