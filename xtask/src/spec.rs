//! `cargo xtask spec`: the rules chapter of SPEC.md, gathered from the sources.
//!
//! The text of a rule stands in `//# [ID] ...` comments beside the code that checks it, its number,
//! side, version and kind of check in the table of `gateway-spec/src/rules.rs`. This brings both
//! together, and refuses rules without text, texts without a rule, and tests that do not exist.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

/// What to do with the chapter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write it into SPEC.md.
    Write,
    /// Fail if SPEC.md holds another one.
    Check,
}

/// Generates the chapter and writes or compares it.
pub(crate) fn run(root: &Path, mode: Mode) -> Result<()> {
    let folder = root.join("gateway-spec/src");
    let texts = texts_under(&folder)?;
    let table = fs::read_to_string(folder.join("rules.rs"))?;
    let rules = table
        .lines()
        .filter_map(|line| Row::parse(line.trim()))
        .collect::<Vec<_>>();
    for row in &rules {
        row.check_test(root)?;
    }
    let chapter = chapter(&rules, texts)?;
    for place in ["SPEC.md", "gateway-spec/include/gateway.h"] {
        check_mentions(&fs::read_to_string(root.join(place))?, &rules)
            .with_context(|| place.to_owned())?;
    }

    let path = root.join("SPEC.md");
    let old = fs::read_to_string(&path).context("SPEC.md")?;
    let (before, rest) = old
        .split_once(BEGIN)
        .context("SPEC.md has no mark for the rules")?;
    let (_, after) = rest
        .split_once(END)
        .context("SPEC.md has no mark for the rules' end")?;
    let new = format!("{before}{BEGIN}\n\n{chapter}{END}{after}");
    if new == old {
        return Ok(());
    }
    if mode == Mode::Check {
        bail!("SPEC.md and the rules in the sources differ: run `cargo xtask spec`");
    }
    fs::write(&path, new)?;
    println!("SPEC.md: {} rules", rules.len());
    Ok(())
}

/// Whatever looks like a rule's id in a text is one.
fn check_mentions(text: &str, rules: &[Row]) -> Result<()> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    for word in text.split(|letter| !is_part(letter)) {
        let Some((prefix, number)) = word.split_once('-') else {
            continue;
        };
        let is_id = SECTIONS.iter().any(|(known, _)| *known == prefix)
            && number.bytes().all(|digit| digit.is_ascii_digit());
        ensure!(
            !is_id || rules.iter().any(|row| row.id == word),
            "there is no rule {word}"
        );
    }
    Ok(())
}

/// One row of the table of rules.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    id: String,
    binds: String,
    since: String,
    check: String,
    /// The test's name, or the reason.
    detail: Option<String>,
}

impl Row {
    /// A row looks like `REQ_01 "REQ-01" Host "1.0" Lint;`, the last word perhaps with a string
    /// in parentheses.
    fn parse(line: &str) -> Option<Self> {
        let line = line.strip_suffix(';')?;
        let (name, rest) = line.split_once(" \"")?;
        let (id, rest) = rest.split_once("\" ")?;
        if name.replace('_', "-") != id {
            return None;
        }
        let (binds, rest) = rest.split_once(" \"")?;
        let (since, check) = rest.split_once("\" ")?;
        let (check, detail) = match check.split_once("(\"") {
            Some((check, detail)) => (check, Some(detail.strip_suffix("\")")?.to_owned())),
            None => (check, None),
        };
        let [id, binds, since, check] = [id, binds, since, check].map(str::to_owned);
        Some(Self {
            id,
            binds: binds.to_lowercase(),
            since,
            check,
            detail,
        })
    }

    /// A rule that a test checks names a test that exists.
    fn check_test(&self, root: &Path) -> Result<()> {
        let ("Test", Some(name)) = (self.check.as_str(), &self.detail) else {
            return Ok(());
        };
        let (file, function) = name
            .split_once("::")
            .with_context(|| format!("{name}: no test"))?;
        let source = fs::read_to_string(root.join(file)).with_context(|| self.missing(name))?;
        ensure!(
            source.contains(&format!("fn {function}(")),
            self.missing(name)
        );
        Ok(())
    }

    fn missing(&self, test: &str) -> String {
        format!("{} names the test {test}, which does not exist", self.id)
    }

    fn checked_by(&self) -> String {
        let detail = self.detail.as_deref().unwrap_or_default();
        match self.check.as_str() {
            "Lint" => "Checked by the lint and the interposer.".to_owned(),
            "Interposer" => "Checked by the interposer.".to_owned(),
            "Test" => {
                let function = detail.rsplit("::").next().unwrap_or(detail);
                format!("Tested: {}.", function.replace('_', " "))
            }
            _ => format!("Not checked: {detail}."),
        }
    }
}

/// The texts of rules by id, from all sources under a folder.
fn texts_under(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> = fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path)?;
                collect(&source, &mut texts).with_context(|| path.display().to_string())?;
            }
        }
    }
    Ok(texts)
}

