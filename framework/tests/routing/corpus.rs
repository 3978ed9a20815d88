//! Rules that people write, and paths that clients send.

use crate::spec::{
    At, Build, Find, RuleSpec, Spec, TaggedValue, float, int, list, text, truth, uuid,
};

/// All sets of rules with their questions.
pub(crate) fn all() -> Vec<Spec> {
    let mut specs = Vec::new();
    specs.extend(converters());
    specs.extend(priorities());
    specs.extend(slashes());
    specs.extend(methods());
    specs.extend(encodings());
    specs.extend(redirects());
    specs.extend(domains());
    specs.extend(urls());
    specs
}

/// Rules that are refused when they are registered.
pub(crate) fn refused() -> Vec<Spec> {
    let one = |rule: &str| set(rule).rule(rule, "x");
    let both = |rule: &str| one(rule);
    let ours = |rule: &str, reason| one(rule).better(reason);
    vec![
        both("no-slash"),
        both("/<"),
        both("/<>"),
        both("/<a b>"),
        both("/<int:>"),
        both("/<nothing:x>"),
        both("/<int(x=1):x>"),
        both("/<int(1, 2, 3, 4, 5):x>"),
        both("/<string(length=a):x>"),
        both("/<regex():x>"),
        both("/<int(1 1 1):x>"),
        ours(
            "/<int(\"a\"):x>",
            "an argument that only fails once a request comes",
        ),
        ours("/<uuid(1):x>", "arguments that the converter ignores"),
        ours("/<path(a=1):x>", "arguments that the converter ignores"),
        ours(
            "/<any(\"a/b\"):x>",
            "a text that never matches, for it has a slash",
        ),
        both("/<a>/<a>"),
        ours(
            "/<regex(\"[\"):x>",
            "a pattern that only fails once a request comes",
        ),
        ours(
            "/<regex(\"(?=a)a\"):x>",
            "patterns that need unbounded time",
        ),
        set("duplicate")
            .rule("/a/<x>", "x")
            .rule("/a/<y>", "y")
            .better("a rule that is never reached"),
        set("limits are no difference")
            .rule("/<int(min=5):x>", "x")
            .rule("/<int(max=4):y>", "y")
            .better("a rule that is never reached, for limits do not choose"),
        set("alias")
            .with(RuleSpec {
                alias: true,
                ..rule("/a", "x")
            })
            .better("an alias of nothing, which redirects to itself for ever"),
        set("redirect")
            .with(RuleSpec {
                redirect_to: Some("/<y>".into()),
                ..rule("/<x>", "x")
            })
            .better("a redirect that only fails once a request comes"),
        set("websocket").with(RuleSpec {
            websocket: true,
            methods: Some(vec!["POST".into()]),
            ..rule("/", "x")
        }),
        set("host")
            .with(RuleSpec {
                host: Some("a.example".into()),
                ..rule("/", "x")
            })
            .better("a host that is not looked at"),
        set("a default of another type")
            .with(RuleSpec {
                defaults: Some(vec![("x".into(), int(1))]),
                ..rule("/<x>", "x")
            })
            .better("a default that is no text, where the view is promised one"),
        set("default").with(RuleSpec {
            defaults: Some(vec![("x".into(), text("a"))]),
            ..rule("/<int:x>", "x")
        }),
    ]
}

