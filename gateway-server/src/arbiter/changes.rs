//! What a configuration that is read while a server runs changes, and what only a restart would.

use crate::config::{AppConfig, Applies, Config, SETTINGS, Setting};

/// What becomes of a configuration that was read while a server runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// Settings that a reload changes.
    pub(super) applied: Vec<String>,
    /// Settings that keep their value until a restart, and that value.
    pub(super) kept: Vec<(&'static str, String)>,
}

impl Changes {
    /// Compares with the configuration that is in force, and puts back what only a restart changes.
    pub(super) fn between(new: &mut Config, old: &Config) -> Self {
        let (mut applied, mut kept) = (Vec::new(), Vec::new());
        let mut running = old.clone();
        for setting in SETTINGS.iter() {
            let before = setting.show(&mut running);
            if setting.show(new) == before {
                continue;
            }
            let needs_master = setting.name == "workers" && new.workers == 0;
            if setting.applies == Applies::Restart || needs_master {
                kept.extend(put_back(setting, new, &before));
            } else {
                applied.push(setting.name);
            }
        }
        if new.env_secrets != old.env_secrets && !applied.contains(&"env-file") {
            applied.push("env-file");
        }
        adopt_kept(new, &kept);
        let applied = applied.into_iter().map(str::to_owned);
        let apps = |config: &Config| config.all_apps().cloned().collect::<Vec<_>>();
        Self {
            applied: applied.chain(of_apps(&apps(new), &apps(old))).collect(),
            kept,
        }
    }
}

/// Has pools keep what the server keeps.
fn adopt_kept(config: &mut Config, kept: &[(&'static str, String)]) {
    let mut server = config.clone();
    for (name, _) in kept {
        let setting = SETTINGS.iter().find(|one| one.name == *name);
        let Some(setting) = setting.filter(|one| one.applies == Applies::Restart) else {
            continue;
        };
        let texts = setting.show(&mut server);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for pool in &mut config.pools {
            setting.unset(&mut pool.config);
            if !texts.is_empty() {
                // The server has accepted it.
                let _ = setting.set(&mut pool.config, &texts);
            }
        }
    }
}

/// What differs of the applications, which are known by their names if there are several.
fn of_apps(new: &[AppConfig], old: &[AppConfig]) -> Vec<String> {
    if let ([new], [old]) = (new, old) {
        let parts = difference(new, old).into_iter();
        return parts.map(str::to_owned).collect();
    }
    let mut changes = Vec::new();
    for app in new {
        match old.iter().find(|one| one.name == app.name) {
            None => changes.push(format!("app {} (new)", app.name)),
            Some(before) => {
                let parts = difference(app, before);
                changes.extend(parts.iter().map(|part| format!("{part} of {}", app.name)));
            }
        }
    }
    let gone = old
        .iter()
        .filter(|one| new.iter().all(|app| app.name != one.name));
    changes.extend(gone.map(|one| format!("app {} (gone)", one.name)));
    changes
}

fn difference(new: &AppConfig, old: &AppConfig) -> Vec<&'static str> {
    let parts = [
        ("app", new.path != old.path),
        ("app.arguments", new.arguments != old.arguments),
        ("app.config", new.settings != old.settings),
        ("app.host", new.hosts != old.hosts),
        ("app.mount", new.mount != old.mount),
        ("app's own settings", new.own != old.own),
    ];
    let changed = parts.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(part, _)| part).collect()
}

/// Puts back what only a restart changes in a configuration that a program has read anew; the settings
/// that were to be others, and the values that they keep. `before` is what a program of before says of
/// them, which may know others.
pub(super) fn keep(
    config: &mut Config,
    before: &[(String, Vec<String>)],
) -> Vec<(&'static str, String)> {
    let mut kept = Vec::new();
    for (name, values) in before {
        let known = SETTINGS.iter().find(|one| one.name == name);
        let known = known.filter(|one| one.applies == Applies::Restart);
        if let Some(setting) = known.filter(|one| one.show(config) != *values) {
            kept.extend(put_back(setting, config, values));
        }
    }
    kept
}

/// Gives a setting the values that it had before; its name and those.
fn put_back(
    setting: &'static Setting,
    config: &mut Config,
    before: &[String],
) -> Option<(&'static str, String)> {
    if before.is_empty() {
        setting.unset(config);
        return Some((setting.name, String::new()));
    }
    let texts: Vec<&str> = before.iter().map(String::as_str).collect();
    let set = setting.set(config, &texts);
    set.ok().map(|()| (setting.name, before.join(", ")))
}

/// Tells the operator which settings are not as configured.
pub(super) fn tell_kept(kept: &[(&str, String)]) {
    for (name, value) in kept {
        let value = if value.is_empty() { "unset" } else { value };
        tracing::warn!("{name} stays {value}: only a restart can change it as configured");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_applied_and_one_process_cannot_become_many() {
        let mut old = Config::of(&[("workers", "3")]);
        old.apps.push(AppConfig::at(Some("/a.so".into())));
        let mut new = Config::of(&[("workers", "0"), ("linger", "1s"), ("bind", "[::]:1")]);
        new.apps.clone_from(&old.apps);
        new.apps[0].arguments.push("x".into());
        let changes = Changes::between(&mut new, &old);
        assert_eq!(changes.applied, ["bind", "linger", "app.arguments"]);
        assert_eq!(changes.kept, [("workers", "3".to_owned())]);
        assert_eq!(new.workers, 3);
        let none = Changes::between(&mut old.clone(), &old);
        assert!(none.applied.is_empty() && none.kept.is_empty());
    }

    #[test]
    fn of_several_applications_each_change_is_told_with_its_name() {
        let app = |name: &str, path: &str| AppConfig {
            name: name.to_owned(),
            ..AppConfig::at(Some(path.into()))
        };
        let old = [app("a", "/a.so"), app("b", "/b.so")];
        let new = [app("a", "/a2.so"), app("c", "/b.so")];
        let told = of_apps(&new, &old);
        assert_eq!(told, ["app of a", "app c (new)", "app b (gone)"]);
        assert_eq!(of_apps(&old, &old), [""; 0]);
    }

    #[test]
    fn a_new_program_keeps_what_only_a_restart_changes_and_knows() {
        let mut new = Config::of(&[("pid", "/new"), ("linger", "1s")]);
        let before = [
            ("pid", vec!["/old"]),
            ("linger", vec!["9s"]),
            ("later", vec![]),
        ];
        let before = before.map(|(name, values)| {
            let values = values.into_iter().map(str::to_owned).collect();
            (name.to_owned(), values)
        });
        assert_eq!(keep(&mut new, &before), [("pid", "/old".to_owned())]);
        assert_eq!(new.pid.as_deref(), Some("/old".as_ref()));
        assert_eq!(keep(&mut new, &before), []);
        assert_eq!(
            keep(&mut new, &[("pid".to_owned(), Vec::new())]),
            [("pid", String::new())]
        );
        assert_eq!(new.pid, None);
    }
}
