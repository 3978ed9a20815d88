//! Heads of requests and responses.

use super::{line, reported};
use crate::lint::request::RequestFacts;
use crate::lint::response::{Offer, ResponseFacts};
use crate::rules::{self, Rule};

fn good_request() -> RequestFacts<'static> {
    RequestFacts {
        method: b"POST",
        target: b"/shop/a%2Fb/../c?x=1?&y",
        path: b"/shop/a%2Fb/../c",
        query: Some("x=1?&y".as_bytes()),
        mount: b"/shop",
        authority: b"example.org:8000",
        protocol: None,
        fields: vec![
            line("host", "Example.org:8000"),
            line("accept", "a"),
            line("accept", "b"),
            line("content-length", "5"),
            line("te", "trailers"),
        ],
        version: (1, 1),
        is_absolute_form: false,
        content_length: Some(5),
        has_body: true,
        peer_is_client: true,
        client_is_forwarded: false,
        is_homemade: false,
    }
}

#[test]
fn requests_that_keep_the_rules_are_not_reported() {
    let http10 = RequestFacts {
        version: (1, 0),
        fields: vec![],
        authority: b"",
        content_length: Some(0),
        has_body: false,
        ..good_request()
    };
    let absolute = RequestFacts {
        target: b"http://example.org:8000/shop/x",
        path: b"/shop/x",
        query: None,
        is_absolute_form: true,
        ..good_request()
    };
    let asterisk = RequestFacts {
        method: b"OPTIONS",
        target: b"*",
        path: b"*",
        query: None,
        mount: b"",
        ..good_request()
    };
    let connect = RequestFacts {
        method: b"CONNECT",
        target: b"example.org:8000",
        path: b"",
        query: None,
        mount: b"",
        ..good_request()
    };
    let websocket = RequestFacts {
        protocol: Some("websocket".as_bytes()),
        ..good_request()
    };
    let proxied = RequestFacts {
        peer_is_client: false,
        client_is_forwarded: true,
        ..good_request()
    };
    let url_in_query = RequestFacts {
        target: b"/shop?to=http://example.org/",
        path: b"/shop",
        query: Some("to=http://example.org/".as_bytes()),
        ..good_request()
    };
    let all = [
        good_request(),
        http10,
        absolute,
        asterisk,
        connect,
        websocket,
        proxied,
        url_in_query,
    ];
    for request in all {
        assert_eq!(
            reported(|to| request.check(to)),
            [] as [&Rule; 0],
            "{request:?}"
        );
    }
}

#[test]
fn each_rule_of_request_heads_is_reported_when_a_host_breaks_it() {
    type Spoil = fn(&mut RequestFacts<'static>);
    let broken: &[(&Rule, Spoil)] = &[
        (rules::REQ_01, |it| it.method = b""),
        (rules::REQ_01, |it| it.method = b"GET POST"),
        (rules::REQ_02, |it| it.path = b"/shop/a/b/../c"),
        (rules::REQ_02, |it| it.path = b"/shop/c"),
        (rules::REQ_02, |it| {
            it.target = b"/shop/a%2Fb/../c?x=1?&y#frag"
        }),
        (rules::REQ_03, |it| {
            (it.target, it.query) = (b"/shop/a%2Fb/../c", Some("".as_bytes()))
        }),
        (rules::REQ_03, |it| {
            (it.path, it.query) = (b"/shop/a%2Fb/../c?x=1?&y", None)
        }),
        (rules::REQ_04, |it| {
            (it.target, it.path, it.query, it.mount) = (b"*", b"*", None, b"")
        }),
        (rules::REQ_04, |it| {
            (it.target, it.path, it.query, it.mount) = (b"x", b"x", None, b"")
        }),
        (rules::REQ_04, |it| {
            (it.target, it.path, it.query, it.mount) = (b"http://h/", b"http://h/", None, b"");
        }),
        (rules::REQ_05, |it| it.mount = b"/shop/"),
        (rules::REQ_05, |it| it.mount = b"/sh"),
        (rules::REQ_05, |it| it.mount = b"/other"),
        (rules::REQ_06, |it| it.fields.push(line("X-Upper", "1"))),
        (rules::REQ_06, |it| it.fields.push(line("x-lf", "a\nb: c"))),
        (rules::REQ_06, |it| it.fields.push(line("x-padded", " a"))),
        (rules::REQ_06, |it| it.fields.push(line("", "a"))),
        (rules::REQ_07, |it| {
            it.fields.push(line("host", "example.org:8000"))
        }),
        (rules::REQ_07, |it| {
            it.fields.retain(|line| line.name != b"host")
        }),
        (rules::REQ_07, |it| it.authority = b"elsewhere.org"),
        (rules::REQ_08, |it| {
            it.version = (2, 0);
            it.fields
                .extend([line("cookie", "a=1"), line("cookie", "b=2")]);
        }),
        (rules::REQ_09, |it| {
            it.fields.push(line("connection", "close"))
        }),
        (rules::REQ_09, |it| {
            it.fields.push(line("transfer-encoding", "chunked"))
        }),
        (rules::REQ_09, |it| it.fields.push(line("te", "gzip"))),
        (rules::REQ_11, |it| it.content_length = Some(6)),
        (rules::REQ_11, |it| it.content_length = None),
        (rules::REQ_11, |it| it.has_body = false),
        (rules::REQ_12, |it| it.peer_is_client = false),
        (rules::REQ_15, |it| it.protocol = Some("".as_bytes())),
        (rules::REQ_15, |it| {
            (it.version, it.protocol) = ((1, 0), Some("websocket".as_bytes()))
        }),
        (rules::REQ_15, |it| {
            (it.version, it.protocol) = ((2, 0), Some("websocket".as_bytes()))
        }),
    ];
    for (rule, spoil) in broken {
        let mut request = good_request();
        spoil(&mut request);
        let found = reported(|to| request.check(to));
        assert!(found.contains(rule), "{rule}: {found:?} for {request:?}");
    }
    let pseudo = RequestFacts {
        fields: vec![line(":path", "/")],
        ..good_request()
    };
    assert!(reported(|to| { pseudo.check(to) }).contains(&rules::REQ_07));
}

fn good_response() -> ResponseFacts<'static> {
    ResponseFacts {
        status: 200,
        fields: vec![
            line("content-type", "text/plain"),
            line("content-length", "5"),
        ],
        at_hand: 5,
        has_more: false,
        declared: None,
        switches_to: None,
        offered: Offer::Protocols(b"h2c, websocket"),
        answers_head: false,
        answers_connect: false,
    }
}

