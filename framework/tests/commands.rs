//! What an application can do at a terminal.

use carafe::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct NewUser {
    name: String,
    age: Option<u8>,
    admin: bool,
    #[serde(default)]
    role: Vec<String>,
}

async fn create_user(
    user: Words<NewUser>,
    greeting: State<String>,
    console: Console,
) -> Result<String> {
    console.warn("thinking");
    console.say(format!("{} {}", greeting.as_str(), user.name));
    if user.name == "nobody" {
        return Err(Error::message("nobody is no name"));
    }
    Ok(format!(
        "{:?} {} {}",
        user.age,
        user.admin,
        user.role.join("+")
    ))
}

fn blocking() -> (u8, &'static str) {
    (7, "done")
}

async fn link(cx: Cx) -> Result<String> {
    cx.url(show, (3,))
}

async fn show(id: i64) -> String {
    id.to_string()
}

fn app() -> App {
    let students = Blueprint::new("students")
        .prefix("/students")
        .get("/", async || "all")
        .command("import FILES...", "Imports students.", async || "imported");
    App::new()
        .state("Hello".to_owned())
        .get("/<int:id>", show)
        .command(
            "create-user NAME [AGE] [--admin] [--role ROLE]...",
            "Adds a user.",
            create_user,
        )
        .command("block", "Blocks.", blocking)
        .command("link", "Links.", link)
        .command("panic", "Panics.", async || -> () {
            std::panic::resume_unwind(Box::new("told to"))
        })
        .command("stop", "Stops.", async || abort::<()>((418, "No coffee.")))
        .blueprint(students)
}

#[test]
fn a_command_takes_its_words_as_a_type_and_state_as_views_do() {
    let client = app().test();
    let made = client.command([
        "create-user",
        "--role=a",
        "Ann",
        "42",
        "--admin",
        "--role",
        "b",
    ]);
    assert_eq!(made.output(), "Hello Ann\nSome(42) true a+b\n");
    assert_eq!((made.status(), made.errors()), (0, "thinking\n"));
    let plain = client.command(["create-user", "Ann"]);
    assert_eq!(plain.output(), "Hello Ann\nNone false \n");
    assert_eq!(client.command(["block"]).output(), "done\n");
    assert_eq!(client.command(["block"]).status(), 7);
    assert_eq!(client.command(["link"]).output(), "/3\n");
}

#[test]
fn an_error_is_told_on_standard_error_with_a_status() {
    let client = app().test();
    let failed = client.command(["create-user", "nobody"]);
    assert_eq!(failed.status(), 1);
    assert_eq!(
        failed.errors(),
        "thinking\ncreate-user: nobody is no name\n"
    );
    let panicked = client.command(["panic"]);
    assert_eq!(
        (panicked.status(), panicked.errors()),
        (1, "panic: panicked: told to\n")
    );
    assert_eq!(
        client.command(["stop"]).errors(),
        "stop: 418 I'm a teapot: No coffee.\n"
    );
    for words in [
        &["create-user"][..],
        &["create-user", "Ann", "old"],
        &["create-user", "Ann", "--admim"],
    ] {
        let wrong = client.command(words.to_vec());
        assert_eq!((wrong.status(), wrong.output()), (2, ""), "{words:?}");
        assert!(
            wrong.errors().contains("Usage: create-user NAME [AGE]"),
            "{}",
            wrong.errors()
        );
    }
}

#[test]
fn help_tells_how_a_command_is_typed() {
    let told = app().test().command(["create-user", "--help"]);
    assert_eq!(
        (told.status(), told.output()),
        (
            0,
            "Adds a user.\n\nUsage: create-user NAME [AGE] [--admin] [--role ROLE]...\n"
        )
    );
}

#[test]
fn commands_of_a_blueprint_stand_behind_its_name() {
    let client = app().test();
    assert_eq!(
        client.command(["students", "import", "a", "b"]).output(),
        "imported\n"
    );
    let group = client.command(["students"]);
    assert_eq!(group.status(), 2);
    assert_eq!(
        group.errors(),
        "there is no such command; commands are students import\n"
    );
    let unknown = client.command(["import"]);
    assert!(
        unknown.errors().contains("create-user, block"),
        "{}",
        unknown.errors()
    );
}

#[test]
fn routes_are_listed_in_the_order_that_is_asked_for() {
    let client = app().test();
    let routes = client.command(["routes"]);
    assert_eq!(routes.status(), 0, "{}", routes.errors());
    let lines: Vec<&str> = routes.output().lines().collect();
    assert!(lines[0].starts_with("Endpoint"), "{lines:?}");
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("show ") && line.contains("/<int:id>")),
        "{lines:?}"
    );
    let by_rule = client.command(["routes", "--sort", "rule"]);
    let rules: Vec<&str> = by_rule.output().lines().skip(2).collect();
    assert!(
        rules[0].contains("/<int:id>") && rules[1].contains("/students/"),
        "{rules:?}"
    );
    assert_eq!(client.command(["routes", "--sort", "colour"]).status(), 2);
}

#[test]
fn settings_are_listed_without_their_values() {
    let client = App::new().config_set("mail.password", "hunter2").test();
    let told = client.command(["config"]);
    assert!(told.output().contains("mail.password"), "{}", told.output());
    assert!(!told.output().contains("hunter2"), "{}", told.output());
}

#[test]
fn an_applications_own_command_takes_the_place_of_a_builtin_one() {
    let client = App::new()
        .command("routes", "Others.", async || "mine")
        .test();
    assert_eq!(client.command(["routes"]).output(), "mine\n");
}

#[test]
fn mistakes_in_commands_keep_the_application_from_starting() {
    let mistakes = App::new()
        .command("a [NAME", "", async || ())
        .command("b", "", async |_: State<u8>| ())
        .command("b", "", async |_: i64| ())
        .try_test()
        .unwrap_err();
    let told: Vec<&str> = mistakes.iter().collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(
        told[0].contains("commands.rs:") && told[0].contains("not closed"),
        "{told:?}"
    );
    assert!(told[1].contains("has the name of the one of"), "{told:?}");
    assert!(told[2].contains("`Words<T>`"), "{told:?}");
    assert!(told[3].contains("nobody provides `State<u8>`"), "{told:?}");
}
