//! `docs/configuration.md` is made from the table of settings, and this test holds it to it.

use std::fmt::Write as _;
use std::path::Path;

use super::SETTINGS;
use super::app::OF_REQUESTS;
use super::setting::{Applies, Setting};
use super::sources::{APP_VARIABLE, FILE_VARIABLE};

#[test]
fn the_documentation_describes_every_setting_as_the_table_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let old = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = old.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let new = format!("{before}{BEGIN}\n{}{END}{after}", reference());
    if std::env::var_os("GATEWAY_WRITE_DOCS").is_some() {
        std::fs::write(&path, &new).unwrap();
        return;
    }
    assert!(
        old == new,
        "docs/configuration.md and the table of settings differ: run `cargo xtask docs`"
    );
}

#[test]
fn the_documentation_names_the_variables_beside_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    for name in [FILE_VARIABLE, APP_VARIABLE] {
        assert!(text.contains(name), "{name}");
    }
}

/// All settings under their headings, in the order of `--help`.
fn reference() -> String {
    let mut text = String::new();
    let mut heading = "";
    for setting in SETTINGS.iter() {
        if setting.group.heading() != heading {
            heading = setting.group.heading();
            writeln!(text, "\n## {heading}").unwrap();
        }
        text.push_str(&entry(setting));
    }
    text + "\n"
}

fn entry(setting: &Setting) -> String {
    let mut flag = setting.flag();
    if let Some(short) = setting.short {
        flag = format!("-{short}`, `{flag}");
    }
    let default = match setting.default {
        "" => "none".to_owned(),
        text => format!("`{text}`"),
    };
    let mut form = setting.field.form();
    if setting.is_list() {
        form = format!("a list; each {form}");
    }
    let applies = match setting.applies {
        Applies::Reload => "reload",
        Applies::Restart => "restart",
    };
    let own = match OF_REQUESTS.contains(&setting.name) {
        true => " Each of [several applications](several-apps.md) may have its own.",
        false => "",
    };
    format!(
        "\n### {}\n\n{}.{own}\n\n| flag | variable | accepts | default | applies |\n|---|---|---|---|---|\n\
         | `{flag}` | `{}` | {form} | {default} | {applies} |\n",
        setting.name,
        setting.help.replace('|', "\\|"),
        setting.variable(),
    )
}

const BEGIN: &str = "<!-- settings: written by `cargo xtask docs` -->";
const END: &str = "<!-- end of settings -->";
