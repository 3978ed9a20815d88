//! Whatever an application does wrong, a host in Python answers as gatewayd, and lives.

use gateway_tests::matrix::manners::Manners;
use gateway_tests::matrix::traffic::Turn;
use gateway_tests::matrix::{Answer, last, whole};
use gateway_tests::python::Kind;
use gateway_tests::response::Broken;

use crate::alike::{gatewayd, hostile};

pub(super) fn is_kept_to_the_rules(kind: Kind) {
    let (_folder, module) = hostile();
    let gatewayd = gatewayd(&module);
    let server = kind.serve(&module, &[("GATEWAY_GRACE", "1")]);
    for target in ANSWERED {
        let turn = Turn::get(target);
        let wanted = Answer::of(&whole(&gatewayd.address, &turn));
        Answer::of(&whole(&server.address, &turn)).assert_is(&wanted, &Manners::of(kind), target);
    }
    for target in BROKEN_OFF {
        let turn = Turn::get(target);
        let given = last(&server.address, &turn);
        match kind {
            // Without a length the end of the connection is the only end there is for the one, and
            // the other takes an exception for the end.
            Kind::Uwsgi | Kind::Granian => {
                assert!(
                    given.is_ok_and(|response| response.body == b"hello"),
                    "{target}"
                );
            }
            _ => assert!(
                matches!(given, Err(Broken::Truncated(_) | Broken::Closed)),
                "{target}: {given:?}"
            ),
        }
    }
    for target in SHORT {
        let given = last(&server.address, &Turn::get(target));
        let is_whole = given.as_ref().is_ok_and(|response| response.status == 200);
        assert!(!is_whole, "{target}: {given:?}");
    }
    // Every notice of a second response, a late one, and so on, has been the right code.
    let notes = server.get("/notes");
    let ours: Vec<&str> = notes
        .text()
        .lines()
        .filter(|line| line.starts_with("after "))
        .collect();
    let codes = [
        "respond -4",
        "inform -4",
        "closed -4",
        "draining -4",
        "upgrade -4",
        "flags -4",
    ];
    let codes = codes.map(|code| format!("after {code}"));
    assert_eq!(ours, codes, "{}", notes.text());
    assert!(notes.text().contains("twice -5"), "{}", notes.text());
    assert_eq!(server.get("/ok").text(), "ok");
    let said = server.words();
    assert!(!said.contains("\nforged line"), "{said}");
}

const ANSWERED: &[&str] = &[
    "/ok",
    "/thread/after",
    "/twice",
    "/never",
    "/code-after/-11",
    "/code-after/0",
    "/code/-1",
    "/code/-3",
    "/code/-6",
    "/code/-7",
    "/code/-8",
    "/code/-10",
    "/code/-99",
    "/code/5",
    "/status/0",
    "/status/100",
    "/status/101",
    "/status/103",
    "/status/204",
    "/status/599",
    "/status/600",
    "/bodiless/204",
    "/bodiless/205",
    "/bodiless/304",
    "/head/cr",
    "/head/lf",
    "/head/lead",
    "/head/trail",
    "/head/space",
    "/head/colon",
    "/head/upper",
    "/head/empty",
    "/head/high",
    "/head/nul",
    "/head/odd-id",
    "/head/null-array",
    "/head/huge-count",
    "/order",
    "/framing/transfer-encoding",
    "/framing/connection",
    "/framing/te",
    "/framing/trailer",
    "/framing/upgrade",
    "/framing/keep-alive",
    "/length/header",
    "/length/words",
    "/length/two",
    "/length/long",
    "/flags/critical",
    "/flags/minor",
    "/size/zero",
    "/size/big",
    "/inform/after",
    "/inform/bad",
    "/inform/100",
    "/inform/101",
    "/inform/103",
    "/inform/200",
    "/upgrade/early",
    "/upgrade/unoffered",
    "/ext",
    "/log",
    "/body/long",
    "/body/empty",
    "/body/after",
    "/trailers/good",
    "/trailers/framing",
    "/trailers/middle",
    "/file/whole",
    "/file/part",
    "/wake/storm",
    "/wake/self",
    "/wake/late",
    "/wake/leak",
    "/thread/respond",
    "/leak/ctx",
];

const BROKEN_OFF: &[&str] = &[
    "/body/error",
    "/body/unknown",
    "/body/code/-6",
    "/trailers/split",
];

/// The declared length is not reached: nobody can take it for whole.
const SHORT: &[&str] = &[
    "/length/short",
    "/body/short",
    "/file/short",
    "/file/directory",
];
