//! Uploads by multipart forms, counted as they come.

use axum::extract::Multipart;
use axum::extract::multipart::MultipartError;

/// Says of each part its name, its file's name and its length.
pub(crate) async fn upload(mut form: Multipart) -> Result<String, MultipartError> {
    let mut told = String::new();
    while let Some(mut part) = form.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().unwrap_or_default().to_owned();
        let mut length = 0;
        while let Some(piece) = part.chunk().await? {
            length += piece.len();
        }
        told.push_str(&format!("{name} {file} {length}\n"));
    }
    Ok(told)
}
