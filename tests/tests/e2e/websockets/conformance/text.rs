//! Text is UTF-8, wherever its frames begin and end (RFC 6455, section 8.1).

use gateway_tests::websocket::{Sent, opcode};

use super::case::{Case, Expected};
use super::messages::in_parts;

pub(super) fn cases() -> Vec<Case> {
    [sound(), split(), unsound()].concat()
}

/// The edges of each length of a character, and of what is none.
const SOUND: [&str; 16] = [
    "\0",
    "\u{7f}",
    "\u{80}",
    "\u{7ff}",
    "\u{800}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{fdd0}",
    "\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10000}",
    "\u{1ffff}",
    "\u{10ffff}",
    "κόσμε \u{1f600} e\u{301}",
];

fn sound() -> Vec<Case> {
    let case = |text: &&str| {
        let name = format!("the text {text:?}");
        Case::new(
            name,
            &[Sent::new(opcode::TEXT, *text)],
            [Expected::Text((*text).into())],
        )
    };
    SOUND.iter().map(case).collect()
}

/// Characters of every length, cut in two at every byte.
fn split() -> Vec<Case> {
    let text = "aé€\u{1f600}z";
    let mut cases = Vec::new();
    for at in 0..=text.len() {
        let (one, other) = text.as_bytes().split_at(at);
        let sent = in_parts(opcode::TEXT, &[one, other]);
        let name = format!("text in two frames, cut at {at}");
        cases.push(Case::new(name, &sent, [Expected::Text(text.into())]));
    }
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    let each = in_parts(opcode::TEXT, &bytes);
    cases.push(Case::new(
        "each byte of a text in a frame",
        &each,
        [Expected::Text(text.into())],
    ));
    let mut pinged = Vec::new();
    for frame in each {
        pinged.extend([frame, Sent::new(opcode::PING, "")]);
    }
    let last = pinged.pop();
    assert!(last.is_some(), "the ping behind the last frame");
    let pongs = vec![Expected::Pong(Vec::new()); bytes.len() - 1];
    let answers = [pongs, vec![Expected::Text(text.into())]].concat();
    cases.push(Case::new(
        "pings between the bytes of characters",
        &pinged,
        answers,
    ));
    cases
}

/// Bytes that are no text: strays, characters cut short, overlong forms, surrogates, beyond the last
/// character.
const UNSOUND: [&[u8]; 24] = [
    b"\x80",
    b"\xbf",
    b"a\x80b",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xc2",
    b"\xc2a",
    b"\xdf\xff",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xe0\xa0",
    b"\xe2\x82a",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf0\x9f\x98",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"sound \xce\xba\xe1\xbd\xb9 up to here\xed\xa0\x80",
];

fn unsound() -> Vec<Case> {
    let mut cases = Vec::new();
    for bytes in UNSOUND {
        let name = bytes.escape_ascii();
        let whole = [Sent::new(opcode::TEXT, bytes)];
        cases.push(Case::refused(format!("{name} as text"), &whole, 1007));
        let parts: Vec<&[u8]> = bytes.chunks(1).collect();
        let parts = in_parts(opcode::TEXT, &[&parts[..], &[b""]].concat());
        cases.push(Case::refused(
            format!("{name} as text in frames"),
            &parts,
            1007,
        ));
        let whole = [Sent::new(opcode::BINARY, bytes)];
        let answer = [Expected::Binary(bytes.into())];
        cases.push(Case::new(format!("{name} as bytes"), &whole, answer));
    }
    let begun = [Sent::new(opcode::TEXT, b"\xff").more()];
    cases.push(Case::refused(
        "no text, of which more would come",
        &begun,
        1007,
    ));
    cases
}
