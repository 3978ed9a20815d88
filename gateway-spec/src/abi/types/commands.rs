//! The extension `gw.commands/1`.

use super::frozen::GwStr;

/// Id of the extension that yields [`GwCommands`] for an instance.
pub const EXT_COMMANDS: &[u8] = b"gw.commands/1";

/// One command of an application. Frozen.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwCommand {
    pub name: GwStr,
    pub arguments: GwStr,
    pub about: GwStr,
}

/// The commands of an instance; lives as long as it.
#[repr(C)]
#[derive(Debug)]
pub struct GwCommands {
    pub struct_size: u32,
    pub n_commands: u32,
    pub commands: *const GwCommand,
    pub run: Option<unsafe extern "C" fn(*const Self, *const GwStr, u32) -> i32>,
}
