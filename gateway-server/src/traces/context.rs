//! [`Parent`]: the span that a request is part of, as W3C's Trace Context has it in `traceparent` and
//! `tracestate`.

/// A span somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent<'r> {
    /// Which trace; not 0.
    pub(crate) trace: u128,
    /// Which span of it; not 0.
    pub(crate) span: u64,
    /// Whether it is recorded there.
    pub(crate) sampled: bool,
    /// What vendors add, one text for each line; none if that is no list of theirs.
    pub(crate) state: Vec<&'r str>,
}

impl<'r> Parent<'r> {
    /// Reads the values of the fields of these names. There is one `traceparent`, or none counts: two are an
    /// attempt to have two readers take different ones.
    pub(crate) fn read(
        mut traceparents: impl Iterator<Item = &'r [u8]>,
        tracestates: impl Iterator<Item = &'r [u8]>,
    ) -> Option<Self> {
        let only = traceparents
            .next()
            .filter(|_| traceparents.next().is_none())?;
        let (trace, span, sampled) = read_traceparent(only)?;
        Some(Self {
            trace,
            span,
            sampled,
            state: read_state(tracestates).unwrap_or_default(),
        })
    }
}

/// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`, by the letter (§3.2).
fn read_traceparent(text: &[u8]) -> Option<(u128, u64, bool)> {
    let (known, rest) = text.split_at_checked(LENGTH)?;
    let [a, b, ..] = *known else { return None };
    // A later version may add something behind another dash (§3.2.4); ff is none.
    match (a, b, rest) {
        (b'f', b'f', _) => return None,
        (b'0', b'0', []) => {}
        (b'0', b'0', _) => return None,
        (_, _, [] | [b'-', ..]) => {}
        _ => return None,
    }
    if [2, 35, 52].iter().any(|at| known[*at] != b'-') {
        return None;
    }
    hex(&known[..2])?;
    let trace = hex(&known[3..35]).filter(|trace| *trace != 0)?;
    let span = hex(&known[36..52]).filter(|span| *span != 0)?;
    let flags = hex(&known[53..])?;
    Some((trace, u64::try_from(span).ok()?, flags & SAMPLED != 0))
}

/// Digits of base 16, which are small letters (§3.2.2).
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |sum, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(sum << 4 | u128::from(value))
    })
}

/// The lists of the lines, if each member is one of the grammar and there are not too many (§3.3).
fn read_state<'r>(lines: impl Iterator<Item = &'r [u8]>) -> Option<Vec<&'r str>> {
    let (mut all, mut members, mut bytes) = (Vec::new(), 0, 0);
    for line in lines {
        let line = std::str::from_utf8(line).ok()?;
        bytes += line.len();
        for member in line.split(',') {
            let member = member.trim_matches([' ', '\t']);
            if !member.is_empty() {
                members += 1;
                let (key, value) = member.split_once('=')?;
                (is_key(key) && is_value(value)).then_some(())?;
            }
        }
        all.push(line);
    }
    (members <= MEMBERS && bytes <= STATE_BYTES).then_some(all)
}

/// A name of a vendor, or of a tenant `@` a vendor (§3.3.1.3.1).
fn is_key(key: &str) -> bool {
    let part = |text: &str, most: usize, digit: bool| {
        let first = |byte: u8| byte.is_ascii_lowercase() || digit && byte.is_ascii_digit();
        let more = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/');
        text.bytes().next().is_some_and(first) && text.bytes().all(more) && text.len() <= most
    };
    match key.split_once('@') {
        Some((tenant, system)) => part(tenant, 241, true) && part(system, 14, false),
        None => part(key, 256, false),
    }
}

/// Visible characters and blanks, without what separates members (§3.3.1.3.2).
fn is_value(value: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    !value.is_empty() && value.len() <= 256 && value.bytes().all(fits) && !value.ends_with(' ')
}

