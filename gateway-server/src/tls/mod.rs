//! TLS: what is read from files, what is made of it, and a connection's cryptography without its IO.
//!
//! All that comes from the library stays in this room.

mod certificate;
mod credentials;
mod engine;
mod files;
mod material;
mod session;
mod tickets;

pub(crate) use engine::{Engine, Terms};
pub(crate) use files::{ReadError, faults, read, watched};
pub(crate) use material::Material;
pub(crate) use session::{Carrier, Fault, Session};
pub(crate) use tickets::TicketKeys;
