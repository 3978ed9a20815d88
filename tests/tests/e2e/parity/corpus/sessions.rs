//! Sessions and messages, each application with its own cookies and with the other's.

use crate::parity::talk::{Talk, get, post};

pub(super) fn all() -> Vec<Talk> {
    let mut all = talks();
    all.extend(talks().into_iter().map(Talk::swapped));
    all
}

fn talks() -> Vec<Talk> {
    let login = || post("/s/login", FORM, "user=Ann+%C3%BC");
    vec![
        Talk::new(
            "counting",
            ["count", "count", "show", "untouched", "count"].map(at),
        ),
        Talk::new(
            "setting",
            [
                "set?a=1&b=2",
                "show",
                "set?a=3",
                "show",
                "pop/a",
                "pop/a",
                "show",
            ]
            .map(at),
        ),
        Talk::new(
            "clearing",
            ["clear", "set?a=1", "clear?all", "show", "count"].map(at),
        ),
        Talk::new("emptying", ["set?a=1", "pop/a", "show"].map(at)),
        Talk::new(
            "permanent",
            [
                "permanent/1",
                "show",
                "untouched",
                "count",
                "permanent/0",
                "show",
            ]
            .map(at),
        ),
        Talk::new("types", ["types", "show", "count", "show"].map(at)),
        Talk::new("traps", ["trap", "show", "count", "show"].map(at)),
        Talk::new("size", ["big", "show", "count"].map(at)),
        Talk::new("an error keeps the session", ["failing", "show"].map(at)),
        Talk::new(
            "logging in",
            [
                at("home"),
                login(),
                at("home"),
                at("home"),
                login(),
                post("/s/logout", FORM, ""),
                at("home"),
            ],
        ),
        Talk::new(
            "a form without the field",
            [post("/s/login", FORM, "name=x"), at("show")],
        ),
        Talk::new(
            "messages",
            [
                "flash?info=one&info=%C3%BC%3Cb%3E&error=two",
                "count",
                "flash?message=three",
                "flashes",
                "flashes",
                "show",
            ]
            .map(at),
        ),
        Talk::new(
            "a cookie that nobody signed",
            [
                at("show").field(
                    "cookie",
                    "session=eyJhIjoxfQ.ZVPxAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA",
                ),
                at("show").field("cookie", "session=x"),
                at("show").field("cookie", "session="),
                at("count").field("cookie", "session=a.b.c"),
            ],
        ),
    ]
}

fn at(what: &str) -> crate::parity::talk::Step {
    get(format!("/s/{what}"))
}

const FORM: &str = "application/x-www-form-urlencoded";
