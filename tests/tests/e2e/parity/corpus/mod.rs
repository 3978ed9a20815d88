//! The requests, by what they are about.

mod answers;
mod downloads;
mod errors;
mod forms;
mod messages;
mod methods;
mod routes;
mod sessions;

use super::talk::Talk;

/// All talks.
pub(super) fn all() -> Vec<Talk> {
    [
        routes::all(),
        methods::all(),
        errors::all(),
        sessions::all(),
        forms::all(),
        messages::all(),
        answers::all(),
        downloads::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
