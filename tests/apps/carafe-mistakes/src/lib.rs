//! An application that must not start: each route has a mistake.

use carafe::*;

async fn user(id: i64) -> String {
    id.to_string()
}

export!(
    App::new()
        .get("/user/<name>", user)
        .get("/visits", async |visits: State<u64>| visits.to_string())
);
