//! The grammar of rules: `/static/<name>/<converter(arguments):name>`.

/// A rule's text, cut up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'r> {
    Slash,
    Static(&'r str),
    Variable(Variable<'r>),
}

/// What stands in angle brackets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Variable<'r> {
    /// `default` if none is written.
    pub(super) converter: &'r str,
    /// What stands in the converter's parentheses.
    pub(super) arguments: &'r str,
    pub(super) name: &'r str,
}

/// Cuts up `text`. The error is what cannot be read, from its `<` on.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, &str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let (token, length) = match first {
            b'/' => (Token::Slash, 1),
            b'<' => {
                let (variable, length) = variable(rest).ok_or(rest)?;
                (Token::Variable(variable), length)
            }
            _ => {
                let length = rest.find(['/', '<']).unwrap_or(rest.len());
                (Token::Static(&rest[..length]), length)
            }
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// The variable that `text` begins with, and its length in bytes.
fn variable(text: &str) -> Option<(Variable<'_>, usize)> {
    let inner = text.strip_prefix('<')?;
    let (word, after) = identifier(inner)?;
    let length = |rest: &str| text.len() - rest.len();
    if let Some(rest) = after.strip_prefix('>') {
        let variable = Variable {
            converter: "default",
            arguments: "",
            name: word,
        };
        return Some((variable, length(rest)));
    }
    if let Some((name, rest)) = name(after) {
        let variable = Variable {
            converter: word,
            arguments: "",
            name,
        };
        return Some((variable, length(rest)));
    }
    // The arguments end at the first `)` behind which the rest reads as a name.
    let after = after.strip_prefix('(')?;
    after.match_indices(')').find_map(|(at, _)| {
        let (name, rest) = name(&after[at + 1..])?;
        let variable = Variable {
            converter: word,
            arguments: &after[..at],
            name,
        };
        Some((variable, length(rest)))
    })
}

/// `:name>` and what follows.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = identifier(text.strip_prefix(':')?)?;
    Some((name, rest.strip_prefix('>')?))
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    (end > 0 && !starts_with_digit).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable_of(text: &str) -> (&str, &str, &str) {
        match tokens(text).unwrap()[..] {
            [Token::Variable(v)] => (v.converter, v.arguments, v.name),
            ref other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_rule_is_cut_at_slashes_and_variables() {
        let expected = [
            Token::Slash,
            Token::Static("a>b"),
            Token::Variable(Variable {
                converter: "default",
                arguments: "",
                name: "x",
            }),
            Token::Slash,
        ];
        assert_eq!(tokens("/a>b<x>/").unwrap(), expected);
    }

    #[test]
    fn arguments_may_hold_brackets_slashes_and_parentheses() {
        assert_eq!(variable_of("<int:id>"), ("int", "", "id"));
        assert_eq!(variable_of("<int():id>"), ("int", "", "id"));
        assert_eq!(
            variable_of(r#"<regex("(a|b)/<c>"):x>"#),
            ("regex", r#""(a|b)/<c>""#, "x")
        );
    }

    #[test]
    fn what_cannot_be_read_is_shown_from_its_bracket_on() {
        for bad in ["<", "<>", "<1a>", "<a:>", "<int(:x>", "<int:a b>", "<a-b>"] {
            assert_eq!(tokens(&format!("/x/{bad}")).unwrap_err(), bad);
        }
    }
}
