use std::fs;

use serde::Deserialize;
use serde_json::json;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

#[test]
fn later_sources_win_key_by_key_and_say_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.toml");
    fs::write(
        &file,
        "debug = true\n[database]\nurl = \"a\"\nsize = 5\nborn = 2020-01-02\n",
    )
    .unwrap();
    let sources = [
        Source::File(file.clone()),
        Source::Environment("APP".to_owned()),
        Source::Host(vec![("database.size".to_owned(), "9".to_owned())]),
        Source::Set("title".to_owned(), Ok(json!("x"))),
    ];
    let variables = environment(&[
        ("APP_DATABASE__URL", "b"),
        ("APPLE_URL", "no"),
        ("APP_", "no"),
    ]);
    let config = Config::read(&sources, &variables).unwrap();
    assert_eq!(config.require::<String>("database.url").unwrap(), "b");
    assert_eq!(config.require::<u8>("database.size").unwrap(), 9);
    assert_eq!(
        config.require::<String>("database.born").unwrap(),
        "2020-01-02"
    );
    assert!(config.debug());
    assert_eq!(
        config.origin("database.url"),
        Some("environment variable APP_DATABASE__URL")
    );
    let at = |line| format!("{}:{line}", file.display());
    assert_eq!(config.origin("debug"), Some(at(1).as_str()));
    assert_eq!(config.origin("database.born"), Some(at(5).as_str()));
    assert_eq!(config.get::<String>("le_url").unwrap(), None);
}

#[test]
fn values_of_the_environment_are_json_where_they_read_as_json() {
    let sources = [Source::Environment("APP".to_owned())];
    let variables = environment(&[
        ("APP_LIST", "[1, 2]"),
        ("APP_TEXT", "[1,"),
        ("APP_NO", "false"),
    ]);
    let config = Config::read(&sources, &variables).unwrap();
    assert_eq!(config.require::<Vec<u8>>("list").unwrap(), [1, 2]);
    assert_eq!(config.require::<String>("text").unwrap(), "[1,");
    assert!(!config.require::<bool>("no").unwrap());
}

#[test]
fn a_dot_env_file_adds_what_the_environment_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    fs::write(
        &file,
        "# secrets\nexport APP_A=\"file\"\nAPP_B='two words'\n",
    )
    .unwrap();
    let sources = [
        Source::Environment("APP".to_owned()),
        Source::DotEnv(file),
        Source::DotEnv(folder.path().join("absent")),
    ];
    let config = Config::read(&sources, &environment(&[("APP_A", "process")])).unwrap();
    assert_eq!(config.require::<String>("a").unwrap(), "process");
    assert_eq!(config.require::<String>("b").unwrap(), "two words");
    assert!(config.origin("b").unwrap().starts_with("APP_B in "));
}

#[test]
fn a_namespace_reads_as_a_type_with_its_defaults() {
    #[derive(Deserialize)]
    struct Pool {
        #[serde(default = "four")]
        size: u8,
    }
    fn four() -> u8 {
        4
    }
    let config = Config::default();
    assert_eq!(config.section::<Pool>("pool").unwrap().size, 4);
}

#[test]
fn mistakes_name_the_key_and_the_place_but_never_the_value() {
    let sources = [Source::Host(vec![(
        "key".to_owned(),
        "\"hunter2\"".to_owned(),
    )])];
    let config = Config::read(&sources, &Environment::default()).unwrap();
    let error = config.require::<u8>("key").unwrap_err().to_string();
    assert!(
        error.contains("`key`") && error.contains("the server's configuration"),
        "{error}"
    );
    assert!(
        error.contains("expected u8") && !error.contains("hunter2"),
        "{error}"
    );
    let error = config.require::<u8>("absent.key").unwrap_err().to_string();
    assert!(error.contains("`absent.key` is missing"), "{error}");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn every_source_that_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, "a = 1\nb = = 2\n").unwrap();
    let sources = [
        Source::File(folder.path().join("absent.json")),
        Source::File(broken),
        Source::File(folder.path().join("app.ini")),
    ];
    let errors = Config::read(&sources, &Environment::default()).unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("absent.json"), "{told:?}");
    assert!(told[1].contains("line 2"), "{told:?}");
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Mail {
    port: u16,
    from: Option<Sender>,
}

