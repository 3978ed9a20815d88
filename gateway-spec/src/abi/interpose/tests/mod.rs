//! Every rule that the interposer alone checks is broken here, by a puppet host or a puppet
//! application, and each breach is reported by its own name.

mod puppet;

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use puppet::reported;

use crate::abi::size::struct_size;
use crate::abi::types::{
    EXT_TLS, GwBuf, GwFrame, GwHeader, GwStr, code, frame_kind, module_flag, response_flag,
};
use crate::abi::{GwBodyVt, GwStream};
use crate::rules::{self, Check, RULES, Rule};

const NOTHING: [&Rule; 0] = [];

#[test]
fn a_host_and_an_application_that_keep_the_rules_are_not_reported() {
    let found = reported(|puppet| {
        puppet.start();
        assert_eq!(puppet.call(|app| app.respond(200)), code::READY);
        puppet.stop();
    });
    assert_eq!(found, NOTHING);
}

// ---- lifespan -------------------------------------------------------------------------------

#[test]
fn a_host_that_leaves_the_lifespans_order_is_reported() {
    let unstarted = reported(|puppet| {
        puppet.create();
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(unstarted, [rules::LIFE_02]);

    let twice = reported(|puppet| {
        puppet.start();
        puppet.startup();
    });
    assert_eq!(twice, [rules::LIFE_01]);

    let hasty = reported(|puppet| {
        puppet.start();
        puppet.destroy();
    });
    assert_eq!(hasty, [rules::LIFE_01]);

    let pending = reported(|puppet| {
        puppet.start();
        puppet.call(|app| app.pend());
        puppet.shutdown();
    });
    assert_eq!(pending, [rules::LIFE_03]);

    let late = reported(|puppet| {
        puppet.start();
        puppet.shutdown();
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(late, [rules::LIFE_02]);
}

#[test]
fn an_application_whose_lifespan_results_are_wrong_is_reported() {
    let odd = reported(|puppet| {
        puppet.create();
        puppet.startup_answers(7);
        puppet.startup();
    });
    assert_eq!(odd, [rules::LIFE_04]);

    let empty = reported(|puppet| puppet.create_stores(ptr::null()));
    assert_eq!(empty, [rules::LIFE_04]);

    let same = reported(|puppet| {
        puppet.create();
        puppet.create();
    });
    assert_eq!(same, [rules::LIFE_08]);
}

// ---- request heads --------------------------------------------------------------------------

#[test]
fn a_request_without_its_parts_or_with_wrong_hints_is_reported() {
    let small_slot = reported(|puppet| {
        puppet.start();
        puppet.request.slot_len = 512;
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(small_slot, [rules::REQ_16]);

    let wrong_method = reported(|puppet| {
        puppet.start();
        puppet.request.method_id = crate::abi::method::POST;
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(wrong_method, [rules::REQ_17]);

    let elsewhere = reported(|puppet| {
        puppet.start();
        puppet.request.raw = GwStr::from(&b"another region"[..]);
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(elsewhere, [rules::REQ_17]);
}

// ---- responses ------------------------------------------------------------------------------

#[test]
fn answering_never_twice_or_elsewhere_is_reported_against_the_application() {
    let never = reported(|puppet| {
        puppet.start();
        puppet.call(|_| code::READY);
    });
    assert_eq!(never, [rules::RES_01]);

    let twice = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            app.respond(200);
            app.respond(200);
            code::READY
        });
    });
    assert_eq!(twice, [rules::RES_02]);

    let outside = reported(|puppet| {
        puppet.start();
        puppet.call(|app| app.pend());
        assert_eq!(puppet.app().respond(200), code::TOO_LATE);
    });
    assert_eq!(outside, [rules::RES_02]);
}

#[test]
fn a_host_that_accepts_what_it_must_refuse_is_reported() {
    let second = reported(|puppet| {
        puppet.start();
        puppet.host_accepts_everything();
        puppet.call(|app| {
            app.respond(200);
            app.respond(200)
        });
    });
    assert_eq!(second, [rules::RES_02, rules::RES_03]);

    let split = reported(|puppet| {
        puppet.start();
        puppet.host_accepts_everything();
        puppet.call(|app| app.respond_with(&[("x-split", "a\r\nset-cookie: b")]));
    });
    assert_eq!(split, [rules::RES_05, rules::RES_06]);

    let tunnel = reported(|puppet| {
        puppet.start();
        puppet.host_accepts_everything();
        // An id is a hint, which may be missing.
        puppet.request.method = GwStr::from(&b"CONNECT"[..]);
        puppet.request.method_id = crate::abi::method::OTHER;
        puppet.request.protocol = GwStr::from(&b"websocket"[..]);
        puppet.request.version = crate::abi::version::HTTP_2;
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(tunnel, [rules::UPG_05, rules::RES_06]);

    let critical = reported(|puppet| {
        puppet.start();
        puppet.host_accepts_everything();
        puppet.call(|app| app.respond_flagged(1 << 63));
    });
    assert_eq!(critical, [rules::LOAD_04]);

    let interim = reported(|puppet| {
        puppet.start();
        puppet.host_accepts_everything();
        puppet.call(|app| {
            app.inform(100);
            app.respond(200)
        });
    });
    assert_eq!(interim, [rules::RES_16, rules::RES_17]);
}

#[test]
fn a_host_that_keeps_or_takes_the_wrong_things_is_reported() {
    let not_taken = reported(|puppet| {
        puppet.start();
        puppet.on_respond(|_| code::READY);
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(not_taken, [rules::RES_20]);

    let taken = reported(|puppet| {
        puppet.start();
        puppet.on_respond(|response| {
            response.first = GwBuf::EMPTY;
            code::INVALID
        });
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(taken, [rules::RES_20]);
}

#[test]
fn reserved_words_and_misleading_ids_are_reported() {
    let reserved = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            let mut response = app.response(200);
            response.reserved = 1;
            app.give(&mut response)
        });
    });
    assert_eq!(reserved, [rules::LOAD_05]);

    let hidden = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            let field = GwHeader {
                name_id: 1,
                ..puppet::header("x-not-host", "a")
            };
            let mut response = app.response(200);
            (response.headers, response.n_headers) = (&raw const field, 1);
            app.give(&mut response)
        });
    });
    assert_eq!(hidden, [rules::REQ_17]);
}

#[test]
fn a_table_that_is_short_or_incomplete_is_reported() {
    static NO_POLL: GwBodyVt = GwBodyVt {
        struct_size: struct_size::<GwBodyVt>(),
        reserved: 0,
        poll_frame: None,
        drop: None,
    };
    let found = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            let mut body = crate::abi::GwBody {
                vt: &raw const NO_POLL,
            };
            let mut response = app.response(200);
            response.body = &raw mut body;
            app.give(&mut response)
        });
    });
    assert_eq!(found, [rules::LOAD_06]);
}

