//! `include/gateway.h` and the Rust types of the ABI say the same.
//!
//! A C program prints what the C compiler makes of the header: the size of every structure, the
//! place of every field, the value of every constant. A C++ program asserts the type of every field,
//! signatures of functions included. Both are generated from the tables at the end of this file,
//! which the Rust compiler keeps complete.
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway_spec::abi::{self, names::NAMES};

mod layout;

use layout::{Constant, Struct, constants, structs};

#[test]
fn the_header_compiles_alone_as_c11_and_cpp17_without_a_warning() {
    let source = "#include \"gateway.h\"\n#include \"gateway.h\"\n\
                  int gw_header_test(void);\nint gw_header_test(void) { return GW_READY; }\n";
    for language in [Language::C11, Language::Cpp17] {
        language.compile("alone", source, &["-c"]);
    }
}

#[test]
fn a_module_descriptor_written_in_c_has_the_bytes_that_the_host_expects() {
    let output = Language::C11.run(
        "descriptor",
        "#include \"gateway.h\"\n#include <stdio.h>\n\
         const gw_module gateway_module_v1 = {.magic = GW_MAGIC};\n\
         int main(void) { return fwrite(&gateway_module_v1, sizeof gateway_module_v1, 1, stdout) != 1; }\n",
    );
    assert_eq!(output.len(), abi::MODULE_MIN_SIZE as usize);
    assert_eq!(output[..8], abi::MAGIC.to_ne_bytes());
}

#[test]
fn every_structure_and_field_lies_where_rust_has_it() {
    let mut source = String::from(PROLOGUE);
    let mut expected = String::new();
    for Struct {
        name,
        size,
        align,
        fields,
    } in structs()
    {
        line(
            &mut source,
            format_args!("show(\"{name}\", sizeof({name}), _Alignof({name}));"),
        );
        line(&mut expected, format_args!("{name} {size} {align}"));
        for field in fields {
            let (field, offset, size) = (field.name, field.offset, field.size);
            let place = format!("{name}.{field}");
            let what = format!("offsetof({name}, {field}), sizeof((({name} *)0)->{field})");
            line(&mut source, format_args!("show(\"{place}\", {what});"));
            line(&mut expected, format_args!("{place} {offset} {size}"));
        }
    }
    source.push_str(EPILOGUE);
    assert_same(&Language::C11.run("layout", &source), &expected);
}

#[test]
fn no_structure_has_padding_in_which_a_field_could_hide() {
    for Struct {
        name, size, fields, ..
    } in structs()
    {
        let sum: usize = fields.iter().map(|field| field.size).sum();
        assert_eq!(sum, size, "{name} has padding: name it `reserved`");
    }
}

#[test]
fn every_field_and_function_has_the_type_that_rust_gives_it() {
    let mut source = String::from(
        "#include \"gateway.h\"\n#include <type_traits>\n\
         template <class R, class... A> using fn = R (*)(A...);\n",
    );
    for Struct { name, fields, .. } in structs() {
        for field in fields {
            let (field, type_) = (field.name, &field.type_);
            line(
                &mut source,
                format_args!(
                    "static_assert(std::is_same_v<decltype({name}::{field}), {type_}>, \
                     \"{name}.{field} is {type_} in Rust\");"
                ),
            );
        }
    }
    Language::Cpp17.compile("types", &source, &["-c"]);
}

#[test]
fn every_constant_has_the_value_that_rust_gives_it() {
    let mut source = String::from(PROLOGUE);
    let mut expected = String::new();
    for Constant { c_name, value } in constants() {
        line(
            &mut source,
            format_args!("show_value(\"{c_name}\", (uint64_t)({c_name}));"),
        );
        line(&mut expected, format_args!("{c_name} {value}"));
    }
    for (index, name) in NAMES.iter().enumerate() {
        let c_name = format!("GW_NAME_{}", name.to_ascii_uppercase().replace('-', "_"));
        line(
            &mut source,
            format_args!("show_value(\"{c_name}\", {c_name});"),
        );
        line(&mut expected, format_args!("{c_name} {}", index + 1));
    }
    source.push_str(EPILOGUE);
    assert_same(&Language::C11.run("constants", &source), &expected);
}

#[test]
fn the_list_of_names_has_the_ids_and_the_spelling_of_the_rust_table() {
    let source = "#include \"gateway.h\"\n#include <stdio.h>\n\
        #define ROW(id, identifier, text) printf(\"%d \" text \"\\n\", id);\n\
        int main(void) { GW_NAMES(ROW) return 0; }\n";
    let mut expected = String::new();
    for (index, name) in NAMES.iter().enumerate() {
        line(&mut expected, format_args!("{} {name}", index + 1));
    }
    assert_same(&Language::C11.run("names", source), &expected);
}

