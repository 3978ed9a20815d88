//! The application under axum's own server: `axum-app [ADDRESS]`.

use std::net::SocketAddr;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let listener = TcpListener::bind(address).await?;
    tracing::info!("ready at http://{}", listener.local_addr()?);
    let service = axum_app::router().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}
