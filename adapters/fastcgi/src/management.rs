//! Management records: what a web server wants to know of the application.

use crate::pairs::{Pairs, push};
use crate::record::{self, kind};

/// Appends the answer to a management record: values for `FCGI_GET_VALUES`, `FCGI_UNKNOWN_TYPE` for
/// every other.
pub(crate) fn answer(out: &mut Vec<u8>, asked: u8, content: &[u8], connections: u32) {
    if asked != kind::GET_VALUES {
        out.extend_from_slice(&record::of(kind::UNKNOWN_TYPE, 0, 8));
        out.extend_from_slice(&[asked, 0, 0, 0, 0, 0, 0, 0]);
        return;
    }
    let connections = connections.to_string();
    let mut values = Vec::new();
    // Names that are not known are left out; a pair that is none ends the question.
    for (name, _) in Pairs::new(content).map_while(Result::ok) {
        match name {
            // A connection has one request at a time.
            b"FCGI_MAX_CONNS" | b"FCGI_MAX_REQS" => {
                push(&mut values, name, connections.as_bytes());
            }
            b"FCGI_MPXS_CONNS" => push(&mut values, name, b"0"),
            _ => {}
        }
    }
    out.extend_from_slice(&record::of(kind::GET_VALUES_RESULT, 0, values.len()));
    out.extend_from_slice(&values);
}
