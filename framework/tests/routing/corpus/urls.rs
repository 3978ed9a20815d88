//! URLs from endpoints and values.

use super::{builds, rule, set};
use crate::spec::{At, Build, RuleSpec, Spec, TaggedValue, float, int, list, text, truth, uuid};

pub(super) fn urls() -> Vec<Spec> {
    let get = |rule: &str, endpoint: &str, methods: &[&str]| RuleSpec {
        methods: Some(methods.iter().map(|one| (*one).to_owned()).collect()),
        ..super::rule(rule, endpoint)
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
