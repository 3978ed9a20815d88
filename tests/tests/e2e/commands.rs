//! Commands of an application, by `gatewayd COMMAND app.so` and by an application's own binary.

use std::fs;
use std::process::Command;

use gateway_tests::artefacts::Artefacts;
use gateway_tests::gatewayd;

/// Runs a program; answers its status, its output and its errors.
fn run(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let output = Command::new(Artefacts::built().program(program))
        .args(arguments)
        .envs(variables.iter().copied())
        .env("NO_COLOR", "1")
        .output()
        .expect("the program to start");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().expect("an exit status");
    (status, text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_command_has_the_terminal_and_the_exit_status_to_itself() {
    let (status, output, errors) = run("linked", &["say", "a", "--workers", "-b"], &[]);
    assert_eq!((status, output.as_str()), (3, "a\n--workers\n-b\n"));
    assert_eq!(errors, "");
    let (status, output, errors) = run("linked", &["sat"], &[]);
    assert_eq!((status, output.as_str()), (2, ""));
    assert!(
        errors.starts_with("linked: the application has no command `sat`; it has say"),
        "{errors}"
    );
}

#[test]
fn gatewayd_runs_and_lists_the_commands_of_a_module() {
    let module = Artefacts::built()
        .module("parity-module")
        .to_str()
        .expect("UTF-8");
    let (status, output, errors) = run("gatewayd", &["routes", module, "--sort", "rule"], &[]);
    assert_eq!(status, 0, "{errors}");
    assert!(
        output.starts_with("Endpoint ") && output.lines().count() > 50,
        "{output}"
    );
    let (status, output, _) = run("gatewayd", &["commands", module], &[]);
    assert_eq!(status, 0);
    assert!(
        output.contains("routes [--sort BY]  Lists the routes"),
        "{output}"
    );
    let (status, output, errors) = run("gatewayd", &["routes", module, "--colour"], &[]);
    assert_eq!((status, output.as_str()), (2, ""));
    assert!(errors.contains("there is no option `--colour`"), "{errors}");
}

#[test]
fn commands_need_no_secret_unless_they_sign() {
    let blog = Artefacts::built().module("blog").to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("blog.sqlite");
    let config = folder.path().join("server.toml");
    let place = gateway_tests::artefacts::root().join("examples/blog");
    let text = format!("[app.config]\nroot = {place:?}\ndatabase = {database:?}\n");
    fs::write(&config, text).expect("a file");
    let config = config.to_str().expect("UTF-8");
    let told = [("GATEWAYD_CONFIG", config)];
    let (status, output, errors) = run("gatewayd", &["routes", blog], &told);
    assert_eq!(status, 0, "{errors}");
    assert!(output.starts_with("Endpoint "), "{output}");
    let (status, _, errors) = run("gatewayd", &["init-db", blog], &told);
    assert_eq!(status, 0, "{errors}");
    assert!(database.exists());
    let (status, said) = gatewayd::run(&["--bind", "127.0.0.1:0", "--config", config, blog]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("a secret is needed"), "{said}");
}

#[test]
fn a_module_without_commands_says_so_and_one_that_fails_to_start_is_code_3() {
    let hello = Artefacts::built().module("hello").to_str().expect("UTF-8");
    let (status, said) = gatewayd::run(&["routes", hello]);
    assert_eq!(status, 2, "{said}");
    assert!(
        said.contains("no command `routes`, nor any other"),
        "{said}"
    );
    let mistakes = Artefacts::built()
        .module("carafe-mistakes")
        .to_str()
        .expect("UTF-8");
    let (status, said) = gatewayd::run(&["routes", mistakes]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("2 mistakes"), "{said}");
    let (status, said) = gatewayd::run(&["routes", "./none.so"]);
    assert_eq!(status, 4, "{said}");
    let (status, said) = gatewayd::run(&["routes"]);
    assert_eq!(status, 2, "{said}");
    assert!(
        said.contains("there is no command or file `routes`"),
        "{said}"
    );
}

#[test]
fn a_command_sees_the_configuration_and_its_spawned_work_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("filled");
    let config = folder.path().join("server.toml");
    fs::write(&config, "[app.config]\ngreeting = \"good morning\"\n").expect("a file");
    let words = ["fill", file.to_str().expect("UTF-8"), "--rows=3"];
    let told = [("GATEWAYD_CONFIG", config.to_str().expect("UTF-8"))];
    let (status, output, errors) = run("carafe-tool", &words, &told);
    assert_eq!(status, 0, "{errors}");
    assert_eq!(output, "filling\n3 rows\n");
    assert_eq!(fs::read_to_string(&file).expect("the file"), "good morning");
    let (status, output, errors) = run("carafe-tool", &["fail"], &[]);
    assert_eq!(
        (status, output.as_str(), errors.as_str()),
        (1, "", "fail: as told\n")
    );
    let (status, output, _) = run("carafe-tool", &["commands"], &[]);
    assert_eq!(status, 0);
    assert!(
        output.starts_with("fill FILE [--rows ROWS]  Fills a file.\nfail"),
        "{output}"
    );
}
