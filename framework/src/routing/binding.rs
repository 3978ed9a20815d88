//! Where a request stands.

use http::Method;

/// What matching and building need to know of a request beside its path and method. Texts are as the
/// client sees them; hosts in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host, with its port unless that is the scheme's own. Without the subdomain, if there is one.
    pub server_name: &'a str,
    /// What stands before the server's name, without the dot; counts with
    /// [`Domains::Subdomains`](super::Domains) only.
    pub subdomain: &'a str,
    /// The prefix of the path under which the application lives, percent-encoded, without a slash at its
    /// end; empty at the root.
    pub mount: &'a str,
    /// The raw query, which redirects keep.
    pub query: &'a [u8],
    /// The method of the request: URLs are built for it if a rule for it exists.
    pub method: &'a Method,
    /// Whether the request opens a WebSocket.
    pub websocket: bool,
}
