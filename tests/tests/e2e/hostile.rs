//! A module that breaks the rules gets what SPEC.md says, and the worker lives on.

use std::path::PathBuf;

use gateway_tests::artefacts;
use gateway_tests::client::{Client, get, post};
use gateway_tests::gatewayd::Gatewayd;
use gateway_tests::response::{Broken, To};
use gateway_tests::until;
use tempfile::TempDir;

/// The hostile module, served by one process, and where it was built.
struct Hostile {
    server: Gatewayd,
    _folder: TempDir,
}

impl Hostile {
    fn serve(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let module = build(&folder);
        Self {
            server: Gatewayd::serve(&module, arguments),
            _folder: folder,
        }
    }

    fn expect(&self, path: &str, status: u16, text: &str) {
        let response = self.server.get(path);
        assert_eq!((response.status, response.text()), (status, text), "{path}");
        self.expect_alive(path);
    }

    fn expect_status(&self, path: &str, status: u16) {
        assert_eq!(self.server.get(path).status, status, "{path}");
        self.expect_alive(path);
    }

    /// Expects that the response begins and is broken off.
    fn expect_broken(&self, path: &str) {
        let mut client = self.server.connect();
        client.send(get(path));
        match client.read(To::Other) {
            Err(Broken::Truncated(_) | Broken::Io(_)) => {}
            other => panic!("{path}: expected a broken response, found {other:?}"),
        }
        self.expect_alive(path);
    }

    fn expect_note(&self, note: &str) {
        let mut client = self.server.connect();
        let mut notes = String::new();
        until(&format!("note {note:?}"), || {
            client.send(get("/notes"));
            notes = client.response().text().to_owned();
            notes.lines().any(|line| line == note)
        });
    }

    fn expect_alive(&self, after: &str) {
        assert_eq!(self.server.get("/ok").text(), "ok", "after {after}");
    }
}

fn build(folder: &TempDir) -> PathBuf {
    artefacts::hostile(&[], &[], folder.path())
}

fn one() -> Hostile {
    Hostile::serve(&["--workers", "1"])
}

const INVALID: i32 = -3;

#[test]
fn a_call_that_answers_twice_sends_the_first() {
    let hostile = one();
    hostile.expect("/twice", 200, "first");
    let notes = hostile.server.get("/notes").text().to_owned();
    assert!(notes.contains("twice -"), "{notes}");
}

#[test]
fn a_call_without_an_answer_is_500() {
    let hostile = one();
    hostile.expect_status("/never", 500);
    for code in ["2", "99", "-99"] {
        hostile.expect_status(&format!("/code/{code}"), 500);
    }
}

#[test]
fn a_result_after_the_answer_does_not_change_it() {
    let hostile = one();
    for code in ["-1", "-5", "2", "99"] {
        hostile.expect(&format!("/code-after/{code}"), 200, "answered");
    }
}

#[test]
fn a_status_out_of_range_is_refused() {
    let hostile = one();
    for status in ["100", "101", "103", "199", "600", "999", "0"] {
        hostile.expect(
            &format!("/status/{status}"),
            200,
            &format!("refused {INVALID}"),
        );
    }
    hostile.expect_status("/status/599", 599);
}

#[test]
fn content_of_a_bodiless_status_is_not_sent() {
    let hostile = one();
    for status in [204, 304] {
        let mut client = hostile.server.connect();
        client.send([get(&format!("/bodiless/{status}")), get("/ok")].concat());
        let first = client.response();
        if first.status == status {
            assert_eq!(first.body, b"", "{status}");
        } else {
            assert!(first.text().starts_with("refused"), "{first:?}");
        }
        assert_eq!(client.response().text(), "ok", "{status}");
    }
}

#[test]
fn a_bad_field_is_refused_and_never_sent() {
    let hostile = one();
    for kind in ["cr", "lf", "nul", "space", "colon", "empty", "null-array"] {
        let response = hostile.server.get(&format!("/head/{kind}"));
        assert!(
            response.text().starts_with("refused -"),
            "{kind}: {response:?}"
        );
        hostile.expect_alive(kind);
    }
    for kind in ["many", "odd-id"] {
        hostile.expect_status(&format!("/head/{kind}"), 200);
    }
}

#[test]
fn a_value_with_white_space_at_an_end_and_a_trailer_field_are_refused() {
    let hostile = one();
    for path in ["/head/lead", "/head/trail", "/framing/trailer"] {
        hostile.expect(path, 200, &format!("refused {INVALID}"));
    }
}

