//! Files, whole and in parts, under conditions.

use std::time::Duration;

use carafe::*;

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/files");

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("downloads")
        .prefix("/d")
        .get("/letters", named("letters", letters))
        .get("/empty", named("empty", empty))
        .get("/attached", named("attached", attached))
        .get("/aged", named("aged", aged))
        .get("/plain", named("plain", plain))
        .get("/kind", named("kind", kind))
        .get("/of/<path:name>", named("of", of))
}

fn path(name: &str) -> String {
    format!("{FILES}/{name}")
}

async fn letters(cx: Cx) -> Result<Response> {
    send_file(&cx, path("letters.txt")).await
}

async fn empty(cx: Cx) -> Result<Response> {
    send_file(&cx, path("empty.txt")).await
}

async fn attached(cx: Cx) -> Result<Response> {
    let file = send_file(&cx, path("letters.txt")).as_attachment();
    match cx.args().get("name") {
        Some(name) => file.download_name(name).await,
        None => file.await,
    }
}

async fn aged(cx: Cx) -> Result<Response> {
    let age = Duration::from_secs(60);
    send_file(&cx, path("letters.txt")).max_age(age).await
}

async fn plain(cx: Cx) -> Result<Response> {
    send_file(&cx, path("letters.txt")).conditional(false).await
}

async fn kind(cx: Cx) -> Result<Response> {
    send_file(&cx, path("letters.txt"))
        .mimetype("application/x-letters")
        .await
}

fn of(cx: Cx, name: String) -> Result<Response> {
    send_from_directory(&cx, FILES, &name).wait()
}
