//! Foreign modules under the interposer: the C and C++ examples keep every rule, and the hostile
//! module is caught at each that it breaks.
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

mod host;
mod modules;

use gateway_spec::abi::host::Module;
use gateway_spec::abi::interpose::MAX_WATCHED;
use gateway_spec::rules::{self, Rule};

use host::{Ask, Watched};

// In the place of the C example.
gateway_spec::export_watched!(modules::newly_watched);

#[test]
fn the_c_example_answers_and_keeps_every_rule() {
    let mut app = Watched::start(&modules::hello_c(), "");
    let hello = app.ask(Ask::get("/"));
    assert_eq!(
        (hello.status, hello.text().as_str()),
        (200, "Hello, World!")
    );
    assert_eq!(app.ask(Ask::get("/nothing")).status, 404);
    assert_eq!(app.ask(Ask::get("/").with_body(&[b"ignored"])).status, 200);
    assert_eq!(app.end(), NOTHING);
}

#[test]
fn the_c_example_greets_as_its_argument_says() {
    let mut app = Watched::start(&modules::hello_c(), "Salut");
    assert_eq!(app.ask(Ask::get("/")).text(), "Salut");
    assert_eq!(app.end(), NOTHING);
}

#[test]
fn the_cpp_example_streams_a_body_back_with_its_trailers_and_keeps_every_rule() {
    let mut app = Watched::start(&modules::stream_cpp(), "");
    let echo = app.ask(Ask::get("/any").with_body(&[b"one ", b"two ", b"three"]));
    assert_eq!((echo.status, echo.text().as_str()), (200, "one two three"));
    let echo = app.ask(
        Ask::get("/any")
            .with_body(&[b"sum me"])
            .with_trailer("x-sum", "42"),
    );
    assert_eq!(echo.trailers, [("x-sum".to_owned(), "42".to_owned())]);
    assert_eq!(app.ask(Ask::get("/any")).text(), "");
    assert_eq!(app.end(), NOTHING);
}

#[test]
fn the_hostile_module_is_caught_at_each_rule_that_it_breaks() {
    let module = modules::hostile();
    let cases: &[(&str, &[&Rule])] = &[
        ("/ok", &[]),
        ("/twice", &[rules::RES_02]),
        ("/never", &[rules::RES_01]),
        ("/code/-6", &[]),
        ("/code/99", &[rules::CALL_08]),
        ("/status/600", &[rules::RES_04]),
        ("/status/103", &[rules::RES_04]),
        ("/bodiless/304", &[rules::RES_08]),
        ("/head/cr", &[rules::RES_05]),
        ("/head/nul", &[rules::RES_05]),
        ("/head/upper", &[rules::RES_05]),
        ("/head/trail", &[rules::RES_05]),
        ("/head/null-array", &[rules::LOAD_06]),
        ("/head/huge-count", &[rules::LOAD_06]),
        ("/head/odd-id", &[]),
        ("/framing/transfer-encoding", &[rules::RES_07]),
        ("/framing-id/named", &[rules::REQ_17]),
        ("/framing-id/hidden", &[rules::RES_07, rules::REQ_17]),
        ("/length/long", &[rules::RES_09]),
        ("/length/header", &[rules::RES_09]),
        ("/flags/critical", &[rules::LOAD_04]),
        ("/flags/low", &[]),
        ("/size/zero", &[rules::LOAD_06]),
        ("/size/more", &[]),
        ("/inform/103", &[]),
        ("/inform/100", &[rules::RES_16]),
        ("/inform/bad", &[rules::RES_16]),
        ("/inform/after", &[rules::RES_16]),
        ("/upgrade/unoffered", &[rules::UPG_01]),
        ("/upgrade/early", &[rules::UPG_03]),
        ("/log", &[rules::LOG_02]),
        ("/body/error", &[]),
        ("/body/unknown", &[rules::BODY_10]),
        ("/body/long", &[rules::RES_09]),
        ("/body/short", &[rules::RES_09]),
        ("/body/empty", &[]),
        ("/trailers/good", &[]),
        ("/trailers/framing", &[rules::BODY_06]),
        ("/trailers/split", &[rules::BODY_06]),
        ("/trailers/middle", &[rules::BODY_06]),
        ("/file/part", &[]),
        ("/file/short", &[rules::RES_18]),
        ("/file/closed", &[rules::RES_18]),
        ("/file/directory", &[rules::RES_18]),
        ("/thread/respond", &[rules::RES_02]),
        ("/wake/storm", &[]),
        ("/wake/self", &[]),
        ("/wake/leak", &[rules::RES_14]),
        ("/leak/ctx", &[rules::RES_14]),
        ("/ub/ctx", &[rules::RES_14]),
        ("/ub/waker", &[rules::CALL_04]),
    ];
    for (path, expected) in cases {
        let mut app = Watched::start(&module, "");
        let answer = app.ask(Ask::get(path));
        let found = app.end();
        assert_eq!(found, *expected, "{path}, which answered {answer:?}");
    }
}

