//! The Gateway Interface in [actix-web](https://docs.rs/actix-web): a gateway, linked in or loaded
//! from `app.so`, as a handler.
//!
//! ```no_run
//! # #[cfg(feature = "load")]
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! use actix_web::{App, HttpServer, web};
//! use gateway_actix::{GatewayHandler, Options, load};
//!
//! let (app, _stop) = load("target/release/libecho.so", Options::new()).await?;
//! let handler = GatewayHandler::new(&app);
//! HttpServer::new(move || {
//!     App::new()
//!         .service(web::scope("/echo").default_service(web::to(handler.clone().at("/echo"))))
//!         .default_service(web::to(handler.clone()))
//! })
//! .bind("127.0.0.1:8000")?
//! .run()
//! .await?;
//! app.shutdown(std::time::Duration::from_secs(30)).await?;
//! # Ok(())
//! # }
//! ```

mod download;
mod handler;
mod request;
mod upload;

pub use download::Download;
pub use gateway_spec::hosting::{Hosted, Unfinished};
#[cfg(feature = "load")]
pub use gateway_spec::hosting::{LoadFailure, Options, Stop, load};
pub use handler::GatewayHandler;
