//! SCGI, the application's side, without IO: the head of a request in a web server's bytes.
//!
//! A request is a netstring of NUL-separated names and values, `CONTENT_LENGTH` first, `SCGI` with the
//! value `1` among them, and then exactly so many bytes of body. The answer is a header block of CGI
//! and a body that ends with the connection, which has one request. The variables become a request by
//! [`gateway_spec::cgi`].

mod head;

pub use head::{Error, Head, Variables, head};