#[test]
fn framing_fields_are_the_hosts() {
    let hostile = one();
    let names = [
        "connection",
        "transfer-encoding",
        "keep-alive",
        "te",
        "upgrade",
    ];
    for name in names {
        hostile.expect(
            &format!("/framing/{name}"),
            200,
            &format!("refused {INVALID}"),
        );
    }
    hostile.expect("/framing-id/named", 200, &format!("refused {INVALID}"));
    // The id counts, not the name beside it: what goes out is the harmless field.
    let hidden = hostile.server.get("/framing-id/hidden");
    assert_eq!(hidden.field("transfer-encoding"), None);
}

#[test]
fn a_wrong_length_never_frames_wrongly() {
    let hostile = one();
    for kind in ["header", "words", "two"] {
        hostile.expect(
            &format!("/length/{kind}"),
            200,
            &format!("refused {INVALID}"),
        );
    }
    for kind in ["long", "short", "max"] {
        let mut client = hostile.server.connect();
        client.send(get(&format!("/length/{kind}")));
        match client.read(To::Other) {
            Ok(response) => {
                let text = response.text();
                assert!(
                    text.starts_with("refused -") || text == "12345",
                    "{kind}: {response:?}"
                );
            }
            Err(Broken::Truncated(_) | Broken::Io(_)) => {}
            Err(other) => panic!("{kind}: {other:?}"),
        }
        hostile.expect_alive(kind);
    }
}

#[test]
fn an_unknown_critical_flag_of_a_response_is_refused() {
    one().expect("/flags/critical", 200, "refused -2");
}

#[test]
fn unknown_flags_and_sizes_follow_the_extension_rules() {
    let hostile = one();
    hostile.expect("/flags/low", 200, "ok");
    hostile.expect("/size/more", 200, "ok");
    let zero = hostile.server.get("/size/zero");
    assert!(zero.text().starts_with("refused -"), "{zero:?}");
    hostile.expect("/ext", 200, "ext null");
    hostile.expect_status("/log", 200);
}

#[test]
fn informational_answers_are_checked() {
    let hostile = one();
    for status in ["100", "101", "200", "99", "bad"] {
        hostile.expect(
            &format!("/inform/{status}"),
            200,
            &format!("inform {INVALID}"),
        );
    }
    let mut client = hostile.server.connect();
    client.send(get("/inform/103"));
    assert_eq!(client.response().status, 103);
    assert_eq!(client.response().text(), "inform 0");
}

#[test]
fn upgrades_out_of_turn_are_refused() {
    let hostile = one();
    let unoffered = hostile.server.get("/upgrade/unoffered");
    assert!(unoffered.text().starts_with("refused -"), "{unoffered:?}");
    let early = hostile.server.get("/upgrade/early");
    assert!(early.text().starts_with("upgrade -"), "{early:?}");
}

#[test]
fn a_body_that_fails_breaks_the_response_off() {
    let hostile = one();
    for kind in ["error", "unknown", "short", "code/-1"] {
        hostile.expect_broken(&format!("/body/{kind}"));
    }
}

#[test]
fn a_body_longer_than_declared_is_cut_and_never_smuggles() {
    let hostile = one();
    let mut client = hostile.server.connect();
    client.send([get("/body/long"), get("/ok")].concat());
    assert_eq!(client.response().body.len(), 5);
    // What exceeds must not become the next response.
    assert_eq!(client.response().text(), "ok");
}

#[test]
fn empty_frames_do_not_end_a_body() {
    one().expect("/body/empty", 200, "done");
}

#[test]
fn endless_and_stuck_bodies_end_with_their_client() {
    let hostile = one();
    for kind in ["endless", "stuck"] {
        let mut client = hostile.server.connect();
        client.send(get(&format!("/body/{kind}")));
        assert!(!client.some().is_empty());
        drop(client);
        let mut watcher = hostile.server.connect();
        until(&format!("drop of the {kind} body"), || {
            watcher.send(get("/notes"));
            watcher
                .response()
                .text()
                .lines()
                .any(|line| line.starts_with(kind))
        });
    }
}

