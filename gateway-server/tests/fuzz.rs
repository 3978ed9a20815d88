//! Every fuzz target holds for its seeds and for inputs made of them: the same ones in each run, some
//! thousands. `cargo xtask fuzz` goes on for longer, with the compiler's word on what an input has reached.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::Once;

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use targets::{TARGETS, Target};

/// A test for each target: it holds for its seeds, and for inputs made of them.
macro_rules! holds {
    ($($test:ident: $target:literal;)*) => {
        $(#[test]
        fn $test() {
            hold($target);
        })*

        /// The targets that have a test.
        const TESTED: &[&str] = &[$($target),*];
    };
}

holds! {
    a_body_holds: "body";
    a_connection_holds: "connection";
    a_front_holds: "fronts";
    a_head_holds: "head";
    a_hostile_module_meets_refusals: "module";
    a_proxys_header_holds: "proxy_protocol";
    proxies_fields_hold: "forwarded";
    the_http2_room_holds: "http2";
    trailers_hold: "trailers";
}

fn hold(name: &str) {
    count_panics();
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.expect("a target");
    let seeds = seeds(target);
    assert!(seeds.len() >= 10, "{name}: {} seeds", seeds.len());
    let mut random = Random(0x5EED);
    let made = (0..target.made).map(|_| random.made_of(&seeds));
    let inputs = seeds.iter().cloned().chain(made);
    for input in inputs {
        let shown = input.escape_ascii();
        // What it leaves behind is nothing to try another one on.
        assert!(!breaks(&input, target), "{name} breaks at: b\"{shown}\"");
    }
}

#[test]
fn every_target_is_a_program_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    for target in TARGETS {
        let name = format!("name = \"{}\"", target.name);
        assert!(manifest.contains(&name), "{name}");
        assert!(TESTED.contains(&target.name), "{name}");
    }
    let programs = fs::read_dir(folder.join("fuzz_targets")).expect("the programs");
    assert_eq!(programs.count(), TARGETS.len());
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// A panic that the border of the application contains is one all the same.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.with(|count| count.set(count.get() + 1));
            tell(panic);
        }));
    });
}

fn breaks(input: &[u8], target: &Target) -> bool {
    let before = PANICS.get();
    let outcome = std::panic::catch_unwind(|| targets::run(target.name, input));
    outcome.is_err() || PANICS.get() > before
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = target
        .seeds
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("the seeds are there"));
    let mut paths: Vec<_> = folders
        .map(|entry| entry.expect("a folder that can be read").path())
        .filter(|path| {
            path.extension()
                .is_none_or(|end| end != "expect" && end != "md")
        })
        .collect();
    paths.sort();
    let seeds = paths.iter().map(|path| fs::read(path).expect("a seed"));
    seeds.filter(|seed| seed.len() <= LONGEST).collect()
}

/// A linear congruential generator: the same inputs in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }

    /// An input with a few changes, or of two.
    fn made_of(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            let end = at + self.below(input.len() - at + 1).min(8);
            match self.below(7) {
                0 => drop(input.drain(at..end)),
                1 => input.insert(at, WORTH_TRYING[self.below(WORTH_TRYING.len())]),
                2 if at < input.len() => input[at] ^= 1 << self.below(8),
                3 if at < input.len() => input[at] = WORTH_TRYING[self.below(WORTH_TRYING.len())],
                4 => {
                    let piece = input[at..end].to_vec();
                    let to = self.below(input.len() + 1);
                    drop(input.splice(to..to, piece));
                }
                5 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len() + 1);
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
                _ => input.truncate(at),
            }
        }
        input.truncate(LONGEST);
        input
    }
}

/// Longer ones are slow and bring nothing new.
const LONGEST: usize = 1_000;
/// Bytes at which parsers have decisions to make.
const WORTH_TRYING: &[u8] = b"\r\n\0 \t:;,=\"\\%/[]0a9fA_-+.\x7f\x80\xff\x0b\x20\x21\x11\x31\x03";
