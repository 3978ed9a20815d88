//! How like two names are: Ratcliff and Obershelp's measure, as Python's difflib computes it.

use std::collections::HashMap;

/// Twice the number of characters in common blocks by the number of all characters; 1 for equal names.
pub(super) fn ratio(a: &str, b: &str) -> f64 {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let total = a.len() + b.len();
    if total == 0 {
        return 1.0;
    }
    let mut places: HashMap<char, Vec<usize>> = HashMap::new();
    for (at, c) in b.iter().enumerate() {
        places.entry(*c).or_default().push(at);
    }
    // In long names, characters that stand everywhere say nothing.
    if b.len() >= 200 {
        let popular = b.len() / 100 + 1;
        places.retain(|_, at| at.len() <= popular);
    }
    let mut matching = 0;
    let mut open = vec![(0..a.len(), 0..b.len())];
    while let Some((in_a, in_b)) = open.pop() {
        let (start_a, start_b, length) = longest(&a, &b, &places, in_a.clone(), in_b.clone());
        if length > 0 {
            matching += length;
            open.push((in_a.start..start_a, in_b.start..start_b));
            open.push((start_a + length..in_a.end, start_b + length..in_b.end));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "names are short")]
    let ratio = 2.0 * matching as f64 / total as f64;
    ratio
}

type Range = std::ops::Range<usize>;

/// The longest common block in these ranges, the first of equals: where it stands in `a` and `b`, and its
/// length.
fn longest(
    a: &[char],
    b: &[char],
    places: &HashMap<char, Vec<usize>>,
    in_a: Range,
    in_b: Range,
) -> (usize, usize, usize) {
    let (mut best_a, mut best_b, mut best) = (in_a.start, in_b.start, 0);
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for at_a in in_a.clone() {
        let mut next = HashMap::new();
        let places = places.get(&a[at_a]).map_or(&[][..], Vec::as_slice);
        for &at_b in places.iter().filter(|at| in_b.contains(at)) {
            let before = at_b.checked_sub(1).and_then(|before| lengths.get(&before));
            let length = before.copied().unwrap_or(0) + 1;
            next.insert(at_b, length);
            if length > best {
                (best_a, best_b, best) = (at_a + 1 - length, at_b + 1 - length, length);
            }
        }
        lengths = next;
    }
    // Popular characters beside the block belong to it all the same.
    while best_a > in_a.start && best_b > in_b.start && a[best_a - 1] == b[best_b - 1] {
        (best_a, best_b, best) = (best_a - 1, best_b - 1, best + 1);
    }
    while best_a + best < in_a.end
        && best_b + best < in_b.end
        && a[best_a + best] == b[best_b + best]
    {
        best += 1;
    }
    (best_a, best_b, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_difflib() {
        for (a, b, expected) in [
            ("abcd", "bcde", 0.75),
            ("", "", 1.0),
            ("a", "", 0.0),
            ("user.show", "user_show", 8.0 / 9.0),
            ("private", "prviate", 12.0 / 14.0),
        ] {
            assert!((ratio(a, b) - expected).abs() < 1e-12, "{a} {b}");
        }
    }
}