#[test]
fn a_body_is_not_polled_after_its_end_nor_sent_to_head() {
    let hostile = one();
    hostile.expect_status("/body/after", 200);
    assert!(
        !hostile
            .server
            .get("/notes")
            .text()
            .contains("polled after the end")
    );
    let mut client = hostile.server.connect();
    client.send("HEAD /body/head HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.response_to_head().status, 200);
    client.send(get("/ok"));
    assert_eq!(client.response().text(), "ok");
}

#[test]
fn trailers_are_checked_as_fields_are() {
    let hostile = one();
    let ask = |kind: &str| -> Result<_, Broken> {
        let mut client = hostile.server.connect();
        client.send(format!(
            "GET /trailers/{kind} HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nConnection: TE\r\n\r\n"
        ));
        client.read(To::Other)
    };
    assert_eq!(
        ask("good").unwrap().trailers,
        [("x-sum".to_owned(), "1".to_owned())]
    );
    for kind in ["framing", "split", "middle"] {
        if let Ok(response) = ask(kind) {
            let bad = ["content-length", "transfer-encoding", "x-injected"];
            let named = |name: &str| response.trailers.iter().any(|(other, _)| other == name);
            assert!(!bad.iter().any(|name| named(name)), "{kind}: {response:?}");
        }
        hostile.expect_alive(kind);
    }
}

#[test]
fn file_frames_are_sent_exactly_or_broken_off() {
    let hostile = one();
    hostile.expect("/file/whole", 200, "0123456789");
    hostile.expect("/file/part", 200, "234");
    for kind in ["short", "closed", "directory"] {
        let mut client = hostile.server.connect();
        client.send(get(&format!("/file/{kind}")));
        match client.read(To::Other) {
            Ok(response) => assert_eq!(response.status, 500, "{kind}: {response:?}"),
            Err(Broken::Truncated(_) | Broken::Io(_) | Broken::Closed) => {}
            Err(other) => panic!("{kind}: {other:?}"),
        }
        hostile.expect_alive(kind);
    }
}

#[test]
fn request_bodies_may_be_ignored_leaked_and_read_elsewhere() {
    let hostile = one();
    let long = vec![b'b'; 1 << 20];
    for kind in ["ignore", "leak", "later"] {
        let response = Client::fetch(
            &hostile.server.address,
            post(&format!("/reqbody/{kind}"), &long),
        );
        assert_eq!(response.status, 200, "{kind}");
        hostile.expect_alive(kind);
    }
    let response = Client::fetch(&hostile.server.address, post("/reqbody/thread", &long));
    assert_eq!(response.text(), "1048576 bytes");
}

#[test]
fn a_pending_call_is_dropped_with_its_client() {
    let hostile = one();
    let mut client = hostile.server.connect();
    client.send(get("/pending"));
    hostile.expect_alive("/pending");
    drop(client);
    hostile.expect_note("dropped");
}

#[test]
fn functions_of_the_exchange_are_safe_from_other_threads_and_after_its_end() {
    let hostile = one();
    hostile.expect("/thread/after", 200, "ok");
    for name in ["respond", "inform", "upgrade"] {
        let mut client = hostile.server.connect();
        until(&format!("note on {name}"), || {
            client.send(get("/notes"));
            client
                .response()
                .text()
                .contains(&format!("after {name} -"))
        });
    }
}

#[test]
fn respond_from_a_thread_is_too_late() {
    one().expect("/thread/respond", 200, "thread -5");
}

#[test]
fn wakers_survive_storms_and_leaks() {
    let hostile = one();
    hostile.expect("/wake/storm", 200, "calm");
    for kind in ["self", "late", "leak"] {
        hostile.expect_status(&format!("/wake/{kind}"), 200);
    }
    hostile.expect_status("/leak/ctx", 200);
}

#[test]
fn a_call_that_asked_to_finish_outlives_its_client() {
    let hostile = one();
    let mut client = hostile.server.connect();
    client.send(get("/finish"));
    hostile.expect_alive("/finish");
    drop(client);
    hostile.expect_note("finished");
}

#[test]
fn foreign_upgrades_echo_and_never_hang() {
    let hostile = one();
    let head = |kind: &str| {
        format!(
            "GET /upgrade-then/{kind} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n\
             Upgrade: echo\r\n\r\n"
        )
    };
    let mut client = hostile.server.connect();
    client.send(head("echo") + "ahead");
    assert_eq!(client.response().status, 101);
    let mut came = Vec::new();
    while came.len() < 5 {
        came.extend_from_slice(&client.some());
    }
    assert_eq!(came, b"ahead");
    let mut client = hostile.server.connect();
    client.send(head("never"));
    // Whether the 101 is sent or not, the connection ends.
    let _answer = client.rest();
    hostile.expect_alive("/upgrade-then/never");
}

#[test]
fn a_shutdown_that_never_ends_is_cut_by_the_graceful_timeout() {
    for mode in ["shutdown-pending", "shutdown-fail"] {
        let hostile =
            Hostile::serve(&["--workers", "1", "--graceful-timeout", "300ms", "--", mode]);
        hostile.expect_alive(mode);
        let (code, said) = hostile.server.stop();
        assert_eq!(code, 0, "{mode}: {said}");
    }
}

#[test]
fn draining_is_told_to_the_module() {
    let hostile = one();
    let mut client = hostile.server.connect();
    client.send(get("/draining"));
    hostile.expect_alive("/draining");
    let Hostile { server, _folder } = hostile;
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert_eq!(client.response().text(), "draining");
}