// ---- ownership ------------------------------------------------------------------------------

#[test]
fn what_is_given_back_twice_or_never_is_reported() {
    let exchange_twice = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            let answer = app.respond(200);
            app.give_back();
            answer
        });
    });
    assert_eq!(
        exchange_twice,
        [rules::RES_14],
        "the puppet gives it back once more"
    );

    let exchange_never = reported(|puppet| {
        puppet.start();
        puppet.keeps_exchanges = true;
        puppet.call(|app| app.respond(200));
        puppet.stop();
    });
    assert_eq!(exchange_never, [rules::RES_14]);

    let buffer_twice = reported(|puppet| {
        puppet.start();
        puppet.on_respond(|response| {
            let mut first = std::mem::replace(&mut response.first, GwBuf::EMPTY);
            let mut copy = puppet::copy(&first);
            let drop = first.drop.expect("the puppet's buffers are owned");
            // SAFETY: once rightly, once wrongly; the interposer stands before the second.
            unsafe { drop(&raw mut first) };
            // SAFETY: as above.
            unsafe { drop(&raw mut copy) };
            code::READY
        });
        puppet.call(|app| app.respond_owned(b"bytes"));
    });
    assert_eq!(buffer_twice, [rules::RES_14]);
}

#[test]
fn wakers_that_are_ended_twice_or_lent_and_kept_are_reported() {
    let twice = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            let waker = app.clone_waker();
            app.drop_waker(waker);
            app.drop_waker(waker);
            app.respond(200)
        });
    });
    assert_eq!(twice, [rules::CALL_04]);

    let kept = reported(|puppet| {
        puppet.start();
        let mut lent = ptr::null();
        puppet.call(|app| {
            lent = app.waker();
            app.respond(200)
        });
        puppet.app().wake_by_ref(lent);
    });
    assert_eq!(kept, [rules::CALL_04]);

    let leaked = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            app.clone_waker();
            app.respond(200)
        });
        puppet.stop();
    });
    assert_eq!(leaked, [rules::RES_14]);
}

// ---- calls ----------------------------------------------------------------------------------

#[test]
fn calls_that_are_entered_after_their_end_are_reported() {
    let found = reported(|puppet| {
        puppet.start();
        puppet.call(|app| app.pend());
        puppet.on_poll(|app| app.respond(200));
        assert_eq!(puppet.poll(), code::READY);
        assert_eq!(puppet.poll(), code::INTERNAL);
    });
    assert_eq!(found, [rules::CALL_01]);

    let dropped = reported(|puppet| {
        puppet.start();
        puppet.call(|app| app.pend());
        puppet.cancel();
        puppet.cancel();
    });
    assert_eq!(dropped, [rules::CALL_01]);
}

#[test]
fn results_that_are_none_are_reported() {
    let odd = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            app.respond(200);
            17
        });
    });
    assert_eq!(odd, [rules::CALL_08]);

    let empty = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            app.respond(200);
            code::PENDING
        });
    });
    assert!(empty.contains(&rules::CALL_08));
}

