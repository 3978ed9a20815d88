//! The Gateway Interface and [tower](https://docs.rs/tower-service), both ways.
//!
//! A gateway as a service, linked in or loaded from `app.so`, under hyper or within axum:
//!
//! ```no_run
//! # #[cfg(feature = "load")]
//! # async fn load() -> Result<(), Box<dyn std::error::Error>> {
//! use gateway_tower::{GatewayService, Options, load};
//!
//! let (app, _stop) = load("target/release/libecho.so", Options::new()).await?;
//! let service = GatewayService::new(&app);
//! // axum: Router::new().nest_service("/echo", service)
//! // hyper: serve_connection(stream, service.on(Connection::new(peer, local)))
//! # drop(service);
//! app.shutdown(std::time::Duration::from_secs(30)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A service as a gateway, for a crate of type `cdylib` whose file any conforming server loads:
//!
//! ```
//! # use std::convert::Infallible;
//! # fn router() -> impl tower_service::Service<
//! #     http::Request<gateway_spec::Body>,
//! #     Response = http::Response<String>, Error = Infallible,
//! #     Future = std::future::Ready<Result<http::Response<String>, Infallible>>,
//! # > + Clone + Send + Sync + 'static {
//! #     hyper_like()
//! # }
//! # #[derive(Clone)] struct Hello;
//! # fn hyper_like() -> Hello { Hello }
//! # impl tower_service::Service<http::Request<gateway_spec::Body>> for Hello {
//! #     type Response = http::Response<String>; type Error = Infallible;
//! #     type Future = std::future::Ready<Result<http::Response<String>, Infallible>>;
//! #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
//! #         std::task::Poll::Ready(Ok(()))
//! #     }
//! #     fn call(&mut self, _: http::Request<gateway_spec::Body>) -> Self::Future {
//! #         std::future::ready(Ok(http::Response::new("hello".to_owned())))
//! #     }
//! # }
//! gateway_spec::export!(tokio: gateway_tower::app(router()));
//! ```
//!
//! Facts of connections travel as the extension [`Connection`]. With the feature `axum` those of
//! axum, `ConnectInfo` and `OriginalUri`, are understood and given as well.

mod app;
mod body;
mod connection;
mod late;
mod request;
mod service;
mod tunnel;

#[cfg(feature = "axum")]
pub use app::router;
pub use app::{ServiceGateway, app};
pub use body::ResponseBody;
pub use connection::Connection;
pub use gateway_spec::hosting::{Hosted, Unfinished};
#[cfg(feature = "load")]
pub use gateway_spec::hosting::{LoadFailure, Options, Stop, load};
pub use gateway_spec::{Address, Gateway, TlsInfo};
pub use service::{GatewayService, ResponseFuture};
pub use tower_service::Service;
