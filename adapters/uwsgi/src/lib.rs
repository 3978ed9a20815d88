//! The uwsgi protocol, the application's side, without IO: the head of a request in a web server's bytes.
//!
//! A request is four bytes (a modifier that is 0, a little-endian size, another modifier), so many bytes
//! of names and values behind their lengths, and then the body: `CONTENT_LENGTH` bytes, or chunks if
//! there is none and `HTTP_TRANSFER_ENCODING` says so. The answer is one of HTTP/1 whose body ends with
//! the connection, which has one request. The variables become a request by [`gateway_spec::cgi`].

mod head;

pub use head::{Error, Head, Variables, head};
