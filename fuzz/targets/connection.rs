//! What a connection in HTTP/1 is answered does not depend on how its bytes arrive, and what the
//! application sees of it is what SPEC.md allows.

use super::application::rehearse;

/// Asserts it of one input.
pub(crate) fn run(input: &[u8]) {
    // The last byte chooses the size of the pieces.
    let [bytes @ .., piece] = input else { return };
    // Frames of HTTP/2 are another target's.
    if bytes.starts_with(b"PRI ") {
        return;
    }
    let piece = 1 + usize::from(*piece) % 32;
    let [whole, split] = rehearse(|rehearsal| {
        let serve = |piece| rehearsal.serve(None, bytes.chunks(piece));
        [serve(bytes.len().max(1)), serve(piece)]
    });
    assert_eq!(plain(&whole.bytes), plain(&split.bytes));
}

/// Who waits is told to go on, and who has sent everything is not.
fn plain(bytes: &[u8]) -> String {
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
    shown(bytes).replace(&shown(b"HTTP/1.1 100 Continue\r\n\r\n"), "")
}
