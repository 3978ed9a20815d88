//! What cannot be is refused with file and line; what is, is shown with its origin.

use std::fs;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd::run;

use super::Site;

fn check(text: &str, more: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    fs::write(&file, text).unwrap();
    let probe = Artefacts::built().module("probe");
    std::os::unix::fs::symlink(probe, folder.path().join("p.so")).unwrap();
    let file = file.to_str().unwrap();
    let (code, said) = run(&[&["check-config", "--config", file], more].concat());
    (code, said.replace(file, "FILE"))
}

#[test]
fn names_and_places_that_two_have_are_refused() {
    let text = "[[app]]\npath = 'p.so'\n[[app]]\npath = 'p.so'\nmount = '/b'\n\
                [[app]]\nname = 'c'\npath = 'p.so'\nmount = '/b'\n\
                [[app]]\nname = 'c'\npath = 'p.so'\nhost = ['a.org', 'b.org']\n\
                [[app]]\nname = 'e'\npath = 'p.so'\nhost = 'b.org'\n";
    let (code, said) = check(text, &[]);
    assert_eq!(code, 2, "{said}");
    let expected = "\
gatewayd: FILE:3: app.name: expected another name than the application at FILE:1 has, found `p`
gatewayd: FILE:6: app: expected another host or mount than the application at FILE:3 has, found any host at /b
gatewayd: FILE:11: app.name: expected another name than the application at FILE:6 has, found `c`
gatewayd: FILE:14: app: expected another host or mount than the application at FILE:10 has, found b.org at /";
    assert_eq!(said, expected);
}

#[test]
fn the_command_line_serves_one_application_and_not_beside_others() {
    let two = "[[app]]\npath = 'p.so'\n[[app]]\nname = 'b'\npath = 'p.so'\nmount = '/b'\n";
    assert_eq!(check(two, &[]).0, 0);
    let (code, said) = check(two, &["x.so", "--", "word"]);
    assert_eq!(code, 2, "{said}");
    let expected = "\
gatewayd: APP.SO (command line): expected no application beside the 2 from FILE:1 on, found x.so
gatewayd: -- (command line): expected `arguments` in the table of the application that they are for, found word";
    assert_eq!(said, expected);
    // One table is as good as `[app]`.
    let one = "[[app]]\npath = 'missing.so'\nmount = '/b'\n";
    let probe = Artefacts::built().module("probe").to_str().unwrap();
    assert_eq!(check(one, &[probe, "--", "word"]).0, 0);
    let (code, said) = check(one, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.starts_with("gatewayd: FILE:2: app: expected a file at "),
        "{said}"
    );
    let (code, said) = check("[[app]]\nname = 'a'\n", &[]);
    assert_eq!(
        (code, &*said),
        (2, "gatewayd: FILE:1: app: expected a path, found none")
    );
}

#[test]
fn print_config_shows_every_application_and_reads_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let (file, shown) = (
        folder.path().join("g.toml"),
        folder.path().join("shown.toml"),
    );
    let text = "[[app]]\npath = 'p.so'\n[[app]]\nname = 'b'\npath = 'p.so'\nmount = '/b'\n\
                host = ['*.b.org']\nmax-body = 10\nconfig.key = 'v'\n";
    fs::write(&file, text).unwrap();
    let print = |file: &str| run(&["print-config", "--reveal", "--config", file]);
    let (code, said) = print(file.to_str().unwrap());
    assert_eq!(code, 0, "{said}");
    let place = file.display();
    for (line, origin) in [
        ("name = \"p\"", "default".to_owned()),
        ("name = \"b\"", format!("{place}:4")),
        ("mount = \"/b\"", format!("{place}:6")),
        ("host = [\"*.b.org\"]", format!("{place}:7")),
        ("max-body = \"10\"", format!("{place}:8")),
        ("\"key\" = \"v\"", format!("{place}:9")),
    ] {
        let is_it = |one: &str| one.starts_with(line) && one.ends_with(&format!("# {origin}"));
        assert!(said.lines().any(is_it), "{line} {origin}: {said}");
    }
    fs::write(&shown, &said).unwrap();
    let (_, again) = print(shown.to_str().unwrap());
    let values = |text: &str| {
        let lines = text
            .lines()
            .map(|line| line.split(" # ").next().unwrap().trim_end().to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&said));
}

#[test]
fn one_that_fails_is_named_and_a_command_is_run_by_the_one_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    for (name, package) in [("p.so", "probe"), ("blog.so", "blog")] {
        std::os::unix::fs::symlink(Artefacts::built().module(package), folder.path().join(name))
            .unwrap();
    }
    let text = "bind = '127.0.0.1:0'\nworkers = 1\n[[app]]\npath = 'p.so'\n\
                [[app]]\nname = 'bad'\npath = 'p.so'\nmount = '/b'\narguments = ['fail']\n\
                [[app]]\npath = 'blog.so'\nmount = '/blog'\n";
    let root = gateway_tests::artefacts::root().join("examples/blog");
    let blog =
        format!("config = {{ root = {root:?}, secret_key = 'long enough for a test of routes' }}");
    fs::write(&file, format!("{text}{blog}\n")).unwrap();
    let file = file.to_str().unwrap();
    let (code, said) = run(&["--config", file]);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("application bad: ") && said.contains("no database at db.example"),
        "{said}"
    );
    let (code, said) = run(&["routes", "--config", file]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("app: expected one of the applications p, bad, blog, found none"),
        "{said}"
    );
    let (code, said) = run(&["routes", "--config", file, "blog"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("/auth/login"), "{said}");
}

#[test]
fn one_process_serves_several_as_well() {
    let text = "bind = '127.0.0.1:0'\nworkers = 0\n[[app]]\npath = 'p.so'\nconfig.which = 'a'\n\
                [[app]]\nname = 'b'\npath = 'p.so'\nmount = '/b'\nconfig.which = 'b'\n";
    let site = Site::serve(text, &[("p.so", "probe")], &[]);
    assert_eq!(site.get("x", "/startup").text(), "\nwhich=a");
    assert_eq!(site.get("x", "/b/startup").text(), "\nwhich=b");
    let (code, said) = site.server.stop();
    assert_eq!(code, 0, "{said}");
}
