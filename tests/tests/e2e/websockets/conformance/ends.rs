//! How conversations end: goodbyes, and connections that end without.

use std::slice;

use gateway_tests::websocket::{Sent, opcode};

use super::case::{Case, Expected};

pub(super) fn cases() -> Vec<Case> {
    [goodbyes(), behind(), half_open()].concat()
}

fn goodbyes() -> Vec<Case> {
    let mut cases = Vec::new();
    let close = |payload: &[u8]| [Sent::new(opcode::CLOSE, payload)];
    cases.push(Case::new(
        "a goodbye of no code",
        &close(b""),
        [Expected::Close(None)],
    ));
    cases.push(Case::refused("half a code", &close(b"\x03"), 1002));
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999,
    ] {
        let answer = [Expected::Close(Some(code))];
        cases.push(Case::new(
            format!("goodbye with {code}"),
            &[Sent::close(code, "")],
            answer,
        ));
    }
    // Registered since, 1014 is a word of gateways to clients.
    for code in [
        0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        let name = format!("goodbye with {code}, which is no code");
        cases.push(Case::refused(name, &[Sent::close(code, "")], 1002));
    }
    for reason in ["x", "done", "κόσμε", &"x".repeat(122), &"x".repeat(123)] {
        let answer = [Expected::Close(Some(1000))];
        let name = format!("a goodbye with {} bytes of reason", reason.len());
        cases.push(Case::new(name, &[Sent::close(1000, reason)], answer));
    }
    for reason in [&b"\xff"[..], b"ok\xed\xa0\x80", b"\xe2\x82"] {
        let name = format!("{} as a goodbye's reason", reason.escape_ascii());
        cases.push(Case::refused(name, &[Sent::close(1000, reason)], 1007));
    }
    let name = "a goodbye with 124 bytes of reason";
    cases.push(Case::refused(name, &[Sent::close(1000, [b'x'; 124])], 1002));
    cases
}

/// What comes behind a goodbye is not looked at.
fn behind() -> Vec<Case> {
    let goodbye = Sent::close(1000, "");
    let late = [
        ("text", Sent::new(opcode::TEXT, "late")),
        ("bytes", Sent::new(opcode::BINARY, "late")),
        ("a ping", Sent::new(opcode::PING, "late")),
        ("a pong", Sent::new(opcode::PONG, "late")),
        ("a part", Sent::new(opcode::CONTINUATION, "late")),
        ("another goodbye", Sent::close(1001, "")),
        (
            "what is no frame",
            Sent::new(opcode::TEXT, "late").reserved(7).unmasked(),
        ),
        ("much", Sent::new(opcode::BINARY, vec![0; 100_000])),
    ];
    let case = |(name, late): (&str, Sent)| {
        let sent = [goodbye.clone(), late];
        Case::new(
            format!("{name} behind a goodbye"),
            &sent,
            [Expected::Close(Some(1000))],
        )
    };
    let mut cases: Vec<Case> = late.map(case).into();
    let text = Sent::new(opcode::TEXT, "x");
    let answers = [Expected::Text(b"x".to_vec()), Expected::Close(Some(1000))];
    cases.push(Case::new(
        "a goodbye right behind a message",
        &[text.clone(), goodbye.clone()],
        answers,
    ));
    let in_turn = Case::new(
        "a goodbye after an answer",
        &[text],
        [Expected::Text(b"x".to_vec())],
    );
    cases.push(in_turn.then(&[goodbye], [Expected::Close(Some(1000))]));
    cases
}

/// The client ends its half without a goodbye, wherever it is.
fn half_open() -> Vec<Case> {
    let text = Sent::new(opcode::TEXT, "hello");
    let cut = |length: usize| {
        let mut case = Case::new(
            format!("an end within a frame, at byte {length}"),
            &[],
            [Expected::End],
        );
        let bytes = text.bytes()[..length].to_vec();
        case.steps[0] = super::case::Step::Send(bytes);
        case.finishing()
    };
    let mut cases: Vec<Case> = (0..text.bytes().len()).map(cut).collect();
    let answered = [Expected::Text(b"hello".to_vec()), Expected::End];
    cases.push(Case::new("an end behind a message", slice::from_ref(&text), answered).finishing());
    let part = [text.clone().more()];
    cases.push(
        Case::new(
            "an end between the parts of a message",
            &part,
            [Expected::End],
        )
        .finishing(),
    );
    let ping = [Sent::new(opcode::PING, "p")];
    let answered = [Expected::Pong(b"p".to_vec()), Expected::End];
    cases.push(Case::new("an end behind a ping", &ping, answered).finishing());
    let answered = [Expected::Close(Some(1000))];
    let goodbye = [Sent::close(1000, "")];
    cases.push(Case::new("an end behind a goodbye", &goodbye, answered).finishing());
    let large = [Sent::new(opcode::BINARY, vec![7; 1 << 20])];
    let answered = [Expected::Binary(vec![7; 1 << 20]), Expected::End];
    cases.push(Case::new("an end behind a mebibyte", &large, answered).finishing());
    cases
}
