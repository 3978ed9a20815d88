//! `check-config` refuses what a start would stumble over in the file system, and changes nothing there.

use std::fs;
use std::path::Path;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::certificates::Certificates;
use gateway_tests::gatewayd::run;

const WRONG: i32 = 2;

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn all_that_is_not_there_is_told_at_once_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    fs::write(folder.path().join("app.so"), "# Not one\n").unwrap();
    let text = "\
app = 'app.so'
tls-cert = ['no.crt', 'none.crt']
tls-key = ['no.key', 'none.key']
access-log = 'no/access.log'
pid = 'no/server.pid'
control = 'no/control'
admin = 'unix:no/admin'
bind = ['https://127.0.0.1:0', 'unix:no/web', 'unix:app.so']
snapshot-dir = 'app.so'
static = { '/a' = 'no' }
";
    fs::write(&file, text).unwrap();
    let before = names_in(folder.path());
    let (code, said) = run(&["check-config", "--config", file.to_str().unwrap()]);
    assert_eq!(code, WRONG, "{said}");
    let place = folder.path().to_str().unwrap();
    let said = said.replace(place, "HERE");
    let missing = "No such file or directory (os error 2)";
    let no_folder = |line: u32, name: &str, file: &str| {
        format!(
            "gatewayd: HERE/g.toml:{line}: {name}: expected a folder that can be written to for {file}, found \
             HERE/no: {missing}"
        )
    };
    for expected in [
        "gatewayd: HERE/g.toml:1: app: HERE/app.so: ".to_owned(),
        format!("gatewayd: HERE/g.toml:2: tls-cert: HERE/no.crt: {missing}"),
        format!("gatewayd: HERE/g.toml:2: tls-cert: HERE/none.crt: {missing}"),
        no_folder(4, "access-log", "HERE/no/access.log"),
        no_folder(5, "pid", "HERE/no/server.pid"),
        no_folder(6, "control", "HERE/no/control"),
        no_folder(7, "admin", "HERE/no/admin"),
        no_folder(8, "bind", "HERE/no/web"),
        "HERE/g.toml:8: bind: expected a socket or nothing at HERE/app.so, found something else".to_owned(),
        "HERE/g.toml:9: snapshot-dir: expected a folder at HERE/app.so that can be written to, found \
         HERE/app.so: a file"
            .to_owned(),
        "HERE/g.toml:10: static: expected a folder at HERE/no for /a".to_owned(),
    ] {
        assert!(said.contains(&expected), "no {expected:?} in\n{said}");
    }
    assert_eq!(said.lines().count(), 11, "{said}");
    assert_eq!(names_in(folder.path()), before);
}

#[test]
fn what_a_start_would_make_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let old = path("old.log");
    fs::write(&old, "a line\n").unwrap();
    let module = Artefacts::built().module("hello").to_str().unwrap();
    let bind = format!("unix:{}", path("web"));
    let (pid, control, new) = (path("pid"), path("control"), path("new.log"));
    for log in [&old, &new] {
        let words = [
            "check-config",
            "--access-log",
            log,
            "--pid",
            &pid,
            "--control",
            &control,
            "--bind",
            &bind,
            "--snapshot-dir",
            folder.path().to_str().unwrap(),
            module,
        ];
        let (code, said) = run(&words);
        assert_eq!((code, &*said), (0, "the configuration is right"));
    }
    assert_eq!(names_in(folder.path()), ["old.log"]);
    assert_eq!(fs::read_to_string(&old).unwrap(), "a line\n");
    let here = folder.path().to_str().unwrap();
    let (code, said) = run(&["check-config", "--access-log", here, module]);
    assert_eq!(code, WRONG);
    let expected = format!(
        "gatewayd: --access-log (command line): expected a file that can be written to at {here}, found a folder"
    );
    assert_eq!(said, expected);
}

#[test]
fn certificates_are_read_as_the_start_reads_them() {
    let made = Certificates::new();
    made.issue("a", &["a.example"]);
    made.issue("b", &["b.example"]);
    made.issue_expired("old", &["old.example"]);
    let module = Artefacts::built().module("hello").to_str().unwrap();
    let check = |start: &[&str], certificate: &str, key: &str| {
        let pair = [
            "--tls-cert",
            &made.text(certificate),
            "--tls-key",
            &made.text(key),
        ];
        run(&[start, &["--bind", "https://127.0.0.1:0"], &pair, &[module]].concat())
    };
    let (code, said) = check(&["check-config"], "a.crt", "a.key");
    assert_eq!((code, &*said), (0, "the configuration is right"));
    for (certificate, key, lead, expected) in [
        (
            "a.crt",
            "b.key",
            "--tls-key",
            "expected the key of the certificate in",
        ),
        (
            "old.crt",
            "old.key",
            "--tls-cert",
            "the certificate has expired",
        ),
        (
            "a.key",
            "a.key",
            "--tls-cert",
            "expected a certificate in PEM, found none",
        ),
    ] {
        let (code, said) = check(&["check-config"], certificate, key);
        assert_eq!(code, WRONG, "{said}");
        assert!(
            said.starts_with(&format!("gatewayd: {lead} (command line): ")),
            "{said}"
        );
        assert!(said.contains(expected), "{said}");
        let (code, started) = check(&[], certificate, key);
        assert_ne!(code, 0);
        assert!(started.contains(expected), "{started}");
    }
}

#[test]
fn an_application_that_is_none_is_refused_without_running_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "# Read me\n").unwrap();
    let text = file.path().to_str().unwrap();
    let (code, said) = run(&["check-config", text]);
    assert_eq!(code, WRONG, "{said}");
    let expected =
        format!("gatewayd: APP.SO (command line): {text}: expected an ELF shared object");
    assert!(said.starts_with(&expected), "{said}");
    // Its start would fail.
    let probe = Artefacts::built().module("probe").to_str().unwrap();
    assert_eq!(run(&["check-config", probe, "--", "fail"]).0, 0);
}

#[test]
fn a_folder_is_no_application_and_what_builds_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let expected = format!(
        "{place}: expected a shared object, found a folder; `gatewayd dev {place}` builds and serves it"
    );
    for start in [
        &[][..],
        &["--bind", "127.0.0.1:0", "--workers", "0"],
        &["check"],
        &["check-config"],
        &["commands"],
        &["init-db"],
    ] {
        let (code, said) = run(&[start, &[place]].concat());
        assert_ne!(code, 0, "{said}");
        assert!(said.contains(&expected), "{start:?}: {said}");
    }
}
