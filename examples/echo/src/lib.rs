//! Answers every request but CONNECT with what was received, as JSON: for tests of servers and proxies.
//!
//! Target, path, query and field values are shown byte for byte; a byte outside ASCII becomes the
//! Latin-1 character of the same number.

use gateway_spec::http::{Method, StatusCode};
use gateway_spec::{Error, ErrorKind, Request, Response, export};
use serde_json::json;
use sha2::{Digest, Sha256};

async fn echo(mut request: Request) -> Result<Response, StatusCode> {
    if *request.method() == Method::CONNECT {
        // A success would be a tunnel to the client (SPEC.md, UPG-05).
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    let (digest, length) = digest(&mut request)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::Limit => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        })?;
    let fields = request
        .fields()
        .map(|(name, value)| json!([name, latin1(value)]));
    let answer = json!({
        "method": request.method().as_str(),
        "target": latin1(request.target()),
        "path": latin1(request.path()),
        "query": request.query().map(latin1),
        "version": format!("{:?}", request.version()),
        "headers": fields.collect::<Vec<_>>(),
        "body_sha256": digest,
        "body_len": length,
    });
    Ok(Response::json(answer.to_string()))
}

/// SHA-256 in hexadecimal and length of the body, which is not kept.
async fn digest(request: &mut Request) -> Result<(String, u64), Error> {
    let mut hash = Sha256::new();
    let mut length = 0;
    while let Some(piece) = request.body_mut().data().await.transpose()? {
        hash.update(&piece);
        length += piece.len() as u64;
    }
    let hexadecimal = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((hexadecimal, length))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

export!(echo);
