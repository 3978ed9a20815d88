//! From what an operator asks for to listeners.

use std::rc::Rc;

use super::bind::{Bind, Manner, Place};
use super::bind_error::BindError;
use super::listener::Listener;
use super::options::ListenOptions;
use super::passed::Passed;

/// A listener, and what is spoken there. A listener may serve one generation of workers in another way
/// than the one before.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// What listens.
    pub(crate) listener: Rc<Listener>,
    /// What is spoken.
    pub(crate) manner: Manner,
}

impl Opened {
    /// What to ask for to get the same address again, with the port that the kernel chose.
    pub(crate) fn bind(&self) -> Bind {
        Bind {
            manner: self.manner,
            place: Place::Address(self.listener.address().clone()),
        }
    }

    /// The address as a person would open it: `http://127.0.0.1:8000`.
    pub(crate) fn url(&self) -> String {
        let address = self.listener.address();
        match address.port() {
            Some(_) if self.manner == Manner::PLAIN => format!("http://{address}"),
            _ => format!("{}{address}", self.manner.prefix()),
        }
    }
}

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
) -> Result<Vec<Opened>, BindError> {
    let mut open: Vec<_> = open.iter().filter(|one| one.is_own()).collect();
    let mut listeners: Vec<Opened> = Vec::new();
    for bind in binds {
        let manner = bind.manner;
        let Place::Address(address) = &bind.place else {
            for listener in passed.listeners(bind)? {
                if !listeners
                    .iter()
                    .any(|taken| Rc::ptr_eq(&taken.listener, &listener))
                {
                    listeners.push(Opened { listener, manner });
                }
            }
            continue;
        };
        let listener = match open.iter().position(|one| one.asked() == address) {
            Some(at) => Rc::clone(open.remove(at)),
            None => Rc::new(Listener::bind(address, options)?),
        };
        listener.await_requests(manner.scheme.is_of_fronts());
        listeners.push(Opened { listener, manner });
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
