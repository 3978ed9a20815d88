//! From what an operator asks for to listeners.

use std::rc::Rc;

use super::bind::Bind;
use super::listener::{BindError, Listener};
use super::options::ListenOptions;
use super::passed::Passed;

/// Opens all that `binds` ask for, in their order. Of `open` those are taken over that are asked for
/// again; what is asked for twice is opened once if it was passed.
///
/// # Errors
///
/// The first that cannot be had; what was opened for the sake of others is closed again.
pub(crate) fn open_all(
    binds: &[Bind],
    options: &ListenOptions,
    open: &[Rc<Listener>],
    passed: &Passed,
) -> Result<Vec<Rc<Listener>>, BindError> {
    let mut open: Vec<_> = open.iter().filter(|one| one.is_own()).collect();
    let mut listeners: Vec<Rc<Listener>> = Vec::new();
    for bind in binds {
        let Bind::Address(address) = bind else {
            for one in passed.listeners(bind)? {
                if !listeners.iter().any(|taken| Rc::ptr_eq(taken, &one)) {
                    listeners.push(one);
                }
            }
            continue;
        };
        listeners.push(match open.iter().position(|one| one.asked() == address) {
            Some(at) => Rc::clone(open.remove(at)),
            None => Rc::new(Listener::bind(address, options)?),
        });
    }
    Ok(listeners)
}

/// Brings listeners that were open before to what `options` say now.
pub(crate) fn adjust(listeners: &[Rc<Listener>], options: &ListenOptions) {
    for listener in listeners {
        if listener.has_lost_its_path() {
            let address = listener.address();
            tracing::warn!(
                "{address}: its socket is no longer at this path; a restart puts it back"
            );
        }
        if let Err(error) = listener.adjust(options) {
            let address = listener.address();
            tracing::warn!("{address}: cannot change backlog, mode or owner: {error}");
        }
    }
}
