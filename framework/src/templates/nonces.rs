//! Nonces for the scripts and styles that stand in a template's source. What values bring in gets none: an
//! injected `<script>` does not run.

use std::borrow::Cow;

/// The source with `nonce="..."` in each literal `<script>` and `<style>` tag that has none yet. Lines stay where
/// they are.
pub(super) fn with_nonces(source: &str) -> Cow<'_, str> {
    let places = Scanner::new(source).places();
    if places.is_empty() {
        return Cow::Borrowed(source);
    }
    let mut whole = String::with_capacity(source.len() + places.len() * NONCE_IN_RAW.len());
    let mut from = 0;
    for (at, raw) in places {
        whole.push_str(&source[from..at]);
        whole.push_str(if raw { NONCE_IN_RAW } else { NONCE });
        from = at;
    }
    whole.push_str(&source[from..]);
    Cow::Owned(whole)
}

/// Reads a template as HTML, as far as it takes to know where tags are. What stands in `{{ }}`, `{% %}` and
/// `{# #}` is passed over.
struct Scanner<'s> {
    source: &'s [u8],
    at: usize,
    /// Whether this is within `{% raw %}`.
    raw: bool,
    place: Place,
    /// Behind which tag names a nonce is missing, and whether that is within `{% raw %}`.
    found: Vec<(usize, bool)>,
}

/// Where the scanner is in the HTML.
#[derive(Clone, Copy)]
enum Place {
    Text,
    Comment,
    Tag(Tag),
    /// Within an element whose content is no HTML, until its end tag.
    Content(&'static str),
}

#[derive(Clone, Copy)]
struct Tag {
    /// The quote that an attribute's value stands in.
    quote: Option<u8>,
    /// Where a nonce would go, if the tag needs one.
    nonce: Option<(usize, bool)>,
    /// The element, if its content is no HTML.
    content: Option<&'static str>,
}

impl<'s> Scanner<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            source: source.as_bytes(),
            at: 0,
            raw: false,
            place: Place::Text,
            found: Vec::new(),
        }
    }

    fn places(mut self) -> Vec<(usize, bool)> {
        while self.at < self.source.len() {
            if self.pass_template_code() {
                continue;
            }
            match self.place {
                Place::Text => self.text(),
                Place::Comment => self.comment(),
                Place::Tag(tag) => self.tag(tag),
                Place::Content(name) => self.content(name),
            }
        }
        self.found
    }

    fn text(&mut self) {
        if self.starts_with("<!--") {
            self.at += 4;
            self.place = Place::Comment;
        } else if self.starts_with("<") {
            self.open();
        } else {
            self.at += 1;
        }
    }

    fn comment(&mut self) {
        if self.starts_with("-->") {
            self.at += 3;
            self.place = Place::Text;
        } else {
            self.at += 1;
        }
    }

    fn content(&mut self, name: &str) {
        if self.starts_with("</") && self.names(self.at + 2, name) {
            self.open();
        } else {
            self.at += 1;
        }
    }

    /// A `<`, which begins a tag if a name follows it, or `/` and a name.
    fn open(&mut self) {
        let closes = self.source.get(self.at + 1) == Some(&b'/');
        let name = self.at + 1 + usize::from(closes);
        if !self.source.get(name).is_some_and(u8::is_ascii_alphabetic) {
            self.at += 1;
            self.place = Place::Text;
            return;
        }
        let content = CONTENT
            .into_iter()
            .find(|content| !closes && self.names(name, content));
        self.at = name + content.map_or(1, str::len);
        let needs = content.filter(|content| NONCED.contains(content));
        self.place = Place::Tag(Tag {
            quote: None,
            nonce: needs.map(|_| (self.at, self.raw)),
            content,
        });
    }

    fn tag(&mut self, mut tag: Tag) {
        let byte = self.source[self.at];
        match (tag.quote, byte) {
            (Some(quote), _) => tag.quote = (byte != quote).then_some(quote),
            (None, b'"' | b'\'') => tag.quote = Some(byte),
            (None, b'>') => {
                self.at += 1;
                self.found.extend(tag.nonce);
                self.place = tag.content.map_or(Place::Text, Place::Content);
                return;
            }
            (None, b'n' | b'N') if self.is_attribute("nonce") => tag.nonce = None,
            (None, _) => {}
        }
        self.at += 1;
        self.place = Place::Tag(tag);
    }

    /// Whether an attribute of this name stands here.
    fn is_attribute(&self, name: &str) -> bool {
        let before = self.source[self.at - 1];
        !is_in_name(before) && self.names(self.at, name)
    }

    /// Whether this whole name stands at `at`, in any case.
    fn names(&self, at: usize, name: &str) -> bool {
        let end = at + name.len();
        let found = self.source.get(at..end);
        found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
            && !self.source.get(end).is_some_and(|byte| is_in_name(*byte))
    }

    fn starts_with(&self, text: &str) -> bool {
        self.source[self.at..].starts_with(text.as_bytes())
    }

    /// Passes over an expression, statement or comment of the template, if one begins here.
    fn pass_template_code(&mut self) -> bool {
        let end = match self.source[self.at..] {
            [b'{', b'%', ..] => "%}",
            [b'{', b'{', ..] if !self.raw => "}}",
            [b'{', b'#', ..] if !self.raw => "#}",
            _ => return false,
        };
        let begin = self.at + 2;
        let word = self.word(begin);
        if self.raw && word != b"endraw" {
            return false;
        }
        self.at = begin;
        let mut quote = None;
        while self.at < self.source.len() {
            let byte = self.source[self.at];
            match quote {
                Some(_) if byte == b'\\' => self.at += 1,
                Some(open) if byte == open => quote = None,
                Some(_) => {}
                None if self.starts_with(end) => break,
                None if matches!(byte, b'"' | b'\'') && end != "#}" => quote = Some(byte),
                None => {}
            }
            self.at += 1;
        }
        self.at = (self.at + end.len()).min(self.source.len());
        match word {
            b"raw" if end == "%}" => self.raw = true,
            b"endraw" => self.raw = false,
            _ => {}
        }
        true
    }

    /// The first word of the template's code at `at`.
    fn word(&self, at: usize) -> &'s [u8] {
        let code = self.source.get(at..).unwrap_or_default();
        let code = match code {
            [b'-' | b'+', rest @ ..] => rest,
            code => code,
        };
        let code = code.trim_ascii_start();
        let end = code.iter().position(|byte| !byte.is_ascii_alphanumeric());
        &code[..end.unwrap_or(code.len())]
    }
}

