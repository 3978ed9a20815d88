//! What somebody may have meant who wrote a setting that nobody reads.

use strsim::osa_distance;

/// The known name that `name` is likeliest a slip for, or Flask's way to write; none if all are too far from it.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = letters(name);
    let distances = known
        .into_iter()
        .map(|one| (osa_distance(&letters, &self::letters(one)), one));
    let (distance, best) = distances.min_by_key(|(distance, _)| *distance)?;
    let enough = (letters.len().max(best.len()) / LETTERS_PER_SLIP).clamp(1, MOST);
    (distance <= enough && distance < letters.len()).then_some(best)
}

/// Without what only divides words, and in lower case: `SESSION_COOKIE_NAME` has those of `session.cookie_name`.
fn letters(name: &str) -> String {
    name.replace(['.', '_', '-'], "").to_ascii_lowercase()
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
