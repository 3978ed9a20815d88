//! Converters alone and against each other.

use super::set;
use crate::spec::Spec;

pub(super) fn converters() -> Vec<Spec> {
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

/// More parts with variables side by side than are looked through one by one.
pub(super) fn siblings() -> Vec<Spec> {
    let prefixes = [
        "", "a", "ab", "abc", "b", "é", "éa", "-", "b-", "item1-", "item2-", "item10-",
    ];
    let named = prefixes.iter().fold(set("siblings"), |spec, prefix| {
        let (text, number) = (format!("/{prefix}<x>"), format!("/{prefix}<int:n>/x"));
        spec.rule(&text, &text)
            .rule(&number, &number)
            .rule(&format!("/{prefix}<path:p>/y/"), prefix)
    });
    let paths = [
        "/a",
        "/ab",
        "/abc",
        "/abcd",
        "/b",
        "/b-",
        "/b-1",
        "/%C3%A9",
        "/%C3%A9a",
        "/%C3%A9%C3%A9",
        "/item1-5",
        "/item2-5",
        "/item10-5",
        "/item3-5",
        "/",
        "/7/x",
        "/a7/x",
        "/ab7/x",
        "/a/x",
        "/item1-7/x",
        "/item10-a/x",
        "/a/b/y/",
        "/a/b/y",
        "/item2-/y",
        "/-/y/",
        "/ab/c/x",
    ];
    vec![named.gets(&paths)]
}

pub(super) fn priorities() -> Vec<Spec> {
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
