//! All commands of an application, and every mistake in them.

use super::builtin;
use super::command::Command;
use super::registration::Registered;
use super::usage::Usage;
use crate::extract::Kind;
use crate::parts::Parts;
use crate::step::{Asking, Facts};

/// The commands of an application and its blueprints, and those that every application has; whose functions take
/// arguments is added to `asking`.
///
/// # Errors
///
/// All mistakes in them, each with the line that made it.
pub(crate) fn gather(
    own: &Parts,
    blueprints: &[(String, Parts)],
    asking: &mut Asking,
) -> Result<Vec<Command>, Vec<String>> {
    let groups = blueprints
        .iter()
        .map(|(name, parts)| (name.as_str(), parts));
    let mut commands: Vec<Command> = Vec::new();
    let mut mistakes = Vec::new();
    for (group, parts) in [("", own)].into_iter().chain(groups) {
        for one in parts.get::<Registered>().into_iter().flat_map(|all| &all.0) {
            let origin = one.step.facts.origin;
            let usage = match Usage::parse(&one.usage) {
                Ok(usage) => usage,
                Err(what) => {
                    mistakes.push(format!("{origin}: command `{}`: {what}", one.usage));
                    continue;
                }
            };
            let name = match group {
                "" => usage.name().to_owned(),
                group => format!("{group} {}", usage.name()),
            };
            if let Some(earlier) = commands.iter().find(|earlier| earlier.name == name) {
                let earlier = earlier.step.facts.origin;
                mistakes.push(format!(
                    "{origin}: the command `{name}` has the name of the one of {earlier}"
                ));
            }
            mistakes.extend(wrong(&one.step.facts, &name));
            asking.push((format!("command `{name}`"), one.step.facts.clone()));
            commands.push(Command {
                name,
                usage,
                about: one.about.clone(),
                step: one.step.clone(),
            });
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    for builtin in builtin::all() {
        if !commands.iter().any(|own| own.name == builtin.name) {
            commands.push(builtin);
        }
    }
    Ok(commands)
}

/// What a command's function takes that no command has.
fn wrong(facts: &Facts, name: &str) -> Option<String> {
    let path = (facts.kinds.iter()).any(|kind| matches!(kind, Kind::Path(..)));
    path.then(|| {
        let origin = facts.origin;
        format!("{origin}: command `{name}`: there is no path to take values of: take `Words<T>`")
    })
}
