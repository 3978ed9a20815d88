//! Applications with addresses of their own: which of them share workers, and what those have of their
//! own.

use std::path::Path;

use super::app::{AppConfig, OF_POOLS};
use super::apps::AppOrigins;
use super::origin::Origin;
use super::problem::Problem;
use super::{Config, SETTINGS, accounts, preface, secrets, tls};
use crate::net::Place;

/// Workers that load the same applications, and accept at addresses that are no others'.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PoolConfig {
    /// The name of its first application.
    pub(crate) name: String,
    /// What its workers are told: the server's configuration with its own values, and its applications
    /// alone.
    pub(crate) config: Config,
}

impl Config {
    /// Each pool's name and configuration: first, without a name, that of the server's own addresses, if
    /// any application is there.
    pub(crate) fn each_pool(&self) -> impl Iterator<Item = (&str, &Self)> {
        let main = (!self.apps.is_empty() || self.pools.is_empty()).then_some(("", self));
        let pools = self.pools.iter();
        main.into_iter()
            .chain(pools.map(|pool| (pool.name.as_str(), &pool.config)))
    }

    /// Has `gatewayd dev` share this folder with the workers of all pools.
    pub(crate) fn set_workbench(&mut self, folder: Option<&Path>) {
        let pools = self.pools.iter_mut().map(|pool| &mut pool.config.workbench);
        for place in pools.chain([&mut self.workbench]) {
            *place = folder.map(Path::to_owned);
        }
    }

    /// All applications, pool by pool.
    pub(crate) fn all_apps(&self) -> impl Iterator<Item = &AppConfig> {
        self.each_pool().flat_map(|(_, config)| &config.apps)
    }
}

/// Puts applications that have addresses of their own into pools; `origins` are those of the server's
/// settings, `apps` those of the applications, which are put into the order of the pools.
pub(super) fn divide(
    config: &mut Config,
    origins: &[Origin],
    apps: Vec<AppOrigins>,
    problems: &mut Vec<Problem>,
) -> Vec<AppOrigins> {
    let mut main = (Vec::new(), Vec::new());
    let mut pools: Vec<Draft> = Vec::new();
    for (app, origin) in std::mem::take(&mut config.apps).into_iter().zip(apps) {
        let Some(bind) = app.own_texts("bind") else {
            refuse_homeless(&app, &origin, problems);
            main.0.push(app);
            main.1.push(origin);
            continue;
        };
        match pools.iter_mut().find(|pool| pool.bind == bind) {
            Some(pool) => pool.members.push((app, origin)),
            None => pools.push(Draft {
                bind: bind.to_vec(),
                members: vec![(app, origin)],
            }),
        }
    }
    config.apps = main.0;
    let mut all = main.1;
    for draft in pools {
        let pool = draft.finish(config, origins, problems);
        config.pools.push(pool.0);
        all.extend(pool.1);
    }
    refuse_shared(config, origins, &all, problems);
    if !config.pools.is_empty() && config.workers == 0 {
        let found = "0, which is one process".to_owned();
        refuse(
            at(origins, "workers"),
            "at least 1 beside applications with a bind",
            found,
            problems,
        );
    }
    all
}

/// A pool while it is put together.
struct Draft {
    bind: Vec<String>,
    members: Vec<(AppConfig, AppOrigins)>,
}

