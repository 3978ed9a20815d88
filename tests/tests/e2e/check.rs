//! `gatewayd check` tells what a file says of itself without running it, and why it cannot be served.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway_tests::artefacts::{self, Artefacts, compile, root};
use gateway_tests::gatewayd::{program, run};
use gateway_tests::process::Process;
use tempfile::TempDir;

const CANNOT_START: i32 = 3;
const CANNOT_LOAD: i32 = 4;

/// Expects the check of `path` to fail, with its name and these words.
fn refused(path: &Path, words: &[&str]) {
    let name = path.to_str().unwrap();
    for extra in [&[][..], &["--load"]] {
        let (code, said) = run(&[&["check", name], extra].concat());
        assert_eq!(code, CANNOT_LOAD, "{said}");
        for word in [&[name], words].concat() {
            assert!(said.contains(word), "no {word:?} in: {said}");
        }
    }
}

fn written(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn hostile(folder: &TempDir, flags: &[&str]) -> PathBuf {
    artefacts::hostile(&[], flags, folder.path())
}

#[test]
fn it_prints_what_the_file_says() {
    let hello = Artefacts::built().module("hello");
    let (code, said) = run(&["check", hello.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    for word in [
        "hello 0.1.0",
        "gateway-spec 0.1.0",
        "1.0",
        "libc.so.6",
        "bytes",
        "flags        none",
    ] {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn files_that_are_no_application_are_named_with_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let text = written(&folder, "app.txt", b"hello there");
    let empty = written(&folder, "empty.so", b"");
    let stub = written(&folder, "stub.so", b"\x7fELF\x02\x01\x01");
    refused(&folder.path().join("none.so"), &["No such file"]);
    refused(folder.path(), &["found a folder"]);
    refused(&empty, &["expected an ELF shared object", "empty"]);
    refused(&text, &["expected an ELF shared object", "hello th"]);
    refused(&stub, &["expected an ELF shared object"]);
}

#[test]
fn libraries_programs_and_foreign_processors_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = written(
        &folder,
        "plain.c",
        b"int answer(void); int answer(void) { return 42; }\n",
    );
    let library = compile(&[source.to_str().unwrap()], &[], folder.path());
    refused(&library, &["no symbol gateway_module_v1"]);
    refused(
        Artefacts::built().program("gatewayd"),
        &["gateway_module_v1"],
    );
    let main = written(&folder, "main.c", b"int main(void) { return 0; }\n");
    let fixed = folder.path().join("main");
    let status = Command::new("cc")
        .args(["-no-pie", "-o"])
        .args([&fixed, &main])
        .status();
    assert!(status.unwrap().success());
    refused(&fixed, &["no shared object"]);
    let mut bytes = fs::read(Artefacts::built().module("hello")).unwrap();
    bytes[18] ^= 0x55;
    let foreign = written(&folder, "foreign.so", &bytes);
    refused(&foreign, &["another processor"]);
}

#[test]
fn descriptors_that_this_host_cannot_serve_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[&str]); 6] = [
        (
            "-DHOSTILE_SYMBOL=elsewhere",
            &["no symbol gateway_module_v1"],
        ),
        (
            "-DHOSTILE_MAGIC=0x4141414141414141ULL",
            &["expected the magic", "AAAAAAAA"],
        ),
        (
            "-DHOSTILE_MAJOR=2",
            &["built for gateway ABI 2.", "this host speaks 1."],
        ),
        (
            "-DHOSTILE_MIN_HOST_MINOR=9999",
            &["needs a host of gateway ABI 1.9999"],
        ),
        (
            "-DHOSTILE_FLAGS=1ULL<<63",
            &["critical flags", "0x8000000000000000"],
        ),
        ("-DHOSTILE_STRUCT_SIZE=100", &["at least", "found 100"]),
    ];
    for (flag, words) in cases {
        refused(&hostile(&folder, &[flag]), words);
    }
}