/// Adds the texts that stand in one source.
fn collect(source: &str, texts: &mut BTreeMap<String, String>) -> Result<()> {
    let mut current: Option<&mut String> = None;
    for line in source.lines() {
        let Some(comment) = line.trim_start().strip_prefix("//# ") else {
            current = None;
            continue;
        };
        if let Some((id, text)) = comment
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
        {
            ensure!(!texts.contains_key(id), "{id} has a second text");
            current = Some(
                texts
                    .entry(id.to_owned())
                    .or_insert_with(|| text.to_owned()),
            );
        } else if let Some(text) = &mut current {
            text.push(' ');
            text.push_str(comment);
        } else {
            bail!("a rule's text without an id: {comment}");
        }
    }
    Ok(())
}

/// The chapter, in the order of the table.
fn chapter(rules: &[Row], mut texts: BTreeMap<String, String>) -> Result<String> {
    let mut chapter = String::new();
    let mut section = "";
    for row in rules {
        let prefix = row.id.split('-').next().unwrap_or_default();
        if prefix != section {
            section = prefix;
            let title = SECTIONS.iter().find(|(known, _)| *known == prefix);
            let (_, title) = title.with_context(|| format!("{prefix}: a section without title"))?;
            writeln!(chapter, "### {title}\n")?;
        }
        let text = texts
            .remove(&row.id)
            .with_context(|| format!("{} has no text", row.id))?;
        let paragraph = format!(
            "**{}** ({}, {}) {text} *{}*",
            row.id,
            row.binds,
            row.since,
            row.checked_by()
        );
        writeln!(chapter, "{}\n", wrapped(&paragraph))?;
    }
    if let Some(id) = texts.keys().next() {
        bail!("{id} has a text but is not in the table of rules");
    }
    Ok(chapter)
}

/// The same words in lines of at most [`WIDTH`] columns.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += width;
    }
    lines
}

const BEGIN: &str = "<!-- rules: written by `cargo xtask spec` -->";
const END: &str = "<!-- end of rules -->";
const WIDTH: usize = 110;
const SECTIONS: &[(&str, &str)] = &[
    ("LOAD", "Loading and versions"),
    ("LIFE", "Lifespan"),
    ("REQ", "The request's head"),
    ("BODY", "Bodies"),
    ("RES", "Responses"),
    ("CALL", "Calls, waking, cancellation"),
    ("ERR", "Errors"),
    ("UPG", "Upgrades"),
    ("LOG", "The log"),
    ("EXT", "Extensions"),
    ("CGI", "CGI"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spec_md_holds_the_rules_of_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        run(&root, Mode::Check).unwrap();
    }

    #[test]
    fn a_row_of_the_table_is_read_with_and_without_detail() {
        let row = Row::parse("REQ_01 \"REQ-01\" Host \"1.0\" Lint;").unwrap();
        assert_eq!((row.id.as_str(), row.binds.as_str()), ("REQ-01", "host"));
        assert_eq!((row.check.as_str(), row.detail), ("Lint", None));
        let row = Row::parse("A_1 \"A-1\" Both \"1.1\" NotCheckable(\"as such\");").unwrap();
        assert_eq!(row.detail.as_deref(), Some("as such"));
        assert_eq!(Row::parse("let _ = \"REQ-01\";"), None);
    }

    #[test]
    fn texts_are_joined_and_must_have_one_id_each() {
        let mut texts = BTreeMap::new();
        collect(
            "  //# [A-1] One\n  //# two.\ncode();\n//# [A-2] Three.\n",
            &mut texts,
        )
        .unwrap();
        assert_eq!(texts["A-1"], "One two.");
        assert_eq!(texts["A-2"], "Three.");
        assert!(collect("//# [A-1] Again.\n", &mut texts).is_err());
        assert!(collect("code();\n//# lost\n", &mut texts).is_err());
    }

    #[test]
    fn a_mention_of_a_rule_that_does_not_exist_is_refused() {
        let rules = [Row::parse("REQ_01 \"REQ-01\" Host \"1.0\" Lint;").unwrap()];
        check_mentions("as [REQ-01] and RFC-2119 say, x-REQ-02", &rules).unwrap();
        assert!(check_mentions("see [REQ-02].", &rules).is_err());
    }

    #[test]
    fn the_chapter_refuses_rules_and_texts_without_each_other() {
        let rules = [Row::parse("REQ_01 \"REQ-01\" Host \"1.0\" Lint;").unwrap()];
        assert!(chapter(&rules, BTreeMap::new()).is_err());
        let text = |id: &str| (id.to_owned(), "Text.".to_owned());
        assert!(chapter(&rules, BTreeMap::from([text("REQ-01"), text("REQ-02")])).is_err());
        let chapter = chapter(&rules, BTreeMap::from([text("REQ-01")])).unwrap();
        assert!(chapter.contains("**REQ-01** (host, 1.0) Text."));
    }
}