impl Draft {
    fn finish(
        self,
        server: &Config,
        origins: &[Origin],
        problems: &mut Vec<Problem>,
    ) -> (PoolConfig, Vec<AppOrigins>) {
        let mut config = server.clone();
        (config.apps, config.pools) = (Vec::new(), Vec::new());
        let mut origins = origins.to_vec();
        let mut given: Vec<(&'static str, Vec<String>, String)> = Vec::new();
        for (app, app_origins) in &self.members {
            let own = app.own.iter().zip(&app_origins.own);
            for (own, origin) in own.filter(|(own, _)| OF_POOLS.contains(&own.name)) {
                let before = given.iter().find(|(name, ..)| *name == own.name);
                if let Some((_, texts, place)) = before {
                    if *texts != own.texts {
                        let expected = "the same as the application that shares its bind";
                        let lead = origin.lead(&format!("app.{}", own.name));
                        refuse(lead, expected, format!("another than at {place}"), problems);
                    }
                    continue;
                }
                given.push((own.name, own.texts.clone(), origin.to_string()));
                let texts: Vec<&str> = own.texts.iter().map(String::as_str).collect();
                let at = SETTINGS.iter().position(|one| one.name == own.name);
                if let Some(at) = at {
                    // It was accepted once.
                    let _ = SETTINGS[at].set(&mut config, &texts);
                    origins[at] = origin.clone();
                }
            }
        }
        if config.workers == 0 {
            let lead = at(&origins, "workers");
            refuse(
                lead,
                "at least 1",
                "0, which is one process".to_owned(),
                problems,
            );
        }
        if config
            .bind
            .iter()
            .any(|bind| matches!(bind.place, Place::Systemd(_)))
        {
            let found = "all sockets of systemd's".to_owned();
            let lead = at(&origins, "bind");
            refuse(lead, "addresses, or sockets by number", found, problems);
        }
        (config.identity, config.env_secrets) = (None, Vec::new());
        accounts::look_up(&mut config, &origins, problems);
        secrets::read(&mut config, &origins, problems);
        preface::look_through(&config, &origins, problems);
        tls::look_through(&config, &origins, problems);
        let (apps, all): (Vec<_>, Vec<_>) = self.members.into_iter().unzip();
        let name = apps.first().map(|app: &AppConfig| app.name.clone());
        config.apps = apps;
        let name = name.unwrap_or_default();
        (PoolConfig { name, config }, all)
    }
}

/// Refuses what only workers of its own could have.
fn refuse_homeless(app: &AppConfig, origins: &AppOrigins, problems: &mut Vec<Problem>) {
    let own = app.own.iter().zip(&origins.own);
    for (own, origin) in own.filter(|(own, _)| OF_POOLS.contains(&own.name)) {
        let lead = origin.lead(&format!("app.{}", own.name));
        let found = "none: applications that share addresses share their workers".to_owned();
        refuse(
            lead,
            "a bind of the application's own beside it",
            found,
            problems,
        );
    }
}

/// Refuses an address that stands twice, be it in two pools; `apps` are the origins of all applications.
fn refuse_shared(
    config: &Config,
    origins: &[Origin],
    apps: &[AppOrigins],
    problems: &mut Vec<Problem>,
) {
    let mut seen: Vec<(&Place, &str)> = Vec::new();
    for (name, pool) in config.each_pool() {
        for bind in &pool.bind {
            let known = seen
                .iter()
                .find(|(place, other)| *place == &bind.place && !may_repeat(place, *other == name));
            if let Some((_, other)) = known {
                let (expected, whose) = match (*other == name, *other) {
                    (true, _) => ("each address once", "stands here before".to_owned()),
                    (false, "") => (ONE_OWNER, "the server has too".to_owned()),
                    (false, other) => (ONE_OWNER, format!("{other} has too")),
                };
                let lead = lead_of_bind(config, origins, apps, name);
                refuse(lead, expected, format!("{bind}, which {whose}"), problems);
            }
            seen.push((&bind.place, name));
        }
    }
}

/// Whether a place may be named again, by the same pool or by another.
fn may_repeat(place: &Place, in_pool: bool) -> bool {
    match place {
        // The kernel gives each another port.
        Place::Address(address) => address.port() == Some(0),
        // It was passed once, and is taken once.
        _ => in_pool,
    }
}

const ONE_OWNER: &str = "an address that is all shared, or all an application's own";

/// Where the addresses of the pool with this name stand.
pub(super) fn lead_of_bind(
    config: &Config,
    origins: &[Origin],
    apps: &[AppOrigins],
    name: &str,
) -> String {
    if name.is_empty() {
        return at(origins, "bind");
    }
    let mut known = config.all_apps().zip(apps);
    let found = known.find(|(app, _)| app.name == name);
    let origin = found.and_then(|(app, origins)| {
        let at = app.own.iter().position(|own| own.name == "bind")?;
        origins.own.get(at)
    });
    origin.map_or_else(|| "app.bind".to_owned(), |origin| origin.lead("app.bind"))
}

/// The beginning of a message about the setting `name`; `origins` are those of the settings.
pub(super) fn at(origins: &[Origin], name: &str) -> String {
    let at = SETTINGS.iter().position(|one| one.name == name);
    at.map_or_else(|| name.to_owned(), |at| origins[at].lead(name))
}

fn refuse(lead: String, expected: &str, found: String, problems: &mut Vec<Problem>) {
    problems.push(Problem::Refused {
        lead,
        expected: expected.to_owned(),
        found,
    });
}