#[test]
fn harmless_novelties_pass_and_dangers_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    for flags in [
        &["-DHOSTILE_STRUCT_SIZE=1000"][..],
        &["-DHOSTILE_FLAGS=1ULL<<31"],
    ] {
        let module = hostile(&folder, flags);
        let (code, said) = run(&["check", module.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
    }
    let module = hostile(&folder, &["-DHOSTILE_FLAGS=1", "-Wl,-rpath,$ORIGIN/lib"]);
    let (code, said) = run(&["check", module.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("warning: PANIC_ABORT"), "{said}");
    assert!(
        said.contains("$ORIGIN/lib") && said.contains("--workers 0"),
        "{said}"
    );
}

#[test]
fn without_load_nothing_of_the_file_runs() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let source = format!(
        "#include <stdio.h>\n__attribute__((constructor)) static void run(void) {{ FILE *f = \
         fopen(\"{}\", \"w\"); if (f) fclose(f); }}\n",
        trace.display()
    );
    let source = written(&folder, "loud.c", source.as_bytes());
    let hello = root().join("examples/hello-c/hello.c");
    let sources = [hello.to_str().unwrap(), source.to_str().unwrap()];
    let module = compile(&sources, &[], folder.path());
    let module = module.to_str().unwrap();
    assert_eq!(run(&["check", module]).0, 0);
    assert!(!trace.exists());
    assert_eq!(run(&["check", "--load", module]).0, 0);
    assert!(trace.exists());
}

#[test]
fn load_starts_what_a_configuration_names_with_its_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g.toml");
    let probe = Artefacts::built().module("probe").display();
    let judged = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let words = ["check", "--load", "--config", file.to_str().unwrap()];
        run(&[&words[..], more].concat())
    };
    let one = format!("[app]\npath = '{probe}'\n");
    let (code, said) = judged(&one, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("start-up"), "{said}");
    let failing = format!("{one}arguments = ['fail']\n");
    let (code, said) = judged(&failing, &[]);
    assert_eq!(code, CANNOT_START, "{said}");
    assert!(said.contains("no database at db.example:5432"), "{said}");
    // What stands on the command line wins here too.
    assert_eq!(judged(&failing, &["--", "well"]).0, 0);
    let other = Artefacts::built().module("hello").display();
    let several = format!(
        "[[app]]\nname = 'a'\npath = '{other}'\n[[app]]\nname = 'b'\nmount = '/b'\npath = '{probe}'\n\
         arguments = ['fail']\n"
    );
    let (code, said) = judged(&several, &[]);
    assert_eq!(code, CANNOT_START, "{said}");
    assert_eq!(said.matches("application ").count(), 2, "{said}");
    for wrong in ["wokers = 1\n", "[app]\n", "[app]\nsecrets.key = 'none'\n"] {
        let (code, said) = judged(wrong, &[]);
        assert_eq!(code, 2, "{said}");
        assert!(!said.contains("start-up"), "{said}");
    }
}

#[test]
fn load_runs_the_lifespan_and_tells_how_long_each_part_took() {
    let probe = Artefacts::built().module("probe").to_str().unwrap();
    let (code, said) = run(&["check", "--load", probe]);
    assert_eq!(code, 0, "{said}");
    for part in ["load", "create", "start-up", "shutdown", "destroy"] {
        let line = said.lines().find(|line| line.starts_with(part));
        assert!(
            line.is_some_and(|line| line.ends_with(" ms")),
            "{part}: {said}"
        );
    }
}

#[test]
fn a_start_that_fails_is_code_3_with_the_applications_words() {
    let probe = Artefacts::built().module("probe").to_str().unwrap();
    let (code, said) = run(&["check", "--load", probe, "--", "fail"]);
    assert_eq!(code, CANNOT_START, "{said}");
    assert!(said.contains("no database at db.example:5432"), "{said}");
    let (code, said) = run(&["check", "--load", probe, "--", "panic"]);
    assert_eq!(code, CANNOT_START, "{said}");
    assert!(said.contains(probe) && said.contains("panic"), "{said}");
}

#[test]
fn a_name_without_a_slash_is_a_file_of_this_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        Artefacts::built().module("hello"),
        folder.path().join("h.so"),
    )
    .unwrap();
    let mut command = program();
    command
        .args(["check", "--load", "h.so"])
        .current_dir(folder.path());
    let (code, said) = Process::start(&mut command).end();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_wrong_command_line_is_code_2() {
    for arguments in [&["check"][..], &["check", "--lod", "app.so"]] {
        let (code, said) = run(arguments);
        assert_eq!(code, 2, "{said}");
    }
    let (code, said) = run(&["check", "--help"]);
    assert_eq!((code, said.contains("--load")), (0, true), "{said}");
}
