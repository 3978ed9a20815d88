//! From a file to a [`Module`]: reading its descriptor without running it, and loading it.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, EM_AARCH64, EM_RISCV, EM_X86_64};
use object::read::elf::{Dyn, FileHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol};

use super::host::{Descriptor, HONOURED, Module, Refusal};
use super::types::{GwModule, MODULE_MIN_SIZE, MODULE_SYMBOL};

/// Why a file is not a module that this host can serve.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: LoadCause,
}

/// What is wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadCause {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is no ELF shared object for this machine; what was found.
    NotAModule(String),
    /// It does not export `gateway_module_v1`.
    NoSymbol,
    /// Its descriptor is refused.
    Refused(Refusal),
    /// The dynamic loader refused it; its own words.
    Loader(String),
}

/// What the dynamic loader does with a file besides mapping it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Linkage {
    /// The name under which the loader knows it, if it has one.
    pub soname: Option<String>,
    /// The libraries that it needs.
    pub needed: Vec<String>,
    /// Where those are looked for first, from `RUNPATH` and `RPATH`; may name `$ORIGIN`.
    pub search: Vec<String>,
}

/// Reads a module's descriptor from the file: none of its code runs.
///
/// # Errors
///
/// Why this host could not serve it.
pub fn inspect(path: &Path) -> Result<Descriptor, LoadError> {
    let failed = |cause| LoadError {
        path: path.to_owned(),
        cause,
    };
    let file = std::fs::read(path).map_err(|error| failed(LoadCause::Unreadable(error)))?;
    let bytes = descriptor_bytes(&file).map_err(failed)?;
    Descriptor::parse(bytes, HONOURED).map_err(|refusal| failed(LoadCause::Refused(refusal)))
}

/// Reads what a shared object needs of others.
///
/// # Errors
///
/// The file cannot be read, or is no shared object for this machine.
pub fn linkage(path: &Path) -> Result<Linkage, LoadError> {
    let failed = |cause| LoadError {
        path: path.to_owned(),
        cause,
    };
    let file = std::fs::read(path).map_err(|error| failed(LoadCause::Unreadable(error)))?;
    shared_object(&file).map_err(failed)?;
    read_linkage(&file).map_err(|error| {
        failed(LoadCause::NotAModule(format!(
            "its dynamic section: {error}"
        )))
    })
}

fn read_linkage(file: &[u8]) -> object::Result<Linkage> {
    let elf = Elf::parse(file)?;
    let endian = elf.endian()?;
    let sections = elf.sections(endian, file)?;
    let mut linkage = Linkage::default();
    let Some((entries, strings)) = sections.dynamic(endian, file)? else {
        return Ok(linkage);
    };
    let strings = sections.strings(endian, file, strings)?;
    for entry in entries {
        let tag = entry.tag32(endian).unwrap_or_default();
        if ![DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH].contains(&tag) {
            continue;
        }
        let text = String::from_utf8_lossy(entry.string(endian, strings)?).into_owned();
        match tag {
            DT_NEEDED => linkage.needed.push(text),
            DT_SONAME => linkage.soname = Some(text),
            _ => linkage.search.extend(text.split(':').map(str::to_owned)),
        }
    }
    Ok(linkage)
}

/// The descriptor's bytes in an ELF file.
fn descriptor_bytes(file: &[u8]) -> Result<&[u8], LoadCause> {
    shared_object(file)?;
    let not = |what: String| LoadCause::NotAModule(what);
    let elf = object::File::parse(file).map_err(|error| not(error.to_string()))?;
    let name = &MODULE_SYMBOL[..MODULE_SYMBOL.len() - 1];
    let symbol = elf
        .dynamic_symbols()
        .find(|symbol| symbol.is_definition() && symbol.name_bytes() == Ok(name))
        .ok_or(LoadCause::NoSymbol)?;
    let section = symbol
        .section_index()
        .and_then(|index| elf.section_by_index(index).ok())
        .ok_or_else(|| not("the symbol gateway_module_v1 is in no section".into()))?;
    let data = section.data().map_err(|error| not(error.to_string()))?;
    let start = usize::try_from(symbol.address().wrapping_sub(section.address()))
        .ok()
        .filter(|start| *start <= data.len())
        .ok_or_else(|| not("the symbol gateway_module_v1 is outside its section".into()))?;
    let end = data.len().min(start + MODULE_MIN_SIZE as usize);
    Ok(&data[start..end])
}

/// Whether a file is a shared object that this machine could run.
fn shared_object(file: &[u8]) -> Result<(), LoadCause> {
    let not = |what: String| LoadCause::NotAModule(what);
    if file.is_empty() {
        return Err(not("it is empty".into()));
    }
    if !file.starts_with(ELF_MAGIC) {
        let start = file
            .get(..file.len().min(8))
            .unwrap_or_default()
            .escape_ascii();
        return Err(not(format!("it begins with \"{start}\"")));
    }
    let elf = Elf::parse(file).map_err(|error| not(error.to_string()))?;
    let endian = elf.endian().map_err(|error| not(error.to_string()))?;
    if elf.e_type(endian) != object::elf::ET_DYN {
        return Err(not("it is an ELF file, but no shared object".into()));
    }
    let machine = elf.e_machine(endian);
    if MACHINE.is_some_and(|ours| ours != machine) {
        return Err(not(format!(
            "it is for another processor (ELF machine {machine}, this one is {})",
            std::env::consts::ARCH
        )));
    }
    Ok(())
}

