//! [`Usage`]: how a command is typed, and what was typed against it.

use std::ffi::OsString;
use std::fmt;

/// A command's name and arguments: `create-user NAME [ALIAS] [--admin] [--role ROLE]`.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    name: String,
    arguments: String,
    places: Vec<Place>,
    options: Vec<Choice>,
}

/// An argument that is known by where it stands.
#[derive(Clone, Debug)]
struct Place {
    field: String,
    shown: String,
    required: bool,
    repeats: bool,
}

/// An argument that is known by `--name`.
#[derive(Clone, Debug)]
struct Choice {
    field: String,
    flag: String,
    takes_value: bool,
    required: bool,
    repeats: bool,
}

impl Usage {
    /// Reads what a command is registered with.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = pieces(text)?.into_iter();
        let name = pieces.next().map(|piece| piece.text).unwrap_or_default();
        if !is_name(&name) {
            return Err(format!(
                "expected a name of letters, digits, `-` and `_` first, found {name:?}"
            ));
        }
        let mut usage = Self {
            arguments: text
                .trim()
                .split_once(' ')
                .map_or("", |(_, rest)| rest)
                .trim()
                .to_owned(),
            name,
            places: Vec::new(),
            options: Vec::new(),
        };
        let mut pieces = pieces.peekable();
        while let Some(piece) = pieces.next() {
            let mut words = piece.text.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some(flag) = first.strip_prefix("--") {
                let value = match words.next() {
                    Some(value) => Some(value.to_owned()),
                    // `--role ROLE` without brackets is two pieces.
                    None if !piece.bracketed => pieces
                        .next_if(|next| is_value(&next.text))
                        .map(|next| next.text),
                    None => None,
                };
                if !piece.bracketed && value.is_none() {
                    return Err(format!("expected `[--{flag}]` or `--{flag} VALUE`"));
                }
                usage.option(flag, value, &piece)?;
            } else {
                usage.place(first, &piece)?;
            }
            if let Some(more) = words.next() {
                return Err(format!(
                    "expected a bracket behind `{first}`, found `{more}`"
                ));
            }
        }
        Ok(usage)
    }

    /// The command's own name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What stands behind the name.
    pub(crate) fn arguments(&self) -> &str {
        &self.arguments
    }

    /// What was typed behind the name, by fields.
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub(crate) fn read(&self, words: &[OsString]) -> Result<Vec<(String, String)>, String> {
        let mut given: Vec<(String, String)> = Vec::new();
        let mut placed = Vec::new();
        let mut words = words.iter();
        let mut options_end = false;
        while let Some(word) = words.next() {
            let word = text(word)?;
            if options_end || !is_option(word) {
                placed.push(word.to_owned());
                continue;
            }
            if word == "--" {
                options_end = true;
                continue;
            }
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word, None),
            };
            let option = self.options.iter().find(|option| option.flag == flag);
            let option = option.ok_or_else(|| format!("there is no option `{flag}`"))?;
            if !option.repeats && given.iter().any(|(field, _)| *field == option.field) {
                return Err(format!("`{flag}` is given twice"));
            }
            let value = match (option.takes_value, value) {
                (true, Some(value)) => value.to_owned(),
                (true, None) => {
                    let next = words
                        .next()
                        .ok_or_else(|| format!("`{flag}` needs a value"))?;
                    text(next)?.to_owned()
                }
                (false, None) => "true".to_owned(),
                (false, Some(_)) => return Err(format!("`{flag}` takes no value")),
            };
            given.push((option.field.clone(), value));
        }
        for option in &self.options {
            if given.iter().any(|(field, _)| *field == option.field) {
                continue;
            }
            if option.required {
                return Err(format!("`{}` is missing", option.flag));
            }
            if !option.takes_value {
                given.push((option.field.clone(), "false".to_owned()));
            }
        }
        self.fill(placed, &mut given)?;
        Ok(given)
    }

    /// Gives each word its place: what must be there first, then what may be, then what repeats.
    fn fill(&self, placed: Vec<String>, given: &mut Vec<(String, String)>) -> Result<(), String> {
        let needed = self.places.iter().filter(|place| place.required).count();
        let mut spare = placed.len().checked_sub(needed).ok_or_else(|| {
            let missing = self.places.iter().filter(|place| place.required);
            let missing = missing.map(|place| place.shown.as_str()).nth(placed.len());
            format!("{} is missing", missing.unwrap_or("an argument"))
        })?;
        let mut words = placed.into_iter();
        for place in &self.places {
            let takes = match (place.required, place.repeats) {
                (true, false) => 1,
                (false, false) => spare.min(1),
                (required, true) => spare + usize::from(required),
            };
            spare -= takes - usize::from(place.required);
            for word in words.by_ref().take(takes) {
                given.push((place.field.clone(), word));
            }
        }
        match words.next() {
            Some(word) => Err(format!("`{word}` is one argument too many")),
            None => Ok(()),
        }
    }

    fn place(&mut self, name: &str, piece: &Piece) -> Result<(), String> {
        let (name, dots) = match name.strip_suffix("...") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if !is_value(name) {
            return Err(format!(
                "expected an argument in capitals or `--option`, found `{name}`"
            ));
        }
        let repeats = dots || piece.repeats;
        if repeats && self.places.iter().any(|place| place.repeats) {
            return Err(format!(
                "`{name}` repeats, and another argument does so already"
            ));
        }
        self.unused(name)?;
        self.places.push(Place {
            field: field(name),
            shown: name.to_owned(),
            required: !piece.bracketed,
            repeats,
        });
        Ok(())
    }

    fn option(&mut self, flag: &str, value: Option<String>, piece: &Piece) -> Result<(), String> {
        if !is_name(flag) || value.as_deref().is_some_and(|value| !is_value(value)) {
            return Err(format!(
                "expected `[--option]` or `[--option VALUE]`, found `--{flag}`"
            ));
        }
        self.unused(flag)?;
        self.options.push(Choice {
            field: field(flag),
            flag: format!("--{flag}"),
            takes_value: value.is_some(),
            required: !piece.bracketed,
            repeats: piece.repeats,
        });
        Ok(())
    }

    fn unused(&self, name: &str) -> Result<(), String> {
        let name = field(name);
        let mut fields = self.places.iter().map(|place| &place.field);
        let mut flags = self.options.iter().map(|option| &option.field);
        match fields.any(|known| *known == name) || flags.any(|known| *known == name) {
            true => Err(format!("two arguments are named `{name}`")),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = format!("{} {}", self.name, self.arguments);
        f.write_str(words.trim_end())
    }
}

