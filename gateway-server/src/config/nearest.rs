//! What somebody may have meant who wrote a name that does not exist.

use strsim::osa_distance;

/// The known name that `name` is likeliest a misspelling of; none if all are too far from it.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // As Python, and variables, would write it.
    let dashed = name.replace('_', "-");
    let (distance, best) = known
        .map(|one| (osa_distance(&dashed, one), one))
        .min_by_key(|(distance, _)| *distance)?;
    let enough = (name.len().max(best.len()) / LETTERS_PER_SLIP).clamp(1, MOST);
    (distance <= enough && distance < name.len()).then_some(best)
}

/// Words for the end of a message: `` ; did you mean `workers`? ``, or none.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |one| format!("; did you mean `{one}`?"))
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
