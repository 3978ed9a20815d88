//! An application on carafe that is its own server, with commands of its own and sessions in memory, and views that are no good.

use std::path::PathBuf;
use std::process::ExitCode;

use carafe::session::MemoryStore;
use carafe::*;

#[derive(serde::Deserialize)]
struct Target {
    file: PathBuf,
    rows: Option<u32>,
}

/// Writes a file, by the application's own runtime.
async fn fill(cx: Cx, target: Words<Target>, console: Console) -> Result<String> {
    let greeting: String = cx.config().require("greeting")?;
    console.say("filling");
    let rows = target.rows.unwrap_or(1);
    for _ in 0..rows {
        let file = target.file.clone();
        let text = greeting.clone();
        cx.spawn(async move {
            // The test looks whether it is there.
            let _ = std::fs::write(file, text);
        });
    }
    Ok(format!("{rows} rows"))
}

/// Never answers.
fn hang() -> &'static str {
    loop {
        std::thread::park();
    }
}

fn app() -> App {
    App::new()
        .config_default("greeting", "hello")
        .config_default("secret_key", "of-a-test-0123456789abcdefghijklmn")
        .session_store(MemoryStore::new())
        .get("/", async || "a tool")
        .get("/count", async |session: Session| {
            let count: u32 = session.get("count")?.unwrap_or(0) + 1;
            session.set("count", count)?;
            Ok::<_, Error>(count.to_string())
        })
        .post("/count", async || "counted")
        .get("/plain", || "plain")
        .get("/hang", hang)
        .command("fill FILE [--rows ROWS]", "Fills a file.", fill)
        .command("fail", "Fails.", async || -> Result<()> {
            Err(Error::message("as told"))
        })
}

fn main() -> ExitCode {
    gateway_server::main!(tokio: app())
}
