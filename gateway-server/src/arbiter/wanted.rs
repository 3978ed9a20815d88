//! [`Wanted`]: what is to be loaded anew once what runs is over.

use std::collections::BTreeSet;

use super::event::Scope;

/// What was asked for meanwhile, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    everything: bool,
    apps: BTreeSet<String>,
}

impl Wanted {
    /// Remembers a wish; false if it will be granted anyway.
    pub(super) fn want(&mut self, scope: Scope) -> bool {
        match scope {
            Scope::App(_) if self.everything => false,
            Scope::App(app) => self.apps.insert(app),
            Scope::Everything => {
                self.apps.clear();
                !std::mem::replace(&mut self.everything, true)
            }
        }
    }

    /// The next to be granted.
    pub(super) fn take(&mut self) -> Option<Scope> {
        if std::mem::take(&mut self.everything) {
            return Some(Scope::Everything);
        }
        self.apps.pop_first().map(Scope::App)
    }

    /// Whether nothing is wanted.
    pub(super) fn is_empty(&self) -> bool {
        !self.everything && self.apps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_is_granted_once_and_everything_grants_the_others() {
        let app = |name: &str| Scope::App(name.to_owned());
        let mut wanted = Wanted::default();
        assert!(wanted.want(app("b")) && wanted.want(app("a")) && !wanted.want(app("b")));
        assert_eq!(wanted.take(), Some(app("a")));
        assert!(wanted.want(Scope::Everything) && !wanted.want(app("a")));
        assert!(!wanted.want(Scope::Everything) && !wanted.is_empty());
        assert_eq!(wanted.take(), Some(Scope::Everything));
        assert_eq!(wanted.take(), None);
        assert!(wanted.is_empty());
    }
}
