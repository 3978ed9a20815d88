//! The extension `gw.commands/1`: a gateway's commands as a table.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::ptr;

use crate::abi::contain::contained;
use crate::abi::size::struct_size;
use crate::abi::types::{GwCommand, GwCommands, GwStr, code};
use crate::command::Command;

/// The table of an instance; on the heap, since the host is told its address.
pub(super) struct Table(Box<Inner>);

/// The table, and what it points to.
#[repr(C)]
struct Inner {
    abi: GwCommands,
    rows: Vec<GwCommand>,
    /// What the rows point into.
    commands: Vec<Command>,
    run: Run,
}

/// Runs words; none if the instance cannot.
type Run = Box<dyn Fn(Vec<OsString>) -> Option<u8>>;

impl Table {
    pub(super) fn new(
        commands: Vec<Command>,
        run: impl Fn(Vec<OsString>) -> Option<u8> + 'static,
    ) -> Self {
        let text = |text: &String| GwStr::from(text.as_bytes());
        let row = |command: &Command| GwCommand {
            name: text(&command.name),
            arguments: text(&command.arguments),
            about: text(&command.about),
        };
        let rows: Vec<GwCommand> = commands.iter().map(row).collect();
        Self(Box::new(Inner {
            abi: GwCommands {
                struct_size: struct_size::<GwCommands>(),
                n_commands: u32::try_from(rows.len()).unwrap_or(u32::MAX),
                commands: rows.as_ptr(),
                run: Some(run_words),
            },
            rows,
            commands,
            run: Box::new(run),
        }))
    }

    /// The table for the host; none without commands.
    pub(super) fn as_raw(&self) -> *const GwCommands {
        if self.0.rows.is_empty() {
            ptr::null()
        } else {
            (&raw const *self.0).cast()
        }
    }
}

/// # Safety
///
/// Called by a host with a table of ours and the arguments of `run`.
unsafe extern "C" fn run_words(table: *const GwCommands, words: *const GwStr, count: u32) -> i32 {
    contained("run", || {
        // SAFETY: tables with this function are ours, and live as long as their instance.
        let inner = unsafe { &*table.cast::<Inner>() };
        let words: &[GwStr] = if words.is_null() {
            &[]
        } else {
            // SAFETY: the host's array, borrowed for the call.
            unsafe { std::slice::from_raw_parts(words, count as usize) }
        };
        let words: Vec<OsString> = words
            .iter()
            // SAFETY: a string of that array.
            .map(|word| OsString::from_vec(unsafe { word.bytes() }.to_vec()))
            .collect();
        if !inner.has(&words) {
            return code::INVALID;
        }
        (inner.run)(words).map_or(code::INVALID, i32::from)
    })
}

impl Inner {
    /// Whether the first word is one that commands begin with: which of them it is, the gateway says.
    fn has(&self, words: &[OsString]) -> bool {
        let Some(first) = words.first() else {
            return false;
        };
        self.commands.iter().any(|command| {
            command
                .name
                .split(' ')
                .next()
                .is_some_and(|name| first == name)
        })
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.commands.iter().map(|command| &command.name))
            .finish()
    }
}
