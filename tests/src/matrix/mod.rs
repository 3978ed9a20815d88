//! What is asked of every server, and what of the answers has to be the same everywhere.

pub mod manners;
pub mod traffic;

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

    /// Compares with what gatewayd answered.
    ///
    /// # Panics
    /// When they differ beyond those manners.
    pub fn assert_is(mut self, wanted: &Self, manners: &Manners, what: &str) {
        let has_length =
            |fields: &[(String, String)]| fields.iter().any(|(name, _)| name == "content-length");
        if !has_length(&wanted.fields) {
            // A length where the application gave none is a way of framing, and it is right:
            // otherwise the response would not have been read.
            self.fields.retain(|(name, _)| name != "content-length");
        }
        let mut fields = wanted.fields.clone();
        if manners.groups_fields {
            for fields in [&mut fields, &mut self.fields] {
                fields.sort_by(|one, other| one.0.cmp(&other.0));
            }
        }
        assert_eq!(
            (self.status, &self.fields),
            (wanted.status, &fields),
            "{what}"
        );
        assert!(
            self.body == wanted.body,
            "{what}: {} and {} bytes",
            self.body.len(),
            wanted.body.len()
        );
    }
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
    let mut client = Client::connect(address);
    let mut sender = client.split();
    std::thread::scope(|scope| {
        // Who refuses a request need not read all of it; who streams answers while it reads.
        let _sends = scope.spawn(move || sender.try_send(&turn.bytes));
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
