//! What an application can do besides serving, through `gw.commands/1`.

use std::ffi::OsString;
use std::future::poll_fn;
use std::os::unix::ffi::OsStringExt;

use gateway_spec::abi::GwModule;
use gateway_spec::abi::host::{App, Commands, Config, Module};
use gateway_spec::{BoxGateway, Command, ErrorKind, Gateway, Request, Response, UNKNOWN_COMMAND};

use super::host::{block_on, module, table};

/// Counts its arguments' bytes, after it has waited once.
struct Tool;

impl Gateway for Tool {
    async fn call(&self, _: Request) -> Response {
        Response::text("a tool")
    }

    fn commands(&self) -> Vec<Command> {
        vec![
            Command::new("count", "Counts bytes.").with_arguments("WORDS..."),
            Command::new("users list", "Lists users."),
        ]
    }

    async fn command(&self, words: Vec<OsString>) -> u8 {
        let mut polled = false;
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::replace(&mut polled, true) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        match words.first().and_then(|word| word.to_str()) {
            Some("count") => {
                u8::try_from(words.iter().map(|word| word.len()).sum::<usize>()).unwrap()
            }
            Some("users") if words.len() == 1 => panic!("told to panic"),
            _ => UNKNOWN_COMMAND,
        }
    }
}

fn started(module: &'static GwModule) -> App {
    let module = Module::linked(module).unwrap();
    let app = module.create(table(), &Config::default()).unwrap();
    assert!(app.commands().is_none(), "before the start-up");
    block_on(poll_fn(|cx| app.poll_startup(cx))).unwrap();
    app
}

fn ended(app: App) {
    block_on(poll_fn(|cx| app.poll_shutdown(cx, 0)));
    app.destroy();
}

fn run(commands: &Commands<'_>, words: &[&[u8]]) -> Result<u8, ErrorKind> {
    let words: Vec<OsString> = words
        .iter()
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect();
    commands.run(&words)
}

#[test]
fn commands_are_listed_and_run_with_the_words_as_typed() {
    let app = started(module!(Tool));
    let commands = app.commands().unwrap();
    assert_eq!(commands.list(), Tool.commands());
    assert_eq!(run(&commands, &[b"count", b"\xff\xfe", b""]), Ok(7));
    assert_eq!(run(&commands, &[b"users", b"list"]), Ok(UNKNOWN_COMMAND));
    assert_eq!(run(&commands, &[b"coun"]), Err(ErrorKind::Invalid));
    assert_eq!(run(&commands, &[]), Err(ErrorKind::Invalid));
    ended(app);
}

#[test]
fn a_command_that_panics_fails_and_another_runs() {
    let app = started(module!(|| BoxGateway::new(Tool)));
    let commands = app.commands().unwrap();
    assert_eq!(run(&commands, &[b"users"]), Err(ErrorKind::Panic));
    assert_eq!(run(&commands, &[b"count"]), Ok(5));
    ended(app);
}

#[test]
fn most_applications_have_none() {
    let app = started(module!(async |_: Request| "x"));
    assert!(app.commands().is_none());
    ended(app);
}