/// What a span is called in `traceparent`.
#[cfg_attr(
    not(any(feature = "opentelemetry", test)),
    expect(dead_code, reason = "nobody has spans")
)]
pub(super) fn write(trace: &[u8; 16], span: &[u8; 8], sampled: bool) -> [u8; LENGTH] {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    let mut put = |from: usize, bytes: &[u8]| {
        for (at, byte) in bytes.iter().enumerate() {
            let digits = [byte >> 4, byte & 0xf].map(|digit| b"0123456789abcdef"[digit as usize]);
            text[from + 2 * at..][..2].copy_from_slice(&digits);
        }
    };
    put(3, trace);
    put(36, span);
    put(53, &[u8::from(sampled)]);
    text
}

/// Bytes of a `traceparent` of version 00.
const LENGTH: usize = 55;
const SAMPLED: u128 = 1;
/// Members of all `tracestate` lines together.
const MEMBERS: usize = 32;
/// Bytes of them: as many as must be passed on (§3.3.1.5).
const STATE_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read<'a>(parents: &[&'a str], states: &[&'a str]) -> Option<Parent<'a>> {
        let bytes =
            |texts: &[&'a str]| texts.iter().map(|text| text.as_bytes()).collect::<Vec<_>>();
        Parent::read(bytes(parents).into_iter(), bytes(states).into_iter())
    }

    #[test]
    fn a_parent_is_one_field_by_the_letter() {
        let good = read(&[GOOD], &[]).unwrap();
        assert_eq!(good.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!((good.span, good.sampled), (0xb7ad_6b71_6920_3331, true));
        let [trace, span] = [
            good.trace.to_be_bytes().to_vec(),
            good.span.to_be_bytes().to_vec(),
        ];
        let written = write(&trace.try_into().unwrap(), &span.try_into().unwrap(), true);
        assert_eq!(&written, GOOD.as_bytes());
        let unsampled = read(&[&GOOD.replace("-01", "-fe")], &[]).map(|one| one.sampled);
        assert_eq!(unsampled, Some(false));
        // A later version.
        let later = GOOD.replacen("00", "cc", 1);
        for text in [&later, &format!("{later}-what the future will be like")] {
            assert!(read(&[text], &[]).is_some(), "{text}");
        }
        for text in [
            "",
            "00",
            &GOOD.replacen("00", "ff", 1),
            &GOOD.to_ascii_uppercase(),
            &format!("{GOOD}-"),
            &format!("{GOOD} "),
            &format!("{later}x"),
            &GOOD[..54],
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            &GOOD.replace('-', "_"),
            &GOOD.replace("b7", "g7"),
            &GOOD.replacen("00", "0g", 1),
        ] {
            assert_eq!(read(&[text], &[]), None, "{text}");
        }
        assert_eq!(read(&[GOOD, GOOD], &[]), None);
        assert_eq!(read(&[], &["a=b"]), None);
    }

    #[test]
    fn what_vendors_add_is_passed_on_or_left_out_as_a_whole() {
        let state = |lines: &[&'static str]| read(&[GOOD], lines).unwrap().state;
        let good = [
            "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE",
            "fw529a3039@dt=FfAz ,",
            "",
        ];
        assert_eq!(state(&good), good);
        for bad in [
            "a",
            "=b",
            "a=",
            "A=b",
            "1=b",
            "a b=c",
            "a=b=c",
            "a@=b",
            "@a=b",
            "a@1=b",
            "a=\u{e4}",
            "a=b\u{7f}",
        ] {
            assert!(state(&["ok=1", bad]).is_empty(), "{bad}");
        }
        let many: Vec<String> = (0..33).map(|number| format!("k{number}=v")).collect();
        let line = |count: usize| many[..count].join(",");
        let [most, more] = [line(32), line(33)];
        assert_eq!(read(&[GOOD], &[&most]).unwrap().state.len(), 1);
        assert!(read(&[GOOD], &[&more]).unwrap().state.is_empty());
        let long = "v".repeat(250);
        let lines = [
            format!("a={long}"),
            format!("b={long}"),
            "c=12345678".to_owned(),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(read(&[GOOD], &lines[..2]).unwrap().state.len(), 2);
        assert!(read(&[GOOD], &lines).unwrap().state.is_empty());
    }
}
