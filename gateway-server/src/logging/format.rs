//! [`Format`]: what a line of the access log consists of, in the words of Apache and Gunicorn, or as JSON.

use std::fmt;

use gateway_spec::abi::names;

use super::line::{SHORT, Short};

/// The pieces of a line, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// As it was written.
    text: String,
    pub(super) pieces: Vec<Piece>,
    pub(super) quoting: Quoting,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The same in every line.
    Text(Vec<u8>),
    /// Something of the request that is known when its head is.
    Early(Early),
    /// Something that is known when it has ended.
    Late(Late),
}

/// The pieces as they are appended with the fewest steps.
#[derive(Debug)]
pub(super) struct Steps {
    /// Those that are the same in all lines of a client within a second.
    pub(super) opening: Vec<Step>,
    pub(super) rest: Vec<Step>,
    /// A short text behind them.
    pub(super) end: Short,
}

/// A piece, with the short text that stands before it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) before: Short,
    pub(super) piece: Piece,
}

/// What is known with the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Early {
    Client,
    Time,
    Method,
    /// With its query.
    Target,
    Path,
    Query,
    Version,
    /// Method, target, version.
    Line,
    Scheme,
    Host,
    Id,
    /// A field of the request, by its name in small letters, and the name's id.
    Field(Vec<u8>, u16),
    /// Which worker this is, and what it serves: the same in all its lines.
    Worker,
    Pid,
    App,
    /// Why the head was refused: in JSON a member that others do not have.
    Refused,
}

/// What is known at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Late {
    Status,
    /// Bytes of the response's body.
    Sent,
    /// The same, with `-` for none.
    SentOrDash,
    /// Bytes of the request's body.
    Received,
    Took(Unit),
    /// Until its answer began.
    FirstByte(Unit),
    /// While it waited for a place.
    Queued(Unit),
    /// A field of the response, by its name in small letters.
    Field(Box<[u8]>),
}

/// How a time is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole seconds.
    Seconds,
    /// Whole milliseconds.
    Milliseconds,
    /// Whole microseconds.
    Microseconds,
    /// Seconds with six decimals.
    Decimal,
    /// Milliseconds with three decimals.
    DecimalMilliseconds,
}

/// How texts of clients are made harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// `"`, `\` and what is not printable in ASCII stand behind a backslash.
    Text,
    /// As strings of JSON; absent ones are null.
    Json,
}

/// What in a format is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown(pub(crate) String);

impl Format {
    /// What [`Format::parse`] reads, for messages and help.
    pub(crate) const FORM: &str =
        "`combined`, `common`, `json` or a text with atoms such as `%h`, `%(h)s` or `%{Referer}i`";

    /// Reads a name or a text.
    ///
    /// # Errors
    ///
    /// The atom that there is none of.
    pub(crate) fn parse(text: &str) -> Result<Self, Unknown> {
        let mut format = match text {
            "common" => Self::of_atoms(COMMON),
            "combined" => Self::of_atoms(COMBINED),
            "json" => Ok(Self::json()),
            // A name that is misspelt is no format of one word.
            other if !other.contains('%') => Err(Unknown(other.to_owned())),
            other => Self::of_atoms(other),
        }?;
        text.clone_into(&mut format.text);
        Ok(format)
    }

    /// Whether it is one of the old formats, which have no place for an application's name.
    pub(super) fn is_of_others(&self) -> bool {
        matches!(&*self.text, "common" | "combined")
    }

    /// Its pieces, as they are appended.
    pub(super) fn steps(self) -> Steps {
        let mut steps = Vec::new();
        let mut before = Short::default();
        for piece in self.pieces {
            match piece {
                Piece::Text(text) if text.len() <= SHORT && before.1 == 0 => {
                    before.0[..text.len()].copy_from_slice(&text);
                    before.1 = text.len();
                }
                piece => {
                    let before = std::mem::take(&mut before);
                    steps.push(Step { before, piece });
                }
            }
        }
        let is_other = |step: &Step| !step.is_opening(self.quoting);
        let opening = steps.iter().position(is_other).unwrap_or(steps.len());
        Steps {
            rest: steps.split_off(opening),
            opening: steps,
            end: before,
        }
    }

