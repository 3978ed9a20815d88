//! The extension `gw.commands/1`, as a host uses it.

use std::ffi::OsString;
use std::fmt;
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::ptr::NonNull;

use super::module::App;
use crate::abi::codes::kind_of;
use crate::abi::types::{EXT_COMMANDS, GwCommands, GwStr, code};
use crate::command::Command;
use crate::error::ErrorKind;

/// What an instance can do besides serving.
pub struct Commands<'a> {
    raw: NonNull<GwCommands>,
    run: RunFunction,
    list: Vec<Command>,
    instance: PhantomData<&'a App>,
}

type RunFunction = unsafe extern "C" fn(*const GwCommands, *const GwStr, u32) -> i32;

impl App {
    /// The commands that the application offers, once it has started; none if it has none.
    #[must_use]
    pub fn commands(&self) -> Option<Commands<'_>> {
        let ext = self.instance.table().ext?;
        let id = GwStr::from(EXT_COMMANDS);
        let instance = self.instance.as_raw();
        // SAFETY: a live instance, and an id for the call's duration.
        let found = unsafe { ext(instance, &raw const id) };
        let raw = NonNull::new(found.cast_mut().cast::<GwCommands>())?;
        // SAFETY: `gw.commands/1` yields a `gw_commands` that lives as long as the instance.
        let table = unsafe { raw.as_ref() };
        if (table.struct_size as usize) < size_of::<GwCommands>() || table.commands.is_null() {
            return None;
        }
        // SAFETY: an array of so many commands, by the rule EXT-02.
        let rows = unsafe { std::slice::from_raw_parts(table.commands, table.n_commands as usize) };
        let text = |text: &GwStr| {
            // SAFETY: a string of the table, valid as long as it.
            String::from_utf8_lossy(unsafe { text.bytes() }).into_owned()
        };
        let command = |row: &crate::abi::types::GwCommand| {
            Command::new(text(&row.name), text(&row.about)).with_arguments(text(&row.arguments))
        };
        Some(Commands {
            raw,
            run: table.run?,
            list: rows.iter().map(command).collect(),
            instance: PhantomData,
        })
    }
}

impl Commands<'_> {
    /// The commands, in the application's order.
    #[must_use]
    pub fn list(&self) -> &[Command] {
        &self.list
    }

    /// Runs a command to its end on this thread, which must not be inside of a runtime; answers the
    /// status to exit with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if there is no such command; otherwise it failed without a word.
    pub fn run(&self, words: &[OsString]) -> Result<u8, ErrorKind> {
        let words: Vec<GwStr> = words
            .iter()
            .map(|word| GwStr::from(word.as_bytes()))
            .collect();
        let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
        // SAFETY: a live instance, on its thread; the words outlive the call.
        let answer = unsafe { (self.run)(self.raw.as_ptr(), words.as_ptr(), count) };
        match answer {
            code::READY.. => Ok(u8::try_from(answer).unwrap_or(u8::MAX)),
            failed => Err(kind_of(failed)),
        }
    }
}

impl fmt::Debug for Commands<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Commands").field(&self.list).finish()
    }
}
