//! What is kept of the last line's client: the next line is probably of the same.

use std::net::IpAddr;

/// The beginning of a line, which all lines of a client share within a second.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// Since the epoch; that of no line before the first.
    second: u64,
    /// The client, if it has an address.
    client: Option<IpAddr>,
    pub(super) text: Vec<u8>,
}

/// How a client is shown.
#[derive(Debug, Default)]
pub(super) struct Client {
    ip: Option<IpAddr>,
    text: String,
}

impl Opening {
    /// Whether it is that of these lines.
    #[inline(always)]
    pub(super) fn is_of(&self, second: u64, client: Option<IpAddr>) -> bool {
        self.second == second && self.client == client
    }

    /// Keeps another one.
    pub(super) fn keep(&mut self, second: u64, client: Option<IpAddr>, text: &[u8]) {
        self.second = second;
        self.client = client;
        self.text.clear();
        self.text.extend_from_slice(text);
    }
}

impl Client {
    /// How it is shown.
    pub(super) fn text(&mut self, ip: IpAddr) -> &str {
        if self.ip != Some(ip) {
            self.ip = Some(ip);
            self.text = ip.to_string();
        }
        &self.text
    }
}
