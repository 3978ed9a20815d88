//! The sandbox of the workers: what it takes, and what the running kernel can do of it.

use std::io;

use crate::config::Config;
use crate::os::walls::{self, Abilities, Openings};
use crate::value::{Outgoing, Sandbox};

/// Shuts in this worker, at this place among the others, if the configuration says so. To be called while it has one thread.
///
/// # Errors
///
/// The kernel cannot do what is required, or a place to write is not there.
pub(crate) fn enter(config: &Config, place: u32) -> io::Result<()> {
    if config.sandbox == Sandbox::Off {
        return Ok(());
    }
    let abilities = Abilities::found();
    let missing = missing(config, abilities);
    if config.sandbox == Sandbox::Required
        && let Some(first) = missing.first()
    {
        return Err(io::Error::other(format!("--sandbox required: {first}")));
    }
    // The others would only say the same.
    for gap in missing.iter().filter(|_| place == 0) {
        tracing::warn!("sandbox: {gap}");
    }
    walls::raise(&openings(config), abilities).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("--sandbox {}: {error}", config.sandbox.name()),
        )
    })
}

/// What the configuration asks for and this kernel cannot do; none if nothing is asked for.
pub(crate) fn gaps(config: &Config) -> Vec<String> {
    match config.sandbox {
        Sandbox::Off => Vec::new(),
        _ => missing(config, Abilities::found()),
    }
}

/// For people: each wall, and whether this kernel can raise it.
pub(crate) fn report() -> String {
    let abilities = Abilities::found();
    let rows = WALLS.iter().map(|wall| {
        let can = if wall.needs.met_by(abilities) {
            "yes"
        } else {
            "no"
        };
        format!("  {:<44} {can:<4} {}\n", wall.what, wall.needs.words())
    });
    let found = match abilities.landlock {
        0 => "no Landlock".to_owned(),
        version => format!("Landlock {version}"),
    };
    let seccomp = if abilities.seccomp {
        "seccomp"
    } else {
        "no seccomp"
    };
    format!(
        "what this kernel can do of a sandbox ({found}, {seccomp}):\n{}",
        rows.collect::<String>()
    )
}

fn missing(config: &Config, abilities: Abilities) -> Vec<String> {
    let tcp = config
        .sandbox_connect
        .iter()
        .any(|one| matches!(one, Outgoing::Tcp(_)));
    let unix = config.sandbox_connect.contains(&Outgoing::Unix);
    let wanted = WALLS.iter().filter(|wall| match wall.when {
        When::Always => true,
        When::Tcp => tcp,
        When::Unix => unix,
    });
    let missing = wanted.filter(|wall| !wall.needs.met_by(abilities));
    missing
        .map(|wall| {
            format!(
                "this kernel cannot keep workers to it: {}; that needs {}",
                wall.what,
                wall.needs.words()
            )
        })
        .collect()
}

fn openings(config: &Config) -> Openings {
    let mut openings = Openings {
        write: config.sandbox_write.clone(),
        ..Openings::default()
    };
    for one in &config.sandbox_connect {
        match one {
            Outgoing::Tcp(port) => openings.tcp.push(*port),
            Outgoing::Udp => openings.udp = true,
            Outgoing::Unix => openings.unix = true,
        }
    }
    openings
}

struct Wall {
    what: &'static str,
    needs: Needs,
    when: When,
}

#[derive(Clone, Copy)]
enum Needs {
    Seccomp,
    /// Of this version.
    Landlock(u32),
}

/// In which configuration a wall matters: without such an opening another one is in front of it.
#[derive(Clone, Copy)]
enum When {
    Always,
    Tcp,
    Unix,
}

impl Needs {
    fn met_by(self, abilities: Abilities) -> bool {
        match self {
            Self::Seccomp => abilities.seccomp,
            Self::Landlock(version) => abilities.landlock >= version,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Seccomp => "seccomp",
            Self::Landlock(1) => "Landlock, Linux 5.13",
            Self::Landlock(2..=3) => "Landlock 3, Linux 6.2",
            Self::Landlock(4) => "Landlock 4, Linux 6.7",
            Self::Landlock(_) => "Landlock 6, Linux 6.12",
        }
    }
}

const WALLS: [Wall; 7] = [
    Wall {
        what: "no program and no process is started",
        needs: Needs::Seccomp,
        when: When::Always,
    },
    Wall {
        what: "no other process is traced or signalled",
        needs: Needs::Seccomp,
        when: When::Always,
    },
    Wall {
        what: "no socket is listened at",
        needs: Needs::Seccomp,
        when: When::Always,
    },
    Wall {
        what: "no file is written outside named places",
        needs: Needs::Landlock(1),
        when: When::Always,
    },
    Wall {
        what: "nor truncated",
        needs: Needs::Landlock(3),
        when: When::Always,
    },
    Wall {
        what: "TCP goes to named ports alone",
        needs: Needs::Landlock(4),
        when: When::Tcp,
    },
    Wall {
        what: "no abstract unix socket is connected to",
        needs: Needs::Landlock(6),
        when: When::Unix,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_what_is_asked_for_and_cannot_be_done() {
        let old = Abilities {
            landlock: 2,
            seccomp: true,
        };
        let count = |texts: &[(&str, &str)]| missing(&Config::of(texts), old).len();
        assert_eq!(count(&[("sandbox", "required")]), 1);
        assert_eq!(count(&[("sandbox-connect", "5432")]), 2);
        assert_eq!(count(&[("sandbox-connect", "unix")]), 2);
        let none = Abilities {
            landlock: 0,
            seccomp: false,
        };
        assert_eq!(missing(&Config::of(&[]), none).len(), 5);
        assert!(gaps(&Config::of(&[])).is_empty());
    }
}