    /// Whether lines show the ids of requests.
    pub(super) fn names_ids(&self) -> bool {
        self.pieces.contains(&Piece::Early(Early::Id))
    }

    /// Whether lines show how long requests took.
    pub(super) fn names_times(&self) -> bool {
        let is_time =
            |piece: &Piece| matches!(piece, Piece::Late(Late::Took(_) | Late::FirstByte(_)));
        self.pieces.iter().any(is_time)
    }

    /// The fields of responses that it names, in the order of the line.
    pub(super) fn response_fields(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Late(Late::Field(name)) => Some(&**name),
            _ => None,
        })
    }

    fn of_atoms(text: &str) -> Result<Self, Unknown> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('%') {
            push_text(&mut pieces, before);
            if let Some(behind) = behind.strip_prefix('%') {
                push_text(&mut pieces, "%");
                rest = behind;
                continue;
            }
            let (piece, after) = atom(behind).ok_or_else(|| unknown(behind))?;
            // As both write the time, and Gunicorn the process, which is a port with Apache.
            let (open, close) = match piece {
                Piece::Early(Early::Time) => ("[", "]"),
                Piece::Early(Early::Pid) if behind.trim_start_matches('(').starts_with('p') => {
                    ("<", ">")
                }
                _ => ("", ""),
            };
            push_text(&mut pieces, open);
            pieces.push(piece);
            push_text(&mut pieces, close);
            rest = after;
        }
        push_text(&mut pieces, rest);
        Ok(Self {
            text: String::new(),
            pieces,
            quoting: Quoting::Text,
        })
    }

    fn json() -> Self {
        use Piece::{Early as E, Late as L};
        let millis = Unit::DecimalMilliseconds;
        let field = |name: &str| E(Early::field(name.as_bytes().to_vec()));
        let members = [
            ("time", E(Early::Time)),
            ("id", E(Early::Id)),
            ("client", E(Early::Client)),
            ("method", E(Early::Method)),
            ("target", E(Early::Target)),
            ("version", E(Early::Version)),
            ("scheme", E(Early::Scheme)),
            ("host", E(Early::Host)),
            ("status", L(Late::Status)),
            ("bytes_in", L(Late::Received)),
            ("bytes_out", L(Late::Sent)),
            ("queue_ms", L(Late::Queued(millis))),
            ("first_byte_ms", L(Late::FirstByte(millis))),
            ("duration_ms", L(Late::Took(millis))),
            ("referer", field("referer")),
            ("user_agent", field("user-agent")),
            ("worker", E(Early::Worker)),
            ("pid", E(Early::Pid)),
            ("app", E(Early::App)),
        ];
        let mut pieces = Vec::new();
        for (at, (name, piece)) in members.into_iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            push_text(&mut pieces, &format!("{before}\"{name}\":"));
            pieces.push(piece);
        }
        pieces.push(E(Early::Refused));
        push_text(&mut pieces, "}");
        Self {
            text: String::new(),
            pieces,
            quoting: Quoting::Json,
        }
    }
}

impl Early {
    fn field(name: Vec<u8>) -> Self {
        let id = names::id_of(&name);
        Self::Field(name, id)
    }
}

impl Step {
    /// Whether it is the same in all lines of a client within a second.
    fn is_opening(&self, quoting: Quoting) -> bool {
        match self.piece {
            Piece::Text(_) | Piece::Early(Early::Client) => true,
            Piece::Early(Early::Time) => quoting == Quoting::Text,
            _ => false,
        }
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::parse("combined").expect("a format of our own is one")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(last)) => last.extend_from_slice(text.as_bytes()),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(text.as_bytes().to_vec())),
    }
}

/// What is shown of an atom that is none.
fn unknown(behind: &str) -> Unknown {
    let end = behind.find([' ', '"', ']']).unwrap_or(behind.len());
    Unknown(format!("%{}", &behind[..end]))
}

