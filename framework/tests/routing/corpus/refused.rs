//! Rules that are refused when they are registered.

use super::{rule, set};
use crate::spec::{RuleSpec, Spec, int, text};

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
