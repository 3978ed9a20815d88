//! One client's part of a load in HTTP/2: a connection at a time, with requests side by side on it.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use super::{Connections, Shared};
use crate::address::Address;

/// What one client asks for.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    pub(super) address: Address,
    pub(super) path: String,
    /// Requests side by side.
    pub(super) at_once: usize,
    pub(super) connections: Connections,
}

/// How a request ends that is not answered rightly.
enum End {
    /// The server had said that it would not look at it (RFC 9113 §6.8, §8.7): it may be sent again.
    Unseen,
    Failed(String),
}

/// Opens a connection whenever there is none, until the load ends.
pub(super) fn drive(plan: Streams, shared: &Arc<Shared>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let plan = Rc::new(plan);
        while !shared.stop.load(Ordering::Relaxed) {
            if let Err(failure) = connect(&plan, shared).await {
                shared.count(Err(failure));
            }
            if plan.connections == Connections::Once {
                break;
            }
        }
    });
}

/// One connection, until the server announces its end or the load is over.
async fn connect(plan: &Rc<Streams>, shared: &Arc<Shared>) -> Result<(), String> {
    let Address::Tcp(address) = plan.address else {
        return Err(format!("expected a TCP address, found {:?}", plan.address));
    };
    let fail = |error: &dyn std::fmt::Display| format!("connect: {error}");
    let stream = TcpStream::connect(address).await.map_err(|e| fail(&e))?;
    let (asks, connection) = h2::client::handshake(stream).await.map_err(|e| fail(&e))?;
    // What ends it ends its requests, which tell.
    let connection = tokio::task::spawn_local(async { drop(connection.await) });
    let mut clients = JoinSet::new();
    for _ in 0..plan.at_once {
        let (plan, shared, asks) = (Rc::clone(plan), Arc::clone(shared), asks.clone());
        clients.spawn_local(ask(plan, asks, shared));
    }
    drop(asks);
    clients.join_all().await;
    connection.await.map_err(|error| fail(&error))
}

/// Sends a request again and again.
async fn ask(plan: Rc<Streams>, asks: SendRequest<Bytes>, shared: Arc<Shared>) {
    let mut asks = asks;
    while !shared.stop.load(Ordering::Relaxed) {
        // Nothing was sent to one that ends before it is ready.
        let Ok(mut ready) = asks.ready().await else {
            return shared.note_idle_end();
        };
        let request = Request::get(format!("http://test{}", plan.path));
        let request = request.body(()).expect("a request");
        let answered = match ready.send_request(request, true) {
            Ok((response, _)) => read(response).await,
            Err(error) => Err(end(&error)),
        };
        match answered {
            Ok(body) => shared.count(Ok(body)),
            Err(End::Unseen) => return shared.note_idle_end(),
            Err(End::Failed(failure)) => return shared.count(Err(failure)),
        }
        asks = ready;
    }
}

async fn read(response: ResponseFuture) -> Result<Vec<u8>, End> {
    let response: Response<RecvStream> = response.await.map_err(|error| end(&error))?;
    let (head, mut recv) = response.into_parts();
    let mut body = Vec::new();
    while let Some(data) = recv.data().await {
        let data = data.map_err(|error| end(&error))?;
        body.extend_from_slice(&data);
        // A closed stream has no window.
        drop(recv.flow_control().release_capacity(data.len()));
    }
    match head.status.as_u16() {
        200 => Ok(body),
        status => Err(End::Failed(format!("answer: status {status}"))),
    }
}

fn end(error: &h2::Error) -> End {
    let is_unseen = error.is_remote()
        && (error.is_go_away() && error.reason() == Some(Reason::NO_ERROR)
            || error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM));
    if is_unseen {
        End::Unseen
    } else {
        End::Failed(format!("a request: {error}"))
    }
}
