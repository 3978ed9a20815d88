//! The client's session, looked into and changed by a test (`session_transaction`).

use gateway_spec::http::HeaderValue;
use gateway_spec::http::header::COOKIE;

use super::client::Client;
use crate::response::Response;
use crate::session::Session;

impl Client {
    /// Opens the session in the cookie jar, lets `look` read or change it, and puts it back.
    ///
    /// ```
    /// use carafe::*;
    ///
    /// let client = App::new()
    ///     .get("/", async |session: Session| session.user_id::<String>().or_abort(401))
    ///     .test();
    /// assert_eq!(client.get("/").status(), 401);
    /// client.session(|session| session.log_in("ann")).unwrap();
    /// assert_eq!(client.get("/").text(), "ann");
    /// ```
    ///
    /// # Panics
    ///
    /// If what `look` left there cannot be written.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    #[track_caller]
    pub fn session<T>(&self, look: impl FnOnce(&Session) -> T) -> T {
        let cookies = self.jar().field("/");
        let cookies = cookies.and_then(|cookies| HeaderValue::try_from(cookies).ok());
        let cx = self.context(|head| match &cookies {
            Some(cookies) => head.with(&COOKIE, cookies),
            None => head,
        });
        let opened = cx.clone();
        if let Err(error) = self.wait(async move { opened.load_session().await }) {
            panic!("the session cannot be loaded: {error}");
        }
        let found = look(&cx.session());
        match self.wait(async move { cx.write_session(Response::text("")).await }) {
            Ok(response) => self.jar().take(response.headers()),
            Err(error) => panic!("the session cannot be written: {error}"),
        }
        found
    }
}
