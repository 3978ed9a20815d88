//! Rules and paths that nobody would write, from a seed.

use crate::ours;
use crate::spec::{At, Build, Find, RuleSpec, Spec, int, text};

/// `count` sets of rules, with paths made from the rules and then damaged.
pub(crate) fn specs(seed: u64, count: usize) -> Vec<Spec> {
    let mut dice = Dice(seed);
    (0..count).map(|number| spec(&mut dice, number)).collect()
}

/// A xorshift generator: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

fn spec(dice: &mut Dice, number: usize) -> Spec {
    let mut spec = Spec {
        name: format!("random {number}"),
        ..Spec::default()
    };
    spec.options.strict_slashes = dice.chance(30).then_some(false);
    spec.options.merge_slashes = dice.chance(20).then_some(false);
    spec.options.subdomains = dice.chance(15);
    let most = if dice.chance(15) { 40 } else { 9 };
    for endpoint in 0..1 + dice.below(most) {
        let rule = rule(dice, endpoint, spec.options.subdomains);
        spec.rules.push(rule);
        // Duplicates are refused, and have a test of their own.
        if ours::map(&spec).is_err() {
            spec.rules.pop();
        }
    }
    for _ in 0..20 {
        let at = At {
            subdomain: if spec.options.subdomains {
                dice.pick(&["", "a", "1"]).into()
            } else {
                String::new()
            },
            ..At::default()
        };
        let path = path(dice, &spec.rules);
        let method = dice.pick(&["GET", "GET", "POST", "HEAD"]).to_owned();
        spec.find.push(Find {
            at: at.clone(),
            path,
            method,
            better: None,
        });
    }
    for _ in 0..6 {
        let endpoint = format!("e{}", dice.below(5));
        // What these take is told apart by type, which numbers and texts do not fit.
        let picky = |rule: &RuleSpec| rule.rule.contains("uuid:") || rule.rule.contains("list:");
        let mut rules = spec.rules.iter().filter(|rule| rule.endpoint == endpoint);
        if rules.any(picky) {
            continue;
        }
        let names = ["x0", "x1", "x2", "x3", "q"];
        let values = names
            .iter()
            .filter(|_| dice.chance(60))
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>();
        let values = values.into_iter().map(|name| {
            let value = if dice.chance(50) {
                int(7)
            } else {
                text(dice.pick(&["7", "a", "a/b", "é ?"]))
            };
            (name, value)
        });
        let values = values.collect();
        spec.build.push(Build {
            at: At::default(),
            request_method: dice.pick(&["GET", "POST"]).to_owned(),
            endpoint,
            values,
            method: None,
            external: dice.chance(20),
            scheme: None,
            better: None,
        });
    }
    spec
}

fn rule(dice: &mut Dice, endpoint: usize, subdomains: bool) -> RuleSpec {
    let mut text = String::new();
    let mut variables = 0;
    for _ in 0..dice.below(4) {
        text.push('/');
        if dice.chance(4) {
            text.push('/');
        }
        for _ in 0..1 + usize::from(dice.chance(25)) + usize::from(dice.chance(15)) {
            if dice.chance(50) {
                text += dice.pick(&["a", "b", "ab", "-", "1", "a.", "é"]);
            } else {
                let converter = dice.pick(CONVERTERS);
                text += &format!("<{converter}x{variables}>");
                variables += 1;
            }
        }
    }
    if text.is_empty() || dice.chance(30) {
        text.push('/');
    }
    RuleSpec {
        rule: text,
        endpoint: format!("e{}", endpoint % 5),
        methods: dice
            .chance(40)
            .then(|| vec![dice.pick(&["GET", "POST", "PUT"]).to_owned()]),
        defaults: dice
            .chance(10)
            .then(|| vec![(format!("x{}", dice.below(3)), int(7))]),
        subdomain: (subdomains && dice.chance(50))
            .then(|| dice.pick(&["a", "<int:s>", "<s>", ""]).to_owned()),
        strict_slashes: dice.chance(10).then(|| dice.chance(50)),
        merge_slashes: dice.chance(10).then(|| dice.chance(50)),
        ..RuleSpec::default()
    }
}

/// A path that one of the rules may match.
fn path(dice: &mut Dice, rules: &[RuleSpec]) -> String {
    let mut path = String::new();
    let mut rest = match rules {
        [] => "/",
        rules => rules[dice.below(rules.len())].rule.as_str(),
    };
    while let Some(c) = rest.chars().next() {
        match rest.split_once('>') {
            Some((_, after)) if c == '<' => {
                path += dice.pick(&[
                    "a", "b", "7", "42", "ab", "a-b", "1.5", "a/b", "%C3%A9", "a.b", "-1", "x%2Fy",
                    "a//b", "%0a",
                ]);
                rest = after;
            }
            _ => {
                match c {
                    'é' => path += "%C3%A9",
                    c => path.push(c),
                }
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    match dice.below(8) {
        0 => path.push('/'),
        1 => path += "/a",
        2 => path = path.replacen('/', "//", 1 + dice.below(3)),
        3 => drop(path.pop()),
        4 => path = path.trim_end_matches('/').to_owned(),
        _ => {}
    }
    // A percent sign alone is a matter of its own.
    path.trim_end_matches('%').to_owned()
}

const CONVERTERS: &[&str] = &[
    "",
    "",
    "int:",
    "int:",
    "float:",
    "path:",
    "path:",
    "any(a,b,ab):",
    "string(length=1):",
    "int(signed=True):",
    "uuid:",
    "regex('[ab]+'):",
    "regex('a/.'):",
    "int(max=10):",
    "list:",
];
