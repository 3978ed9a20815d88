//! Forms and their files, told back in order of names.

use carafe::*;
use serde_json::{Value, json};

pub(crate) fn blueprint() -> Blueprint {
    Blueprint::new("forms")
        .prefix("/f")
        .route("/form", [GET, POST, PUT], named("form", form))
        .post("/field", named("field", field))
        .post("/small", named("small", body_limit(100, form)))
        .post(
            "/body",
            named("body", async |body: Bytes| body.len().to_string()),
        )
        .post("/file", named("file", file))
}

async fn form(cx: Cx) -> Result<Json<Value>> {
    let fields = cx.form().await?;
    let mut fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| json!([name, value]))
        .collect();
    fields.sort_by_key(|pair| pair[0].to_string());
    let mut told = Vec::new();
    for file in cx.files().await?.iter() {
        let bytes = file.bytes().await?;
        told.push(json!([
            file.name(),
            file.filename(),
            file.content_type().unwrap_or_default(),
            String::from_utf8_lossy(&bytes),
        ]));
    }
    told.sort_by_key(|file| file[0].to_string());
    Ok(Json(json!({"fields": fields, "files": told})))
}

async fn field(cx: Cx) -> Result<String> {
    let form = cx.form().await?;
    let name = form.get("name").or_abort(400)?;
    let age: i64 = form.get_as("age").unwrap_or(-1);
    Ok(format!("{name} {age}"))
}

async fn file(files: Files) -> Result<String> {
    let file = files.get("f").or_abort((400, "A file is needed."))?;
    Ok(format!("{} {}", file.secure_filename(), file.len()))
}
