//! [`Departure`]: what a connection in HTTP/1 leaves behind when it turns out to be another protocol's.

use std::rc::Rc;

use super::ends::Ends;
use super::service::{Presence, Service};
use crate::wire::SharedWire;

/// What a connection leaves to the task that goes on with it.
pub(super) struct Departure {
    pub(super) wire: SharedWire,
    pub(super) service: Rc<Service>,
    pub(super) ends: Ends,
    /// To be kept for as long as the connection lasts.
    pub(super) presence: Presence,
}
