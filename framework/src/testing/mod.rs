//! The test client: an application in process, without a socket.

mod client;
mod command;
mod jar;
mod request;
mod response;
mod session;
mod upload;
mod websocket;

pub use client::Client;
pub use command::TestCommand;
pub use request::{TestBody, TestRequest};
pub use response::TestResponse;
pub use upload::Upload;
pub use websocket::TestSocket;
