//! Why a URL could not be built.

/// Why a URL could not be built, with the nearest thing that could.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no such endpoint.
    #[error("could not build a URL for endpoint `{endpoint}`{}", instead(.nearest.as_deref()))]
    Endpoint {
        /// The endpoint that was asked for.
        endpoint: String,
        /// The endpoint whose name is most like it, if the map has any rule.
        nearest: Option<String>,
    },
}

fn instead(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean `{name}`?"))
}
