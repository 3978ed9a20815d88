//! A front's bytes say the same however they arrive, never a head that was smuggled into another, and
//! what is held of them is bounded; what comes of them is served as SPEC.md wants.

use gateway_server::internal::fronts::{Front, FrontLimits, Protocol, Taken};
use gateway_server::internal::http1::{BodyDecoder, BodyLength, Decoded, Head};
use gateway_server::internal::limits::{BodyLimits, HeadLimits};

use super::application::rehearse;

const LIMITS: FrontLimits = FrontLimits {
    variables: 2_000,
    connections: 4,
    idle_records: 8,
};

/// Asserts it of one input.
pub(crate) fn run(input: &[u8]) {
    // The last byte chooses the size of the pieces, the one before it the protocol.
    let [bytes @ .., protocol, piece] = input else {
        return;
    };
    let protocol = match protocol % 3 {
        0 => Protocol::FastCgi,
        1 => Protocol::Scgi,
        _ => Protocol::Uwsgi,
    };
    let piece = 1 + usize::from(*piece) % 32;
    say_the_same(protocol, bytes, piece);
    rehearse(|rehearsal| rehearsal.serve(Some(protocol), bytes.chunks(piece)));
}

fn say_the_same(protocol: Protocol, bytes: &[u8], piece: usize) {
    let whole = words(protocol, bytes, bytes.len().max(1));
    let split = words(protocol, bytes, piece);
    // An empty line tells of a request that comes piece by piece.
    let plain = |words: &[u8]| meaning(words.strip_prefix(b"\r\n").unwrap_or(words));
    let ([head, content], [same, part]) = (plain(&whole.0), plain(&split.0));
    assert_eq!(whole.1, split.1);
    if whole.1 == Taken::Fault {
        // What was said before a mistake was seen depends on how much was seen at once.
        let is_beginning = |one: &[u8], of: &[u8]| one.starts_with(of) || of.starts_with(one);
        assert!(is_beginning(&head, &same) && is_beginning(&content, &part));
        return;
    }
    assert_eq!(
        head.escape_ascii().to_string(),
        same.escape_ascii().to_string()
    );
    assert_eq!(content, part);
}

/// The head, and the content behind it however it is cut into chunks.
fn meaning(words: &[u8]) -> [Vec<u8>; 2] {
    let (mut text, mut head) = (words.to_vec(), Head::default());
    let Ok(Some(length)) = head.parse(&mut text, &HeadLimits::default()) else {
        // What is refused is told by its head.
        let end = words.windows(4).position(|four| four == b"\r\n\r\n");
        return [words[..end.unwrap_or(words.len())].to_vec(), Vec::new()];
    };
    let ends = text[..length].windows(4).filter(|four| four == b"\r\n\r\n");
    assert_eq!(ends.count(), 1, "one head and no other in it");
    let mut rest = text.split_off(length);
    if head.body() != BodyLength::Chunked {
        return [text, rest];
    }
    let (mut decoder, mut content) = (BodyDecoder::chunked(&BodyLimits::default()), Vec::new());
    while let Ok(Decoded::Data { range, consumed }) = decoder.decode(&rest) {
        content.extend_from_slice(&rest[range]);
        rest.drain(..consumed);
    }
    [text, content]
}

/// All words that come of bytes in pieces of this size, up to the first answer, and what follows them.
fn words(protocol: Protocol, bytes: &[u8], piece: usize) -> (Vec<u8>, Taken) {
    let mut front = Front::new(protocol, LIMITS);
    let (mut words, mut end) = (Vec::new(), Taken::More);
    let mut room = [0; 100];
    for piece in bytes.chunks(piece) {
        front.input().extend_from_slice(piece);
        loop {
            match front.take(&mut room) {
                Taken::Text(count) => words.extend_from_slice(&room[..count]),
                other => {
                    end = other;
                    break;
                }
            }
        }
        assert!(front.output().len() <= 64 * LIMITS.idle_records as usize);
        if end == Taken::Fault || end == Taken::Gone {
            break;
        }
    }
    (words, end)
}
