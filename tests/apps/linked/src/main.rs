//! An application's own binary, by the plain function and with an async constructor.
//!
//! It answers its process's number and the argument that it was started with; the argument `fail`
//! makes the start-up fail. Its command `say` writes its words and exits with their number.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use gateway_spec::{Command, Gateway, Request, Response, Startup, StartupError};

struct Linked {
    text: String,
}

impl Gateway for Linked {
    async fn call(&self, _: Request) -> Response {
        Response::text(self.text.clone())
    }

    fn commands(&self) -> Vec<Command> {
        vec![Command::new("say", "Says it.").with_arguments("WORDS...")]
    }

    async fn command(&self, words: Vec<OsString>) -> u8 {
        let mut out = std::io::stdout();
        for word in &words[1..] {
            // Whoever closed the pipe has read enough.
            let _ = writeln!(out, "{}", word.to_string_lossy());
        }
        u8::try_from(words.len() - 1).unwrap_or(u8::MAX)
    }
}

async fn start(startup: Startup) -> Result<impl Gateway, StartupError> {
    if startup.argument() == b"fail" {
        return Err(StartupError::new("linked: told to fail"));
    }
    let argument = String::from_utf8_lossy(startup.argument()).into_owned();
    let text = format!("{} {argument}", std::process::id());
    Ok(Linked { text })
}

fn main() -> ExitCode {
    gateway_server::main(start)
}
