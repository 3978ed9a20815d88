//! Answers as Lambda wants them: a document, or what stands before a stream.

use std::collections::BTreeMap;
use std::future::poll_fn;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use gateway_spec::hosting::{Answer, Content};
use gateway_spec::{Fields, Frame};
use http::StatusCode;
use http::header::{CONTENT_ENCODING, SET_COOKIE};
use serde_json::{Map, Value, json};

use crate::event::Shape;

/// An answer as one document. What the application sends beside it is not told to clients, nor a
/// length: that of the document's body is known to Lambda's front.
pub(crate) async fn whole(answer: Answer, shape: Shape) -> Result<Bytes, String> {
    let Answer {
        status,
        fields,
        content,
        ..
    } = answer;
    let body = collected(content).await?;
    let is_encoded = fields.get(&CONTENT_ENCODING).is_some();
    let (body, is_base64) = match std::str::from_utf8(&body) {
        Ok(text) if !is_encoded => (text.to_owned(), false),
        _ => (STANDARD.encode(&body), true),
    };
    let mut document = Map::new();
    document.insert("statusCode".into(), json!(status.as_u16()));
    match shape {
        Shape::Http => {
            document.insert("headers".into(), json!(joined(&fields, &[SET_COOKIE])));
            document.insert("cookies".into(), json!(cookies(&fields)));
        }
        Shape::Rest | Shape::Balancer { repeats: true } => {
            document.insert("multiValueHeaders".into(), json!(listed(&fields)));
        }
        Shape::Balancer { repeats: false } => {
            document.insert("headers".into(), json!(joined(&fields, &[])));
        }
    }
    if let Shape::Balancer { .. } = shape {
        let reason = status.canonical_reason().unwrap_or("Unknown");
        let description = format!("{} {reason}", status.as_u16());
        document.insert("statusDescription".into(), json!(description));
    }
    document.insert("body".into(), json!(body));
    document.insert("isBase64Encoded".into(), json!(is_base64));
    let document = Value::Object(document).to_string();
    if document.len() > DOCUMENT_LIMIT {
        let length = document.len();
        return Err(format!(
            "a response of {length} bytes as JSON; Lambda takes {DOCUMENT_LIMIT}, or streams"
        ));
    }
    Ok(document.into())
}

/// What stands before a stream: status and fields, and eight zeros.
pub(crate) fn prelude(status: StatusCode, fields: &Fields) -> Bytes {
    let prelude = json!({
        "statusCode": status.as_u16(),
        "headers": joined(fields, &[SET_COOKIE]),
        "cookies": cookies(fields),
    });
    let mut bytes = BytesMut::from(prelude.to_string().as_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.freeze()
}

async fn collected(mut content: Content) -> Result<Bytes, String> {
    let mut whole = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| content.poll_frame(cx)).await {
        match frame {
            Ok(Frame::Data(bytes)) => whole.extend_from_slice(&bytes),
            // There is no place for trailers.
            Ok(_) => {}
            Err(error) => return Err(format!("the response broke off: {error}")),
        }
        if whole.len() > DOCUMENT_LIMIT {
            return Err(format!(
                "a response of more than {DOCUMENT_LIMIT} bytes; Lambda takes no more, or streams"
            ));
        }
    }
    Ok(whole.freeze())
}

/// Lines of one name joined to one; of several Set-Cookie, which cannot be joined, the last.
fn joined(fields: &Fields, without: &[http::HeaderName]) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in fields.iter() {
        if without.contains(name) {
            continue;
        }
        let value = text(value);
        match joined.get_mut(name.as_str()) {
            Some(earlier) if *name != SET_COOKIE => *earlier += &format!(", {value}"),
            _ => {
                joined.insert(name.as_str().to_owned(), value);
            }
        }
    }
    joined
}

fn listed(fields: &Fields) -> BTreeMap<String, Vec<String>> {
    let mut listed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in fields.iter() {
        let lines = listed.entry(name.as_str().to_owned()).or_default();
        lines.push(text(value));
    }
    listed
}

fn cookies(fields: &Fields) -> Vec<String> {
    fields.get_all(&SET_COOKIE).map(text).collect()
}

/// JSON has texts alone: a byte beyond ASCII becomes the Latin-1 character of its number.
fn text(value: &http::HeaderValue) -> String {
    value
        .as_bytes()
        .iter()
        .map(|byte| char::from(*byte))
        .collect()
}

/// What Lambda takes of a response in one piece.
const DOCUMENT_LIMIT: usize = 6 << 20;
