//! What one source file names: paths, re-exports, child modules, `unsafe`.
//!
//! Works on tokens, so that macro bodies count like other code, and comments and strings do not.
//! Code under `#[cfg(test)]` is left out: tests may import anything.

use std::str::FromStr;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a file names.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    pub(crate) paths: Vec<NamedPath>,
    pub(crate) reexports: Vec<Reexport>,
    /// Child modules in files of their own, as declared by `mod name;`.
    pub(crate) children: Vec<Vec<String>>,
    /// Modules written inline, by their path within the file.
    pub(crate) inline: Vec<Vec<String>>,
    /// Macros by example that are written here.
    pub(crate) macros: Vec<String>,
    /// Lines on which `unsafe` stands.
    pub(crate) unsafe_lines: Vec<usize>,
}

/// A path as written, with where it stands.
#[derive(Debug)]
pub(crate) struct NamedPath {
    pub(crate) segments: Vec<String>,
    /// The inline modules around it.
    pub(crate) within: Vec<String>,
    pub(crate) line: usize,
}

/// `pub use path as name;` in any visibility: a name that stands for something elsewhere.
#[derive(Debug)]
pub(crate) struct Reexport {
    /// `*` for a glob.
    pub(crate) name: String,
    pub(crate) within: Vec<String>,
    pub(crate) segments: Vec<String>,
}

