//! The body as an argument: whole, or as it comes.

use bytes::Bytes;
use gateway_spec::Body;

use super::{Arg, Kind, Take};
use crate::error::Result;

impl Arg for Bytes {
    const KIND: Kind = Kind::Buffered;
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        t.cx().body().await
    }
}

impl Arg for Body {
    const KIND: Kind = Kind::Streamed;
    type Path<Rest> = Rest;

    async fn take(t: &mut Take<'_>) -> Result<Self> {
        t.cx().body_stream()
    }
}
