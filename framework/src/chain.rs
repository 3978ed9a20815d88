//! [`Chain`]: the steps that serve one rule, in the order in which they run.

use std::sync::Arc;

use gateway_spec::http::Method;

use crate::scope::{Handlers, Scope};
use crate::step::{CallChange, CallHook, CallView, Facts, Step};

/// The steps around all views of one scope.
#[derive(Clone, Default)]
pub(crate) struct ScopeChain {
    guards: Vec<Step<dyn CallHook>>,
    hooks: Vec<Step<dyn CallHook>>,
    /// Guards, then hooks, outermost scope first.
    pub(crate) before: Vec<Step<dyn CallHook>>,
    /// Innermost scope first, the last registered of each first.
    pub(crate) after: Vec<Step<dyn CallChange>>,
    /// As `after`.
    pub(crate) teardown: Vec<Step<dyn CallHook>>,
    /// Innermost scope first.
    pub(crate) handlers: Vec<Arc<Handlers>>,
}

/// The steps that serve one rule: [`ScopeChain::before`], the view, [`ScopeChain::after`].
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) scope: Arc<ScopeChain>,
    pub(crate) view: Option<Step<dyn CallView>>,
    /// First and last plain step: what lies between them runs on the pool, as one job.
    pub(crate) plain: Option<(usize, usize)>,
    /// Whether a plain step reads the whole body, which is then read before the job.
    pub(crate) reads_body: bool,
    /// Whether a plain step reads the form, likewise.
    pub(crate) reads_form: bool,
    /// When there is nothing but an async view: no hook, no teardown, no job.
    bare: Bare,
    /// Whether the view itself answers OPTIONS.
    pub(crate) answers_options: bool,
}

/// For which requests a chain is nothing but its view.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    Never,
    /// For those that change nothing, which some guards let pass unseen.
    IfSafe,
    Always,
}

impl ScopeChain {
    /// The chain of a scope within this one.
    pub(crate) fn inner(&self, scope: &mut Scope) -> Self {
        let mut chain = self.clone();
        chain.guards.append(&mut scope.guards);
        chain.hooks.append(&mut scope.before);
        chain.before = chain.guards.iter().chain(&chain.hooks).cloned().collect();
        let after = scope.after.drain(..).rev();
        chain.after = after.chain(self.after.iter().cloned()).collect();
        let teardown = scope.teardown.drain(..).rev();
        chain.teardown = teardown.chain(self.teardown.iter().cloned()).collect();
        let handlers = Arc::new(std::mem::take(&mut scope.handlers));
        chain.handlers.insert(0, handlers);
        chain
    }
}

impl Chain {
    pub(crate) fn new(scope: Arc<ScopeChain>, view: Option<Step<dyn CallView>>) -> Self {
        let steps: Vec<Option<&Facts>> = (scope.before.iter().map(|step| Some(&step.facts)))
            .chain([view.as_ref().map(|view| &view.facts)])
            .chain(scope.after.iter().map(|step| Some(&step.facts)))
            .collect();
        let is_plain = |facts: &Option<&Facts>| facts.is_some_and(|facts| facts.plain);
        let first = steps.iter().position(is_plain);
        let last = steps.iter().rposition(is_plain);
        let any_plain = |reads: fn(&Facts) -> bool| {
            let reads = |facts: &Option<&Facts>| is_plain(facts) && facts.is_some_and(reads);
            steps.iter().any(reads)
        };
        let sees_safe = |step: &Step<dyn CallHook>| !step.facts.only_unsafe;
        let hooks = scope.before.iter().any(sees_safe)
            || !scope.after.is_empty()
            || !scope.teardown.is_empty();
        Self {
            bare: match (hooks || first.is_some(), scope.before.is_empty()) {
                (true, _) => Bare::Never,
                (false, false) => Bare::IfSafe,
                (false, true) => Bare::Always,
            },
            plain: first.zip(last),
            reads_body: any_plain(Facts::reads_body),
            reads_form: any_plain(Facts::reads_form),
            answers_options: false,
            scope,
            view,
        }
    }

    /// The view, if there is nothing else to do for requests of this method.
    pub(crate) fn bare_view(&self, method: &Method) -> Option<&Step<dyn CallView>> {
        let view = self.view.as_ref()?;
        let bare = match self.bare {
            Bare::Never => false,
            Bare::IfSafe => method.is_safe(),
            Bare::Always => true,
        };
        (bare && !self.is_automatic(method)).then_some(view)
    }

    /// Whether the method is OPTIONS and answered in the view's place.
    pub(crate) fn is_automatic(&self, method: &Method) -> bool {
        !self.answers_options && *method == Method::OPTIONS
    }

    /// The place of the view among the steps.
    pub(crate) fn view_at(&self) -> usize {
        self.scope.before.len()
    }

    /// The number of steps.
    pub(crate) fn len(&self) -> usize {
        self.view_at() + 1 + self.scope.after.len()
    }
}
