//! Content codings (RFC 9110 §8.4.1), and which of them a client takes (§12.5.3).

use std::fmt;

/// A content coding that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// All of them, those first that make files smallest.
    pub(crate) const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// The name in fields.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

/// Several of them, separated by commas in a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codings(pub(crate) Vec<Coding>);

impl Codings {
    /// Reads the setting; each may be named once.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut codings = Vec::new();
        for name in text.split(',').map(str::trim) {
            let coding = Coding::ALL.into_iter().find(|one| one.name() == name)?;
            if codings.contains(&coding) {
                return None;
            }
            codings.push(coding);
        }
        Some(Self(codings))
    }
}

impl fmt::Display for Codings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|one| one.name()).collect();
        f.write_str(&names.join(","))
    }
}

/// What a client says it takes. One that says nothing gets content as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accepted {
    /// In thousandths, in the order of [`Coding::ALL`].
    weights: [Option<u16>; Coding::ALL.len()],
    /// Of content as it is.
    identity: Option<u16>,
    /// Of whatever is not named.
    others: Option<u16>,
}

impl Accepted {
    /// Notes what a line of Accept-Encoding says. What cannot be understood says nothing.
    pub(crate) fn hear(&mut self, value: &[u8]) {
        for element in value.split(|byte| *byte == b',') {
            let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let weight = match (parts.next(), parts.next()) {
                (None, _) => Some(WHOLE),
                (Some(parameter), None) => weight(parameter),
                _ => None,
            };
            let place = if name == b"*" {
                &mut self.others
            } else if name.eq_ignore_ascii_case(b"identity") {
                &mut self.identity
            } else if let Some(at) = Coding::ALL.iter().position(|one| one.is_named(name)) {
                &mut self.weights[at]
            } else {
                continue;
            };
            *place = weight.or(*place);
        }
    }

    /// Those of `offered` that the client would rather have than content as it is, the best first; of
    /// two that are as welcome, the one that is offered first.
    pub(crate) fn choose(
        self,
        offered: impl Iterator<Item = Coding> + Clone,
    ) -> impl Iterator<Item = Coding> {
        let mut tried: u16 = WHOLE + 1;
        let mut rest = offered.clone();
        std::iter::from_fn(move || {
            loop {
                if let Some(coding) = rest.find(|one| self.weight(*one) == tried) {
                    return Some(coding);
                }
                // The next lower weight that something has.
                let lower = offered.clone().map(|one| self.weight(one));
                tried = lower.filter(|weight| *weight < tried).max()?;
                if tried == 0 || self.identity.is_some_and(|identity| identity > tried) {
                    return None;
                }
                rest = offered.clone();
            }
        })
    }

    fn weight(&self, coding: Coding) -> u16 {
        let at = Coding::ALL.iter().position(|one| *one == coding);
        let named = at.and_then(|at| self.weights[at]);
        named.or(self.others).unwrap_or(0)
    }
}

impl Coding {
    fn is_named(self, name: &[u8]) -> bool {
        // RFC 9110 §8.4.1.3: the older name means the same.
        name.eq_ignore_ascii_case(self.name().as_bytes())
            || self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip")
    }
}

/// `q=0.5` in thousandths (RFC 9110 §12.4.2).
fn weight(parameter: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), fraction @ ..] = parameter else {
        return None;
    };
    let digits = match fraction {
        [] => fraction,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let mut weight = u16::from(whole - b'0') * WHOLE;
    for (digit, scale) in digits.iter().zip([100, 10, 1]) {
        if !digit.is_ascii_digit() {
            return None;
        }
        weight += u16::from(digit - b'0') * scale;
    }
    (weight <= WHOLE).then_some(weight)
}

/// The weight of what is wanted most.
const WHOLE: u16 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lines: &[&str]) -> Vec<&'static str> {
        let mut accepted = Accepted::default();
        for line in lines {
            accepted.hear(line.as_bytes());
        }
        let chosen = accepted.choose(Coding::ALL.into_iter());
        chosen.map(Coding::name).collect()
    }

    #[test]
    fn the_client_decides_and_the_order_of_the_offer_where_it_does_not() {
        for (line, expected) in [
            ("gzip, deflate, br, zstd", &["br", "zstd", "gzip"][..]),
            ("gzip;q=1.0, br;q=0.5", &["gzip", "br"]),
            ("br;q=0.5, zstd;q=0.7, gzip;q=0.6", &["zstd", "gzip", "br"]),
            ("GZIP", &["gzip"]),
            ("x-gzip", &["gzip"]),
            ("*", &["br", "zstd", "gzip"]),
            ("*;q=0.2, gzip", &["gzip", "br", "zstd"]),
            ("*, br;q=0", &["zstd", "gzip"]),
            ("identity", &[]),
            ("identity, gzip;q=0.5", &[]),
            ("identity;q=0.5, gzip;q=0.8, br;q=0.3", &["gzip"]),
            ("identity;q=0, gzip;q=0.001", &["gzip"]),
            ("", &[]),
            ("deflate", &[]),
        ] {
            assert_eq!(chosen(&[line]), expected, "{line}");
        }
        assert_eq!(chosen(&["gzip", "br"]), ["br", "gzip"]);
        assert_eq!(chosen(&[]), [""; 0]);
    }

    #[test]
    fn a_setting_names_each_once() {
        let codings = Codings::parse("gzip, br").unwrap();
        assert_eq!(codings.0, [Coding::Gzip, Coding::Brotli]);
        assert_eq!(codings.to_string(), "gzip,br");
        for wrong in ["", "gzip,", "gzip,gzip", "deflate", "GZIP"] {
            assert_eq!(Codings::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_not_accepted() {
        for line in [
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.1234",
            "gzip;q=-1",
            "gzip;q=",
            "gzip;level=1",
            "gzip;q=1;q=1",
            "gzip;q=0",
            "gzip;q=0.000",
            "g zip",
            "\x00\u{ff}",
        ] {
            assert_eq!(chosen(&[line]), [""; 0], "{line}");
        }
        assert_eq!(chosen(&["gzip ; q=0.5 , , br"]), ["br", "gzip"]);
    }
}