impl Imports {
    /// Reads one file's text.
    ///
    /// # Errors
    /// When the text is not a sequence of Rust tokens.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let tokens = TokenStream::from_str(text).map_err(|error| anyhow!("{error}"))?;
        let mut imports = Self::default();
        imports.walk(tokens, &mut Vec::new());
        Ok(imports)
    }

    fn walk(&mut self, tokens: TokenStream, within: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            at += match token {
                TokenTree::Punct(hash) if hash.as_char() == '#' && is_test_attribute(next) => {
                    item_length(&tokens[at..])
                }
                TokenTree::Group(group) => {
                    self.walk(group.stream(), within);
                    1
                }
                TokenTree::Ident(ident) if ident == "unsafe" => {
                    self.unsafe_lines.push(ident.span().start().line);
                    1
                }
                TokenTree::Ident(ident) if ident == "use" && !is_punct(next, '<') => {
                    let end = statement_length(&tokens[at..]);
                    let public = at > 0 && is_visibility(&tokens[..at]);
                    self.use_tree(&tokens[at + 1..at + end], &[], within, public);
                    end
                }
                TokenTree::Ident(ident) if ident == "mod" => self.module(&tokens[at..], within),
                TokenTree::Ident(ident) if ident == "macro_rules" => {
                    self.macros
                        .extend(tokens.get(at + 2).map(ToString::to_string));
                    3
                }
                TokenTree::Ident(_) => self.path(&tokens, at, within),
                _ => 1,
            };
        }
    }

    /// `mod name;` or `mod name { ... }`; answers how many tokens it took.
    fn module(&mut self, tokens: &[TokenTree], within: &mut Vec<String>) -> usize {
        let Some(TokenTree::Ident(name)) = tokens.get(1) else {
            return 1;
        };
        within.push(name.to_string());
        match tokens.get(2) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                self.inline.push(within.clone());
                self.walk(group.stream(), within);
            }
            Some(TokenTree::Punct(_)) => self.children.push(within.clone()),
            _ => {}
        }
        within.pop();
        3
    }

    /// `a::b::c` in code; answers how many tokens it took.
    fn path(&mut self, tokens: &[TokenTree], start: usize, within: &[String]) -> usize {
        let mut segments = vec![tokens[start].to_string()];
        let mut at = start + 1;
        while is_path_separator(&tokens[at..]) {
            let Some(TokenTree::Ident(next)) = tokens.get(at + 2) else {
                break;
            };
            segments.push(next.to_string());
            at += 3;
        }
        let is_method = start > 0 && is_punct(tokens.get(start - 1), '.');
        if segments.len() > 1 && !is_method {
            let line = tokens[start].span().start().line;
            self.paths.push(NamedPath {
                segments,
                within: within.to_vec(),
                line,
            });
        }
        at - start
    }

    /// One `use` tree, flattened into paths.
    fn use_tree(
        &mut self,
        tokens: &[TokenTree],
        prefix: &[String],
        within: &[String],
        public: bool,
    ) {
        let mut segments = prefix.to_vec();
        let mut name = None;
        let mut line = 0;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            line = token.span().start().line;
            match token {
                TokenTree::Ident(ident) if ident == "as" => {
                    name = tokens.get(at + 1).map(ToString::to_string);
                    break;
                }
                TokenTree::Ident(ident) => segments.push(ident.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => name = Some("*".to_owned()),
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in inner.split(|token| is_punct(Some(token), ',')) {
                        if !branch.is_empty() {
                            self.use_tree(branch, &segments, within, public);
                        }
                    }
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        if segments.last().is_some_and(|last| last == "self") && segments.len() > 1 {
            segments.pop();
        }
        let Some(last) = segments.last().cloned() else {
            return;
        };
        let within = within.to_vec();
        if public {
            let name = name.unwrap_or(last);
            self.reexports.push(Reexport {
                name,
                within,
                segments,
            });
        } else {
            self.paths.push(NamedPath {
                segments,
                within,
                line,
            });
        }
    }
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn is_path_separator(tokens: &[TokenTree]) -> bool {
    is_punct(tokens.first(), ':') && is_punct(tokens.get(1), ':')
}

/// Whether the tokens before a `use` end in `pub` or `pub(...)`.
fn is_visibility(before: &[TokenTree]) -> bool {
    let is_pub = |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if ident == "pub");
    match before {
        [.., word, TokenTree::Group(_)] => is_pub(word),
        [.., word] => is_pub(word),
        [] => false,
    }
}

/// `[cfg(test)]`, or any `cfg` that asks for `test`.
fn is_test_attribute(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = token else {
        return false;
    };
    let text = group.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// Tokens up to and with the next `;`.
fn statement_length(tokens: &[TokenTree]) -> usize {
    tokens
        .iter()
        .position(|token| is_punct(Some(token), ';'))
        .map_or(tokens.len(), |at| at + 1)
}

/// Tokens up to and with the end of an item: its `;` or its braces.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => is_punct(Some(other), ';'),
    };
    tokens
        .iter()
        .position(is_end)
        .map_or(tokens.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let imports = Imports::parse(text).unwrap();
        imports
            .paths
            .iter()
            .map(|path| path.segments.join("::"))
            .collect()
    }

    #[test]
    fn use_trees_are_flattened() {
        let found = paths("use crate::{a::B, c::{self, D as E}, f::*};\nuse std::io;");
        assert_eq!(
            found,
            [
                "crate::a::B",
                "crate::c",
                "crate::c::D",
                "crate::f",
                "std::io"
            ]
        );
    }

    #[test]
    fn paths_in_expressions_types_and_macros_count() {
        let found = paths("fn f(x: Vec<crate::a::B>) { x.iter::<u8>(); m!(crate::c::d()); }");
        assert_eq!(found, ["crate::a::B", "crate::c::d"]);
    }

    #[test]
    fn tests_comments_and_strings_do_not_count() {
        let text = "// crate::a::A\n#[cfg(test)]\nmod tests { use crate::b::B; }\n\
            #[cfg(test)] mod other;\nfn f() { let _ = \"crate::c::C\"; }";
        let imports = Imports::parse(text).unwrap();
        assert!(
            imports.paths.is_empty() && imports.children.is_empty(),
            "{imports:?}"
        );
    }

    #[test]
    fn reexports_are_names_and_not_imports() {
        let text = "mod a; mod b { use super::c::D; } pub(crate) use a::{X, Y as Z}; pub use b::*;";
        let imports = Imports::parse(text).unwrap();
        let names: Vec<&str> = imports
            .reexports
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["X", "Z", "*"]);
        assert_eq!(imports.children, [["a"]]);
        assert_eq!(imports.paths.len(), 1);
        assert_eq!(imports.paths[0].within, ["b"]);
    }

    #[test]
    fn unsafe_is_found_by_line_and_lint_names_are_not_it() {
        let text = "#![deny(unsafe_code)]\n\nfn f() {\n    unsafe { g() }\n}\n";
        assert_eq!(Imports::parse(text).unwrap().unsafe_lines, [4]);
    }

    #[test]
    fn captured_lifetimes_are_not_imports() {
        assert!(paths("fn f<'a>(x: &'a u8) -> impl Copy + use<'a> { *x }").is_empty());
    }
}
