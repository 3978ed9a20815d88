//! The serving loop: accepts connections until the drain begins.

use tokio::net::{TcpListener, UnixListener};

use super::serving::{ServeError, ServeFailure, Serving};
use crate::net::ListenAddress;
use crate::orders::AppIdentity;

/// Serves until the drain is over. `ready` is called once connections are accepted.
///
/// # Errors
///
/// What kept it from becoming ready.
pub(crate) async fn serve(
    serving: Serving,
    ready: impl FnOnce(AppIdentity),
) -> Result<(), ServeError> {
    let Serving {
        listeners,
        app,
        options,
        slot,
        drain,
        identity,
    } = serving;
    tracing::debug!(?app, path = ?app.load_path(), ?options, ?identity, ?slot, "serving");
    let fail = |error: std::io::Error| ServeError {
        kind: ServeFailure::Other,
        message: format!(
            "{}: {error}",
            app.shown_path().unwrap_or("app".as_ref()).display()
        ),
    };
    for (address, fd) in listeners {
        match address {
            ListenAddress::Tcp(_) => {
                let listener = TcpListener::from_std(fd.into()).map_err(fail)?;
                tokio::task::spawn_local(async move { while listener.accept().await.is_ok() {} });
            }
            ListenAddress::Unix(_) => {
                let listener = UnixListener::from_std(fd.into()).map_err(fail)?;
                tokio::task::spawn_local(async move { while listener.accept().await.is_ok() {} });
            }
        }
    }
    ready(AppIdentity::default());
    drain.wait().await;
    Ok(())
}
