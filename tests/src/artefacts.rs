//! What the tests drive, built once per test run: `gatewayd` and the applications.
//!
//! Development builds by default, so that debug assertions and overflow checks are on;
//! `GATEWAY_TEST_PROFILE=release` takes release builds.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Paths of what cargo built.
#[derive(Debug)]
pub struct Artefacts {
    programs: BTreeMap<String, PathBuf>,
    modules: BTreeMap<String, PathBuf>,
}

impl Artefacts {
    /// Builds the workspace's programs and modules, once per process.
    ///
    /// # Panics
    /// When the build fails.
    pub fn built() -> &'static Self {
        static BUILT: OnceLock<Artefacts> = OnceLock::new();
        BUILT.get_or_init(|| Self::build(&[WORKSPACE, &["--exclude", "traced"]].concat(), &[]))
    }

    /// Builds the one program whose server traces: what the others' servers are made of is not made anew.
    ///
    /// # Panics
    /// When the build fails.
    pub fn traced() -> &'static Self {
        static BUILT: OnceLock<Artefacts> = OnceLock::new();
        BUILT.get_or_init(|| Self::build(&[WORKSPACE, &["--bin", "traced"]].concat(), &[]))
    }

    /// The program of that name.
    ///
    /// # Panics
    /// When no member builds it.
    #[must_use]
    pub fn program(&self, name: &str) -> &Path {
        self.programs
            .get(name)
            .unwrap_or_else(|| panic!("no program {name} in {self:?}"))
    }

    /// The shared object of the member of that name.
    ///
    /// # Panics
    /// When no member builds it.
    #[must_use]
    pub fn module(&self, name: &str) -> &Path {
        self.modules
            .get(name)
            .unwrap_or_else(|| panic!("no module {name} in {self:?}"))
    }

    /// Runs `cargo build` with these arguments and reads from its messages where things are.
    ///
    /// # Panics
    /// When the build fails.
    #[must_use]
    pub fn build(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let profile = env::var("GATEWAY_TEST_PROFILE").unwrap_or_else(|_| "dev".to_owned());
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args([
                "build",
                "--quiet",
                "--locked",
                "--message-format=json",
                "--profile",
                &profile,
            ])
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(root())
            .output()
            .expect("cargo to start");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo build {arguments:?}: {said}");
        let mut built = Self {
            programs: BTreeMap::new(),
            modules: BTreeMap::new(),
        };
        for line in output.stdout.split(|&byte| byte == b'\n') {
            let Ok(message) = serde_json::from_slice::<Value>(line) else {
                continue;
            };
            let Some(name) = message["target"]["name"].as_str() else {
                continue;
            };
            if let Some(program) = message["executable"].as_str() {
                built.programs.insert(name.to_owned(), program.into());
            }
            let files = message["filenames"].as_array().into_iter().flatten();
            for file in files
                .filter_map(Value::as_str)
                .filter(|file| file.ends_with(".so"))
            {
                if message["target"]["kind"]
                    .as_array()
                    .is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
                {
                    built.modules.insert(name.replace('_', "-"), file.into());
                }
            }
        }
        built
    }
}

/// What tests drive is made of all members but these.
const WORKSPACE: &[&str] = &[
    "--workspace",
    "--exclude",
    "gateway-tests",
    "--exclude",
    "xtask",
];

/// Compiles a C or C++ application against `gateway.h` into `folder`, named after its first source.
///
/// # Panics
/// When the compiler does not take it without a warning.
#[must_use]
pub fn compile(sources: &[&str], flags: &[&str], folder: &Path) -> PathBuf {
    let first = Path::new(sources[0]);
    let is_cpp = first
        .extension()
        .is_some_and(|extension| extension == "cpp");
    let (compiler, standard) = if is_cpp {
        ("c++", "-std=c++17")
    } else {
        ("cc", "-std=c11")
    };
    let stem = first.file_stem().expect("a source has a name");
    let module = folder.join(stem).with_extension("so");
    let output = Command::new(compiler)
        .args([
            standard,
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            "-O1",
            "-g",
        ])
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .arg("-I")
        .arg(root().join("gateway-spec/include"))
        .args(flags)
        .arg("-o")
        .arg(&module)
        .args(sources)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("cannot start {compiler}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {sources:?}: {said}");
    module
}

/// Compiles the application that does everything wrong into `folder`: its sources in tests/hostile, and `more` of them.
///
/// # Panics
/// When the compiler does not take it without a warning.
#[must_use]
pub fn hostile(more: &[&str], flags: &[&str], folder: &Path) -> PathBuf {
    let names = [&["hostile", "answers", "bodies", "async"], more].concat();
    let sources = names.iter().map(|name| format!("tests/hostile/{name}.c"));
    let sources: Vec<String> = sources.collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let flags = [&["-std=gnu11", "-pthread"], flags].concat();
    compile(&sources, &flags, folder)
}

/// Puts a copy of a program in the place of `to`, as package managers do: a new file, renamed.
///
/// Another process writes it. A descriptor of our own would pass to whatever another test starts at
/// this moment, and nobody can execute a file that is open for writing.
///
/// # Panics
/// When it cannot be copied.
pub fn install(from: &Path, to: &Path) {
    let fresh = to.with_extension("fresh");
    let copied = Command::new("cp").arg(from).arg(&fresh).status();
    assert!(
        copied.is_ok_and(|status| status.success()),
        "cp {from:?} {fresh:?}"
    );
    fs::rename(fresh, to).expect("to rename a file");
}

/// The workspace's folder.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the workspace")
}