/// Whether a tag's or an attribute's name goes on with this byte.
fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.')
}

/// Elements whose content is text to a browser.
const CONTENT: [&str; 8] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
];
const NONCED: [&str; 2] = ["script", "style"];
const NONCE: &str = r#" nonce="{{ csp_nonce() }}""#;
const NONCE_IN_RAW: &str = r#" nonce="{% endraw %}{{ csp_nonce() }}{% raw %}""#;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nonced(source: &str) -> String {
        with_nonces(source)
            .replace(NONCE, "@")
            .replace(NONCE_IN_RAW, "@raw")
    }

    #[test]
    fn scripts_and_styles_of_the_source_get_a_nonce() {
        for (source, expected) in [
            ("<script>f()</script>", "<script@>f()</script>"),
            ("<STYLE\n>a{}</STYLE>", "<STYLE@\n>a{}</STYLE>"),
            (
                "<script src={{ x }}></script>",
                "<script@ src={{ x }}></script>",
            ),
            (
                "<p>a</p>\n<script defer src='/a.js'>",
                "<p>a</p>\n<script@ defer src='/a.js'>",
            ),
            (
                "{% if x %}<script>{% endif %}</script><style>",
                "{% if x %}<script@>{% endif %}</script><style@>",
            ),
            (
                "{% raw %}<script>{{ x }}</script>{% endraw %}<script>",
                "{% raw %}<script@raw>{{ x }}</script>{% endraw %}<script@>",
            ),
            (
                "<div {% if a > b %}hidden{% endif %}><script>",
                "<div {% if a > b %}hidden{% endif %}><script@>",
            ),
            ("a < b <script>", "a < b <script@>"),
            ("<svg><style>", "<svg><style@>"),
        ] {
            assert_eq!(nonced(source), expected);
        }
    }

    #[test]
    fn what_only_looks_like_a_script_is_left_alone() {
        for source in [
            "{{ '<script>' }}",
            "{{ \"}}<script>\" }}",
            "{% set x = '<script>' %}",
            "{# <script> #}",
            "<!-- <script> -->",
            "<p title='<script>'>",
            "<p title=\"{{ x }}<script>\">",
            "<scripture>",
            "<script-like>",
            "</script>",
            "<textarea><script></textarea>",
            "<title><style></title>",
            "<script nonce='x'>",
            "<script src=a NONCE={{ csp_nonce() }}>",
            "<script {{ x }}nonce>",
            "<script",
            "<",
            "{{ '",
            "{% raw %}",
        ] {
            assert_eq!(nonced(source), source);
        }
    }

    #[test]
    fn a_script_that_writes_a_script_stays_one_program() {
        let source = r#"<script>write("<script src=x>" + a</b)</script><script>"#;
        let expected = r#"<script@>write("<script src=x>" + a</b)</script><script@>"#;
        assert_eq!(nonced(source), expected);
        let other = "<script data-nonce=a nonced>";
        assert_eq!(nonced(other), "<script@ data-nonce=a nonced>");
    }

    proptest! {
        /// Whatever the source is, nonces are all that is added.
        #[test]
        fn nothing_but_nonces_is_added(pieces in prop::collection::vec(piece(), 0..20)) {
            let source = pieces.concat();
            let bare = with_nonces(&source).replace(NONCE, "").replace(NONCE_IN_RAW, "");
            prop_assert_eq!(bare, source);
        }
    }

    fn piece() -> impl Strategy<Value = String> {
        let tokens = [
            "<", "script", "style", ">", "</", "/", "<!--", "-->", "{{", "}}", "{%", "%}", "{#",
            "#}", "raw", "endraw", " ", "\"", "'", "\\", "nonce", "=", "title", "\u{fc}", "x", "-",
        ];
        prop::sample::select(tokens.to_vec()).prop_map(str::to_owned)
    }
}
