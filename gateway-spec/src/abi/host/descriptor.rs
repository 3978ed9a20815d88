//! [`Descriptor`]: what a module says of itself, checked before anything of it is called.

use std::fmt;
use std::mem::offset_of;

use crate::abi::types::{ABI_MAJOR, ABI_MINOR, GwModule, MAGIC, MODULE_MIN_SIZE, module_flag};

/// What a module says of itself: copied, safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// The application's name.
    pub name: String,
    /// The application's version.
    pub version: String,
    /// What built it; for people only, never compared.
    pub builder: String,
    /// Version of the ABI that it was built for.
    pub abi: (u16, u16),
    /// The lowest ABI minor version that it needs of its host.
    pub min_host_minor: u16,
    /// Its flags ([`module_flag`]).
    pub flags: u64,
}

/// Why a descriptor is refused. The messages say what this host offers and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The first eight bytes differ.
    WrongMagic(u64),
    /// Shorter than ABI 1.0's descriptor.
    Truncated(u32),
    /// Another major version.
    OtherMajor(u16, u16),
    /// A host of a later minor version is needed.
    HostTooOld(u16),
    /// Critical flags that this host does not know or honour.
    UnknownFlags(u64),
    /// No `create`.
    NoCreate,
}

impl Descriptor {
    /// Reads a descriptor's bytes, as they stand in a file or in memory.
    ///
    /// # Errors
    ///
    /// Why this host cannot serve the module, `honoured` being the critical flags that it can.
    pub fn parse(bytes: &[u8], honoured: u64) -> Result<Self, Refusal> {
        let number = |offset: usize, width: usize| {
            let mut value = [0; 8];
            let found = bytes.get(offset..offset + width).unwrap_or_default();
            value[..found.len()].copy_from_slice(found);
            if cfg!(target_endian = "big") {
                value[..width].reverse();
            }
            u64::from_le_bytes(value)
        };
        let short = |offset| u16::try_from(number(offset, 2)).unwrap_or_default();
        let magic = number(0, 8);
        if magic != MAGIC {
            return Err(Refusal::WrongMagic(magic));
        }
        let abi = (
            short(offset_of!(GwModule, abi_major)),
            short(offset_of!(GwModule, abi_minor)),
        );
        // The size is that of another structure if the major version is another.
        let has_version = bytes.len() >= offset_of!(GwModule, min_host_minor);
        if has_version && abi.0 != ABI_MAJOR {
            return Err(Refusal::OtherMajor(abi.0, abi.1));
        }
        let size = u32::try_from(number(offset_of!(GwModule, struct_size), 4)).unwrap_or_default();
        if size < MODULE_MIN_SIZE || bytes.len() < MODULE_MIN_SIZE as usize {
            return Err(Refusal::Truncated(
                size.min(crate::head::length(bytes.len())),
            ));
        }
        let min_host_minor = short(offset_of!(GwModule, min_host_minor));
        if min_host_minor > ABI_MINOR {
            return Err(Refusal::HostTooOld(min_host_minor));
        }
        let flags = number(offset_of!(GwModule, flags), 8);
        let unknown = flags & module_flag::CRITICAL_MASK & !honoured;
        if unknown != 0 {
            return Err(Refusal::UnknownFlags(unknown));
        }
        let text = |offset: usize, width: usize| {
            let field = &bytes[offset..offset + width];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(width);
            String::from_utf8_lossy(&field[..end]).into_owned()
        };
        Ok(Self {
            name: text(offset_of!(GwModule, name), 48),
            version: text(offset_of!(GwModule, version), 24),
            builder: text(offset_of!(GwModule, builder), 64),
            abi,
            min_host_minor,
            flags,
        })
    }

    /// Names of the flags that are set.
    #[must_use]
    pub fn flag_names(&self) -> Vec<&'static str> {
        FLAGS
            .iter()
            .filter(|(bit, _)| self.flags & bit != 0)
            .map(|(_, name)| *name)
            .collect()
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongMagic(found) => {
                let found = found.to_ne_bytes();
                write!(
                    f,
                    "expected the magic \"GATEWAY1\", found {:?}",
                    found.escape_ascii().to_string()
                )
            }
            Self::Truncated(found) => write!(
                f,
                "expected a descriptor of at least {MODULE_MIN_SIZE} bytes, found {found}"
            ),
            Self::OtherMajor(major, minor) => write!(
                f,
                "built for gateway ABI {major}.{minor}; this host speaks {ABI_MAJOR}.{ABI_MINOR}"
            ),
            Self::HostTooOld(needed) => write!(
                f,
                "needs a host of gateway ABI {ABI_MAJOR}.{needed} or later; this one speaks {ABI_MAJOR}.{ABI_MINOR}"
            ),
            Self::UnknownFlags(bits) => {
                let known = FLAGS.iter().filter(|(bit, _)| bits & bit != 0);
                let names: Vec<_> = known.map(|(_, name)| *name).collect();
                write!(
                    f,
                    "sets critical flags that this host cannot honour: {bits:#018x}"
                )?;
                if names.is_empty() {
                    Ok(())
                } else {
                    write!(f, " ({})", names.join(", "))
                }
            }
            Self::NoCreate => f.write_str("the descriptor has no create function"),
        }
    }
}

impl std::error::Error for Refusal {}

const FLAGS: [(u64, &str); 5] = [
    (module_flag::PANIC_ABORT, "PANIC_ABORT"),
    (module_flag::USES_RUNTIME, "USES_RUNTIME"),
    (module_flag::BLOCKING, "BLOCKING"),
    (module_flag::LOCAL_CALLS, "LOCAL_CALLS"),
    (module_flag::SINGLE_THREAD, "SINGLE_THREAD"),
];
