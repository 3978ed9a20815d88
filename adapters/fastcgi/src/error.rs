//! What a web server may do wrong.

/// Why a connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A record of another version.
    #[error("expected a record of version 1, found {0}")]
    Version(u8),
    /// `FCGI_BEGIN_REQUEST` that is not 8 bytes long, or for no request.
    #[error("expected a request's id and 8 bytes of FCGI_BEGIN_REQUEST")]
    Begin,
    /// A request was begun again before it was answered.
    #[error("expected no FCGI_BEGIN_REQUEST for a request that is under way")]
    BegunTwice,
    /// A record that does not belong where it came: variables behind their end, or a body before that.
    #[error("expected FCGI_PARAMS, then FCGI_STDIN, each to its end")]
    Order,
    /// A name or a value reaches beyond the end of its stream.
    #[error("expected a name and a value, found the end of FCGI_PARAMS")]
    Pair,
    /// More bytes of variables than the limit.
    #[error("the variables are longer than their limit")]
    TooManyVariables,
    /// A management record longer than any question takes.
    #[error("expected a management record of at most 1,024 bytes, found {0}")]
    Management(usize),
    /// More records that carry nothing than the limit.
    #[error("expected a request, found more records without content than the limit")]
    TooManyRecords,
}
