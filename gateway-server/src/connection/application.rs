//! [`Application`]: one of the applications that a worker serves, and what bounds its requests.

use std::rc::Rc;

use gateway_spec::abi::host::App;
use tokio::sync::Notify;

use super::bounds::Terms;
use super::places::Places;
use crate::limits::BodyLimits;
use crate::options::AppOptions;
use crate::scoreboard::Slot;

/// An application that has been started.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) app: App,
    /// What the log calls it; nothing where it is alone.
    name: Option<Box<str>>,
    /// Bytes of a path that are its mount.
    pub(super) mount: usize,
    pub(super) body_limits: BodyLimits,
    /// The deadlines of its exchanges.
    pub(super) terms: Terms,
    pub(super) places: Rc<Places>,
}

impl Application {
    pub(super) fn new(
        app: App,
        options: &AppOptions,
        is_alone: bool,
        slot: &Slot,
        quiet: &Rc<Notify>,
    ) -> Rc<Self> {
        let patience = options.timeouts.request;
        let places = Places::new(&options.capacity, patience, slot.clone(), Rc::clone(quiet));
        Rc::new(Self {
            app,
            name: (!is_alone).then(|| options.name.as_str().into()),
            mount: options.mount.as_str().len(),
            body_limits: BodyLimits {
                body: options.body.0,
                ..BodyLimits::default()
            },
            terms: Terms::new(&options.timeouts, &options.rates),
            places,
        })
    }

    /// Does work on behalf of a request to it, of which this is the head.
    pub(super) fn at<T>(&self, slot: &Slot, head: &[u8], work: impl FnOnce() -> T) -> T {
        match &self.name {
            None => slot.at(head, work),
            Some(name) => {
                let head = &head[..head.len().min(BEGINNING)];
                slot.at(&[name.as_bytes(), b": ", head].concat(), work)
            }
        }
    }

    /// What the log calls it, if there are others.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Bytes of a head that are noted at most.
const BEGINNING: usize = 64;
