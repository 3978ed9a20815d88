//! The rules of a map as a table for people.

use std::fmt;

use super::compiled::RuleInfo;
use super::map::Map;

/// All rules of a map, one a line, as [`Map::listing`] orders them.
#[derive(Debug)]
pub struct Listing<'m> {
    rows: Vec<[String; 5]>,
    map: &'m Map,
}

/// What a listing is ordered by; equals stay in the order of registration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The endpoint's name.
    #[default]
    Endpoint,
    /// The methods.
    Methods,
    /// The host or subdomain.
    Domain,
    /// The rule's text.
    Rule,
    /// As they were registered.
    Registration,
}

impl Map {
    /// The rules with their endpoints, methods, domains and the lines that registered them.
    #[must_use]
    pub fn listing(&self, order: Order) -> Listing<'_> {
        let mut rules: Vec<&RuleInfo> = self.rules().collect();
        match order {
            Order::Endpoint => rules.sort_by_key(|rule| self.endpoint_name(rule.endpoint)),
            Order::Methods => rules.sort_by_key(|rule| methods(rule)),
            Order::Domain => rules.sort_by_key(|rule| &rule.domain_text),
            Order::Rule => rules.sort_by_key(|rule| &rule.text),
            Order::Registration => {}
        }
        let row = |rule: &RuleInfo| {
            [
                self.endpoint_name(rule.endpoint).to_owned(),
                methods(rule),
                rule.domain_text.clone(),
                rule.text.clone(),
                rule.origin.to_string(),
            ]
        };
        Listing {
            rows: rules.into_iter().map(row).collect(),
            map: self,
        }
    }
}

impl Listing<'_> {
    /// The table's lines: endpoint, methods, domain, rule, origin.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[String; 5]> {
        self.rows.iter()
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return out.write_str("no routes\n");
        }
        let title = ["Endpoint", "Methods", "Domain", "Rule", "Registered at"];
        let has_domains = self.map.rules().any(|rule| !rule.domain_text.is_empty());
        let shown = |column: &usize| *column != 2 || has_domains;
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([title[column].len()]).max().unwrap_or(0)
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let titles = title.map(str::to_owned);
        let rules = widths.map(|width| "-".repeat(width));
        for row in [&titles, &rules].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for column in (0..row.len()).filter(shown) {
                line += &format!("{:width$}  ", row[column], width = widths[column]);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// The methods without those that come by themselves.
fn methods(rule: &RuleInfo) -> String {
    match &rule.asked {
        Some(asked) => asked.to_string(),
        None => "all".to_owned(),
    }
}
