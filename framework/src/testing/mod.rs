//! The test client: an application in process, without a socket.

mod client;
mod jar;
mod request;
mod response;
mod session;
mod upload;

pub use client::Client;
pub use request::{TestBody, TestRequest};
pub use response::TestResponse;
pub use upload::Upload;