#[derive(Debug, Default, Deserialize)]
struct Sender {
    name: String,
    address: String,
}

#[test]
fn mistakes_in_a_section_name_the_setting_itself() {
    let told = |key: &str, value: &str| {
        let sources = [Source::Host(vec![(key.to_owned(), value.to_owned())])];
        let config = Config::read(&sources, &Environment::default()).unwrap();
        config.section::<Mail>("mail").unwrap_err().to_string()
    };
    let host = "set by the server's configuration: ";
    assert_eq!(
        told("mail.prot", "25"),
        format!(
            "the setting `mail.prot`, {host}there is no such setting; did you mean `mail.port`?"
        )
    );
    assert_eq!(
        told("mail.smarthost", "x"),
        format!(
            "the setting `mail.smarthost`, {host}there is no such setting; `mail` has `from`, `port`"
        )
    );
    assert_eq!(
        told("mail.port", "hunter2"),
        format!("the setting `mail.port`, {host}expected u16")
    );
    assert_eq!(
        told("mail.from.name", "7"),
        format!("the setting `mail.from.name`, {host}expected a string")
    );
    assert!(told("mail.from.name", "x").starts_with("the setting `mail.from.address` is missing"));
    let sources = [("name", "Ann"), ("address", "a@b")]
        .map(|(key, value)| Source::Set(format!("mail.from.{key}"), Ok(json!(value))));
    let config = Config::read(&sources, &Environment::default()).unwrap();
    let mail: Mail = config.section("mail").unwrap();
    let from = mail.from.expect("somebody");
    assert_eq!(
        (from.name.as_str(), from.address.as_str(), mail.port),
        ("Ann", "a@b", 0)
    );
}

#[test]
fn settings_that_nobody_asked_for_are_told_if_they_are_likely_slips() {
    #[derive(Deserialize)]
    struct Pool {
        #[serde(rename = "size")]
        _size: Option<u8>,
    }
    let variables = environment(&[
        ("APP_SECRTE_KEY", "hunter2"),
        ("APP_POOL__SIEZ", "4"),
        ("APP_POOL__DRIVER", "x"),
        ("APP_LABELS__ANY", "x"),
        ("APP_TITEL", "x"),
        ("APP_GREETING", "x"),
        ("APP_SECRET_KEY", "x"),
    ]);
    let sources = [
        Source::Environment("APP".to_owned()),
        Source::Set("title".to_owned(), Ok(json!("x"))),
    ];
    let config = Config::read(&sources, &variables).unwrap();
    config.get::<String>("secret_key").unwrap();
    config.section::<Pool>("pool").unwrap();
    config
        .section::<BTreeMap<String, String>>("labels")
        .unwrap();
    let slip = |key: &str, variable: &str, hint: &str| {
        format!(
            "nobody has asked for the setting `{key}`, set by environment variable {variable}; {hint}"
        )
    };
    let expected = [
        slip("pool.driver", "APP_POOL__DRIVER", "`pool` has `size`"),
        slip("pool.siez", "APP_POOL__SIEZ", "did you mean `pool.size`?"),
        slip("secrte_key", "APP_SECRTE_KEY", "did you mean `secret_key`?"),
        slip("titel", "APP_TITEL", "did you mean `title`?"),
    ];
    assert_eq!(config.slips(), expected);
    let kept = config.clone();
    assert!(config.clone().sealed().slips().is_empty());
    config.end_start();
    assert!(kept.slips().is_empty(), "an extension's copy counts on");
}