fn converters() -> Vec<Spec> {
    let numbers = [
        "/0",
        "/1",
        "/42",
        "/007",
        "/-3",
        "/+3",
        "/1.5",
        "/-1.5",
        "/1.",
        "/.5",
        "/1.5.5",
        "/1e5",
        "/12345",
        "/0001",
        "/00001",
        "/9223372036854775807",
        "/5",
        "/10",
        "/11",
        "/",
        "/a",
        "/1/",
        "/1/2",
        "/%31",
        "/1%0a",
        "/-0",
        "/1_0",
        "/ 1",
        "/0.0001",
    ];
    let words = [
        "/",
        "/a",
        "/ab",
        "/abc",
        "/abcd",
        "/about",
        "/help",
        "/foo,bar",
        "/a.b",
        "/%C3%A9",
        "/%C3%A9%C3%A9",
        "/a%2Fb",
        "/a/b",
        "/a/b/c",
        "/a//b",
        "//a",
        "/a/",
        "/a/b/",
        "/a%20b",
        "/a+b",
        "/a-b",
        "/a%0ab",
        "/%0a",
        "/aboutx",
        "/a/edit",
        "/a/b/edit",
        "/edit",
        "/x/edit/edit",
        "/a//",
        "/a/b//",
        "/A",
    ];
    let uuids = [
        "/a8098c1a-f86e-11da-bd1a-00112444be1e",
        "/A8098C1A-F86E-11DA-BD1A-00112444BE1E",
        "/a8098c1af86e11dabd1a00112444be1e",
        "/a8098c1a-f86e-11da-bd1a-00112444be1",
        "/g8098c1a-f86e-11da-bd1a-00112444be1e",
        "/a8098c1a-f86e-11da-bd1a-00112444be1e/",
        "/{a8098c1a-f86e-11da-bd1a-00112444be1}",
    ];
    let mut specs = Vec::new();
    for rule in [
        "/<int:x>",
        "/<int(signed=True):x>",
        "/<int(min=5):x>",
        "/<int(max=10):x>",
        "/<int(min=5, max=10):x>",
        "/<int(fixed_digits=4):x>",
        "/<int(4):x>",
        "/<int(fixed_digits=2,signed=True):x>",
        "/<float:x>",
        "/<float(signed=True):x>",
        "/<float(min=1):x>",
        "/<float(0.5,1.5):x>",
        "/<float(max=1.5,signed=True):x>",
        "/<int:x>/",
        "/a<int:x>",
        "/<int:x>b",
        "/<int:x>.<int:y>",
        "/<int:x>-<int:y>",
        "/<float:x>.<int:y>",
    ] {
        let more = ["/a1", "/1b", "/1.2", "/1-2", "/1.2.3", "/a007", "/12b"];
        specs.push(set(rule).rule(rule, "x").gets(&numbers).gets(&more));
    }
    for rule in [
        "/<x>",
        "/<string:x>",
        "/<default:x>",
        "/<string(2):x>",
        "/<string(minlength=2):x>",
        "/<string(maxlength=2):x>",
        "/<string(2, 3):x>",
        "/<string(length=3):x>",
        "/<any(about,help,\"foo,bar\"):x>",
        "/<any(a, ab):x>",
        "/<any('a.b','A'):x>",
        "/<path:x>",
        "/<path:x>/",
        "/<path:x>/edit",
        "/<path:x>/edit/",
        "/a/<path:x>",
        "/<path:x>/<y>",
        "/<x>/<path:y>",
        "/<path:x>/<path:y>",
        "/<x>/<y>",
        "/<x>/edit",
        "/<regex(\"[a-z]{2}\"):x>",
        "/<regex(\"[^/]+/[^/]+\"):x>",
        "/<regex('(a|b)c?'):x>",
        "/<regex(\".*\"):x>",
        "/<list:x>",
        "/<list:x>/<y>",
        "/<x>.<y>",
        "/<x>-<y>",
        "/a<x>",
        "/<x>b",
        "/a<x>c",
        "/<x><y>",
        "/<string(length=1):x><y>",
        "/<path:x>b",
        "/<any(a,ab):x><any(b,bc,c):y>",
        "/<path:x>.<y>",
        "/<path:x>.<y>/",
        "/<string(minlength=0):x>",
        "/<int:x><path:y>",
        "/a/b/<path:x>/c/",
    ] {
        specs.push(set(rule).rule(rule, "x").gets(&words).gets(&[
            "/a/b/c/c",
            "/a/b/c/c/",
            "/ac",
            "/1/a",
            "/a.b.c",
        ]));
    }
    for rule in ["/<uuid:x>", "/<uuid:x>/", "/u<uuid:x>", "/<uuid:x>-<y>"] {
        specs.push(
            set(rule)
                .rule(rule, "x")
                .gets(&uuids)
                .gets(&["/ua8098c1a-f86e-11da-bd1a-00112444be1e"]),
        );
    }
    specs.push(
        set("numbers of other kinds")
            .rule("/i/<int:x>", "i")
            .gets_better(
                &["/i/9223372036854775808", "/i/99999999999999999999"],
                "numbers beyond i64 are not found",
            )
            .gets_better(
                &["/i/%D9%A1"],
                "digits are ASCII, so that a number has one URL",
            ),
    );
    specs.push(
        set("a large float")
            .rule("/<float:x>", "x")
            .gets(&["/100000000000000000000.5"]),
    );
    specs.push(
        set("negative limits")
            .rule("/<int(signed=True):x>", "x")
            .gets(&["/-5", "/5"]),
    );
    specs
}

