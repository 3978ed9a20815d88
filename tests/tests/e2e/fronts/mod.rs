//! Behind a web server that speaks FastCGI, SCGI or uwsgi an application is the same as behind one that
//! speaks HTTP.

mod apache;
mod lighttpd;
mod nginx;
mod records;

use gateway_tests::address::Address;
use gateway_tests::client::Client;
use gateway_tests::response::Response;

fn fetch(address: &Address, request: &[u8]) -> Response {
    let mut client = Client::connect(address);
    client.send(request);
    if request.starts_with(b"HEAD") {
        client.response_to_head()
    } else {
        client.response()
    }
}

/// What the echo saw, in an order that does not matter.
fn seen(response: &Response) -> serde_json::Value {
    let mut seen = response.json();
    let mut fields = seen["headers"].as_array().unwrap().clone();
    fields.sort_by_key(ToString::to_string);
    seen["headers"] = fields.into();
    seen
}
