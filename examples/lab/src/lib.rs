//! What benchmarks ask of a server: a fixed text, JSON, one path among a hundred, bodies both ways; as
//! carafe's users write them.

use std::task::Poll;

use carafe::*;

#[derive(serde::Serialize)]
struct Message {
    message: &'static str,
}

async fn json() -> Json<Message> {
    Json(Message {
        message: "Hello, World!",
    })
}

async fn user(id: u64) -> String {
    format!("user {id}")
}

/// The length of the request's body, counted as it comes.
async fn upload(mut body: Body) -> Result<String> {
    let mut length = 0;
    while let Some(piece) = body.data().await {
        length += piece?.len();
    }
    Ok(length.to_string())
}

/// A body of that many bytes, produced piece by piece as the client takes them.
fn download(length: usize) -> Response {
    let mut left = length;
    let body = Body::from_fn(move |_| {
        let piece = left.min(PIECE.len());
        left -= piece;
        Poll::Ready((piece > 0).then(|| Ok(Frame::Data(Bytes::from_static(&PIECE[..piece])))))
    });
    Response::new(body.with_length(length as u64)).content_type("application/octet-stream")
}

fn app() -> App {
    let app = App::new()
        .get("/", async || "Hello, World!")
        .get("/json", json)
        .get("/plain", || "Hello, World!")
        .post("/upload", upload)
        .get("/download/64k", named("small", async || download(64 << 10)))
        .get("/download/16m", named("large", async || download(16 << 20)))
        .get("/user/<int:id>", user);
    (1..100).fold(app, |app, number| {
        app.get(format!("/api/v1/res{number}/<int:id>"), user)
    })
}

static PIECE: [u8; 64 << 10] = [b'x'; 64 << 10];

export!(app());
