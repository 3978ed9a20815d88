//! carafe: a web framework in Flask's manner, on the Gateway Interface.

#![forbid(unsafe_code)]

pub mod routing;
