//! The manual page, from the table of settings: for `man -l`, and for packages.

use std::fmt::Write as _;

use crate::config::{APP_VARIABLE, Applies, FILE_VARIABLE, SETTINGS, Setting};

/// The page in man(7)'s words; `name` is what the program is called, `synopsis` how it is, a line each,
/// `commands` what it can do besides serving.
pub(crate) fn page(name: &str, synopsis: &[String], commands: &[(&str, &str)]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(
        ".TH {} 8 {DATE} \"{} {version}\"\n.SH NAME\n{} \\- serves compiled gateway applications over HTTP\n\
         .SH SYNOPSIS\n.nf\n",
        plain(name).to_uppercase(),
        plain(name),
        plain(name),
    );
    // Writing to a string cannot fail.
    for line in synopsis {
        let _ = writeln!(page, "{}", plain(line));
    }
    page += ".fi\n.SH DESCRIPTION\n";
    for (at, paragraph) in DESCRIPTION.iter().enumerate() {
        let lead = if at == 0 { "" } else { ".PP\n" };
        let _ = writeln!(page, "{lead}{}", plain(paragraph));
    }
    page += ".SH COMMANDS\n";
    for (command, about) in commands {
        let _ = writeln!(page, ".TP\n.B {}\n{}", plain(command), plain(about));
    }
    page += ".SH SETTINGS\n";
    let mut heading = "";
    for setting in SETTINGS.iter() {
        if setting.group.heading() != heading {
            heading = setting.group.heading();
            let _ = writeln!(page, ".SS {}", plain(heading));
        }
        page += &entry(setting);
    }
    for (heading, rows) in [("SIGNALS", &SIGNALS[..]), ("EXIT STATUS", &STATUSES)] {
        let _ = writeln!(page, ".SH \"{heading}\"");
        for (word, about) in rows {
            let _ = writeln!(page, ".TP\n.B {}\n{}", plain(word), plain(about));
        }
    }
    let _ = writeln!(
        page,
        ".SH ENVIRONMENT\n.TP\n.B {FILE_VARIABLE}\nThe configuration file.\n.TP\n.B {APP_VARIABLE}\n\
         The application.\n.PP\n{}\n.SH \"SEE ALSO\"\n.BR systemd.service (5),\n.BR capabilities (7),\n.BR landlock (7)",
        plain("Every setting has a variable of its own, which its entry names."),
    );
    page
}

fn entry(setting: &Setting) -> String {
    let mut flag = format!("\\fB{}\\fR", plain(&setting.flag()));
    if let Some(short) = setting.short {
        flag = format!("\\fB\\-{short}\\fR, {flag}");
    }
    match setting.field.placeholder() {
        "" => flag += "[=true|false]",
        placeholder => {
            let _ = write!(flag, " \\fI{}\\fR", plain(placeholder));
        }
    }
    let default = match setting.default {
        "" => "none",
        default => default,
    };
    let applies = match setting.applies {
        Applies::Reload => "A reload applies it.",
        Applies::Restart => "Only a restart changes it.",
    };
    let list = if setting.is_list() {
        "a list; each "
    } else {
        ""
    };
    format!(
        ".TP\n{flag}\n{}.\n.br\nAccepts {}. Default: {}. Variable: {}. {applies}\n",
        plain(setting.help),
        plain(&format!("{list}{}", setting.field.form().replace('`', ""))),
        plain(default),
        plain(&setting.variable()),
    )
}

/// A text without meaning to roff.
fn plain(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    match escaped.starts_with(['.', '\'']) {
        true => format!("\\&{escaped}"),
        false => escaped,
    }
}

/// When the words of the page that are no setting's were changed last.
const DATE: &str = "2026-11-22";
const DESCRIPTION: [&str; 2] = [
    "A compiled application is a shared object that keeps to the Gateway Interface. A master process opens the \
     addresses and starts workers, which load the application and answer; it replaces them, the application and \
     itself without losing a request.",
    "Each setting is a key of the configuration file (TOML), a variable of the environment and a flag. A flag wins \
     over a variable, a variable over the file, the file over the default. Times have a unit, as in 500ms, 30s, 2m \
     or 1h, and so may sizes, as in 8190, 64KiB or 1MiB.",
];
const SIGNALS: [(&str, &str); 7] = [
    ("TERM", "Finishes what has begun and stops."),
    ("INT, QUIT", "Stops quickly; a second one stops at once."),
    ("HUP", "Reads the configuration and the application anew."),
    ("USR1", "Opens log files anew."),
    ("USR2", "Replaces the program itself."),
    ("TTIN, TTOU", "One worker more, one worker less."),
    (
        "WINCH",
        "Sends all workers to rest, where there is no terminal.",
    ),
];
const STATUSES: [(&str, &str); 5] = [
    ("0", "Stopped as asked."),
    ("1", "Could not run."),
    ("2", "A wrong command line or configuration."),
    ("3", "The application failed to start."),
    ("4", "The application could not be loaded."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_passes_for_a_request_of_roffs() {
        assert_eq!(plain(".SH a-b\\c"), "\\&.SH a\\-b\\ec");
        assert_eq!(plain("'tis"), "\\&'tis");
        let page = page("gatewayd", &["gatewayd [OPTIONS]".to_owned()], &[]);
        for setting in SETTINGS.iter() {
            assert!(page.contains(&format!("\\fB{}\\fR", plain(&setting.flag()))));
        }
    }
}