/// Loads a module; it is never unloaded. `path` may be `/proc/self/fd/N`; keep that descriptor
/// open for the life of the process, since the loader caches by name.
///
/// # Errors
///
/// Why this host cannot serve it.
///
/// # Trust
///
/// Loading runs the file's constructors: load only what you would run.
pub fn load(path: &Path) -> Result<Module, LoadError> {
    let failed = |cause| LoadError {
        path: path.to_owned(),
        cause,
    };
    whole(path).map_err(failed)?;
    // SAFETY: the module's constructors run with this process's rights, as the documentation says;
    // the library is leaked below, so nothing of it is ever unmapped.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|error| failed(loader_refused(path, &error)))?;
    // SAFETY: a data symbol; `Module::loaded` checks it before a field beyond its size is read.
    let symbol = unsafe { library.get::<*const GwModule>(MODULE_SYMBOL) };
    let raw = match symbol {
        Ok(symbol) => *symbol,
        Err(_) => return Err(failed(LoadCause::NoSymbol)),
    };
    #[expect(clippy::mem_forget, reason = "modules are never unloaded (LOAD-07)")]
    std::mem::forget(library);
    // SAFETY: non-null by `get`, and static because the library stays.
    let raw = unsafe { &*raw };
    Module::loaded(raw).map_err(|refusal| failed(LoadCause::Refused(refusal)))
}

/// Refuses a file that ends before its segments and its table of sections do: the loader would map it all the same, and the
/// first touch of what is missing would end the process.
fn whole(path: &Path) -> Result<(), LoadCause> {
    let file = File::open(path).map_err(LoadCause::Unreadable)?;
    let length = file.metadata().map_err(LoadCause::Unreadable)?.len();
    let mut head = [0; ELF_HEAD];
    // What is too short for a head, or is none, is the loader's to refuse.
    if file.read_exact_at(&mut head, 0).is_err() || !head.starts_with(ELF_MAGIC) {
        return Ok(());
    }
    let number = |bytes: &[u8], at: usize, width: usize| {
        let part = bytes.get(at..at + width).unwrap_or_default();
        part.iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte))
    };
    let (table, size, count) = (
        number(&head, 32, 8),
        number(&head, 54, 2),
        number(&head, 56, 2),
    );
    let mut segments = vec![0; usize::try_from(size * count).unwrap_or_default()];
    let end = match file.read_exact_at(&mut segments, table) {
        Ok(()) if size >= SEGMENT => segments
            .chunks_exact(usize::try_from(size).unwrap_or(usize::MAX))
            .map(|segment| number(segment, 8, 8).saturating_add(number(segment, 32, 8)))
            .max()
            .unwrap_or_default(),
        Ok(()) => return Ok(()),
        Err(_) => u64::MAX,
    };
    // The table of sections stands last in what linkers write.
    let sections = number(&head, 40, 8).saturating_add(number(&head, 58, 2) * number(&head, 60, 2));
    if end.max(sections) > length {
        let what = format!("it is cut short: its parts reach beyond its {length} bytes");
        return Err(LoadCause::NotAModule(what));
    }
    Ok(())
}

/// The loader's message, or a better one where the file is no module at all.
fn loader_refused(path: &Path, error: &libloading::Error) -> LoadCause {
    match std::fs::read(path) {
        Err(unreadable) => LoadCause::Unreadable(unreadable),
        Ok(file) => match descriptor_bytes(&file) {
            Err(cause @ LoadCause::NotAModule(_)) => cause,
            _ => {
                let mut message = error.to_string();
                let mut cause = std::error::Error::source(error);
                while let Some(error) = cause {
                    message = error.to_string();
                    cause = error.source();
                }
                LoadCause::Loader(message)
            }
        },
    }
}

const ELF_MAGIC: &[u8] = b"\x7fELF";
/// Bytes of a 64-bit ELF header.
const ELF_HEAD: usize = 64;
/// Bytes of a program header at least.
const SEGMENT: u64 = 56;

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.cause)
    }
}

impl fmt::Display for LoadCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot read it: {error}"),
            Self::NotAModule(found) => write!(
                f,
                "expected an ELF shared object for this machine (a cdylib), but {found}"
            ),
            Self::NoSymbol => f.write_str(
                "no symbol gateway_module_v1: is it a gateway application (export! in a cdylib)?",
            ),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Loader(message) => write!(f, "the dynamic loader refused it: {message}"),
        }
    }
}

impl std::error::Error for LoadError {}

type Elf = object::elf::FileHeader64<Endianness>;

/// The ELF number of the processor that this program runs on, where we know it.
const MACHINE: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(EM_X86_64)
} else if cfg!(target_arch = "aarch64") {
    Some(EM_AARCH64)
} else if cfg!(target_arch = "riscv64") {
    Some(EM_RISCV)
} else {
    None
};
