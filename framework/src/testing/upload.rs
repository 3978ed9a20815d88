//! [`Upload`]: a form with files, as a browser sends it.

use super::request::TestBody;

/// A form with files: `client.post("/", Upload::new().field("a", "1").file("f", "a.txt", "text/plain", "x"))`.
#[derive(Clone, Debug, Default)]
#[must_use = "a form does nothing until it is sent"]
pub struct Upload {
    body: Vec<u8>,
}

impl Upload {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more field.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
        self.part(&head, value.as_bytes());
        self
    }

    /// One more file.
    pub fn file(
        mut self,
        name: &str,
        filename: &str,
        kind: &str,
        content: impl AsRef<[u8]>,
    ) -> Self {
        let (name, filename) = (quoted(name), quoted(filename));
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {kind}"
        );
        self.part(&head, content.as_ref());
        self
    }

    fn part(&mut self, head: &str, content: &[u8]) {
        let begin = format!("--{BOUNDARY}\r\n{head}\r\n\r\n");
        self.body.extend_from_slice(begin.as_bytes());
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }
}

impl From<Upload> for TestBody {
    fn from(mut form: Upload) -> Self {
        form.body
            .extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        Self::new(kind, form.body)
    }
}

/// As browsers escape names (the HTML standard's multipart form data).
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Long and odd enough not to stand in what tests upload.
const BOUNDARY: &str = "----carafe-7MA4YWxkTrZu0gW";
