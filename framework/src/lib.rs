//! carafe: a web framework in Flask's manner, on the Gateway Interface.

#![forbid(unsafe_code)]

mod ascii_json;
pub mod conditional;
pub mod csrf;
mod file_names;
pub mod multipart;
mod password;
pub mod routing;
pub mod session;
pub mod signing;

pub use file_names::{safe_join, secure_filename};
pub use password::{
    BadPasswordHash, PasswordMethod, check_password_hash, generate_password_hash,
    generate_password_hash_by, needs_rehash,
};
