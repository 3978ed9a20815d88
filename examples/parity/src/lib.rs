//! An application that uses what Flask's users use. `app.py` and `pages.py` beside it are the same on Flask, and the
//! tests send both the same requests.

mod answers;
mod cookies;
mod downloads;
mod errors;
mod forms;
mod hooks;
mod json;
mod links;
mod methods;
mod queries;
mod routes;
mod sessions;

use carafe::App;

/// The application, to be exported or tested.
pub fn app() -> App {
    App::new()
        .config_set("secret_key", SECRET)
        .config_set("secret_key_fallbacks", [FORMER_SECRET])
        .blueprint(routes::blueprint())
        .blueprint(methods::blueprint())
        .blueprint(errors::blueprint())
        .blueprint(hooks::blueprint())
        .blueprint(sessions::blueprint())
        .blueprint(forms::blueprint())
        .blueprint(json::blueprint())
        .blueprint(cookies::blueprint())
        .blueprint(queries::blueprint())
        .blueprint(links::blueprint())
        .blueprint(answers::blueprint())
        .blueprint(downloads::blueprint())
        .error(409, errors::conflict)
        .error_type(errors::app_teapot)
}

/// Signs the sessions of both applications.
pub const SECRET: &str = "parity-0123456789-abcdef-present";
/// What signed them before.
pub const FORMER_SECRET: &str = "parity-9876543210-fedcba-former!";
