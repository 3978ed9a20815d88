//! Messages that are right: of every length, in one frame or many, with anything between them.

use std::slice;

use gateway_tests::websocket::{Sent, opcode};

use super::case::{Case, Expected};

pub(super) fn cases() -> Vec<Case> {
    [lengths(), fragments(), between()].concat()
}

/// The edges of the three ways to say a length, of what is read at once, and the limit.
const LENGTHS: [usize; 19] = [
    0,
    1,
    2,
    124,
    125,
    126,
    127,
    128,
    255,
    256,
    1023,
    4095,
    4096,
    4097,
    65_535,
    65_536,
    65_537,
    (1 << 20) - 1,
    1 << 20,
];

fn lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for length in LENGTHS {
        for (kind, name) in KINDS {
            let payload = payload(length);
            let sent = [Sent::new(kind, payload.clone())];
            let name = format!("{length} bytes of {name}");
            cases.push(Case::new(name, &sent, [Expected::echo(kind, payload)]));
        }
    }
    // Nobody is misled by a length that is said at length: it is the same for all who read it.
    for length in [0, 1, 125] {
        let sent = Sent::new(opcode::TEXT, payload(length.into())).medium(length);
        let name = format!("{length} bytes, said in 16 bits");
        cases.push(Case::new(
            name,
            &[sent],
            [Expected::Text(payload(length.into()))],
        ));
    }
    for length in [0_u16, 1, 125, 126, 65_535] {
        let payload = payload(usize::from(length));
        let sent = Sent::new(opcode::BINARY, payload.clone()).long(length.into());
        let name = format!("{length} bytes, said in 64 bits");
        cases.push(Case::new(name, &[sent], [Expected::Binary(payload)]));
    }
    for key in [[0; 4], [0xff; 4], [0, 0, 0, 1]] {
        for (kind, _) in KINDS {
            let sent = Sent::new(kind, payload(100)).masked(key);
            let name = format!("the mask {key:?} on frames of kind {kind}");
            cases.push(Case::new(
                name,
                &[sent],
                [Expected::echo(kind, payload(100))],
            ));
        }
    }
    cases
}

fn fragments() -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, name) in KINDS {
        for lengths in [
            &[3, 4][..],
            &[0, 5],
            &[5, 0],
            &[0, 0],
            &[0, 0, 0, 0],
            &[1, 0, 1, 0, 1],
            &[125, 126, 127],
            &[1; 100],
            &[4096; 20],
            &[65_535, 65_536, 1],
        ] {
            let total = lengths.iter().sum();
            let few = &lengths[..lengths.len().min(4)];
            let name = format!("{name} in {} frames of {few:?}", lengths.len());
            let sent = in_frames(kind, lengths);
            cases.push(Case::new(
                name,
                &sent,
                [Expected::echo(kind, payload(total))],
            ));
        }
        let twice = [in_frames(kind, &[1, 2]), in_frames(kind, &[2, 1])].concat();
        let answers = [(); 2].map(|()| Expected::echo(kind, payload(3)));
        cases.push(Case::new(
            format!("two of {name} in frames"),
            &twice,
            answers,
        ));
    }
    cases
}

/// Control frames among messages and their parts.
fn between() -> Vec<Case> {
    let ping = |payload: &str| Sent::new(opcode::PING, payload);
    let pong = |payload: &str| Sent::new(opcode::PONG, payload);
    let text = |length| Sent::new(opcode::TEXT, payload(length));
    let pongs = |payload: &[u8]| Expected::Pong(payload.to_vec());
    let texts = |length| Expected::Text(payload(length));
    let in_parts = |between: &[Sent]| {
        let [first, last] = <[Sent; 2]>::try_from(in_frames(opcode::TEXT, &[2, 3])).expect("two");
        [&[first], between, &[last]].concat()
    };
    let mut cases = vec![
        Case::new(
            "a ping in a message",
            &in_parts(&[ping("p")]),
            [pongs(b"p"), texts(5)],
        ),
        Case::new("a pong in a message", &in_parts(&[pong("p")]), [texts(5)]),
        Case::new(
            "two pings in a message",
            &in_parts(&[ping("p"), ping("q")]),
            [pongs(b"p"), pongs(b"q"), texts(5)],
        ),
        Case::new(
            "a ping between messages",
            &[text(1), ping("p"), text(2)],
            [texts(1), pongs(b"p"), texts(2)],
        ),
        Case::new(
            "a goodbye in a message",
            &[Sent::new(opcode::TEXT, "x").more(), Sent::close(1000, "")],
            [Expected::Close(Some(1000))],
        ),
        Case::new(
            "ten messages at once",
            &[(); 10].map(|()| text(10)),
            [(); 10].map(|()| texts(10)),
        ),
        Case::new(
            "text and bytes in turn",
            &[
                Sent::new(opcode::TEXT, "a"),
                Sent::new(opcode::BINARY, "b"),
                text(1),
            ],
            [
                Expected::Text(b"a".to_vec()),
                Expected::Binary(b"b".to_vec()),
                texts(1),
            ],
        ),
    ];
    for length in [0, 1, 2, 64, 124, 125] {
        let (sent, name) = (payload(length), format!("{length} bytes"));
        let answer = [Expected::Pong(sent.clone())];
        cases.push(Case::new(
            format!("a ping of {name}"),
            &[Sent::new(opcode::PING, sent)],
            answer,
        ));
        let unasked = Sent::new(opcode::PONG, payload(length));
        cases.push(Case::new(
            format!("a pong of {name}, unasked"),
            &[unasked],
            [],
        ));
    }
    let bytes = [0, 0xff, 0xfe, 0xc0];
    let ping = Sent::new(opcode::PING, bytes);
    cases.push(Case::new(
        "a ping that is no text",
        slice::from_ref(&ping),
        [pongs(&bytes)],
    ));
    cases.push(Case::new(
        "three pings",
        &[(); 3].map(|()| ping.clone()),
        [(); 3].map(|()| pongs(&bytes)),
    ));
    let masked = ping.masked([0; 4]);
    cases.push(Case::new(
        "a ping whose mask is naught",
        &[masked],
        [pongs(&bytes)],
    ));
    cases
}

/// A message in frames of these lengths.
pub(super) fn in_frames(kind: u8, lengths: &[usize]) -> Vec<Sent> {
    let whole = payload(lengths.iter().sum());
    let mut at = 0;
    let mut parts = Vec::new();
    for length in lengths {
        parts.push(&whole[at..at + length]);
        at += length;
    }
    in_parts(kind, &parts)
}

/// A message in these frames.
pub(super) fn in_parts(kind: u8, parts: &[&[u8]]) -> Vec<Sent> {
    let last = parts.len() - 1;
    let frames = parts.iter().enumerate().map(|(number, part)| {
        let kind = if number == 0 {
            kind
        } else {
            opcode::CONTINUATION
        };
        let frame = Sent::new(kind, *part);
        if number == last { frame } else { frame.more() }
    });
    frames.collect()
}

/// Text of so many bytes.
pub(super) fn payload(length: usize) -> Vec<u8> {
    let letters = (b'a'..=b'z').cycle();
    letters.take(length).collect()
}

/// The kinds of message.
pub(super) const KINDS: [(u8, &str); 2] = [(opcode::TEXT, "text"), (opcode::BINARY, "bytes")];
