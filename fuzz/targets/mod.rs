//! What is asserted of every input, whoever makes them up: libFuzzer by `cargo xtask fuzz`, or the tests'
//! own mutations. A target is a module with a function `run`, a line in [`TARGETS`], a program of three
//! lines in `fuzz_targets` and a folder of seeds.

pub(crate) mod body;
pub(crate) mod forwarded;
pub(crate) mod head;
pub(crate) mod proxy_protocol;
pub(crate) mod trailers;

/// A target: its name, what it asserts, and where inputs to begin with are, from the workspace's folder.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8]),
    pub(crate) seeds: &'static [&'static str],
}

/// All of them.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "head",
        run: head::run,
        seeds: &["tests/corpus/http1"],
    },
    Target {
        name: "body",
        run: body::run,
        seeds: &["tests/corpus/http1"],
    },
    Target {
        name: "trailers",
        run: trailers::run,
        seeds: &["fuzz/seeds/trailers"],
    },
    Target {
        name: "proxy_protocol",
        run: proxy_protocol::run,
        seeds: &["fuzz/seeds/proxy_protocol"],
    },
    Target {
        name: "forwarded",
        run: forwarded::run,
        seeds: &["fuzz/seeds/forwarded"],
    },
];
