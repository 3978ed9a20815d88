//! Forms with files.

use carafe::testing::{TestBody, Upload};
use carafe::*;

#[derive(serde::Deserialize)]
struct Title {
    title: String,
}

async fn upload(form: Form<Title>, files: Files) -> Result<String> {
    let mut told = form.title.clone();
    for file in files.iter() {
        let bytes = file.bytes().await?;
        let kind = file.content_type().unwrap_or("none");
        told += &format!(
            "; {} {} {kind} {} {:x}",
            file.name(),
            file.secure_filename(),
            file.len(),
            bytes
                .iter()
                .fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte))
        );
    }
    Ok(told)
}

fn app() -> App {
    App::new()
        .post("/", upload)
        .post("/plain", |form: Form<Title>, files: Files| {
            format!("{} {}", form.title, files.get_all("f").count())
        })
        .post("/large", body_limit(8 << 20, upload))
        .post("/both", async |bytes: Bytes, cx: Cx| {
            let title = cx.form().await?.get("title").map(str::to_owned);
            Ok::<_, Error>(format!("{} {title:?}", bytes.len() > 100))
        })
}

fn form() -> Upload {
    Upload::new()
        .field("title", "Hello, Wörld")
        .file("f", "../a b.txt", "text/plain", "one")
}

#[test]
fn fields_and_files_come_apart() {
    let client = app().test();
    let empty = form().file("g", "", "application/octet-stream", "");
    assert_eq!(
        client.post("/", empty).text(),
        "Hello, Wörld; f a_b.txt text/plain 3 1b1a5"
    );
    let two = form().file("f", "b", "text/plain", "");
    assert_eq!(client.post("/plain", two).text(), "Hello, Wörld 2");
    assert_eq!(
        client.post("/both", form()).text(),
        "true Some(\"Hello, Wörld\")"
    );
}

#[test]
fn a_large_file_is_spooled_to_disk_and_comes_back_whole() {
    let client = app().test();
    let content: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n / 7).to_le_bytes()[0])
        .collect();
    let sum = content
        .iter()
        .fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
    let sent = Upload::new()
        .field("title", "x")
        .file("f", "big", "image/png", &content)
        .file("g", "small", "image/png", "1");
    assert_eq!(
        client.post("/large", sent).text(),
        format!("x; f big image/png 3000000 {sum:x}; g small image/png 1 31")
    );
}

#[test]
fn an_upload_is_stored_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stored.txt");
    let stored = path.clone();
    let client = App::new()
        .post("/", async move |files: Files| {
            let file = files.get("f").or_abort(400)?;
            file.save("/nonexistent/x").await.unwrap_err();
            Ok::<_, Error>(file.len().to_string())
        })
        .state(stored)
        .post(
            "/save",
            async |files: Files, path: State<std::path::PathBuf>| {
                files
                    .get("f")
                    .or_abort(400)?
                    .save(path.clone().to_path_buf())
                    .await?;
                Ok::<_, Error>("stored")
            },
        )
        .test();
    assert_eq!(client.post("/", form()).text(), "3");
    assert_eq!(client.post("/save", form()).text(), "stored");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn every_limit_names_itself_to_developers() {
    let client = app()
        .config_set("debug", true)
        .config_set("form.max_parts", 2)
        .config_set("form.max_field_size", 20)
        .test();
    let many = form().field("more", "x");
    let refused = client.post("/", many);
    assert_eq!(refused.status(), 413);
    assert!(
        refused.text().contains("form.max_parts"),
        "{}",
        refused.text()
    );
    let long = Upload::new().field("title", &"x".repeat(21));
    let refused = client.post("/", long);
    assert_eq!(refused.status(), 413);
    assert!(
        refused.text().contains("form.max_field_size"),
        "{}",
        refused.text()
    );
    let large = Upload::new()
        .field("title", "x")
        .file("f", "a", "b/c", vec![0; 1 << 20]);
    let refused = client.post("/", large);
    assert_eq!(refused.status(), 413);
    assert!(refused.text().contains("body_limit"), "{}", refused.text());
}

#[test]
fn visitors_are_told_what_is_too_large_and_not_which_setting_says_so() {
    let client = app()
        .config_set("form.max_parts", 2)
        .config_set("form.max_field_size", 20)
        .config_set("body_limit", "2KiB")
        .test();
    for (form, told) in [
        (form().field("more", "x"), "more than 2 parts"),
        (
            Upload::new().field("title", &"x".repeat(21)),
            "The field `title` has more than 20 bytes.",
        ),
        (
            Upload::new().file("f", "a", "b/c", vec![0; 4 << 10]),
            "at most 2048 bytes, files included.",
        ),
    ] {
        let refused = client.post("/", form);
        assert_eq!(refused.status(), 413);
        let text = refused.text();
        assert!(text.contains(told), "{text}");
        assert!(
            !text.contains("form.") && !text.contains("body_limit"),
            "{text}"
        );
    }
}

#[test]
fn a_malformed_form_is_refused_and_not_read_as_empty() {
    let client = app().test();
    for (kind, body) in [
        ("multipart/form-data", "x"),
        ("multipart/form-data; boundary=b", "no parts"),
        ("multipart/form-data; boundary=b", "--b\r\n\r\n\r\n--b--"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\ncut",
        ),
    ] {
        let response = client.post("/", TestBody::new(kind, body));
        assert_eq!(response.status(), 400, "{kind} {body}");
        assert!(
            response.text().contains("The form cannot be read"),
            "{}",
            response.text()
        );
    }
}