/// The atom that the text behind a `%` begins with, and what follows it.
fn atom(text: &str) -> Option<(Piece, &str)> {
    // Gunicorn's form: `(h)s`, `({referer}i)s`.
    if let Some(inner) = text.strip_prefix('(') {
        let (name, behind) = inner.split_once(")s")?;
        return Some((named(name)?, behind));
    }
    // Apache's: `h`, `>s`, `{Referer}i`; of an original and a last request there is but one.
    let text = text.trim_start_matches(['<', '>']);
    let length = match text.strip_prefix('{') {
        Some(inner) => inner.find('}')? + 3,
        None => 1,
    };
    let (name, behind) = text.split_at_checked(length)?;
    Some((named(name)?, behind))
}

fn named(name: &str) -> Option<Piece> {
    use Piece::{Early as E, Late as L};
    if let Some(inner) = name.strip_prefix('{') {
        let (field, kind) = inner.split_once('}')?;
        let plain = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_graphic());
        let field = field.to_ascii_lowercase().into_bytes();
        return match kind {
            "i" if plain => Some(E(Early::field(field))),
            "o" if plain => Some(L(Late::Field(field.into()))),
            "T" => match &*field {
                b"s" => Some(L(Late::Took(Unit::Seconds))),
                b"ms" => Some(L(Late::Took(Unit::Milliseconds))),
                b"us" => Some(L(Late::Took(Unit::Microseconds))),
                _ => None,
            },
            _ => None,
        };
    }
    Some(match name {
        "h" | "a_ip" => E(Early::Client),
        // Nobody asks identd, and who the user is, applications know.
        "l" | "u" => Piece::Text(b"-".to_vec()),
        "t" => E(Early::Time),
        "r" => E(Early::Line),
        "m" => E(Early::Method),
        "U" => E(Early::Path),
        "q" => E(Early::Query),
        "H" => E(Early::Version),
        "s" => L(Late::Status),
        "B" => L(Late::Sent),
        "b" => L(Late::SentOrDash),
        "I" => L(Late::Received),
        "f" => E(Early::field(b"referer".to_vec())),
        "a" => E(Early::field(b"user-agent".to_vec())),
        "T" => L(Late::Took(Unit::Seconds)),
        "M" => L(Late::Took(Unit::Milliseconds)),
        "D" => L(Late::Took(Unit::Microseconds)),
        "L" => L(Late::Took(Unit::Decimal)),
        "F" => L(Late::FirstByte(Unit::Decimal)),
        "Q" => L(Late::Queued(Unit::Decimal)),
        "V" | "v" => E(Early::Host),
        "S" => E(Early::Scheme),
        "i" => E(Early::Id),
        "w" => E(Early::Worker),
        "p" | "P" => E(Early::Pid),
        "A" => E(Early::App),
        "E" => E(Early::Refused),
        _ => return None,
    })
}

/// Gunicorn's default is the second, but for the place of two of its atoms.
const COMMON: &str = "%h %l %u %t \"%r\" %s %B";
const COMBINED: &str = "%h %l %u %t \"%r\" %s %B \"%{Referer}i\" \"%{User-Agent}i\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apaches_and_gunicorns_atoms_are_the_same() {
        let apache = Format::parse("%h %t <%P> %>s %{Referer}i %{ms}T%%").unwrap();
        let gunicorn = Format::parse("%(h)s %(t)s %(p)s %(s)s %({referer}i)s %(M)s%%").unwrap();
        assert_eq!(apache.pieces, gunicorn.pieces);
        assert_eq!(apache.pieces.last(), Some(&Piece::Text(b"%".to_vec())));
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, named) in [
            ("jsno", "jsno"),
            ("%h %z", "%z"),
            ("%h \"%{HOME}e\"", "%{HOME}e"),
            ("%(x)s a", "%(x)s"),
            ("%", "%"),
            ("%{a", "%{a"),
            ("%ä", "%ä"),
        ] {
            assert_eq!(
                Format::parse(text),
                Err(Unknown(named.to_owned())),
                "{text}"
            );
        }
    }
}
