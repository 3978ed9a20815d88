//! The commands that every application has: `routes` and `config`.

use std::panic::Location;

use serde::Deserialize;

use super::command::Command;
use super::registration::Registration;
use super::usage::Usage;
use super::words::Words;
use crate::context::Cx;
use crate::error::Result;
use crate::routing::Order;

/// The commands, unless the application has others of their names.
pub(super) fn all() -> Vec<Command> {
    let origin = Location::caller();
    let routes = Registration::new(
        "routes [--sort BY]".to_owned(),
        "Lists the routes, by endpoint, methods, domain, rule or match.".to_owned(),
        routes,
        origin,
    );
    let config = Registration::new(
        "config".to_owned(),
        "Lists the settings and who set them, without their values.".to_owned(),
        config,
        origin,
    );
    [routes, config]
        .into_iter()
        .filter_map(|one| {
            let usage = Usage::parse(&one.usage).ok()?;
            Some(Command {
                name: usage.name().to_owned(),
                usage,
                about: one.about,
                step: one.step,
            })
        })
        .collect()
}

#[derive(Deserialize)]
struct Sorting {
    #[serde(default)]
    sort: By,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    #[default]
    Endpoint,
    Methods,
    Domain,
    Rule,
    /// As they were registered; which of them a request goes to does not depend on it.
    Match,
}

async fn routes(cx: Cx, sorting: Words<Sorting>) -> String {
    let order = match sorting.sort {
        By::Endpoint => Order::Endpoint,
        By::Methods => Order::Methods,
        By::Domain => Order::Domain,
        By::Rule => Order::Rule,
        By::Match => Order::Registration,
    };
    cx.site().map.listing(order).to_string()
}

/// Values stay unsaid: any of them may be a password.
async fn config(cx: Cx) -> Result<String> {
    let keys: Vec<(&str, &str)> = cx.config().keys().collect();
    let width = keys.iter().map(|(key, _)| key.chars().count()).max();
    let width = width.unwrap_or(0);
    let lines = keys
        .iter()
        .map(|(key, origin)| format!("{key:width$}  {origin}\n"));
    Ok(lines.collect())
}
