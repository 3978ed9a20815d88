//! What a client is remembered by between requests.

pub mod tagged;
