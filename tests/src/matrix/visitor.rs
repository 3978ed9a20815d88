//! [`Visitor`]: who keeps cookies and fills in forms.

use crate::response::Response;

use super::traffic::Turn;

/// What a visitor of a site on carafe has to send back: its session, and the token of the form last seen.
#[derive(Debug, Default)]
pub(super) struct Visitor {
    session: String,
    token: String,
}

impl Visitor {
    /// The bytes of a request as this visitor sends it.
    pub(super) fn bytes(&self, turn: &Turn) -> Vec<u8> {
        let Some(form) = &turn.form else {
            return turn.bytes.clone();
        };
        let head = String::from_utf8_lossy(&turn.bytes).into_owned();
        let body = format!("{form}&csrf_token={}", self.token);
        let mut fields = String::new();
        if !self.session.is_empty() {
            fields = format!("Cookie: session={}\r\n", self.session);
        }
        if !form.is_empty() {
            let length = body.len();
            fields += &format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n"
            );
        }
        let head = head.trim_end();
        let body = if form.is_empty() { "" } else { body.as_str() };
        format!("{head}\r\n{fields}\r\n{body}").into_bytes()
    }

    /// Keeps what an answer to such a request says.
    pub(super) fn hears(&mut self, turn: &Turn, response: &Response) {
        if turn.form.is_none() {
            return;
        }
        let value = |cookie: &str| {
            Some(
                cookie
                    .strip_prefix("session=")?
                    .split(';')
                    .next()?
                    .to_owned(),
            )
        };
        if let Some(session) = response.all("set-cookie").find_map(value) {
            self.session = session;
        }
        let page = String::from_utf8_lossy(&response.body);
        let token = page.split("name=\"csrf_token\" value=\"").nth(1);
        if let Some(token) = token.and_then(|rest| rest.split('"').next()) {
            self.token = token.to_owned();
        }
    }
}
