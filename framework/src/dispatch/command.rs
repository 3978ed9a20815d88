//! Commands in the application's context: found by their words, run, and told of.

use std::ffi::OsString;
use std::sync::Arc;

use gateway_spec::http::Method;

use super::contain::contained;
use super::service::Service;
use crate::commands::{Command, Console, Given, Sink, WrongWords};
use crate::context::Cx;
use crate::error::{Error, Result};
use crate::routing::Outcome;

/// The commands as a server lists them.
pub(super) fn list(service: &Service) -> Vec<gateway_spec::Command> {
    let listed = |command: &Command| {
        gateway_spec::Command::new(&command.name, &command.about)
            .with_arguments(command.usage.arguments())
    };
    service.commands.iter().map(listed).collect()
}

/// Runs the command that `words` begin with; answers the exit status.
pub(crate) async fn run(service: &Arc<Service>, words: &[OsString], sink: Sink) -> u8 {
    let console = Console::new(sink);
    let Some((command, arguments)) = find(&service.commands, words) else {
        console.warn(missing(&service.commands, words));
        return USAGE;
    };
    if arguments
        .iter()
        .take_while(|word| *word != "--")
        .any(|word| word == "--help")
    {
        console.say(format!("{}\n\nUsage: {}", command.about, shown(command)));
        return 0;
    }
    match called(service, command, arguments, &console).await {
        Ok((status, text)) => {
            if !text.is_empty() {
                console.say(text);
            }
            status
        }
        Err(error) => match error.downcast_ref::<WrongWords>() {
            Some(wrong) => {
                console.warn(format!(
                    "{}: {wrong}\nUsage: {}",
                    command.name,
                    shown(command)
                ));
                USAGE
            }
            None => {
                console.warn(format!("{}: {error}", command.name));
                FAILED
            }
        },
    }
}

async fn called(
    service: &Arc<Service>,
    command: &Command,
    arguments: &[OsString],
    console: &Console,
) -> Result<(u8, String)> {
    let given = command.usage.read(arguments).map_err(WrongWords)?;
    let site = &service.site;
    let host = site.server_name.as_deref().unwrap_or("localhost");
    // There is no request: this one only says where links lead.
    let head = gateway_spec::Request::build(Method::GET, "/").map_err(Error::from)?;
    let cx = Cx::new(
        Arc::clone(site),
        head.with_authority(host),
        Outcome::NotFound,
    );
    cx.put(Given(given));
    cx.put(console.clone());
    contained(&cx, command.step.call.call(&cx)).await
}

/// The command whose words these are, and what stands behind them.
fn find<'a>(
    commands: &'a [Command],
    words: &'a [OsString],
) -> Option<(&'a Command, &'a [OsString])> {
    let behind = |command: &Command| {
        let mut rest = words;
        for word in command.name.split(' ') {
            let (first, behind) = rest.split_first()?;
            if first != word {
                return None;
            }
            rest = behind;
        }
        Some(rest)
    };
    let fitting = commands
        .iter()
        .filter_map(|command| Some((command, behind(command)?)));
    fitting.min_by_key(|(_, rest)| rest.len())
}

/// What there is instead: the group's commands, or all.
fn missing(commands: &[Command], words: &[OsString]) -> String {
    let first = words.first().map(|word| word.to_string_lossy());
    let first = first.unwrap_or_default();
    let group = format!("{first} ");
    let of_group = commands
        .iter()
        .filter(|command| command.name.starts_with(&group));
    let mut known: Vec<&str> = of_group.map(|command| command.name.as_str()).collect();
    if known.is_empty() {
        known = commands
            .iter()
            .map(|command| command.name.as_str())
            .collect();
    }
    format!(
        "there is no such command; commands are {}",
        known.join(", ")
    )
}

fn shown(command: &Command) -> String {
    format!("{} {}", command.name, command.usage.arguments())
        .trim_end()
        .to_owned()
}

const FAILED: u8 = 1;
const USAGE: u8 = gateway_spec::UNKNOWN_COMMAND;