/// A word, or what stands in brackets.
struct Piece {
    text: String,
    bracketed: bool,
    repeats: bool,
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let bracketed = rest.starts_with('[');
        let end = if bracketed {
            rest.find(']').ok_or("a bracket is not closed")? + 1
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        let (piece, behind) = rest.split_at(end);
        let (repeats, behind) = match behind.strip_prefix("...") {
            Some(behind) if bracketed => (true, behind),
            _ => (false, behind),
        };
        let inner = piece
            .strip_prefix('[')
            .and_then(|piece| piece.strip_suffix(']'));
        pieces.push(Piece {
            text: inner.unwrap_or(piece).to_owned(),
            bracketed,
            repeats,
        });
        rest = behind.trim_start();
    }
    Ok(pieces)
}

fn text(word: &OsString) -> Result<&str, String> {
    word.to_str()
        .ok_or_else(|| format!("expected UTF-8, found {}", word.to_string_lossy()))
}

/// Whether a word is meant as an option: numbers below zero are not.
fn is_option(word: &str) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    word.len() > 1 && word.starts_with('-') && !word.as_bytes().get(1).is_some_and(digit)
}

fn is_name(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(allowed)
}

fn is_value(name: &str) -> bool {
    is_name(name) && !name.contains(|letter: char| letter.is_ascii_lowercase())
}

fn field(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(usage: &str, words: &[&str]) -> Result<String, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let given = Usage::parse(usage).unwrap().read(&words)?;
        let given: Vec<String> = given
            .iter()
            .map(|(field, value)| format!("{field}={value}"))
            .collect();
        Ok(given.join(" "))
    }

    #[test]
    fn arguments_are_known_by_place_and_by_name() {
        let usage = "create NAME [ALIAS] [--admin] [--role ROLE] --mail-to ADDRESS";
        assert_eq!(
            read(usage, &["--mail-to", "a@b", "ann", "--role=x=y"]).unwrap(),
            "mail_to=a@b role=x=y admin=false name=ann"
        );
        assert_eq!(
            read(usage, &["ann", "--admin", "-5", "--mail-to=", "--"]).unwrap(),
            "admin=true mail_to= name=ann alias=-5"
        );
        for (words, told) in [
            (&["--mail-to=x"][..], "NAME is missing"),
            (&["ann"], "`--mail-to` is missing"),
            (&["ann", "--mail-to"], "`--mail-to` needs a value"),
            (
                &["ann", "--mail-to=x", "b", "c"],
                "`c` is one argument too many",
            ),
            (&["ann", "--male"], "there is no option `--male`"),
            (&["ann", "-x"], "there is no option `-x`"),
            (&["ann", "--admin=1"], "`--admin` takes no value"),
            (&["--admin", "--admin"], "`--admin` is given twice"),
        ] {
            assert_eq!(read(usage, words).unwrap_err(), told);
        }
        assert_eq!(read("x FILE", &["--", "--name"]).unwrap(), "file=--name");
    }

    #[test]
    fn what_repeats_takes_what_is_left() {
        let usage = "copy FROM... TO";
        assert_eq!(read(usage, &["a", "b", "c"]).unwrap(), "from=a from=b to=c");
        assert_eq!(read(usage, &["a"]).unwrap_err(), "TO is missing");
        assert_eq!(read("x [FILES]...", &[]).unwrap(), "");
        assert_eq!(
            read("x [--tag T]...", &["--tag", "a", "--tag=b"]).unwrap(),
            "tag=a tag=b"
        );
    }

    #[test]
    fn what_cannot_be_typed_is_refused() {
        for usage in [
            "",
            "-x",
            "a b",
            "a [NAME",
            "a --flag",
            "a N [N]",
            "a X... Y...",
            "a [--x lower]",
            "a [N M]",
        ] {
            assert!(Usage::parse(usage).is_err(), "{usage}");
        }
        let usage = Usage::parse("  a  NAME  [--b C] ").unwrap();
        assert_eq!(usage.to_string(), "a NAME  [--b C]");
    }
}
