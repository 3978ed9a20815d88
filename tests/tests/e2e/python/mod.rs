//! The C ABI is for any language: hosts in Python answer as gatewayd does, under every server.

mod hostile;
mod life;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::process::Process;
use gateway_tests::python::{Kind, program};

use crate::alike::{self, each};

each!({
    gunicorn: Kind::Gunicorn,
    gunicorn_threads: Kind::GunicornThreads,
    uwsgi: Kind::Uwsgi,
    granian: Kind::Granian,
    granian_asgi: Kind::GranianAsgi,
    uvicorn: Kind::Uvicorn,
} {
    answers_are_as_gatewayds: alike::answers_are_as_gatewayds,
    requests_are_told_as_by_gatewayd_but_for_documented_limits: alike::requests_are_told,
    every_rule_is_kept: alike::every_rule_is_kept,
    a_hostile_application_is_kept_to_the_rules: hostile::is_kept_to_the_rules,
    the_application_is_started_and_ended: life::the_application_is_started_and_ended,
});

#[test]
fn the_packages_own_tests_pass() {
    let tests = gateway_tests::artefacts::root().join("adapters/python/tests");
    let tests = tests.display().to_string();
    let mut pytest = program(
        "python",
        &[&["-m", "pytest", "-q", "-p", "no:cacheprovider", &tests]],
    );
    let (_folder, hostile) = alike::hostile();
    pytest
        .env("ECHO", Artefacts::built().module("echo"))
        .env("HOSTILE", hostile)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let (code, said) = Process::start(&mut pytest).end();
    assert_eq!(code, 0, "{said}");
}
