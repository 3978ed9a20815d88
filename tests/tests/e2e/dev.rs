//! `gatewayd dev` serves the last good build of a package and tells people what is wrong with the next.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use gateway_tests::artefacts::root;
use gateway_tests::browser::Page;
use gateway_tests::gatewayd::{Gatewayd, program};
use gateway_tests::process::Process;
use gateway_tests::response::Response;
use gateway_tests::until;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A cargo package of its own, under `target`, so that its dependencies are compiled once.
struct Package {
    folder: PathBuf,
}

const LIBRARY: &str = "\n[lib]\ncrate-type = [\"cdylib\"]\n";

impl Package {
    fn new(name: &str, extra: &str) -> Self {
        static DEPENDENCIES: OnceLock<()> = OnceLock::new();
        DEPENDENCIES.get_or_init(|| {
            let warm = Self::write("dev-warm", LIBRARY);
            warm.answer("warm");
            let manifest = warm.folder.join("Cargo.toml");
            let mut cargo = Command::new("cargo");
            cargo
                .args(["build", "--lib", "--manifest-path"])
                .arg(manifest);
            let status = settled(&mut cargo).status().unwrap();
            assert!(status.success());
        });
        Self::write(name, extra)
    }

    fn write(name: &str, extra: &str) -> Self {
        let folder = place().join(name);
        let _old = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let package = Self { folder };
        package.manifest(extra);
        package
    }

    fn manifest(&self, extra: &str) {
        let name = self.folder.file_name().unwrap().to_str().unwrap();
        let spec = root().join("gateway-spec");
        let text = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{extra}\n\
             [dependencies]\ngateway-spec = {{ path = {spec:?} }}\n\n[workspace]\n"
        );
        fs::write(self.folder.join("Cargo.toml"), text).unwrap();
    }

    fn source(&self, text: &str) {
        fs::write(self.folder.join("src/lib.rs"), text).unwrap();
    }

    /// An application that answers `text`.
    fn answer(&self, text: &str) {
        self.source(&format!(
            "async fn app(_: gateway_spec::Request) -> gateway_spec::Response {{\n    \
             gateway_spec::Response::text({text:?})\n}}\n\ngateway_spec::export!(app);\n"
        ));
    }

    fn dev(&self, more: &[&str]) -> Gatewayd {
        let mut command = program();
        command.arg("dev").arg(&self.folder);
        command.args(["--bind", "127.0.0.1:0"]).args(more);
        // One that is killed leaves its folder behind; the next run of the test removes it.
        let temporary = self.folder.with_extension("tmp");
        let _old = fs::remove_dir_all(&temporary);
        fs::create_dir_all(&temporary).unwrap();
        command.env("TMPDIR", temporary);
        Gatewayd::start(settled(&mut command))
    }
}

fn place() -> PathBuf {
    root().join("target/dev-tests")
}

/// One target folder for all, and nothing from the network.
fn settled(command: &mut Command) -> &mut Command {
    command
        .env("CARGO_TARGET_DIR", place().join("target"))
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("CARGO_MANIFEST_DIR")
}

/// What a browser gets that goes to `/`.
fn browse(server: &Gatewayd) -> Response {
    server.fetch(
        "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n\
         Connection: close\r\n\r\n",
    )
}

/// Does something and waits for the line that it leads to.
fn after(server: &Gatewayd, line: &str, act: impl FnOnce()) {
    let from = server.process.lines_so_far();
    act();
    server.process.line_with(line, from);
}

fn is_stale(response: &Response) -> bool {
    response.field("gatewayd-dev") == Some("stale")
}

/// Processes whose program begins with `path`.
fn processes_of(path: &Path) -> Vec<i32> {
    let path = path.to_str().unwrap();
    let listed = fs::read_dir("/proc").unwrap().flatten();
    let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).starts_with(path)
    })
    .collect()
}

fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