#[test]
fn a_success_in_answer_to_connect_is_caught_unless_it_is_an_upgrade() {
    let module = modules::hostile();
    let cases: &[(&str, u32, &[&Rule])] = &[
        ("/ok", 0, &[rules::UPG_05]),
        ("/status/299", 0, &[rules::UPG_05]),
        ("/status/300", 300, &[]),
        ("/status/501", 501, &[]),
    ];
    for (path, status, expected) in cases {
        let mut app = Watched::start(&module, "");
        let answer = app.ask(Ask::connect(path));
        assert_eq!(answer.status, *status, "{path}");
        assert_eq!(app.end(), *expected, "{path}, which answered {answer:?}");
    }
}

#[test]
fn neglected_request_bodies_are_caught() {
    let module = modules::hostile();
    let cases: &[(&str, &[&Rule])] = &[
        ("/reqbody/ignore", &[]),
        ("/reqbody/thread", &[]),
        ("/reqbody/leak", &[rules::RES_14]),
        ("/ub/body", &[rules::RES_14]),
    ];
    for (path, expected) in cases {
        let mut app = Watched::start(&module, "");
        let answer = app.ask(Ask::get(path).with_body(&[b"some ", b"content"]));
        assert_eq!(app.end(), *expected, "{path}, which answered {answer:?}");
    }
}

#[test]
fn a_pending_call_that_the_host_cancels_is_no_breach() {
    let mut app = Watched::start(&modules::hostile(), "");
    let answer = app.ask_and_cancel(Ask::get("/pending"));
    assert_eq!(answer.status, 0);
    assert_eq!(app.end(), NOTHING);
}

#[test]
fn lifespan_lies_of_the_hostile_module_are_caught() {
    let module = modules::hostile();
    assert_eq!(Watched::try_start(&module, "create-null"), [rules::LIFE_04]);
    assert_eq!(
        Watched::try_start(&module, "startup-positive"),
        [rules::LIFE_04]
    );
    assert_eq!(
        Watched::try_start(&module, "startup-overlong"),
        [rules::LIFE_04]
    );
    assert_eq!(
        Watched::try_start(&module, "startup-fail"),
        NOTHING,
        "failing is allowed"
    );
}

#[test]
fn the_host_layer_refuses_by_itself_what_it_must_not_hand_on() {
    let mut app = Watched::start(&modules::unwatched_hostile(), "");
    let cases = [
        ("/flags/critical", "refused -2"),
        ("/flags/low", "ok"),
        ("/head/null-array", "refused -3"),
        ("/head/huge-count", "refused -3"),
        ("/size/zero", "refused -3"),
        ("/size/more", "ok"),
        ("/inform/100", "inform -3"),
        ("/inform/101", "inform -3"),
        ("/inform/103", "inform 0"),
        ("/thread/respond", "thread -5"),
        ("/ext", "ext null"),
    ];
    for (path, text) in cases {
        assert_eq!(app.ask(Ask::get(path)).text(), text, "{path}");
    }
    assert_eq!(app.ask(Ask::get("/twice")).text(), "first");
    assert_eq!(app.ask(Ask::get("/notes")).text(), "twice -5\n");
    assert_eq!(app.ask(Ask::get("/never")).status, 0);
    app.end();
}

#[test]
fn a_module_that_watches_another_makes_as_many_instances_as_its_host_asks_for() {
    let module = Module::linked(&gateway_module_v1).expect("a module of this version");
    for _ in 0..=MAX_WATCHED {
        let mut app = Watched::start(&module, "");
        assert_eq!(app.ask(Ask::get("/")).text(), "Hello, World!");
        assert_eq!(app.end(), NOTHING);
    }
}

const NOTHING: [&Rule; 0] = [];
