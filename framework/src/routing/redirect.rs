//! Rules that lead elsewhere: aliases, rules whose values are another rule's defaults, `redirect_to`.

use http::Method;

use super::binding::Binding;
use super::compiled::{RuleInfo, placeholders};
use super::location;
use super::map::Map;
use super::outcome::Found;
use super::quote::{PATH, quote};
use super::rule::RedirectTo;
use super::url::Unknown;
use super::value::Value;

impl Map {
    /// Where the rule that was found leads; `None` if it stays.
    pub(super) fn redirect(
        &self,
        at: &Binding<'_>,
        method: &Method,
        rule: &RuleInfo,
        found: &Found,
        path: &[u8],
    ) -> Option<String> {
        let names = rule.arguments().map(|(name, _)| name);
        let values = names
            .enumerate()
            .filter_map(|(place, name)| Some((name, found.value(place, path)?)));
        let values: Vec<(&str, Value<'_>)> = values.collect();
        if self.options.redirect_defaults {
            if rule.alias {
                // A rule that cannot build its own canonical URL serves what it matched.
                return self.canonical(at, method, rule, &values);
            }
            for preferred in rule.preferred.iter().map(|&number| &self.rules[number]) {
                if !preferred.suits(&values, Some(method)) {
                    continue;
                }
                let mut theirs = values.clone();
                for (name, default) in &preferred.defaults {
                    theirs.retain(|(one, _)| one != name);
                    theirs.push((name, default.as_value()));
                }
                // Values that the other rule's converters do not take belong here.
                if let Ok((domain, path)) = self.fill(preferred, &theirs, Unknown::Dropped) {
                    let host = location::host(at, self.options.domains, &domain);
                    return Some(location::absolute(at, &host, &path));
                }
            }
        }
        let target = match rule.redirect_to.as_ref()? {
            RedirectTo::Call(call) => call(&values),
            RedirectTo::Template(template) => filled(template, rule, &values)?,
        };
        let host = location::host(at, self.options.domains, self.domain(at));
        let base = format!("{}://{host}{}/", at.scheme, at.mount.trim_end_matches('/'));
        Some(location::join(&base, &target))
    }

    fn canonical(
        &self,
        at: &Binding<'_>,
        method: &Method,
        alias: &RuleInfo,
        values: &[(&str, Value<'_>)],
    ) -> Option<String> {
        let built = self
            .place(at, alias.endpoint, values, Some(method), Unknown::Dropped)
            .ok()??;
        if built.rule.id == alias.id {
            return None;
        }
        let mut location = self.external(at, &built, None);
        location::append_query(at, &mut location);
        Some(location)
    }
}

/// The template with the values in the places of their names. What the template does not lead away from the
/// host, no value leads away from it.
fn filled(template: &str, rule: &RuleInfo, values: &[(&str, Value<'_>)]) -> Option<String> {
    let mut target = String::new();
    let mut end = 0;
    for (range, name) in placeholders(template) {
        target += &template[end..range.start];
        let (_, value) = values.iter().find(|(one, _)| *one == name)?;
        let text = rule.variable(name)?.converter.format(*value).ok()?;
        quote(text.as_bytes(), PATH, &mut target);
        end = range.end;
    }
    target += &template[end..];
    if template.starts_with("//") || location::scheme(template).is_some() {
        return Some(target);
    }
    if target.starts_with("//") {
        return Some(format!("/{}", target.trim_start_matches('/')));
    }
    if location::scheme(&target).is_some() {
        return Some(format!("./{target}"));
    }
    Some(target)
}
