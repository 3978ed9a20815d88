//! FastCGI, SCGI and uwsgi without IO and without a clock: what a web server in front says in them.
//!
//! A request that came in variables is written down as HTTP/1 would have brought it and judged by the
//! same parser, and what answers it is taken from what HTTP/1 would send: one policy for all, held in
//! one place. What HTTP/1 has no words for stands beside that, in a [`Report`].

mod front;
mod inbound;
mod outbound;
mod report;
mod request;

pub use front::{Front, Taken};
pub use inbound::{FrontLimits, Protocol};
pub(crate) use report::{Report, Unwritable};
