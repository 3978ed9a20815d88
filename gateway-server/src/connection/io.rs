//! [`Io`]: a connection's bytes, both ways, as whatever phase it is in uses them.

use std::rc::Rc;

use bytes::BytesMut;

use super::after::LeftBehind;
use super::output::Output;
use super::service::Service;
use crate::wire::Wire;

/// What a connection has beside its phase.
pub(super) struct Io {
    pub(super) wire: Wire,
    /// What was read and belongs to nobody yet.
    pub(super) input: BytesMut,
    pub(super) input_ended: bool,
    pub(super) output: Output,
    pub(super) service: Rc<Service>,
    pub(super) left_behind: LeftBehind,
}

impl Io {
    pub(super) fn new(wire: Wire, service: &Rc<Service>) -> Self {
        Self {
            wire,
            input: BytesMut::new(),
            input_ended: false,
            output: Output::default(),
            service: Rc::clone(service),
            left_behind: LeftBehind::default(),
        }
    }
}
