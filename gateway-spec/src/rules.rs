//! [`RULES`]: the numbered rules of the interface, and how each is checked.
//!
//! The text of a rule stands in a `//#` comment directly above the code that checks it; for rules
//! that no lint sees, in the table below. `cargo xtask spec` gathers the texts into SPEC.md.

use std::fmt;

/// One rule of SPEC.md.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its name for ever: `REQ-02`. A rule that is given up leaves a gap.
    pub id: &'static str,
    /// Who has to keep it.
    pub binds: Binds,
    /// The version of the interface that introduced it.
    pub since: &'static str,
    /// How a breach is found.
    pub check: Check,
}

/// The side that a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the interface has two sides")]
pub enum Binds {
    /// The server.
    Host,
    /// The application, middleware included.
    App,
    /// Both.
    Both,
}

/// How a breach of a rule is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// By `Lint` around the Rust trait, and by the interposer where the C ABI shows it too.
    Lint,
    /// By the interposer over the tables of the C ABI alone: Rust's types leave no way to break it.
    Interposer,
    /// By a test, named as `file::function` from the root of the project.
    Test(&'static str),
    /// By none, for this reason.
    NotCheckable(&'static str),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

// Rules are compared by name, so that a violation can be matched in a test.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

macro_rules! rules {
    ($($name:ident $id:literal $binds:ident $since:literal $check:ident $(($detail:literal))?;)*) => {
        $(
            #[doc = concat!("Rule ", $id, " of SPEC.md.")]
            pub const $name: &Rule = &Rule {
                id: $id,
                binds: Binds::$binds,
                since: $since,
                check: Check::$check $(($detail))?,
            };
        )*

        /// All rules, in the order of SPEC.md.
        pub const RULES: &[&Rule] = &[$($name),*];
    };
}

// Read by `cargo xtask spec` line by line: name, id, side, version, check.
rules! {
    //# [LOAD-01] The host finds the descriptor by the symbol `gateway_module_v1` and checks, before it calls
    //# anything in the module, in this order: magic, major version, size, `min_host_minor`, critical flags. A
    //# module that fails is refused with a message that names what both sides have.
    LOAD_01 "LOAD-01" Host "1.0" Test("tests/tests/e2e/loading.rs::a_descriptor_that_this_host_must_not_serve_is_refused");
    //# [LOAD-02] The host loads a module whose structures are larger than its own, or smaller down to their sizes
    //# in version 1.0. It ignores a different minor version and unknown non-critical flags.
    LOAD_02 "LOAD-02" Host "1.0" Test("tests/tests/e2e/loading.rs::a_later_descriptor_and_harmless_flags_are_served");
    //# [LOAD-03] Nobody reads a field beyond the `struct_size` that its filler wrote, or writes one beyond the
    //# capacity that its lender wrote. An absent field counts as zero.
    LOAD_03 "LOAD-03" Both "1.0" NotCheckable("reading a few bytes too many leaves no trace; the tests of both sides hand each other short and long structures");
    LOAD_04 "LOAD-04" Both "1.0" Interposer;
    LOAD_05 "LOAD-05" Both "1.0" Interposer;
    LOAD_06 "LOAD-06" Both "1.0" Interposer;
    //# [LOAD-07] The host never unloads a module, and keeps what it handed out for the life of the process valid
    //# until the process exits. The application tolerates that it is never destroyed.
    LOAD_07 "LOAD-07" Both "1.0" NotCheckable("that something will never happen shows at no moment; the process's end is the proof");
    //# [LOAD-08] Serving does not depend on the module's file: replacing, truncating or deleting it changes
    //# nothing for processes that run it, and all processes of one generation run the same bytes.
    LOAD_08 "LOAD-08" Host "1.0" Test("tests/tests/e2e/lifecycle.rs::an_application_that_is_broken_overwritten_or_gone_harms_no_request");

    LIFE_01 "LIFE-01" Host "1.0" Interposer;
    LIFE_02 "LIFE-02" Host "1.0" Lint;
    LIFE_03 "LIFE-03" Host "1.0" Lint;
    LIFE_04 "LIFE-04" App "1.0" Interposer;
    //# [LIFE-05] When `create` or `startup` fails, the host logs the application's message, does not serve it, and
    //# ends with an exit status of its own for this (3; 4 for a module that it could not load).
    LIFE_05 "LIFE-05" Host "1.0" Test("tests/tests/e2e/lifecycle.rs::a_start_up_that_fails_or_panics_ends_with_code_3_and_its_words_once");
    //# [LIFE-06] The host bounds `shutdown` by the deadline that it names, then destroys the instance or exits.
    LIFE_06 "LIFE-06" Host "1.0" Test("tests/tests/e2e/hostile.rs::a_shutdown_that_never_ends_is_cut_by_the_graceful_timeout");
    //# [LIFE-07] The application starts no thread and reaches for no network in constructors of the module or in
    //# `create`; `startup` is the place.
    LIFE_07 "LIFE-07" App "1.0" NotCheckable("a thread cannot be traced back to the library that started it");
    LIFE_08 "LIFE-08" App "1.0" Interposer;
    //# [LIFE-09] A draining host tells so: `poll_draining` of every exchange and stream becomes READY and wakes.
    //# What has not ended by itself at the host's graceful deadline is dropped.
    LIFE_09 "LIFE-09" Host "1.0" Test("tests/tests/e2e/hostile.rs::draining_is_told_to_the_module");

    REQ_01 "REQ-01" Host "1.0" Lint;
    REQ_02 "REQ-02" Host "1.0" Lint;
    REQ_03 "REQ-03" Host "1.0" Lint;
    REQ_04 "REQ-04" Host "1.0" Lint;
    REQ_05 "REQ-05" Host "1.0" Lint;
    REQ_06 "REQ-06" Host "1.0" Lint;
    REQ_07 "REQ-07" Host "1.0" Lint;
    REQ_08 "REQ-08" Host "1.0" Lint;
    REQ_09 "REQ-09" Host "1.0" Lint;
    //# [REQ-10] A request whose length is ambiguous (Content-Length and Transfer-Encoding together, lengths that
    //# differ, a coding that is not `chunked` last) is refused before the application sees it.
    REQ_10 "REQ-10" Host "1.0" Test("gateway-server/tests/corpus.rs::every_case_has_its_verdict_whole");
    REQ_11 "REQ-11" Host "1.0" Lint;
    REQ_12 "REQ-12" Host "1.0" Lint;
    //# [REQ-13] Only the transport, the host's configuration and trusted proxies determine mount, scheme, addresses
    //# and TLS facts. No field and no form of target that a client sends can change them.
    REQ_13 "REQ-13" Host "1.0" Test("tests/tests/e2e/conformance.rs::an_untrusted_client_cannot_forge_facts");
    //# [REQ-14] A head beyond the host's limits is answered with a 4xx status and never reaches the application.
    REQ_14 "REQ-14" Host "1.0" Test("gateway-server/src/http1/head/tests.rs::limits_are_exact");
    REQ_15 "REQ-15" Host "1.0" Lint;
    REQ_16 "REQ-16" Host "1.0" Interposer;
    REQ_17 "REQ-17" Host "1.0" Interposer;

    //# [BODY-01] The host decodes framing; the application sees content only.
    BODY_01 "BODY-01" Host "1.0" Test("gateway-server/src/http1/body/tests.rs::chunks_end_where_they_say");
    //# [BODY-02] The end of a body, an error and the client's disappearance are three distinct results.
    BODY_02 "BODY-02" Host "1.0" Test("tests/tests/e2e/conformance.rs::a_body_cut_off_is_an_error_not_an_end");
    //# [BODY-03] For a body that is not polled the host buffers at most its stated bound and reads no more.
    BODY_03 "BODY-03" Host "1.0" Test("tests/tests/e2e/conformance.rs::a_body_that_nobody_polls_stops_its_sender");
    //# [BODY-04] `100 Continue` is sent when the application first polls the body, not before, and never after a
    //# final response has begun.
    BODY_04 "BODY-04" Host "1.0" Test("tests/tests/e2e/exchanges.rs::expect_continue_is_released_by_the_first_look_at_the_body");
    BODY_05 "BODY-05" Host "1.0" Lint;
    BODY_06 "BODY-06" Both "1.0" Lint;
    //# [BODY-07] Dropping an unread body leaves the connection correct: the host discards the rest within its
    //# limits, or closes.
    BODY_07 "BODY-07" Host "1.0" Test("tests/tests/e2e/exchanges.rs::an_unread_body_does_not_become_the_next_request");
    //# [BODY-08] A body that exceeds the host's limit yields LIMIT; nothing beyond the limit is delivered.
    BODY_08 "BODY-08" Host "1.0" Test("gateway-server/src/http1/body/tests.rs::a_body_of_the_limit_is_accepted_and_one_byte_more_is_not");
    BODY_09 "BODY-09" Both "1.0" Lint;
    BODY_10 "BODY-10" Both "1.0" Lint;
    //# [BODY-11] The request's body may be polled until the exchange has ended, also after the call; from then on
    //# it answers CLOSED, from whatever thread, unless its end had already been reached.
    BODY_11 "BODY-11" Host "1.0" Test("tests/tests/e2e/conformance.rs::a_body_kept_beyond_the_exchange_answers_closed");

    RES_01 "RES-01" App "1.0" Interposer;
    RES_02 "RES-02" App "1.0" Interposer;
    RES_03 "RES-03" Host "1.0" Interposer;
    RES_04 "RES-04" App "1.0" Lint;
    RES_05 "RES-05" App "1.0" Lint;
    RES_06 "RES-06" Host "1.0" Interposer;
    RES_07 "RES-07" App "1.0" Lint;
    RES_08 "RES-08" App "1.0" Lint;
    RES_09 "RES-09" App "1.0" Lint;
    //# [RES-10] The host enforces a declared length: it cuts and logs an excess, and resets the response when
    //# content ends short of it, so that no client takes a part for the whole.
    RES_10 "RES-10" Host "1.0" Test("tests/tests/e2e/hostile.rs::a_body_longer_than_declared_is_cut_and_never_smuggles");
    //# [RES-11] Field lines go out in the application's order, repeated ones as separate lines.
    RES_11 "RES-11" Host "1.0" Test("tests/tests/e2e/conformance.rs::fields_keep_their_order_and_repeated_ones_their_lines");
    //# [RES-12] The head goes out without waiting for the body, and each frame is passed on before the next is
    //# polled.
    RES_12 "RES-12" Host "1.0" Test("tests/tests/e2e/hostile.rs::endless_and_stuck_bodies_end_with_their_client");
    //# [RES-13] The host polls a response's body only while it can write: a client that does not read stops it.
    RES_13 "RES-13" Host "1.0" Test("tests/tests/e2e/bodies.rs::a_client_that_does_not_read_does_not_grow_the_server");
    RES_14 "RES-14" Both "1.0" Interposer;
    //# [RES-15] The host owns Date, Connection and Transfer-Encoding. It sends trailers where the protocol has a
    //# place for them and the client accepts them, and discards them otherwise.
    RES_15 "RES-15" Host "1.0" Test("tests/tests/e2e/hostile.rs::trailers_are_checked_as_fields_are");
    RES_16 "RES-16" App "1.0" Lint;
    RES_17 "RES-17" Host "1.0" Interposer;
    RES_18 "RES-18" App "1.0" Lint;
    //# [RES-19] No content is sent in answer to HEAD or with 204, 304 and interim responses, whatever the application
    //# gave.
    RES_19 "RES-19" Host "1.0" Test("gateway-server/src/http1/encode/tests.rs::bodiless_statuses_have_no_body");
    RES_20 "RES-20" Host "1.0" Interposer;
    RES_21 "RES-21" App "1.0" Interposer;

    CALL_01 "CALL-01" Both "1.0" Interposer;
    //# [CALL-02] When the client goes, the host drops the call within a time that it states, unless the application
    //# has set FINISH_ON_DISCONNECT, or the response is complete and only work behind it goes on.
    CALL_02 "CALL-02" Host "1.0" Test("tests/tests/e2e/hostile.rs::a_pending_call_is_dropped_with_its_client");
    //# [CALL-03] Every wake of the last waker that was given leads to a later poll, from whatever thread it comes
    //# and however many there are. Polls without a wake are harmless to the application.
    CALL_03 "CALL-03" Both "1.0" Test("tests/tests/e2e/hostile.rs::wakers_survive_storms_and_leaks");
    CALL_04 "CALL-04" Both "1.0" Interposer;
    CALL_05 "CALL-05" App "1.0" Lint;
    CALL_06 "CALL-06" Host "1.0" Interposer;
    CALL_07 "CALL-07" Both "1.0" Interposer;
    CALL_08 "CALL-08" App "1.0" Interposer;
    //# [CALL-09] Once the response has been written, work behind it neither delays the connection's next request
    //# nor is cancelled by a disconnect; the host's graceful deadline ends it.
    CALL_09 "CALL-09" Host "1.0" Test("tests/tests/e2e/exchanges.rs::work_behind_the_answer_delays_neither_answer_nor_next_request");

    //# [ERR-01] No panic, exception or `longjmp` crosses the border in either direction.
    ERR_01 "ERR-01" Both "1.0" NotCheckable("unwinding across the border is undefined or ends the process before any check can run; the panic tests of each side stand for it");
    //# [ERR-02] A panic or error before the head is answered with a status of its own; afterwards the response is
    //# reset, unless all of its content is there already. Other exchanges of the process are not disturbed.
    ERR_02 "ERR-02" Host "1.0" Test("tests/tests/e2e/panics.rs::a_panic_after_the_head_breaks_the_response_off");
    //# [ERR-03] Before the head, LIMIT is answered with 413, TIMEOUT with 408, PROTOCOL with 400, BUSY with 503,
    //# everything else with 500. The details go to the log and never to the client.
    ERR_03 "ERR-03" Host "1.0" Test("tests/tests/e2e/conformance.rs::each_error_code_before_the_head_has_its_status");

    UPG_01 "UPG-01" App "1.0" Lint;
    //# [UPG-02] Bytes that the client sent with its request are the first that the stream yields. Both directions
    //# end independently.
    UPG_02 "UPG-02" Host "1.0" Test("tests/tests/e2e/hostile.rs::foreign_upgrades_echo_and_never_hang");
    UPG_03 "UPG-03" App "1.0" Interposer;
    UPG_04 "UPG-04" Both "1.0" Interposer;
    UPG_05 "UPG-05" App "1.0" Lint;

    //# [LOG-01] `log` may be called from any thread, from before `startup` until after `shutdown`, with any bytes:
    //# the host escapes control characters, so that no record can pretend to be another.
    LOG_01 "LOG-01" Host "1.0" Test("tests/tests/e2e/conformance.rs::a_log_record_cannot_forge_another");
    LOG_02 "LOG-02" App "1.0" Interposer;
    EXT_01 "EXT-01" Host "1.0" Interposer;
    //# [EXT-02] `gw.commands/1` yields, once `startup` was READY, a table of as many commands as it says, whose names
    //# are unique, or NULL if there are none. `run` with words that begin with none of the names does nothing and
    //# returns INVALID.
    EXT_02 "EXT-02" App "1.0" Test("gateway-spec/tests/roundtrip/commands.rs::commands_are_listed_and_run_with_the_words_as_typed");
    //# [EXT-03] A command runs between `startup` and `shutdown` of an instance that gets no request, which `create` was
    //# told by COMMANDS_ONLY; its status becomes the exit status of the process, whose standard streams are its own
    //# meanwhile.
    EXT_03 "EXT-03" Host "1.0" Test("tests/tests/e2e/commands.rs::a_command_has_the_terminal_and_the_exit_status_to_itself");
    //# [EXT-04] `gw.request-id/1` yields the id by which the host's log names the request, visible ASCII and the same at
    //# every time, or NULL if the host makes none.
    EXT_04 "EXT-04" Host "1.0" Test("tests/tests/e2e/deaths.rs::the_id_that_an_application_logs_is_the_one_that_is_named");
    //# [EXT-05] `define` of `gw.metrics/1` yields one metric for a name and labels, however often and from whatever
    //# thread it is asked for, as long as the host has room, and refuses what breaks the grammar of the header. What is
    //# refused, not finite, or not for this kind of metric changes nothing.
    EXT_05 "EXT-05" Host "1.0" Test("gateway-spec/tests/roundtrip/metrics.rs::a_metric_is_what_was_asked_for_and_nothing_else_is_one");
    //# [EXT-06] What an application counts survives its processes and is shown as their sum. Whatever it asks for or
    //# writes, it changes no metric of the host's own, and no name, label or value of its is read as anything else.
    EXT_06 "EXT-06" Host "1.0" Test("tests/tests/e2e/metrics/apps.rs::what_an_application_asks_for_never_hurts_the_exposition");
    //# [CGI-01] CGI and WSGI variables follow from the request by the table of the chapter on CGI, and a request can
    //# be rebuilt from them without loss beyond what CGI itself loses.
    CGI_01 "CGI-01" Both "1.0" Test("gateway-spec/tests/cgi.rs::variables_and_back_keep_the_request");
}