#[test]
fn a_length_with_leading_zeros_is_the_number_that_it_is() {
    let zeros = RequestFacts {
        fields: vec![
            line("host", "example.org:8000"),
            line("content-length", "005"),
        ],
        ..good_request()
    };
    assert_eq!(reported(|to| zeros.check(to)), [] as [&Rule; 0]);
}

#[test]
fn responses_that_keep_the_rules_are_not_reported() {
    let streamed = ResponseFacts {
        has_more: true,
        at_hand: 2,
        ..good_response()
    };
    let switch = ResponseFacts {
        status: 101,
        fields: vec![],
        at_hand: 0,
        switches_to: Some("WebSocket".as_bytes()),
        ..good_response()
    };
    let tunnel = ResponseFacts {
        switches_to: Some("tcp".as_bytes()),
        offered: Offer::of(None, true),
        answers_connect: true,
        ..good_response()
    };
    let head = ResponseFacts {
        answers_head: true,
        at_hand: 0,
        ..good_response()
    };
    let not_modified = ResponseFacts {
        status: 304,
        at_hand: 0,
        ..good_response()
    };
    let no_tunnel = ResponseFacts {
        status: 300,
        answers_connect: true,
        ..good_response()
    };
    for response in [
        good_response(),
        streamed,
        switch,
        tunnel,
        no_tunnel,
        head,
        not_modified,
    ] {
        let found = reported(|to| {
            response.check(to);
        });
        assert_eq!(found, [] as [&Rule; 0], "{response:?}");
    }
}

#[test]
fn each_rule_of_response_heads_is_reported_when_an_application_breaks_it() {
    type Spoil = fn(&mut ResponseFacts<'static>);
    let broken: &[(&Rule, Spoil)] = &[
        (rules::RES_04, |it| it.status = 103),
        (rules::RES_04, |it| it.status = 101),
        (rules::RES_04, |it| it.status = 600),
        (rules::RES_04, |it| {
            (it.status, it.switches_to) = (201, Some("websocket".as_bytes()))
        }),
        (rules::RES_05, |it| {
            it.fields.push(line("x-split", "a\r\nset-cookie: b"))
        }),
        (rules::RES_05, |it| it.fields.push(line("X-Upper", "a"))),
        (rules::RES_05, |it| it.fields.push(line("x y", "a"))),
        (rules::RES_05, |it| it.fields.push(line("x-padded", "a "))),
        (rules::RES_07, |it| {
            it.fields.push(line("connection", "close"))
        }),
        (rules::RES_07, |it| {
            it.fields.push(line("transfer-encoding", "chunked"))
        }),
        (rules::RES_08, |it| (it.status, it.fields) = (304, vec![])),
        (rules::RES_09, |it| it.at_hand = 4),
        (rules::RES_09, |it| it.declared = Some(6)),
        (rules::RES_09, |it| (it.has_more, it.at_hand) = (true, 6)),
        (rules::RES_09, |it| {
            it.fields.push(line("content-length", "5"))
        }),
        (rules::RES_09, |it| it.fields[1].value = b"+5"),
        (rules::UPG_01, |it| {
            (it.status, it.switches_to) = (101, Some("h3".as_bytes()))
        }),
        (rules::UPG_01, |it| {
            (it.offered, it.switches_to) = (Offer::of(None, false), Some("h2c".as_bytes()))
        }),
        (rules::UPG_05, |it| it.answers_connect = true),
        (rules::UPG_05, |it| {
            (it.answers_connect, it.offered, it.status) = (true, Offer::of(None, true), 299)
        }),
    ];
    for (rule, spoil) in broken {
        let mut response = good_response();
        spoil(&mut response);
        assert_eq!(
            reported(|to| {
                response.check(to);
            }),
            [*rule],
            "{response:?}"
        );
    }
}
