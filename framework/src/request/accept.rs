//! [`Accept`]: content negotiation by the Accept field (RFC 9110 §12.5.1).

/// What a client accepts, by media range and quality.
#[derive(Clone, Debug)]
pub struct Accept {
    /// Type, subtype, quality in thousandths.
    ranges: Vec<(String, String, u16)>,
}

impl Accept {
    /// Reads the field; without one, everything is as welcome as anything. At most
    /// 32 ranges count.
    #[must_use]
    pub fn parse(field: Option<&str>) -> Self {
        let ranges = field.unwrap_or("*/*").split(',').take(MAX_RANGES);
        Self {
            ranges: ranges.filter_map(range).collect(),
        }
    }

    /// How welcome a media type is, from 0 (not at all) to 1000. The most specific range counts.
    #[must_use]
    pub fn quality(&self, kind: &str) -> u16 {
        let (kind, sub) = kind.split_once('/').unwrap_or((kind, ""));
        let specific = |(range, within, quality): &(String, String, u16)| {
            let depth = match (range.as_str(), within.as_str()) {
                ("*", "*") => 0,
                (range, "*") if range.eq_ignore_ascii_case(kind) => 1,
                (range, within)
                    if range.eq_ignore_ascii_case(kind) && within.eq_ignore_ascii_case(sub) =>
                {
                    2
                }
                _ => return None,
            };
            Some((depth, *quality))
        };
        let found = self.ranges.iter().filter_map(specific);
        found.max().map_or(0, |(_, quality)| quality)
    }

    /// The most welcome of these media types; the earlier one of two that are equally so.
    #[must_use]
    pub fn best<'a>(&self, offered: &[&'a str]) -> Option<&'a str> {
        let mut best = None;
        for kind in offered {
            let quality = self.quality(kind);
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, *kind));
            }
        }
        best.map(|(_, kind)| kind)
    }
}

/// `text/html;level=1;q=0.5`; parameters other than `q` are passed over.
fn range(text: &str) -> Option<(String, String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, sub) = parts.next()?.split_once('/')?;
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let quality = match quality {
        Some(quality) => thousandths(quality)?,
        None => 1000,
    };
    Some((kind.to_owned(), sub.to_owned(), quality))
}

/// `0.85` is 850; at most three decimals count.
fn thousandths(quality: &str) -> Option<u16> {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    let mut value = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    let mut unit = 100;
    for digit in decimals.bytes().take(3) {
        value += u16::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?) * unit;
        unit /= 10;
    }
    Some(value.min(1000))
}

/// Ranges of one field that count; browsers send about eight.
const MAX_RANGES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_range_counts() {
        let accept = Accept::parse(Some("text/*;q=0.5, text/html, */*;q=0.1, image/png;q=0"));
        assert_eq!(accept.quality("text/html"), 1000);
        assert_eq!(accept.quality("text/plain"), 500);
        assert_eq!(accept.quality("application/json"), 100);
        assert_eq!(accept.quality("image/png"), 0);
        assert_eq!(
            accept.best(&["application/json", "text/html"]),
            Some("text/html")
        );
        assert_eq!(accept.best(&["image/png"]), None);
    }

    #[test]
    fn without_a_field_the_first_offer_is_best() {
        let accept = Accept::parse(None);
        assert_eq!(
            accept.best(&["text/html", "application/json"]),
            Some("text/html")
        );
    }
}