#[test]
fn a_host_that_enters_the_application_from_its_own_function_is_reported() {
    let found = reported(|puppet| {
        puppet.start();
        puppet.call(|app| app.pend());
        let pending = puppet.take_call();
        puppet.on_respond(move |response| {
            puppet::poll_raw(pending);
            response.first = GwBuf::EMPTY;
            code::READY
        });
        puppet.on_poll(|_| code::PENDING);
        puppet.call(|app| app.respond(200));
    });
    assert_eq!(found, [rules::CALL_06]);
}

#[test]
fn a_local_call_polled_by_another_thread_is_reported() {
    let found = reported(|puppet| {
        puppet.flags = module_flag::LOCAL_CALLS;
        puppet.start();
        puppet.call(|app| app.pend());
        let call = puppet::Sendable(puppet.take_call());
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let call = call;
                puppet::poll_raw(call.0);
            });
        });
    });
    assert_eq!(found, [rules::CALL_07]);
}

#[test]
fn headers_that_were_said_to_last_and_change_are_reported() {
    let given = |values: [&'static str; 2]| {
        reported(|puppet| {
            puppet.start();
            for value in values {
                puppet.call(|app| app.respond_lasting(value));
            }
        })
    };
    assert_eq!(given(["1", "1"]), NOTHING);
    assert_eq!(given(["1", "2"]), [rules::RES_21]);
}

// ---- upgrades, the log, extensions ----------------------------------------------------------

#[test]
fn a_stream_asked_for_without_an_upgrade_is_reported() {
    let found = reported(|puppet| {
        puppet.start();
        puppet.call(|app| {
            app.upgrade();
            app.respond(200)
        });
    });
    assert_eq!(found, [rules::UPG_03]);
}

#[test]
fn a_stream_that_counts_wrongly_or_is_dropped_twice_is_reported() {
    let upgraded = |use_stream: fn(*mut GwStream)| {
        reported(|puppet| {
            puppet.start();
            puppet.request.protocol = GwStr::from(&b"websocket"[..]);
            puppet.call(|app| {
                let mut response = app.response(101);
                response.flags = response_flag::UPGRADE;
                response.protocol = GwStr::from(&b"websocket"[..]);
                let answer = app.give(&mut response);
                use_stream(app.upgrade());
                answer
            });
        })
    };
    assert_eq!(upgraded(puppet::drop_stream), NOTHING);
    let twice = upgraded(|stream| {
        puppet::drop_stream(stream);
        puppet::drop_stream(stream);
    });
    assert_eq!(twice, [rules::UPG_04]);
    let overlong = upgraded(|stream| {
        puppet::read_stream(stream, 10);
        puppet::drop_stream(stream);
    });
    assert_eq!(
        overlong,
        [rules::UPG_04],
        "the puppet's stream reports 1000 bytes of any read"
    );
}

#[test]
fn a_record_of_no_level_is_reported() {
    let found = reported(|puppet| {
        puppet.start();
        puppet.app().log(99);
    });
    assert_eq!(found, [rules::LOG_02]);
}

#[test]
fn tls_facts_on_a_plaintext_connection_are_reported() {
    let found = reported(|puppet| {
        puppet.start();
        puppet.extension_found = true;
        puppet.call(|app| {
            app.ext(EXT_TLS);
            app.respond(200)
        });
    });
    assert_eq!(found, [rules::EXT_01]);
}

// ---- bodies ---------------------------------------------------------------------------------

#[test]
fn the_frames_of_a_response_are_watched() {
    let polls = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&polls);
    let found = reported(|puppet| {
        puppet.start();
        puppet.on_frame(move |frame: &mut GwFrame| {
            frame.kind = if seen.fetch_add(1, Ordering::Relaxed) == 0 {
                frame.data = GwBuf::from_static(b"12345678");
                frame_kind::DATA
            } else {
                frame_kind::END
            };
            code::READY
        });
        puppet.call(|app| app.respond_streaming(Some(10)));
        assert_eq!(puppet.read_body(), b"12345678");
    });
    assert_eq!(found, [rules::RES_09], "10 bytes were declared");
    assert_eq!(polls.load(Ordering::Relaxed), 2);

    let unknown = reported(|puppet| {
        puppet.start();
        puppet.on_frame(|frame: &mut GwFrame| {
            (frame.kind, frame.flags) = (77, crate::abi::frame_flag::LAST);
            code::READY
        });
        puppet.call(|app| app.respond_streaming(None));
        puppet.read_body();
    });
    assert_eq!(unknown, [rules::BODY_10]);
}

#[test]
fn every_rule_that_the_interposer_alone_checks_is_broken_in_this_file() {
    let this_file = include_str!("mod.rs");
    for rule in RULES.iter().filter(|rule| rule.check == Check::Interposer) {
        let name = format!("rules::{}", rule.id.replace('-', "_"));
        assert!(this_file.contains(&name), "nothing here breaks {rule}");
    }
}