fn priorities() -> Vec<Spec> {
    let paths = [
        "/a/pre-x",
        "/a/x-y",
        "/a/1",
        "/a/x",
        "/a/pre-1",
        "/a/static",
        "/a/1.5",
        "/a/b/c",
        "/a/",
        "/a",
        "/",
        "/a/about",
        "/a/pre-x-y",
        "/a/x-1",
        "/1/x",
        "/x/1",
        "/a/1/2",
        "/a/1/static",
        "/a/x/static",
        "/static",
        "/x",
        "/1",
        "/a/a8098c1a-f86e-11da-bd1a-00112444be1e",
        "/a/x/y/z",
        "/a/pre-/",
        "/a/pre-",
    ];
    let sets: [&[&str]; 17] = [
        &[
            "/a/<x>",
            "/a/<int:x>",
            "/a/<x>-<y>",
            "/a/pre-<x>",
            "/a/static",
            "/a/<path:x>",
            "/a/<float:x>",
        ],
        &["/a/pre-<x>", "/a/<x>-<y>", "/a/<int:x>", "/a/<x>"],
        &["/a/<x>", "/a/<any(about,x):y>", "/a/<uuid:z>"],
        &["/a/<any(about,x):y>", "/a/<x>"],
        &["/<path:x>", "/a/<x>", "/<x>", "/static"],
        &[
            "/<path:x>",
            "/<path:x>/static",
            "/a/<int:x>/<y>",
            "/a/<x>/static",
        ],
        &["/<x>/1", "/<int:x>/<y>", "/a/<y>", "/<x>/<int:y>"],
        &["/a/<int(min=5):x>", "/a/<x>"],
        &["/a/<int:x>", "/a/<regex('[0-9]+'):y>"],
        &["/<x>/<y>/<z>", "/a/<y>/c", "/a/b/<z>", "/a/<path:p>"],
        &["/a/<int:x>/", "/a/<x>"],
        &["/a/<int:x>/static", "/a/<x>/<y>"],
        &["/a/<list:x>", "/a/<int:x>", "/a/<x>", "/a/<path:x>"],
        &["/", "/<x>", "/<x>/", "/<path:x>/static"],
        &["/a/<x>", "/a/<x>/", "/a/<path:x>/"],
        &[
            "/a/<string(length=1):x>",
            "/a/<string(length=2):x>",
            "/a/<string(minlength=3):x>",
        ],
        &[
            "/a/pre-<x>",
            "/a/pre<x>",
            "/a/p<x>-<y>",
            "/a/<x>x",
            "/a/<x>-<int:y>",
        ],
    ];
    let set = |rules: &[&str], suffix: &str| {
        let spec = set(&format!("{rules:?}{suffix}"));
        rules.iter().enumerate().fold(spec, |spec, (number, rule)| {
            spec.rule(rule, &format!("e{number}"))
        })
    };
    let mut specs: Vec<Spec> = Vec::new();
    for rules in sets {
        specs.push(set(rules, "").gets(&paths));
        let reversed: Vec<&str> = rules.iter().rev().copied().collect();
        specs.push(set(&reversed, " reversed").gets(&paths));
        let mut lenient = set(rules, " lenient").gets(&paths);
        lenient.options.strict_slashes = Some(false);
        specs.push(lenient);
    }
    specs
}

