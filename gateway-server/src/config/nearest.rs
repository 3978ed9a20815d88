//! What somebody may have meant who wrote a name that does not exist.

/// The known name that `name` is likeliest a misspelling of; none if all are too far from it.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // As Python, and variables, would write it.
    let dashed = name.replace('_', "-");
    let (distance, best) = known
        .map(|one| (edit_distance(&dashed, one), one))
        .min_by_key(|(distance, _)| *distance)?;
    let enough = (name.len().max(best.len()) / LETTERS_PER_SLIP).clamp(1, MOST);
    (distance <= enough && distance < name.len()).then_some(best)
}

/// Words for the end of a message: `` ; did you mean `workers`? ``, or none.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |one| format!("; did you mean `{one}`?"))
}

/// How many slips lead from one text to the other: a byte more, less, another, or two that have changed
/// places.
pub(super) fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut older = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let changed = row[j] + usize::from(a[i] != b[j]);
            let mut least = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swapped: usize = older[j - 1];
                least = least.min(swapped + 1);
            }
            next.push(least);
        }
        older = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

/// One slip is forgiven for so many letters, and one in a shorter name.
const LETTERS_PER_SLIP: usize = 4;
/// No name is taken for another if more than this many letters differ.
const MOST: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_finds_its_name_and_another_word_finds_none() {
        let known = || ["workers", "worker-timeout", "bind"].into_iter();
        assert_eq!(nearest("wokers", known()), Some("workers"));
        assert_eq!(nearest("worker_timeout", known()), Some("worker-timeout"));
        assert_eq!(nearest("bnd", known()), Some("bind"));
        assert_eq!(nearest("threads", known()), None);
        assert_eq!(nearest("x", known()), None);
        let others = || ["admin", "nice", "reload", "check", "hook-timeout"].into_iter();
        assert_eq!(nearest("chekc", others()), Some("check"));
        for word in ["daemon", "name", "threads", "timeout"] {
            assert_eq!(nearest(word, others()), None, "{word}");
        }
        assert_eq!(hint("bimd", known()), "; did you mean `bind`?");
    }
}
