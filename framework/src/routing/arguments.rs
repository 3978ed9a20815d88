//! What stands in a converter's parentheses: `min=1, max=5`, `de, en, "a,b"`.

/// The arguments of a converter, in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Arguments(Vec<(Option<String>, Argument)>);

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    text: String,
    quoted: bool,
}

impl Arguments {
    /// Reads the text between a converter's parentheses.
    ///
    /// # Errors
    /// What was expected where.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut list = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (name, after) = name(rest);
            let (argument, after) = Argument::parse(after)?;
            list.push((name.map(str::to_owned), argument));
            rest = after.trim_start();
            match rest.strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None if rest.is_empty() => {}
                None => return Err(format!("expected `,`, found `{rest}`")),
            }
        }
        Ok(Self(list))
    }

    /// The arguments by the converter's names for them: positional ones in order, then named ones. `None`
    /// for those not given, or given as `None`.
    ///
    /// # Errors
    /// When there are too many, one has another name, or one is given twice.
    pub fn bind<const N: usize>(&self, names: [&str; N]) -> Result<[Option<Argument>; N], String> {
        let mut bound = [const { None }; N];
        for (number, (name, argument)) in self.0.iter().enumerate() {
            let place = match name {
                None if number < N => number,
                None => {
                    return Err(format!(
                        "expected at most {N} arguments, found {}",
                        self.0.len()
                    ));
                }
                Some(name) => names.iter().position(|one| one == name).ok_or_else(|| {
                    let known = if N == 0 {
                        "none".to_owned()
                    } else {
                        names.join(", ")
                    };
                    format!("expected arguments of {known}, found `{name}`")
                })?,
            };
            if bound[place].replace(argument.clone()).is_some() {
                return Err(format!("`{}` is given twice", names[place]));
            }
        }
        Ok(bound.map(|argument| argument.filter(|one| one.quoted || one.text != "None")))
    }

    /// The arguments as a list of texts.
    ///
    /// # Errors
    /// When one has a name.
    pub fn texts(&self) -> Result<Vec<String>, String> {
        let text = |(name, argument): &(Option<String>, Argument)| match name {
            None => Ok(argument.text.clone()),
            Some(name) => Err(format!("expected values without names, found `{name}=`")),
        };
        self.0.iter().map(text).collect()
    }
}

impl Argument {
    /// The argument's text, without quotes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The argument as a number of any type.
    ///
    /// # Errors
    /// When it is not one.
    pub fn number<T: std::str::FromStr>(&self) -> Result<T, String> {
        let number = self.text.parse().ok().filter(|_| !self.quoted);
        number.ok_or_else(|| format!("expected a number, found `{}`", self.text))
    }

    /// The argument as `True` or `False`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn truth(&self) -> Result<bool, String> {
        match &*self.text {
            "True" | "true" => Ok(true),
            "False" | "false" => Ok(false),
            other => Err(format!("expected True or False, found `{other}`")),
        }
    }

    fn parse(text: &str) -> Result<(Self, &str), String> {
        // Python's prefixes of strings are read and mean nothing.
        let bare = text.strip_prefix(['u', 'U', 'r', 'R']);
        let quoted = bare
            .filter(|rest| rest.starts_with(['"', '\'']))
            .unwrap_or(text);
        if let Some(quote) = quoted.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let inner = &quoted[1..];
            let end = inner
                .find(quote)
                .ok_or_else(|| format!("expected {quote} at the end of `{text}`"))?;
            let argument = Self {
                text: inner[..end].to_owned(),
                quoted: true,
            };
            return Ok((argument, &inner[end + 1..]));
        }
        let end = text.find(|c: char| !is_bare(c)).unwrap_or(text.len());
        if end == 0 {
            return Err(format!("expected a value, found `{text}`"));
        }
        let argument = Self {
            text: text[..end].to_owned(),
            quoted: false,
        };
        Ok((argument, &text[end..]))
    }
}

/// The name before `=` if there is one, and what follows.
fn name(text: &str) -> (Option<&str>, &str) {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match rest.trim_start().strip_prefix('=') {
        Some(value) if end > 0 => (Some(name), value.trim_start()),
        _ => (None, text),
    }
}

/// What values without quotes are made of.
fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_by_place_or_by_name() {
        let arguments = Arguments::parse("2, max = -5,signed=True").unwrap();
        let [min, max, signed, rest] = arguments.bind(["min", "max", "signed", "rest"]).unwrap();
        assert_eq!(min.unwrap().number::<i64>(), Ok(2));
        assert_eq!(max.unwrap().number::<i64>(), Ok(-5));
        assert_eq!(signed.unwrap().truth(), Ok(true));
        assert_eq!(rest, None);
    }

    #[test]
    fn quotes_protect_commas_and_make_text() {
        let arguments = Arguments::parse(r#"about, "foo,bar" ,'x', r"\d""#).unwrap();
        assert_eq!(arguments.texts().unwrap(), ["about", "foo,bar", "x", r"\d"]);
        let [one] = Arguments::parse("'5'").unwrap().bind(["one"]).unwrap();
        one.unwrap().number::<i64>().unwrap_err();
    }

    #[test]
    fn none_is_as_good_as_not_given() {
        let [max] = Arguments::parse("max=None").unwrap().bind(["max"]).unwrap();
        assert_eq!(max, None);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |text, names: [&str; 1]| match Arguments::parse(text) {
            Ok(arguments) => arguments.bind(names).unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(
            error("length=1", ["min"]),
            "expected arguments of min, found `length`"
        );
        assert_eq!(
            error("1, 2", ["min"]),
            "expected at most 1 arguments, found 2"
        );
        assert_eq!(error("1, min=2", ["min"]), "`min` is given twice");
        assert_eq!(error("\"a", ["min"]), "expected \" at the end of `\"a`");
        assert_eq!(error("1 2", ["min"]), "expected `,`, found `2`");
        assert_eq!(error(",", ["min"]), "expected a value, found `,`");
    }
}
