//! A WebSocket that sends back what it is sent, and a page to try it.

use carafe::*;

async fn echo(websocket: WebSocket) -> Response {
    let websocket = websocket.protocols(&["echo"]);
    websocket.on_upgrade(async |mut socket| {
        while let Some(message) = socket.receive().await? {
            socket.send(message).await?;
        }
        Ok(())
    })
}

async fn script() -> Response {
    Response::new(include_str!("page.js")).content_type("text/javascript")
}

fn app() -> App {
    App::new()
        .get("/", async || Html(include_str!("page.html")))
        .get("/page.js", script)
        .get(rule("/echo").websocket(), echo)
}

export!(app());
