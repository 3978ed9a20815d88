//! [`Route`]: a rule and its view, as registered.

use gateway_spec::http::Method;

use crate::route_options::RouteOptions;
use crate::rule::Rule;
use crate::step::{CallView, Step};

/// A rule and its view.
pub(crate) struct Route {
    pub(crate) rule: Rule,
    pub(crate) methods: Vec<Method>,
    pub(crate) view: Step<dyn CallView>,
    pub(crate) options: RouteOptions,
}
