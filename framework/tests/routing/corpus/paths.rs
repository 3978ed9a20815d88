//! Slashes, methods and encodings.

use super::{builds, find, rule, set};
use crate::spec::{At, Build, Find, RuleSpec, Spec, text};

pub(super) fn slashes() -> Vec<Spec> {
    let paths = [
        "",
        "/",
        "//",
        "///",
        "/branch",
        "/branch/",
        "/branch//",
        "//branch",
        "//branch/",
        "/leaf",
        "/leaf/",
        "/leaf//",
        "/a//b",
        "/a/b",
        "/a///b/",
        "/a/b/",
        "/a//b//",
        "/p/x",
        "/p/x/",
        "/p//x",
        "/p/x//y",
        "/p//",
        "/p/",
        "/p",
        "/x//x",
        "/x/1//",
        "/x//1",
        "/v/1",
        "/v/1/",
        "/v//1/",
        "/%2Fbranch",
        "/branch%2F",
        "/a%2Fb",
        "/a%2F%2Fb",
        "*",
        "/other//thing",
        "/n//m",
        "/n/m",
        "/l",
        "/l/",
        "/l//",
        "/./branch",
        "/a/../b",
    ];
    let rules = |spec: Spec| {
        spec.rule("/", "root")
            .rule("/branch/", "branch")
            .rule("/leaf", "leaf")
            .rule("/a/b", "ab")
            .rule("/p/<path:x>", "p")
            .rule("/x/<int:x>/", "x")
            .rule("/v/<y>/", "v")
            .with(RuleSpec {
                merge_slashes: Some(false),
                ..rule("/n//m", "n")
            })
            .with(RuleSpec {
                strict_slashes: Some(false),
                ..rule("/l/", "l")
            })
    };
    let mut specs = Vec::new();
    for strict in [None, Some(false)] {
        for merge in [None, Some(false)] {
            for query in [
                "",
                "a=1&b=%20&c=/x?",
                "q=\"<>[]|^`\"",
                "x%",
                "caf\u{c3}\u{a9}",
            ] {
                let mut spec = rules(set(&format!("slashes {strict:?} {merge:?} {query}")));
                spec.options.strict_slashes = strict;
                spec.options.merge_slashes = merge;
                let at = At {
                    query: query.into(),
                    ..At::default()
                };
                specs.push(spec.asks(&paths, &["GET"], &at));
            }
        }
    }
    for (script_name, scheme) in [("/app", "http"), ("/app/", "https"), ("/a/b c", "http")] {
        let at = At {
            script_name: script_name.into(),
            url_scheme: scheme.into(),
            ..At::default()
        };
        let spec = rules(set(&format!("slashes below {script_name}")));
        let at = if script_name.contains(' ') {
            None
        } else {
            Some(at)
        };
        specs.extend(at.map(|at| spec.asks(&paths, &["GET"], &at)));
    }
    let at = At {
        query: "\u{ff}".into(),
        ..At::default()
    };
    specs.push(set("octets of a query").rule("/branch/", "x").better_find(
        "/branch",
        &at,
        "octets stay what they are",
    ));
    specs
}

