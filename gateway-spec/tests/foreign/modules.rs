//! C and C++ modules, compiled once for all tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use gateway_spec::abi::host::Module;
use gateway_spec::abi::interpose;
use gateway_spec::abi::load::load;

use crate::host;

/// `examples/hello-c`, under the interposer.
pub(crate) fn hello_c() -> Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    watched(
        &MODULE,
        "hello_c",
        "cc",
        "-std=c11",
        &["examples/hello-c/hello.c"],
    )
}

/// `examples/stream-cpp`, under the interposer.
pub(crate) fn stream_cpp() -> Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    watched(
        &MODULE,
        "stream_cpp",
        "c++",
        "-std=c++17",
        &["examples/stream-cpp/stream.cpp"],
    )
}

/// `tests/hostile`, under the interposer.
pub(crate) fn hostile() -> Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    watched(&MODULE, "hostile", "cc", "-std=gnu11", &HOSTILE)
}

/// `tests/hostile`, without a watch.
pub(crate) fn unwatched_hostile() -> Module {
    let file = compile("unwatched_hostile", "cc", "-std=gnu11", &HOSTILE);
    load(&file).unwrap_or_else(|error| panic!("{error}"))
}

/// `examples/hello-c`, under one more interposer.
pub(crate) fn newly_watched() -> Result<Module, String> {
    let file = compile(
        "newly_watched",
        "cc",
        "-std=c11",
        &["examples/hello-c/hello.c"],
    );
    let module = load(&file).map_err(|error| error.to_string())?;
    interpose::watch(&module, host::report).map_err(|refusal| refusal.to_string())
}

fn watched(
    module: &OnceLock<Module>,
    name: &str,
    compiler: &str,
    standard: &str,
    sources: &[&str],
) -> Module {
    let make = || {
        let file = compile(name, compiler, standard, sources);
        let module = load(&file).unwrap_or_else(|error| panic!("{error}"));
        interpose::watch(&module, host::report).expect("few modules are watched")
    };
    module.get_or_init(make).clone()
}

fn compile(name: &str, compiler: &str, standard: &str, sources: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lib{name}.so"));
    let result = Command::new(compiler)
        .arg(standard)
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"])
        .args(["-shared", "-fPIC", "-fvisibility=hidden", "-pthread"])
        .arg("-I")
        .arg(root.join("gateway-spec/include"))
        .arg("-o")
        .arg(&output)
        .args(sources.iter().map(|source| root.join(source)))
        .output()
        .unwrap_or_else(|error| panic!("{compiler} is needed: {error}"));
    let message = String::from_utf8_lossy(&result.stderr);
    assert!(result.status.success(), "{compiler} {name}:\n{message}");
    output
}

const HOSTILE: [&str; 4] = [
    "tests/hostile/hostile.c",
    "tests/hostile/answers.c",
    "tests/hostile/bodies.c",
    "tests/hostile/async.c",
];
