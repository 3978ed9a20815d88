//! What somebody may have meant who wrote a setting that nobody reads.

/// The known name that `name` is likeliest a slip for, or Flask's way to write; none if all are too far from it.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = letters(name);
    let distances = known
        .into_iter()
        .map(|one| (edit_distance(&letters, &self::letters(one)), one));
    let (distance, best) = distances.min_by_key(|(distance, _)| *distance)?;
    let enough = (letters.len().max(best.len()) / LETTERS_PER_SLIP).clamp(1, MOST);
    (distance <= enough && distance < letters.len()).then_some(best)
}

/// Without what only divides words, and in lower case: `SESSION_COOKIE_NAME` has those of `session.cookie_name`.
fn letters(name: &str) -> Vec<u8> {
    let divides = |byte: &u8| matches!(byte, b'.' | b'_' | b'-');
    let bytes = name.bytes().filter(|byte| !divides(byte));
    bytes.map(|byte| byte.to_ascii_lowercase()).collect()
}

/// How many slips lead from one text to the other: a byte more, less, another, or two that have changed places.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
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
    fn a_slip_finds_its_setting_and_another_word_finds_none() {
        let known = ["secret_key", "session.cookie_name", "views.threads", "root"];
        for (written, meant) in [
            ("secrte_key", Some("secret_key")),
            ("SECRET_KEY", Some("secret_key")),
            ("session_cookie_name", Some("session.cookie_name")),
            ("view.threads", Some("views.threads")),
            ("mail", None),
            ("threads", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }
}