pub(super) fn methods() -> Vec<Spec> {
    let all = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE", "--",
    ];
    let paths = [
        "/x", "/x/", "/y", "/y/", "/z/1", "/z/a", "/b", "/b/", "/b//", "/any", "/n", "//x", "/z//1",
    ];
    let with = |rule: &str, endpoint: &str, methods: &[&str]| RuleSpec {
        methods: Some(methods.iter().map(|one| (*one).to_owned()).collect()),
        ..super::rule(rule, endpoint)
    };
    let base = || {
        set("methods")
            .with(with("/x", "get", &["GET"]))
            .with(with("/x", "post", &["POST"]))
            .with(with("/x/", "put", &["PUT"]))
            .with(with("/y", "head", &["HEAD"]))
            .with(with("/y", "get y", &["GET", "OPTIONS"]))
            .with(with("/z/<int:x>", "z", &["GET"]))
            .with(with("/z/<x>", "z post", &["POST", "PURGE"]))
            .with(with("/b/", "branch", &["GET"]))
            .with(with("/n", "none", &[]))
            .rule("/any", "any")
    };
    let mut lenient = base().asks(&paths, &all, &At::default());
    lenient.options.strict_slashes = Some(false);
    let mut unmerged = base().asks(&paths, &all, &At::default());
    unmerged.options.merge_slashes = Some(false);
    let limits = set("a number outside of its limits")
        .with(with("/<int(max=5):x>", "get", &["GET"]))
        .with(with("/<x>", "post", &["POST"]))
        .asks(&["/4", "/6", "/a"], &all, &At::default());
    let sockets = set("websockets")
        .with(RuleSpec {
            websocket: true,
            ..rule("/ws", "ws")
        })
        .with(RuleSpec {
            websocket: true,
            ..rule("/ws/", "ws2")
        })
        .rule("/both", "http")
        .with(RuleSpec {
            websocket: true,
            ..rule("/both", "both")
        })
        .rule("/http/", "http2");
    let ws_paths = ["/ws", "/ws/", "/both", "/http", "/http/", "/both/", "/none"];
    let opening = At {
        websocket: true,
        url_scheme: "wss".into(),
        ..At::default()
    };
    let sockets = sockets
        .asks(&ws_paths, &["GET", "POST"], &At::default())
        .asks(&ws_paths, &["GET"], &opening);
    let sockets = ["ws", "ws2", "http", "both", "http2"]
        .iter()
        .fold(sockets, |spec, endpoint| {
            let plain = builds(endpoint, &[]);
            let secure = Build {
                at: opening.clone(),
                ..plain.clone()
            };
            spec.builds(plain).builds(secure)
        });
    let mut case = set("the case of methods").with(with("/x", "get", &["GET"]));
    case.find.push(Find {
        method: "get".into(),
        better: Some("methods are case-sensitive (RFC 9110 section 9.1)"),
        ..find("/x")
    });
    vec![
        base().asks(&paths, &all, &At::default()),
        lenient,
        unmerged,
        limits,
        sockets,
        case,
    ]
}

pub(super) fn encodings() -> Vec<Spec> {
    let paths = [
        "/caf%C3%A9",
        "/caf\u{c3}\u{a9}",
        "/caf%e9",
        "/caf\u{e9}",
        "/a%20b",
        "/a b",
        "/a+b",
        "/100%25",
        "/100%",
        "/%zz",
        "/%2",
        "/%",
        "/%41",
        "/%2e%2e/x",
        "/..%2fx",
        "/%00",
        "/x;y=1",
        "/x=1",
        "/%F0%9F%98%80",
        "/%ED%A0%80",
        "/%C0%AF",
        "/%E2%82",
        "/caf%C3%A9/",
        "/s/caf%C3%A9",
        "/s/caf%C3%A9/",
        "/s/a%3Fb",
        "/s/a%23b",
        "/s/%5Bx%5D",
        "/s/a%2Fb/",
        "/s/%22",
        "/b/%3A%40",
    ];
    let spec = set("encodings")
        .rule("/café", "cafe")
        .rule("/a b", "space")
        .rule("/100%", "percent")
        .rule("/100%25", "percents")
        .rule("/<x>", "x")
        .rule("/s/<x>/", "s")
        .rule("/b/<path:x>/", "b")
        .rule("/<any('café','ü'):x>/", "any")
        .rule("/A", "letter");
    let mut values = spec.gets(&paths);
    for endpoint in ["cafe", "space", "percent", "percents", "letter"] {
        values = values.builds(builds(endpoint, &[]));
    }
    for value in [
        "café",
        "a b",
        "a/b",
        "100%",
        "a?b#c",
        "[x]",
        "a+b&c=d;e",
        "~_-.!$'()*,:@",
        "\"<>\\^`{|}",
        "日本",
        "\n",
        "",
    ] {
        for endpoint in ["x", "s", "b"] {
            values = values.builds(builds(endpoint, &[("x", text(value))]));
        }
        values = values.builds(builds("cafe", &[(value, text(value))]));
    }
    let special = builds("any", &[("x", text("ü"))]);
    values = values.builds(Build {
        better: Some("what `any` writes is encoded like all else"),
        ..special
    });
    vec![values]
}
