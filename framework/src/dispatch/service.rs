//! [`Service`]: everything that serves, compiled.

use std::sync::Arc;

use crate::app::{Finish, Page, Plugin};
use crate::chain::Chain;
use crate::commands::Command;
use crate::routing::RuleId;
use crate::site::Site;

/// Everything that serves. What requests may see of it is the [`Site`].
pub(crate) struct Service {
    pub(crate) site: Arc<Site>,
    /// By rule.
    pub(crate) chains: Vec<Chain>,
    /// For requests that no rule takes.
    pub(crate) root: Chain,
    pub(crate) finish: Vec<Finish>,
    pub(crate) page: Option<Page>,
    pub(crate) commands: Vec<Command>,
    /// In the order of their start.
    pub(crate) plugins: Vec<Plugin>,
}

impl Service {
    pub(super) fn chain(&self, rule: Option<RuleId>) -> &Chain {
        let chain = rule.and_then(|rule| self.chains.get(rule.0));
        chain.unwrap_or(&self.root)
    }
}
