//! What is to be done about a field of a response, by its name.

use gateway_spec::abi::names;

use super::field::{CONTENT_LENGTH, DATE};
use crate::http1::head::special::is_of_the_hop;

/// It is written.
pub(super) const COMMON: u8 = 0;
/// It has no id, or none that is known.
pub(super) const UNKNOWN: u8 = 1;
pub(super) const LENGTH: u8 = 2;
pub(super) const DATE_OF_ITS_OWN: u8 = 3;
pub(super) const OF_THE_HOP: u8 = 4;

#[inline(always)]
pub(super) fn of(id: u16) -> u8 {
    KINDS[usize::from(id) & 0xFF]
}

/// By id; as long as every byte is an index, because all ids of the table are bytes.
static KINDS: [u8; 256] = {
    let mut kinds = [COMMON; 256];
    let mut id: u8 = 0;
    while id < u8::MAX {
        if is_of_the_hop(id as u16) {
            kinds[id as usize] = OF_THE_HOP;
        }
        id += 1;
    }
    kinds[0] = UNKNOWN;
    // What trailers there will be is the server's to announce, which sends them (RES-07).
    kinds[names::id("trailer") as usize] = OF_THE_HOP;
    kinds[CONTENT_LENGTH as usize] = LENGTH;
    kinds[DATE as usize] = DATE_OF_ITS_OWN;
    kinds
};