fn is_gone(pid: i32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn a_change_is_served_and_a_mistake_is_shown_until_it_is_mended() {
    let package = Package::new("dev-changes", LIBRARY);
    package.answer("one");
    let server = package.dev(&[]);
    server.process.line_with("dev: serving dev-changes", 0);
    assert_eq!(server.get("/").text(), "one");
    assert_eq!(browse(&server).text(), "one");

    after(&server, "dev: serving", || package.answer("two"));
    let answer = server.get("/");
    assert_eq!((answer.text(), is_stale(&answer)), ("two", false));

    after(
        &server,
        "does not compile; the last good build goes on",
        || {
            package.source("fn broken() -> Vec<&'static str> { no_such_value }\n");
        },
    );
    let page = browse(&server);
    assert_eq!(page.status, 503);
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    for word in [
        "no_such_value",
        "src/lib.rs:1:",
        "http-equiv=\"refresh\"",
        "<span class=",
    ] {
        assert!(
            page.text().contains(word),
            "no {word:?} in: {}",
            page.text()
        );
    }
    assert!(page.text().contains("Vec&lt;&amp;"), "{}", page.text());
    let profile = tempfile::tempdir().unwrap();
    let seen = Page::open(&server.url("/"), profile.path());
    assert!(seen.dom.contains("no_such_value"), "{}", seen.dom);
    let said = server.process.said();
    assert!(
        said.contains("src/lib.rs:1:") && !said.contains('\u{1b}'),
        "{said}"
    );
    let answer = server.get("/");
    assert_eq!((answer.text(), is_stale(&answer)), ("two", true));

    after(&server, "dev: serving", || package.answer("three"));
    let answer = browse(&server);
    assert_eq!((answer.text(), is_stale(&answer)), ("three", false));

    after(
        &server,
        "does not start; the last good build goes on",
        || {
            package.source(
            "async fn app(_: gateway_spec::Startup) -> Result<fn(gateway_spec::Request) -> \
             std::future::Ready<gateway_spec::Response>, gateway_spec::StartupError> {\n    \
             Err(gateway_spec::StartupError::new(\"no database\"))\n}\n\ngateway_spec::export!(app);\n",
        );
        },
    );
    let page = browse(&server);
    assert!(
        page.status == 503 && page.text().contains("no database"),
        "{}",
        page.text()
    );
    assert_eq!(server.get("/").text(), "three");

    let pid = server.process.pid();
    let master = children(pid);
    let workers: Vec<i32> = master.iter().copied().flat_map(children).collect();
    assert_eq!((master.len(), workers.is_empty()), (1, false));
    server.process.signal(Signal::SIGINT);
    let (code, said) = server.process.end();
    assert_eq!(code, 0, "{said}");
    assert!(master.into_iter().chain(workers).all(is_gone));
}

#[test]
fn before_the_first_good_build_every_answer_tells_what_is_missing() {
    let package = Package::new("dev-first", "");
    package.answer("at last");
    let server = package.dev(&[]);
    server
        .process
        .line_with("dev-first makes no shared object", 0);
    for answer in [server.get("/"), browse(&server)] {
        assert_eq!(answer.status, 503);
        assert!(answer.text().contains("[lib]\n"), "{}", answer.text());
        assert!(
            answer.text().contains("crate-type = ["),
            "{}",
            answer.text()
        );
    }
    after(&server, "cargo cannot read", || package.manifest("]"));
    assert!(server.get("/x").text().contains("Cargo.toml:"));
    package.source("fn broken( {}\n");
    after(&server, "dev-first does not compile", || {
        package.manifest(LIBRARY)
    });
    let answer = server.get("/");
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("src/lib.rs:1:"), "{}", answer.text());
    assert!(!answer.text().contains('\u{1b}') && !answer.text().contains("<span"));
    after(&server, "dev: serving dev-first", || {
        package.answer("at last")
    });
    assert_eq!(server.get("/").text(), "at last");
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_path_dependency_is_watched_and_cargo_and_server_get_their_options() {
    let package = Package::new("dev-depends", "");
    let near = package.folder.join("../dev-near");
    fs::create_dir_all(near.join("src")).unwrap();
    let text =
        "[package]\nname = \"dev-near\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(near.join("Cargo.toml"), text).unwrap();
    let word = |word: &str| {
        fs::write(
            near.join("src/lib.rs"),
            format!("pub const WORD: &str = {word:?};\n"),
        )
        .unwrap();
    };
    word("near");
    let extra = "\n[features]\nloud = []\n\n[dependencies.dev-near]\npath = \"../dev-near\"\n";
    package.manifest(&format!("{LIBRARY}{extra}"));
    package.source(
        "use gateway_spec::{Gateway, Request, Response, Startup, StartupError};\n\n#[cfg(feature = \"loud\")]\n\
         async fn app(startup: Startup) -> Result<impl Gateway, StartupError> {\n    let told = format!(\"{} {:?} {:?}\", \
         dev_near::WORD, startup.setting(\"debug\"), startup.setting(\"root\"));\n    \
         Ok(move |_: Request| { let told = told.clone(); async move { Response::text(told) } })\n}\n\n\
         gateway_spec::export!(app);\n",
    );
    let told = |word: &str| format!("{word} Some(\"true\") Some({:?})", package.folder);
    let server = package.dev(&["--features", "loud", "--workers", "2"]);
    server.process.line_with("2 workers ready", 0);
    server.process.line_with("dev: serving", 0);
    assert_eq!(server.get("/").text(), told("near"));
    after(&server, "dev: serving", || word("nearer"));
    assert_eq!(server.get("/").text(), told("nearer"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn nothing_is_left_of_a_build_or_a_server_whose_dev_is_ended() {
    let package = Package::new("dev-hangs", LIBRARY);
    package.answer("never");
    let hang = "fn main() { println!(\"hanging\"); loop { std::thread::park(); } }\n";
    fs::write(package.folder.join("build.rs"), hang).unwrap();
    let script = place().join("target/debug/build/dev-hangs");
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let before = processes_of(&script);
        let mut server = package.dev(&[]);
        let mut scripts = Vec::new();
        until("build script", || {
            scripts = processes_of(&script);
            scripts.retain(|pid| !before.contains(pid));
            !scripts.is_empty()
        });
        let mine = children(server.process.pid());
        let workers: Vec<i32> = mine.iter().copied().flat_map(children).collect();
        server.process.signal(signal);
        let status = server.process.wait();
        assert_eq!(status.code(), (signal == Signal::SIGINT).then_some(0));
        until("end of server and cargo", || {
            mine.iter().chain(&workers).copied().all(is_gone)
        });
        if signal == Signal::SIGKILL {
            // Cargo was told to end and did; what it had started is nobody's to tell.
            for script in scripts {
                let ended = kill(Pid::from_raw(script), Signal::SIGKILL);
                assert!(matches!(ended, Ok(()) | Err(Errno::ESRCH)), "{ended:?}");
            }
        } else {
            until("end of the build script", || {
                scripts.iter().copied().all(is_gone)
            });
        }
    }
}

#[test]
fn a_wrong_command_line_is_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let run = |words: &[&str]| Process::start(program().arg("dev").args(words)).end();
    let (code, said) = run(&[place]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains(place) && said.contains("Cargo.toml"),
        "{said}"
    );
    let (code, said) = run(&["--help"]);
    assert_eq!((code, said.contains("[PATH]")), (0, true), "{said}");
    fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    let (code, said) = run(&[place, "--wokers", "2"]);
    assert_eq!((code, said.contains("`--workers`")), (2, true), "{said}");
    let (code, said) = run(&[place, "--workers", "0", "--bind", "127.0.0.1:0"]);
    assert_eq!((code, said.contains("at least 1")), (2, true), "{said}");
}
