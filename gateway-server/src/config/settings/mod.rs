//! Every setting of the server, declared once: the command line, the environment, `--help` and the
//! worker's copy of the configuration are all made from these tables, one for each heading.

mod compression;
mod confinement;
mod durations;
mod hooks;
mod limits;
mod logging;
mod observing;
mod process;
mod proxies;
mod serving;
mod static_files;
mod timeouts;
mod tls;

use std::sync::LazyLock;

use super::setting::Setting;
pub(crate) use serving::MAX_WORKERS;

/// All settings, in the order of `--help`.
pub(crate) static SETTINGS: LazyLock<Vec<&'static Setting>> = LazyLock::new(|| {
    [
        serving::SERVING,
        static_files::STATIC_FILES,
        compression::COMPRESSION,
        proxies::PROXIES,
        process::PROCESS,
        confinement::CONFINEMENT,
        tls::TLS,
        timeouts::TIMEOUTS,
        limits::LIMITS,
        logging::LOGGING,
        hooks::HOOKS,
        observing::OBSERVING,
    ]
    .into_iter()
    .flatten()
    .collect()
});

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::config::Config;
    use crate::config::setting::Field;
    use crate::config::spelled::Spelled;
    use crate::value::ShellCommand;

    #[test]
    fn names_flags_and_variables_are_unique_and_well_formed() {
        let (mut names, mut shorts) = (HashSet::new(), HashSet::new());
        for setting in SETTINGS.iter() {
            assert!(
                names.insert(setting.name),
                "{} is declared twice",
                setting.name
            );
            let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(setting.name.bytes().all(is_plain), "{}", setting.name);
            assert!(
                setting.short.is_none_or(|short| shorts.insert(short)),
                "{}",
                setting.name
            );
        }
    }

    #[test]
    fn every_setting_explains_itself_in_one_line_of_prose() {
        for setting in SETTINGS.iter() {
            assert!(
                setting.help.len() > 20,
                "{} needs a help text",
                setting.name
            );
            assert!(
                setting.help.starts_with(|c: char| c.is_uppercase()),
                "{}",
                setting.name
            );
            assert!(
                !setting.help.ends_with('.') && !setting.help.contains("  "),
                "{}",
                setting.name
            );
            assert!(!setting.field.form().is_empty());
        }
    }

    #[test]
    fn every_default_is_accepted_and_shown_as_it_is_read() {
        let mut config = Config::blank();
        for setting in SETTINGS
            .iter()
            .filter(|setting| !setting.default.is_empty())
        {
            setting.set(&mut config, &[setting.default]).unwrap();
            if setting.default != "auto" {
                assert_eq!(
                    setting.show(&mut config).join(","),
                    setting.default,
                    "{}",
                    setting.name
                );
            }
        }
    }

    #[test]
    fn every_setting_refuses_nonsense_and_says_what_it_wants() {
        let mut config = Config::blank();
        for setting in SETTINGS
            .iter()
            .filter(|s| !matches!(s.field, Field::Target(_) | Field::File(_) | Field::Files(_)))
            .filter(|s| s.field.form() != ShellCommand::FORM)
            .filter(|s| cfg!(feature = "opentelemetry") || s.name != "trace-to")
        {
            let refused = setting.set(&mut config, &["+nonsense\u{7}"]).unwrap_err();
            assert_eq!(refused.expected, setting.field.form(), "{}", setting.name);
        }
    }
}