fn slashes() -> Vec<Spec> {
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

fn methods() -> Vec<Spec> {
    let all = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE", "--",
    ];
    let paths = [
        "/x", "/x/", "/y", "/y/", "/z/1", "/z/a", "/b", "/b/", "/b//", "/any", "/n", "//x", "/z//1",
    ];
    let with = |rule: &str, endpoint: &str, methods: &[&str]| RuleSpec {
        methods: Some(methods.iter().map(|one| (*one).to_owned()).collect()),
        ..self::rule(rule, endpoint)
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

fn encodings() -> Vec<Spec> {
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

fn redirects() -> Vec<Spec> {
    let page = |rule: &str, page: i64| RuleSpec {
        defaults: Some(vec![("page".into(), int(page))]),
        ..self::rule(rule, "all")
    };
    let paths = [
        "/all/",
        "/all",
        "/all/1",
        "/all/2",
        "/all/01",
        "/all/1/",
        "/old/x",
        "/old/1",
        "/two/1/a",
        "/u/bob",
        "/user/bob",
        "/u/a b",
        "/u/a%2Fb",
        "/people",
        "/people/",
        "/abs/x",
        "/rel/x",
        "/up/x",
        "/query/x",
        "/host/x",
        "/frag/x",
        "/wiki/a/b",
        "/en/",
        "/en/1",
        "/de/1",
        "/de/",
        "/f/1.0",
        "/f/",
        "/f/2.0",
    ];
    let to = |rule: &str, target: &str| RuleSpec {
        redirect_to: Some(target.into()),
        ..self::rule(rule, rule)
    };
    let base = || {
        set("redirects")
            .with(page("/all/", 1))
            .rule("/all/<int:page>", "all")
            .with(to("/old/<x>", "new/<x>"))
            .with(to("/two/<int:x>/<y>", "/new/<y>/<x>?a=<x>"))
            .with(to("/abs/<x>", "/<x>/<x>"))
            .with(to("/rel/<x>", "./<x>/../y"))
            .with(to("/up/<x>", "../../<x>"))
            .with(to("/query/<x>", "?q=<x>"))
            .with(to("/host/<x>", "https://other.example/<x>"))
            .with(to("/frag/<x>", "y#<x>"))
            .with(to("/wiki/<path:x>", "w/<x>"))
            .rule("/user/<name>", "user")
            .with(RuleSpec {
                alias: true,
                ..rule("/u/<name>", "user")
            })
            .rule("/users", "users")
            .with(RuleSpec {
                alias: true,
                ..rule("/people", "users")
            })
            .with(RuleSpec {
                defaults: Some(vec![("page".into(), int(1))]),
                ..rule("/<lang>/", "lang")
            })
            .rule("/<lang>/<int:page>", "lang")
            .with(RuleSpec {
                defaults: Some(vec![("x".into(), float(1.0))]),
                ..rule("/f/", "f")
            })
            .rule("/f/<float:x>", "f")
    };
    let mut specs = Vec::new();
    let ats = [
        At::default(),
        At {
            query: "q=1".into(),
            ..At::default()
        },
        At {
            script_name: "/app".into(),
            url_scheme: "https".into(),
            ..At::default()
        },
    ];
    for at in &ats {
        let mut spec = base().asks(&paths, &["GET", "POST"], at);
        for (endpoint, values) in [
            ("all", &[][..]),
            ("all", &[("page", int(1))]),
            ("all", &[("page", int(2))]),
            ("all", &[("page", text("1"))]),
            ("all", &[("page", float(1.0))]),
            ("all", &[("page", int(1)), ("q", text("x"))]),
            ("user", &[("name", text("bob"))]),
            ("users", &[]),
            ("lang", &[("lang", text("en"))]),
            ("lang", &[("lang", text("en")), ("page", int(3))]),
            ("lang", &[]),
            ("f", &[("x", float(1.0))]),
            ("f", &[("x", int(1))]),
            ("f", &[("x", float(1.5))]),
            ("nobody", &[]),
            ("usr", &[]),
        ] {
            spec = spec.builds(Build {
                at: at.clone(),
                ..builds(endpoint, values)
            });
        }
        specs.push(spec);
    }
    let mut off = base().asks(&paths, &["GET"], &At::default());
    off.options.redirect_defaults = Some(false);
    specs.push(off);
    specs.push(
        set("where values lead")
            .with(to("/go/<path:x>", "<x>"))
            .better_find(
                "/go/https:evil.example/x",
                &At::default(),
                "a value does not lead to another scheme or host",
            ),
    );
    specs.push(
        set("several defaults")
            .with(RuleSpec {
                defaults: Some(vec![("a".into(), int(1)), ("b".into(), text("x"))]),
                ..rule("/d", "d")
            })
            .with(RuleSpec {
                defaults: Some(vec![("a".into(), int(1))]),
                ..rule("/d/<b>", "d")
            })
            .rule("/d/<int:a>/<b>", "d")
            .with(RuleSpec {
                defaults: Some(vec![("c".into(), truth(true))]),
                ..rule("/e", "e")
            })
            .with(RuleSpec {
                defaults: Some(vec![("x".into(), text("y"))]),
                ..rule("/g/<x>", "g")
            })
            .gets(&[
                "/d", "/d/x", "/d/y", "/d/1/x", "/d/1/y", "/d/2/x", "/e", "/g/y", "/g/z",
            ])
            .builds(builds("d", &[]))
            .builds(builds("d", &[("b", text("y"))]))
            .builds(builds("d", &[("a", int(2)), ("b", text("y"))]))
            .builds(builds("d", &[("a", int(2))]))
            .builds(builds("e", &[]))
            .builds(builds("e", &[("c", truth(true))]))
            .builds(builds("e", &[("c", truth(false))]))
            .builds(builds("g", &[]))
            .builds(builds("g", &[("x", text("z"))])),
    );
    specs
}

fn domains() -> Vec<Spec> {
    let sub = |rule: &str, endpoint: &str, subdomain: &str| RuleSpec {
        subdomain: Some(subdomain.into()),
        ..self::rule(rule, endpoint)
    };
    let mut specs = Vec::new();
    let paths = ["/", "/x", "/x/", "/stats", "/user", "/missing"];
    for default in [None, Some("www")] {
        let mut spec = set(&format!("subdomains {default:?}"))
            .rule("/", "root")
            .rule("/x/", "x")
            .with(sub("/", "api root", "api"))
            .with(sub("/x/", "api x", "api"))
            .with(sub("/", "user", "<user>"))
            .with(sub("/stats", "stats", "<user>"))
            .with(sub("/user", "number", "u<int:n>"))
            .with(sub("/user", "two", "<a>.<b>"));
        spec.options.subdomains = true;
        spec.options.default_subdomain = default.map(str::to_owned);
        for subdomain in ["", "www", "api", "bob", "u7", "a.b", "x-y", "<invalid>"] {
            let at = At {
                subdomain: subdomain.into(),
                ..At::default()
            };
            spec = spec.asks(&paths, &["GET"], &at);
            for (endpoint, values) in [
                ("root", &[][..]),
                ("api root", &[]),
                ("user", &[("user", text("bob"))]),
                ("user", &[("user", text("api"))]),
                ("stats", &[]),
                ("number", &[("n", int(7))]),
                ("two", &[("a", text("a")), ("b", text("b"))]),
                ("x", &[("q", text("1"))]),
            ] {
                spec = spec.builds(Build {
                    at: at.clone(),
                    ..builds(endpoint, values)
                });
            }
        }
        specs.push(spec);
    }
    let host = |rule: &str, endpoint: &str, host: &str| RuleSpec {
        host: Some(host.into()),
        ..self::rule(rule, endpoint)
    };
    let mut spec = set("hosts")
        .with(host("/", "a", "a.example"))
        .with(host("/x/", "a x", "a.example"))
        .with(host("/", "port", "a.example:8080"))
        .with(host("/", "any", "<host>"))
        .with(host("/x/", "sub", "<sub>.b.example"))
        .rule("/none", "none")
        .with(host("/y", "many", "a.example"))
        .with(host("/y", "many", "c.example"))
        .with(host("/y", "many", "<h>.d.example"));
    spec.options.host_matching = true;
    for name in [
        "a.example",
        "a.example:8080",
        "s.b.example",
        "c.example",
        "localhost",
        "h.d.example",
    ] {
        let at = At {
            server_name: name.into(),
            ..At::default()
        };
        spec = spec.asks(&["/", "/x", "/x/", "/y", "/none"], &["GET"], &at);
        for (endpoint, values) in [
            ("a", &[][..]),
            ("port", &[]),
            ("any", &[("host", text("z.example"))]),
            ("sub", &[("sub", text("s"))]),
            ("many", &[]),
            ("many", &[("h", text("h"))]),
            ("none", &[]),
        ] {
            spec = spec.builds(Build {
                at: at.clone(),
                ..builds(endpoint, values)
            });
        }
    }
    specs.push(spec);
    specs
}

fn urls() -> Vec<Spec> {
    let get = |rule: &str, endpoint: &str, methods: &[&str]| RuleSpec {
        methods: Some(methods.iter().map(|one| (*one).to_owned()).collect()),
        ..self::rule(rule, endpoint)
    };
    let id = "a8098c1a-f86e-11da-bd1a-00112444be1e";
    let base = || {
        set("urls")
            .rule("/", "index")
            .rule("/user/<int:id>", "user.show")
            .rule("/user/<int:id>/edit", "user.edit")
            .rule("/f/<float:x>", "float")
            .rule("/w/<path:p>", "wiki")
            .rule("/o/<uuid:id>", "object")
            .rule("/s/<any(de,en):lang>", "site")
            .rule("/l/<list:items>", "list")
            .rule("/n/<int(4):n>", "digits")
            .with(get("/save", "form", &["POST"]))
            .with(get("/show", "form", &["GET"]))
            .rule("/a/<x>", "several")
            .rule("/a/<x>/<y>", "several")
            .rule("/a", "several")
            .with(RuleSpec {
                build_only: true,
                ..rule("/static/<path:file>", "static")
            })
            .rule("//odd//<x>//", "odd")
            .rule("/in<x>out/<int:y>.html", "inner")
    };
    let questions: Vec<(&str, Vec<(&str, TaggedValue)>)> = vec![
        ("index", vec![]),
        ("index", vec![("q", text("a b&c"))]),
        (
            "index",
            vec![("a", int(1)), ("b", float(2.5)), ("c", truth(true))],
        ),
        (
            "index",
            vec![
                ("tag", text("x")),
                ("z", text("1")),
                ("tag", text("y")),
                ("a", text("")),
            ],
        ),
        ("user.show", vec![("id", int(7))]),
        ("user.show", vec![("id", text("7"))]),
        ("user.show", vec![("id", text("x"))]),
        ("user.show", vec![("id", float(7.9))]),
        ("user.show", vec![("id", int(-7))]),
        ("user.show", vec![]),
        ("user.show", vec![("name", text("x"))]),
        ("user.edit", vec![("id", int(1)), ("tab", text("mail"))]),
        ("user_show", vec![("id", int(7))]),
        ("user", vec![]),
        ("User.Show", vec![]),
        ("zzz", vec![("id", int(1))]),
        ("", vec![]),
        ("float", vec![("x", float(1.0))]),
        ("float", vec![("x", float(1e16))]),
        ("float", vec![("x", float(1e-7))]),
        ("float", vec![("x", int(3))]),
        ("float", vec![("x", float(0.1))]),
        ("float", vec![("x", text("1.50"))]),
        ("float", vec![("x", float(123_456_789.125))]),
        ("wiki", vec![("p", text("a/b c"))]),
        ("wiki", vec![("p", text("/x"))]),
        ("wiki", vec![("p", text("../x"))]),
        ("wiki", vec![("p", int(5))]),
        ("object", vec![("id", uuid(id))]),
        ("object", vec![("id", text(id))]),
        ("site", vec![("lang", text("de"))]),
        ("site", vec![("lang", text("fr"))]),
        ("list", vec![("items", list(&["a", "b"]))]),
        ("digits", vec![("n", int(7))]),
        ("digits", vec![("n", int(12345))]),
        ("digits", vec![("n", int(-7))]),
        ("several", vec![]),
        ("several", vec![("x", text("1"))]),
        ("several", vec![("x", text("1")), ("y", text("2"))]),
        ("several", vec![("y", text("2"))]),
        ("static", vec![("file", text("a/b.css"))]),
        ("odd", vec![("x", text("y"))]),
        ("inner", vec![("x", text("-")), ("y", int(2))]),
        ("form", vec![]),
        ("form", vec![("x", text("1"))]),
    ];
    let mut plain = base();
    let ats = [
        At::default(),
        At {
            script_name: "/app".into(),
            ..At::default()
        },
        At {
            server_name: "localhost:5000".into(),
            url_scheme: "https".into(),
            ..At::default()
        },
    ];
    for at in &ats {
        for (endpoint, values) in &questions {
            let one = Build {
                at: at.clone(),
                ..builds(endpoint, values)
            };
            for (external, scheme) in [
                (false, None),
                (true, None),
                (false, Some("https")),
                (true, Some("")),
            ] {
                let scheme = scheme.map(str::to_owned);
                plain = plain.builds(Build {
                    external,
                    scheme,
                    ..one.clone()
                });
            }
            for (method, request_method) in [
                (Some("POST"), "GET"),
                (Some("GET"), "POST"),
                (None, "POST"),
                (Some("PUT"), "GET"),
            ] {
                let method = method.map(str::to_owned);
                plain = plain.builds(Build {
                    method,
                    request_method: request_method.into(),
                    ..one.clone()
                });
            }
        }
    }
    let mut sorted = base();
    sorted.options.sort_parameters = Some(true);
    for (endpoint, values) in &questions {
        sorted = sorted.builds(builds(endpoint, values));
    }
    let better = set("values of another kind")
        .rule("/o/<uuid:id>", "object")
        .rule("/w/<x>", "w");
    let better = better
        .builds(Build {
            better: Some("a UUID is one"),
            ..builds("object", &[("id", text("no uuid"))])
        })
        .builds(Build {
            better: Some("a variable has one value"),
            ..builds("w", &[("x", text("1")), ("x", text("2"))])
        });
    vec![
        plain,
        sorted,
        better,
        set("no rules").builds(builds("x", &[])),
    ]
}

fn set(name: &str) -> Spec {
    Spec {
        name: name.to_owned(),
        ..Spec::default()
    }
}

fn rule(rule: &str, endpoint: &str) -> RuleSpec {
    RuleSpec {
        rule: rule.to_owned(),
        endpoint: endpoint.to_owned(),
        ..RuleSpec::default()
    }
}

fn find(path: &str) -> Find {
    Find {
        at: At::default(),
        path: path.to_owned(),
        method: "GET".into(),
        better: None,
    }
}

fn builds(endpoint: &str, values: &[(&str, TaggedValue)]) -> Build {
    Build {
        at: At::default(),
        request_method: "GET".into(),
        endpoint: endpoint.to_owned(),
        values: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        method: None,
        external: false,
        scheme: None,
        better: None,
    }
}

impl Spec {
    fn with(mut self, rule: RuleSpec) -> Self {
        self.rules.push(rule);
        self
    }

    fn rule(self, text: &str, endpoint: &str) -> Self {
        self.with(rule(text, endpoint))
    }

    fn better(mut self, reason: &'static str) -> Self {
        self.better = Some(reason);
        self
    }

    fn gets(self, paths: &[&str]) -> Self {
        self.asks(paths, &["GET"], &At::default())
    }

    fn gets_better(mut self, paths: &[&str], reason: &'static str) -> Self {
        self.find.extend(paths.iter().map(|path| Find {
            better: Some(reason),
            ..find(path)
        }));
        self
    }

    fn better_find(mut self, path: &str, at: &At, reason: &'static str) -> Self {
        self.find.push(Find {
            at: at.clone(),
            better: Some(reason),
            ..find(path)
        });
        self
    }

    fn asks(mut self, paths: &[&str], methods: &[&str], at: &At) -> Self {
        for path in paths {
            for method in methods {
                self.find.push(Find {
                    at: at.clone(),
                    method: (*method).to_owned(),
                    ..find(path)
                });
            }
        }
        self
    }

    fn builds(mut self, build: Build) -> Self {
        self.build.push(build);
        self
    }
}
