//! [`Io`]: a connection's bytes, both ways, as whatever phase it is in uses them.

use std::io;
use std::rc::Rc;
use std::task::Poll;

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

    /// Reads up to `most` bytes of a request body, where nothing is held; more the next time if as many came.
    pub(super) fn poll_read_body(&mut self, most: &mut usize) -> Poll<io::Result<usize>> {
        self.input = self.service.body_room.lend(*most);
        let read = self.wire.poll_read_behind(&mut self.input);
        if self.input.is_empty() {
            self.service.body_room.give_back(&mut self.input);
        } else if self.input.len() == self.input.capacity() {
            *most = BODY_READ_MOST.min(2 * *most);
        }
        read
    }
}

/// Bytes read at once of a request body that comes as fast as it is read.
const BODY_READ_MOST: usize = 512 * 1024;
