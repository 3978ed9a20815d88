//! The parameters of Content-Disposition and Content-Type, as browsers and other clients write them.

/// A field's value without its parameters, and those.
pub(super) struct Parameterized<'a> {
    pub(super) value: &'a [u8],
    parameters: Vec<(&'a [u8], Vec<u8>)>,
}

impl<'a> Parameterized<'a> {
    /// Splits `value; name=token; name="quoted"`. None if it does not follow that shape.
    pub(super) fn parse(field: &'a [u8]) -> Option<Self> {
        let (value, mut rest) = split(field);
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(b";") {
            rest = after.trim_ascii_start();
            if rest.is_empty() {
                break;
            }
            let equals = rest.iter().position(|byte| *byte == b'=')?;
            let (name, after) = (rest[..equals].trim_ascii(), &rest[equals + 1..]);
            let (text, after) = parameter(after.trim_ascii_start())?;
            parameters.push((name, text));
            rest = after.trim_ascii_start();
        }
        rest.is_empty().then_some(Self {
            value: value.trim_ascii(),
            parameters,
        })
    }

    /// The text of the parameter `name`, from `name*` (RFC 5987) if that is there. None if it is absent or not
    /// UTF-8; the first counts where there are several.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let named = |wanted: &str| {
            let is = |(found, _): &&(&[u8], Vec<u8>)| found.eq_ignore_ascii_case(wanted.as_bytes());
            self.parameters.iter().find(is).map(|(_, text)| text)
        };
        let extended = named(&format!("{name}*")).and_then(|text| extended(text));
        extended.or_else(|| String::from_utf8(named(name)?.clone()).ok())
    }
}

/// Everything before the first `;`, and the rest from there.
fn split(field: &[u8]) -> (&[u8], &[u8]) {
    let end = field.iter().position(|byte| *byte == b';');
    field.split_at(end.unwrap_or(field.len()))
}

/// A token or a quoted string, and what follows it.
fn parameter(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (token, rest) = split(text);
        return Some((token.trim_ascii_end().to_vec(), rest));
    };
    let mut unquoted = Vec::with_capacity(quoted.len());
    let mut at = 0;
    loop {
        match (*quoted.get(at)?, quoted.get(at + 1)) {
            (b'"', _) => return Some((unquoted, &quoted[at + 1..])),
            // Old browsers send a path with its backslashes; only these two are escapes.
            (b'\\', Some(escaped @ (b'"' | b'\\'))) => {
                unquoted.push(*escaped);
                at += 2;
            }
            // Present ones write a quote like this, and `%` as it is (the HTML standard's multipart form data).
            (b'%', Some(b'2')) if quoted.get(at + 2) == Some(&b'2') => {
                unquoted.push(b'"');
                at += 3;
            }
            (byte, _) => {
                unquoted.push(byte);
                at += 1;
            }
        }
    }
}

/// The text of `UTF-8''percent%20encoded`.
fn extended(text: &[u8]) -> Option<String> {
    let mut parts = text.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, value) = (parts.next()?, parts.next()?, parts.next()?);
    let known = charset.eq_ignore_ascii_case(b"utf-8");
    let decoded: Vec<u8> = percent_encoding::percent_decode(value).collect();
    known.then(|| String::from_utf8(decoded).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filename(field: &str) -> Option<String> {
        Parameterized::parse(field.as_bytes())?.text("filename")
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (field, expected) in [
            (r#"form-data; name="a"; filename="b.txt""#, "b.txt"),
            ("form-data; name=a; filename=b.txt", "b.txt"),
            (r#"form-data; FileName="a;b=c""#, "a;b=c"),
            (r#"form-data; filename="say \"hi\"""#, "say \"hi\""),
            (
                r#"form-data; filename="say %22hi%22 50%""#,
                "say \"hi\" 50%",
            ),
            (r#"form-data; filename="C:\dir\f.txt""#, r"C:\dir\f.txt"),
            (r#"form-data; filename="naïve.txt""#, "naïve.txt"),
            (
                "form-data; filename=x; filename*=UTF-8''na%C3%AFve",
                "naïve",
            ),
            ("form-data; filename=\"\"", ""),
            ("form-data; filename=a;", "a"),
        ] {
            assert_eq!(filename(field).as_deref(), Some(expected), "{field}");
        }
    }

    #[test]
    fn malformed_parameters_are_none() {
        for field in [
            "form-data; filename",
            "form-data; filename=\"a",
            "form-data; filename=\"a\" b",
        ] {
            assert_eq!(filename(field), None, "{field}");
        }
    }
}
