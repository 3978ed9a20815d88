//! Every fuzz target holds for its seeds and for inputs made of them: the same ones in each run, some
//! thousands. `cargo xtask fuzz` goes on for longer, with the compiler's word on what an input has reached.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use targets::{TARGETS, Target};

#[test]
fn every_target_holds_for_its_seeds_and_for_inputs_made_of_them() {
    for target in TARGETS {
        let seeds = seeds(target);
        assert!(seeds.len() >= 10, "{}: {} seeds", target.name, seeds.len());
        for seed in &seeds {
            run(target, seed);
        }
        let mut random = Random(0x5EED);
        for _ in 0..MADE {
            run(target, &random.made_of(&seeds));
        }
    }
}

#[test]
fn every_target_is_a_program_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    for target in TARGETS {
        let name = format!("name = \"{}\"", target.name);
        assert!(manifest.contains(&name), "{name}");
    }
    let programs = fs::read_dir(folder.join("fuzz_targets")).expect("the programs");
    assert_eq!(programs.count(), TARGETS.len());
}

/// Runs one input, and names it if it breaks what is asserted.
fn run(target: &Target, input: &[u8]) {
    let outcome = std::panic::catch_unwind(|| (target.run)(input));
    let shown = input.escape_ascii();
    assert!(outcome.is_ok(), "{} breaks at: b\"{shown}\"", target.name);
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

/// Inputs that are made up for each target.
const MADE: usize = 20_000;
/// Longer ones are slow and bring nothing new.
const LONGEST: usize = 1_000;
/// Bytes at which parsers have decisions to make.
const WORTH_TRYING: &[u8] = b"\r\n\0 \t:;,=\"\\%/[]0a9fA_-+.\x7f\x80\xff\x0b\x20\x21\x11\x31\x03";
