//! What holds for all rules of a map.

/// What holds for all rules that do not say otherwise.
#[derive(Clone, Debug)]
pub struct Options {
    /// See [`Rule::strict_slashes`](super::Rule::strict_slashes); default true.
    pub strict_slashes: bool,
    /// See [`Rule::merge_slashes`](super::Rule::merge_slashes); default true.
    pub merge_slashes: bool,
    /// Whether rules redirect to a rule of the same endpoint whose defaults say the same; default true.
    pub redirect_defaults: bool,
    /// What part of the host rules are chosen by; default none.
    pub domains: Domains,
    /// The subdomain of rules that name none; default empty.
    pub default_subdomain: String,
    /// Whether built queries are sorted by name; default false.
    pub sort_query: bool,
}

/// What part of the host rules are chosen by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Domains {
    /// None: all hosts are one.
    #[default]
    Ignored,
    /// What stands before the server's name.
    Subdomains,
    /// The whole host.
    Hosts,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict_slashes: true,
            merge_slashes: true,
            redirect_defaults: true,
            domains: Domains::Ignored,
            default_subdomain: String::new(),
            sort_query: false,
        }
    }
}
