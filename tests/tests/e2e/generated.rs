//! What is made from the one table of settings: the sample file, the manual page, what shells complete.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::{program, run};

/// What a command prints.
fn printed(arguments: &[&str]) -> String {
    let output = program().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a tool says of a text that it is given.
fn judged(tool: &str, package: &str, arguments: &[&str], text: &str) -> String {
    let mut child = Command::new(tool)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{tool}: {error}; please run: apt-get install {package}"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{tool}: {said}");
    said
}

/// The names of all settings, as `--help` lists them.
fn flags() -> Vec<String> {
    let help = printed(&["--help"]);
    let words = help.split_whitespace();
    let flags = words.filter_map(|word| word.strip_prefix("--"));
    let mut flags: Vec<String> = flags
        .map(|word| word.split(['[', '=', ',']).next().unwrap().to_owned())
        .filter(|word| !["help", "version", "config", "worker-timeout"].contains(&&**word))
        .collect();
    flags.sort();
    flags.dedup();
    assert!(flags.len() > 60, "{flags:?}");
    flags
}

#[test]
fn the_sample_file_is_taken_as_it_is_and_names_every_setting() {
    let sample = printed(&["print-config", "--sample"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatewayd.toml");
    fs::write(&file, &sample).unwrap();
    let app = Artefacts::built().module("probe").to_str().unwrap();
    let file = file.to_str().unwrap();
    let (code, said) = run(&["check-config", "--config", file, app]);
    assert_eq!((code, &*said), (0, "the configuration is right"));
    for flag in flags()
        .iter()
        .filter(|flag| sample.contains(&format!("\n# {flag}")))
    {
        assert!(sample.contains(&format!("\n#{flag} = ")), "{flag}");
    }
    // Without its mark a line is a setting.
    fs::write(
        file,
        sample.replace("\n#workers = \"auto\"", "\nworkers = 3"),
    )
    .unwrap();
    let (_, said) = run(&["print-config", "--config", file, app]);
    assert!(said.contains("workers = 3 "), "{said}");
}

#[test]
fn the_manual_page_is_one_that_man_and_mandoc_show() {
    let page = printed(&["man"]);
    let lint = judged("mandoc", "mandoc", &["-Tlint", "-Wwarning"], &page);
    assert_eq!(lint, "", "mandoc");
    let shown = judged("mandoc", "mandoc", &["-Tutf8"], &page);
    // Letters are struck twice for a terminal.
    let mut plain = String::new();
    for letter in shown.chars() {
        match letter {
            '\u{8}' => drop(plain.pop()),
            letter => plain.push(letter),
        }
    }
    for flag in flags() {
        assert!(plain.contains(&format!("--{flag}")), "{flag}");
    }
    for heading in [
        "NAME",
        "SYNOPSIS",
        "COMMANDS",
        "SETTINGS",
        "SIGNALS",
        "EXIT STATUS",
    ] {
        assert!(plain.contains(&format!("\n{heading}\n")), "{heading}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatewayd.8");
    fs::write(&file, &page).unwrap();
    let arguments = ["--warnings", "-l", file.to_str().unwrap()];
    let mut man = Command::new("man");
    man.args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env("MANWIDTH", "90");
    let output = man
        .output()
        .expect("man; please run: apt-get install man-db");
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && warned.is_empty(), "{warned}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("graceful-timeout"));
}

/// What bash offers for a command line whose last word is to be completed.
fn completed(words: &[&str]) -> Vec<String> {
    let script = printed(&["completions", "bash"]);
    judged("bash", "bash", &["-n"], &script);
    let list: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let (last, before) = (words.len() - 1, words[words.len() - 2]);
    let text = format!(
        "{script}\nCOMP_WORDS=({})\nCOMP_CWORD={last}\n\
         declare -F _gatewayd >/dev/null || exit 9\n\
         _gatewayd gatewayd '{}' '{before}' 2>/dev/null\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        list.join(" "),
        words[last],
    );
    let said = judged("bash", "bash", &[], &text);
    said.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_settings_their_values_and_commands() {
    assert_eq!(completed(&["gatewayd", "--worker-t"]), ["--worker-timeout"]);
    let levels = completed(&["gatewayd", "--log-level", ""]);
    assert_eq!(levels, ["error", "warn", "info", "debug", "trace"]);
    assert_eq!(completed(&["gatewayd", "--sandbox", "r"]), ["required"]);
    assert_eq!(completed(&["gatewayd", "check-c"]), ["check-config"]);
    let found = completed(&["gatewayd", "print-config", "--re"]);
    assert!(found.contains(&"--reveal".to_owned()), "{found:?}");
    assert_eq!(completed(&["gatewayd", "completions", "z"]), ["zsh"]);
    let all = completed(&["gatewayd", "--"]);
    for flag in flags() {
        assert!(all.contains(&format!("--{flag}")), "{flag}");
    }
}

#[test]
fn zsh_and_fish_read_their_scripts_and_no_other_shell_is_known() {
    for (shell, arguments) in [("zsh", ["-n"]), ("fish", ["--no-execute"])] {
        let script = printed(&["completions", shell]);
        assert_eq!(judged(shell, shell, &arguments, &script), "", "{shell}");
        for flag in flags() {
            assert!(script.contains(&flag), "{shell}: {flag}");
        }
    }
    for words in [&["completions"][..], &["completions", "tcsh"]] {
        let (code, said) = run(words);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("expected `bash`, `zsh` or `fish`"), "{said}");
    }
}
