//! What is asked of every server, and what of the answers has to be the same everywhere.

pub mod manners;
pub mod places;
pub mod site;
pub mod swap;
pub mod tour;
pub mod traffic;
mod visitor;

use crate::address::Address;
use crate::client::Client;
use crate::response::{Broken, Response, To};

use manners::Manners;
use traffic::Turn;

/// An answer without what is the server's own.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// What of a response is the application's.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        let fields = response.fields.iter();
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let mut fields: Vec<_> = fields
            .filter(|(name, _)| !OF_THE_SERVER.contains(&name.as_str()))
            .collect();
        // Content-Length is the server's to place.
        fields.sort_by_key(|(name, _)| name == "content-length");
        Self {
            status: response.status,
            fields,
            body: response.body.clone(),
        }
    }

    /// What differs from gatewayd's answer beyond those manners, if anything does.
    #[must_use]
    pub fn differs(&self, wanted: &Self, manners: &Manners) -> Option<String> {
        let has_length =
            |fields: &[(String, String)]| fields.iter().any(|(name, _)| name == "content-length");
        let (mut had, mut fields) = (self.fields.clone(), wanted.fields.clone());
        if !has_length(&fields) {
            // A length where the application gave none is a way of framing, and it is right:
            // otherwise the response would not have been read.
            had.retain(|(name, _)| name != "content-length");
        }
        let has_type = had.iter().any(|(name, _)| name == "content-type");
        let is_brief = wanted.status == 304 && !manners.describes_304;
        if (is_brief || !manners.declared_length) && !has_length(&had) {
            fields.retain(|(name, _)| name != "content-length");
        }
        if is_brief && !has_type {
            fields.retain(|(name, _)| name != "content-type");
        }
        if manners.groups_fields {
            for fields in [&mut fields, &mut had] {
                fields.sort_by(|one, other| one.0.cmp(&other.0));
            }
        }
        let is_same = (self.status, &had) == (wanted.status, &fields) && self.body == wanted.body;
        (!is_same).then(|| format!("expected {}, found {}", wanted.told(), self.told()))
    }

    /// Compares with what gatewayd answered.
    ///
    /// # Panics
    /// When they differ beyond those manners.
    pub fn assert_is(&self, wanted: &Self, manners: &Manners, what: &str) {
        if let Some(difference) = self.differs(wanted, manners) {
            panic!("{what}: {difference}");
        }
    }

    /// The same without what is new in each response: tokens and nonces.
    #[must_use]
    pub fn masked(mut self) -> Self {
        for (_, value) in &mut self.fields {
            *value = without_tokens(value);
        }
        if let Ok(text) = std::str::from_utf8(&self.body) {
            self.body = without_tokens(text).into_bytes();
        }
        self
    }

    fn without_length(&self) -> Self {
        let fields = self
            .fields
            .iter()
            .filter(|(name, _)| name != "content-length");
        Self {
            status: self.status,
            fields: fields.cloned().collect(),
            body: self.body.clone(),
        }
    }

    fn told(&self) -> String {
        let (start, length) = (self.body.get(..400).unwrap_or(&self.body), self.body.len());
        let start = String::from_utf8_lossy(start);
        format!(
            "{} {:?} {start:?} ({length} bytes)",
            self.status, self.fields
        )
    }
}

/// The text without its runs of letters and digits that no word is as long as.
fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.+/=".contains(c);
    let mut kept = String::new();
    for piece in text.split_inclusive(|c| !is_part(c)) {
        let token = piece.trim_end_matches(|c| !is_part(c));
        match token.len() > 20 && token.contains(|c: char| c.is_ascii_digit()) {
            true => kept.push_str(&piece[token.len()..]),
            false => kept.push_str(piece),
        }
    }
    kept
}

/// The final response to a request.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn whole(address: &Address, turn: &Turn) -> Response {
    last(address, turn).unwrap_or_else(|broken| panic!("{}: {broken:?}", turn.name))
}

/// The final response to a request, or how it was broken off.
///
/// # Errors
/// See [`Broken`].
pub fn last(address: &Address, turn: &Turn) -> Result<Response, Broken> {
    last_of(address, turn, &turn.bytes)
}

/// The same for a turn whose bytes are these.
fn last_of(address: &Address, turn: &Turn, bytes: &[u8]) -> Result<Response, Broken> {
    let mut client = Client::connect(address);
    let mut sender = client.split();
    std::thread::scope(|scope| {
        // Who refuses a request need not read all of it; who streams answers while it reads.
        let _sends = scope.spawn(move || sender.try_send(bytes));
        loop {
            let to = if turn.is_head() { To::Head } else { To::Other };
            let response = client.read(to)?;
            if response.status >= 200 {
                return Ok(response);
            }
        }
    })
}

const OF_THE_SERVER: [&str; 5] = [
    "date",
    "server",
    "connection",
    "keep-alive",
    "transfer-encoding",
];
