//! What no client may send, and how it is told.

use std::slice;

use gateway_tests::websocket::{Sent, opcode};

use super::case::{Case, Expected};
use super::messages::{KINDS, in_frames, payload};

pub(super) fn cases() -> Vec<Case> {
    [frames(), order(), limits()].concat()
}

const ALL: [u8; 6] = [
    opcode::CONTINUATION,
    opcode::TEXT,
    opcode::BINARY,
    opcode::CLOSE,
    opcode::PING,
    opcode::PONG,
];

/// Reserved bits, unknown kinds, masks that are missing, control frames that are long or in parts.
fn frames() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in ALL {
        let frame = Sent::new(kind, "");
        for bits in 1..=7 {
            let sent = [frame.clone().reserved(bits)];
            let name = format!("the reserved bits {bits:03b} in a frame of kind {kind}");
            cases.push(Case::refused(name, &sent, 1002));
        }
        let name = format!("a frame of kind {kind} without a mask");
        cases.push(Case::refused(name, &[frame.unmasked()], 1002));
        let name = format!("a longer frame of kind {kind} without a mask");
        cases.push(Case::refused(
            name,
            &[Sent::new(kind, "hello").unmasked()],
            1002,
        ));
    }
    for kind in (3..=7).chain(11..=15) {
        for payload in ["", "hello"] {
            let name = format!("{} bytes of kind {kind}", payload.len());
            cases.push(Case::refused(name, &[Sent::new(kind, payload)], 1002));
        }
        let sent = [Sent::new(kind, "").more()];
        cases.push(Case::refused(format!("kind {kind}, in parts"), &sent, 1002));
    }
    for kind in [opcode::CLOSE, opcode::PING, opcode::PONG] {
        for length in [126, 127, 1_000, 65_536] {
            let name = format!("{length} bytes in a frame of kind {kind}");
            cases.push(Case::refused(
                name,
                &[Sent::new(kind, payload(length))],
                1002,
            ));
        }
        let name = format!("a frame of kind {kind} in parts");
        let sent = [
            Sent::new(kind, "").more(),
            Sent::new(opcode::CONTINUATION, ""),
        ];
        cases.push(Case::refused(name, &sent, 1002));
    }
    cases
}

/// Parts of a message where there is none, and a message within another.
fn order() -> Vec<Case> {
    let mut cases = Vec::new();
    let part = Sent::new(opcode::CONTINUATION, "x");
    for (sent, name) in [
        (part.clone(), "the last part"),
        (part.clone().more(), "a part"),
    ] {
        cases.push(Case::refused(
            format!("{name} of nothing"),
            slice::from_ref(&sent),
            1002,
        ));
        let empty = Sent::new(opcode::CONTINUATION, "");
        cases.push(Case::refused(
            format!("{name} of nothing, then more"),
            &[sent.clone(), empty],
            1002,
        ));
        for (kind, whole) in KINDS {
            let answer = [Expected::echo(kind, "x"), Expected::Close(Some(1002))];
            let both = [Sent::new(kind, "x"), sent.clone()];
            cases.push(Case::new(
                format!("{name} behind whole {whole}"),
                &both,
                answer,
            ));
        }
    }
    for (kind, name) in KINDS {
        for (other, _) in KINDS {
            let begun = Sent::new(kind, "x").more();
            let sent = [begun.clone(), Sent::new(other, "y")];
            let told = format!("a message of kind {other} within {name}");
            cases.push(Case::refused(told, &sent, 1002));
            let sent = [begun, part.clone().more(), Sent::new(other, "y").more()];
            let told = format!("the begin of one of kind {other} within {name}");
            cases.push(Case::refused(told, &sent, 1002));
        }
    }
    cases
}

/// Beyond the limits of a message and of a frame, a mebibyte each.
fn limits() -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, name) in KINDS {
        for length in [
            (1 << 20) + 1,
            1 << 24,
            1 << 31,
            1 << 32,
            1 << 40,
            u64::MAX >> 1,
            u64::MAX,
        ] {
            // The head is enough: nothing of the rest is waited for.
            let sent = [Sent::new(kind, "").long(length)];
            cases.push(Case::refused(
                format!("{name} that says {length} bytes"),
                &sent,
                1009,
            ));
        }
        let sent = [
            Sent::new(kind, "x").more(),
            Sent::new(opcode::CONTINUATION, "").long(1 << 21),
        ];
        cases.push(Case::refused(
            format!("a part of {name} that is too long"),
            &sent,
            1009,
        ));
        let whole = in_frames(kind, &[1 << 19, 1 << 19]);
        let answer = [Expected::echo(kind, payload(1 << 20))];
        cases.push(Case::new(
            format!("{name} up to the limit in parts"),
            &whole,
            answer,
        ));
        let beyond = in_frames(kind, &[1 << 19, 1 << 19, 1]);
        cases.push(Case::refused(
            format!("{name} beyond the limit in parts"),
            &beyond,
            1009,
        ));
        let unended = Sent::new(kind, payload(1 << 19)).more();
        let part = Sent::new(opcode::CONTINUATION, payload(1 << 19)).more();
        let endless = [unended, part.clone(), part];
        cases.push(Case::refused(
            format!("{name} that would never end"),
            &endless,
            1009,
        ));
    }
    cases
}
