//! Names of files that come from clients, made fit for the file system (`werkzeug.utils.secure_filename` and
//! `werkzeug.security.safe_join`).

use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization as _;

/// A name that is safe to store a client's file under: ASCII letters, digits, `_`, `-` and `.`, without a
/// leading dot or a separator. Empty where nothing of `name` is left, and then the caller must choose one.
pub fn secure_filename(name: &str) -> String {
    let ascii: String = name
        .nfkd()
        .filter(char::is_ascii)
        .map(|c| if c == '/' { ' ' } else { c })
        .collect();
    let words = ascii.split(is_space).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("_");
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let kept: String = joined.chars().filter(allowed).collect();
    kept.trim_matches(['.', '_']).to_owned()
}

/// What Python calls white space, of ASCII.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f')
}

/// The path of `name` under `directory`; none if it would lie elsewhere.
///
/// Symbolic links are followed as the file system follows them: what a directory links to is its owner's choice.
pub fn safe_join(directory: &Path, name: &str) -> Option<PathBuf> {
    if name.starts_with('/') || name.contains(['\0', '\\']) {
        return None;
    }
    let mut inside = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                inside.pop()?;
            }
            part => inside.push(part),
        }
    }
    Some(
        inside
            .into_iter()
            .fold(directory.to_owned(), |path, part| path.join(part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secure_filename_is_what_werkzeug_makes_of_it() {
        for (name, expected) in [
            ("My cool movie.mov", "My_cool_movie.mov"),
            ("../../../etc/passwd", "etc_passwd"),
            (
                "i contain cool \u{fc}ml\u{e4}uts.txt",
                "i_contain_cool_umlauts.txt",
            ),
            ("__filename__", "filename"),
            ("foo$&^*)bar", "foobar"),
            (".bashrc", "bashrc"),
            ("..", ""),
            ("\u{65e5}\u{672c}.txt", "txt"),
            ("a\0b\r\nc", "ab_c"),
            ("\u{ff0f}etc\u{ff0f}passwd", "etc_passwd"),
            (r"C:\dir\file.txt", "Cdirfile.txt"),
        ] {
            assert_eq!(secure_filename(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_joined_path_never_leaves_its_directory() {
        let base = Path::new("/srv/files");
        for (name, expected) in [
            ("a.txt", Some("/srv/files/a.txt")),
            ("a/./b//c", Some("/srv/files/a/b/c")),
            ("a/../b", Some("/srv/files/b")),
            ("", Some("/srv/files")),
            ("..a/b..", Some("/srv/files/..a/b..")),
            ("..", None),
            ("a/../../files/b", None),
            ("/etc/passwd", None),
            ("a\0b", None),
            (r"..\..\etc", None),
        ] {
            assert_eq!(
                safe_join(base, name).as_deref(),
                expected.map(Path::new),
                "{name:?}"
            );
        }
    }
}
