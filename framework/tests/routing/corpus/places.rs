//! Redirects, subdomains and hosts.

use super::{builds, rule, set};
use crate::spec::{At, Build, RuleSpec, Spec, float, int, text, truth};

pub(super) fn redirects() -> Vec<Spec> {
    let page = |rule: &str, page: i64| RuleSpec {
        defaults: Some(vec![("page".into(), int(page))]),
        ..super::rule(rule, "all")
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
        ..super::rule(rule, rule)
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
    let default = RuleSpec {
        defaults: Some(vec![("n".into(), int(1))]),
        ..rule("/<string(length=1):x>/", "x")
    };
    let list = RuleSpec {
        defaults: Some(vec![("n".into(), int(1))]),
        ..rule("/<list:x>", "x")
    };
    specs.push(
        set("a default's rule that cannot write the value")
            .with(default)
            .with(list)
            .better_find(
                "/a",
                &At::default(),
                "a value that a rule cannot write does not lead there",
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

pub(super) fn domains() -> Vec<Spec> {
    let sub = |rule: &str, endpoint: &str, subdomain: &str| RuleSpec {
        subdomain: Some(subdomain.into()),
        ..super::rule(rule, endpoint)
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
        ..super::rule(rule, endpoint)
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