#[test]
fn the_strings_of_the_header_are_those_of_the_rust_types() {
    let source = "#include \"gateway.h\"\n#include <stdio.h>\n\
        int main(void) { puts(GW_MODULE_SYMBOL); puts(GW_EXT_TLS); puts(GW_EXT_COMMANDS);\n\
        puts(GW_EXT_REQUEST_ID); puts(GW_EXT_METRICS); return 0; }\n";
    let symbol = abi::MODULE_SYMBOL
        .strip_suffix(b"\0")
        .expect("dlsym wants a NUL");
    let ids = [
        abi::EXT_TLS,
        abi::EXT_COMMANDS,
        abi::EXT_REQUEST_ID,
        abi::EXT_METRICS,
    ]
    .map(|id| [id, b"\n"].concat());
    let expected = [symbol, b"\n", &ids.concat()].concat();
    assert_eq!(Language::C11.run("strings", source), expected);
}

#[test]
fn the_tables_of_this_test_leave_out_no_constant_of_either_side() {
    let header = include_str!("../include/gateway.h");
    let compared: Vec<_> = constants().iter().map(|constant| constant.c_name).collect();
    let not_numbers = [
        "GW_EXPORT",
        "GW_MODULE_SYMBOL",
        "GW_EXT_TLS",
        "GW_EXT_COMMANDS",
        "GW_EXT_REQUEST_ID",
        "GW_EXT_METRICS",
    ];
    for name in header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
    {
        let name = name.split_whitespace().next().expect("a macro has a name");
        let is_constant = name.starts_with("GW_") && !name.contains('(');
        if is_constant && !not_numbers.contains(&name) {
            assert!(compared.contains(&name), "{name} is not compared with Rust");
        }
    }

    let count = rust_types()
        .lines()
        .filter(|line| line.trim_start().starts_with("pub const "))
        .count();
    let strings = not_numbers.len() - ["GW_EXPORT"].len();
    assert_eq!(
        count,
        compared.len() + strings,
        "a constant of the Rust types is not compared"
    );
}

#[test]
fn the_tables_of_this_test_leave_out_no_structure_of_either_side() {
    let compared: Vec<_> = structs().iter().map(|item| item.name).collect();
    let header = include_str!("../include/gateway.h");
    let declared = header
        .lines()
        .filter_map(|line| line.strip_prefix("struct gw_"));
    for name in declared.filter_map(|line| line.strip_suffix(" {")) {
        assert!(
            compared.contains(&&*format!("gw_{name}")),
            "gw_{name} is not compared with Rust"
        );
    }
    let count = rust_types()
        .lines()
        .filter(|line| line.starts_with("pub struct "))
        .count();
    assert_eq!(
        count,
        compared.len(),
        "a structure of the Rust types is not compared with the header"
    );
}

/// The source of the ABI's Rust types: every file of their folder.
fn rust_types() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/abi/types");
    let files = std::fs::read_dir(folder).expect("the folder of the types is there");
    let read = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(entry?.path());
    let texts: Result<Vec<String>, _> = files.map(read).collect();
    texts.expect("the files of the types are text").concat()
}

/// How the header is compiled.
#[derive(Clone, Copy)]
enum Language {
    C11,
    Cpp17,
}

impl Language {
    fn compile(self, name: &str, source: &str, more: &[&str]) -> PathBuf {
        let (compiler, variable, standard, extension) = match self {
            Self::C11 => ("cc", "CC", "-std=c11", "c"),
            Self::Cpp17 => ("c++", "CXX", "-std=c++17", "cpp"),
        };
        let compiler = std::env::var(variable).unwrap_or_else(|_| compiler.to_owned());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
        std::fs::create_dir_all(&directory).expect("cargo's temporary directory is writable");
        let file = directory.join(name).with_extension(extension);
        let output = directory.join(format!("{name}-{extension}"));
        std::fs::write(&file, source).expect("cargo's temporary directory is writable");
        let result = Command::new(&compiler)
            .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/include"))
            .args(more)
            .arg("-o")
            .args([&output, &file])
            .output()
            .unwrap_or_else(|error| {
                panic!("{compiler} is needed ({variable} names another): {error}")
            });
        let message = String::from_utf8_lossy(&result.stderr);
        assert!(
            result.status.success(),
            "{compiler} {}:\n{message}",
            file.display()
        );
        output
    }

    fn run(self, name: &str, source: &str) -> Vec<u8> {
        let program = self.compile(name, source, &[]);
        let result = Command::new(&program)
            .output()
            .expect("the program was just linked");
        assert!(
            result.status.success(),
            "{} failed: {}",
            program.display(),
            result.status
        );
        result.stdout
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a String cannot fail");
}

fn assert_same(c: &[u8], rust: &str) {
    let c = std::str::from_utf8(c).expect("the program prints ASCII");
    let different = c.lines().zip(rust.lines()).find(|(c, rust)| c != rust);
    assert_eq!(
        different, None,
        "the header (left) and the Rust types (right) differ"
    );
    assert_eq!(c.lines().count(), rust.lines().count());
    assert!(!rust.is_empty());
}

const PROLOGUE: &str = "\
#include \"gateway.h\"
#include <inttypes.h>
#include <stdio.h>
static void show(const char *name, size_t a, size_t b) { printf(\"%s %zu %zu\\n\", name, a, b); }
static void show_value(const char *name, uint64_t value) { printf(\"%s %\" PRIu64 \"\\n\", name, value); }
int main(void) {
(void)show; (void)show_value;
";

const EPILOGUE: &str = "return 0;\n}\n";
