//! What somebody may have meant who wrote a name that does not exist.

/// The known name that `name` is likeliest a misspelling of; none if all are too far from it.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, best) = known
        .map(|one| (edit_distance(name, one), one))
        .min_by_key(|(distance, _)| *distance)?;
    let enough = (name.len().max(best.len()) / 3).clamp(2, MOST);
    (distance <= enough && distance < name.len()).then_some(best)
}

/// Words for the end of a message: `` ; did you mean `workers`? ``, or none.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |one| format!("; did you mean `{one}`?"))
}

/// Levenshtein's distance between two texts, in bytes.
pub(super) fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

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
        assert_eq!(hint("bimd", known()), "; did you mean `bind`?");
    }
}
