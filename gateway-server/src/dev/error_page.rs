//! What is wrong, as a page for a browser and as plain text: colours of the terminal become markup.

use std::fmt::Write as _;

/// Both forms of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) html: String,
    pub(super) text: String,
}

impl Page {
    /// A page with this title around `output`, which is what a terminal would be sent. The page asks
    /// for itself again each second, so that it gives way to the application by itself.
    pub(super) fn new(title: &str, output: &str) -> Self {
        let heading = escaped(title);
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"refresh\" content=\"1\">\n\
             <title>{heading}</title>\n<style>{STYLE}</style>\n\
             <h1>{heading}</h1>\n<pre>{}</pre>\n\
             <footer>gatewayd dev; this page goes away by itself</footer>\n",
            markup(output)
        );
        let text = format!("{title}\n\n{}", plain(output));
        Self { html, text }
    }
}

/// The text without its colours.
pub(super) fn plain(output: &str) -> String {
    pieces(output).fold(String::new(), |mut text, piece| {
        if let Piece::Text(letters) = piece {
            text.push_str(letters);
        }
        text
    })
}

/// The text as markup: `span`s with the classes `b` for bold and `c0` to `c15` for colours.
fn markup(output: &str) -> String {
    let mut html = String::with_capacity(output.len() * 2);
    let mut style = Style::default();
    for piece in pieces(output) {
        match piece {
            Piece::Style(codes) => style.apply(codes),
            Piece::Text(letters) => {
                let classes = style.classes();
                if classes.is_empty() {
                    html.push_str(&escaped(letters));
                } else {
                    let letters = escaped(letters);
                    let _ = write!(html, "<span class=\"{classes}\">{letters}</span>");
                }
            }
        }
    }
    html
}

#[derive(Clone, Copy, Debug, Default)]
struct Style {
    bold: bool,
    colour: Option<u8>,
}

impl Style {
    /// Takes the numbers of a "select graphic rendition" sequence.
    fn apply(&mut self, codes: &str) {
        let mut codes = codes
            .split([';', ':'])
            .map(|code| code.parse().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                22 => self.bold = false,
                30..=37 => self.colour = Some(code - 30),
                90..=97 => self.colour = Some(code - 90 + 8),
                38 if codes.next() == Some(5) => {
                    self.colour = codes.next().filter(|colour| *colour < 16);
                }
                39 => self.colour = None,
                _ => {}
            }
        }
    }

    fn classes(self) -> String {
        let bold = if self.bold { "b" } else { "" };
        match self.colour {
            Some(colour) if self.bold => format!("b c{colour}"),
            Some(colour) => format!("c{colour}"),
            None => bold.to_owned(),
        }
    }
}

enum Piece<'a> {
    Text(&'a str),
    /// The numbers between `ESC [` and `m`.
    Style(&'a str),
}

/// Splits into text and styles; every other escape sequence and control is left out.
fn pieces(output: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = output;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
            let at = rest.find(control).unwrap_or(rest.len());
            if at > 0 {
                let (text, behind) = rest.split_at(at);
                rest = behind;
                return Some(Piece::Text(text));
            }
            let (sequence, behind) = rest.split_at(sequence_length(rest));
            rest = behind;
            let style = sequence.strip_prefix("\u{1b}[");
            if let Some(codes) = style.and_then(|style| style.strip_suffix('m')) {
                return Some(Piece::Style(codes));
            }
        }
    })
}

/// The length of the control or escape sequence that `text` begins with.
fn sequence_length(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let Some(body) = text.strip_prefix('\u{1b}') else {
        return first;
    };
    let to = |end: Option<usize>, more: usize| end.map_or(text.len(), |at| at + more);
    match body.as_bytes().first() {
        // A control sequence ends with a letter, a hyperlink with BEL or ESC \.
        Some(b'[') => to(
            body[1..].find(|letter: char| ('@'..='~').contains(&letter)),
            3,
        ),
        Some(b']') => match body.find(['\u{7}', '\u{1b}']) {
            Some(at) if body[at..].starts_with("\u{1b}\\") => at + 3,
            end => to(end, 2),
        },
        _ => first,
    }
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut html, letter| {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
        html
    })
}

const STYLE: &str = "\
body{background:#16181d;color:#d7dae0;margin:2rem;font-family:system-ui,sans-serif}\
h1{color:#ff7b72;font-size:1.3rem}\
pre{font:0.95rem/1.45 ui-monospace,monospace;overflow-x:auto}\
footer{color:#8b919c;font-size:0.85rem}\
.b{font-weight:bold}.c1,.c9{color:#ff7b72}.c2,.c10{color:#7ee787}.c3,.c11{color:#f2cc60}\
.c4,.c12{color:#79c0ff}.c5,.c13{color:#d2a8ff}.c6,.c14{color:#76e3ea}.c7,.c15{color:#fff}.c8{color:#8b919c}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_markup_is_escaped() {
        let output = "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: `Vec<&T>`\n\u{1b}[94m-->\u{1b}[0m";
        assert_eq!(
            markup(output),
            "<span class=\"b c9\">error</span>: `Vec&lt;&amp;T&gt;`\n<span class=\"c12\">--&gt;</span>"
        );
        assert_eq!(plain(output), "error: `Vec<&T>`\n-->");
    }

    #[test]
    fn other_sequences_are_left_out() {
        let link = "\u{1b}]8;;https://x\u{1b}\\E0308\u{1b}]8;;\u{7}";
        let output = format!("a\u{1b}[2K\r{link}\u{7}b\u{1b}(\u{1b}[");
        assert_eq!(plain(&output), "aE0308b(");
        assert_eq!(plain("\u{1b}"), "");
        assert_eq!(plain("\u{1b}]8;;"), "");
    }

    #[test]
    fn a_title_cannot_break_out_of_its_place() {
        let page = Page::new("<script>", "x");
        assert!(!page.html.contains("<script>"));
        assert!(page.text.starts_with("<script>\n\nx"));
    }
}
