//! One application under the servers of the Rust world: each answers as gatewayd does.

mod axum_app;
mod hosting;
mod lambda;
mod swap;
mod tower;

use gateway_tests::hosts::Kind;

use crate::alike::{self, each};

each!({
    hyper: Kind::Hyper,
    axum: Kind::Axum,
    actix: Kind::Actix,
} {
    requests_are_told_as_by_gatewayd: alike::requests_are_told,
    answers_are_as_gatewayds: alike::answers_are_as_gatewayds,
    every_rule_is_kept: alike::every_rule_is_kept,
    a_success_alone_is_no_answer_to_connect: hosting::a_success_alone_is_no_answer_to_connect,
    calls_end_as_their_clients_do: hosting::calls_end_as_their_clients_do,
    bodies_wait_for_their_readers: hosting::bodies_wait_for_their_readers,
    a_stop_drains_and_waits: hosting::a_stop_drains_and_waits,
});
