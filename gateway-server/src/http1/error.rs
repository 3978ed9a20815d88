//! Why a message is refused: one variant per cause, each with the status that answers it.
//!
//! After any of these the connection closes: where the next message begins is not known, or the
//! peer is not to be trusted about it.

/// Why a request head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// More empty lines than tolerated stand before the request line.
    #[error("expected a request line, found another empty line")]
    EmptyLines,
    /// The method is empty or holds a byte that no token has.
    #[error("expected a method (a token) and a space")]
    Method,
    /// The target is empty.
    #[error("expected a request target behind the method, found none")]
    TargetEmpty,
    /// The target holds a control character, or the line ends behind it.
    #[error("expected a request target and a space, found a control character or the line's end")]
    TargetByte,
    /// The target holds a fragment.
    #[error("expected a request target without a fragment, found `#`")]
    TargetFragment,
    /// The target's form is none of the four, or not one for this method (RFC 9112 §3.2).
    #[error("expected a target in a form that this method allows")]
    TargetForm,
    /// The target's authority is not `host[:port]`.
    #[error("expected `host[:port]` as authority of the target")]
    TargetAuthority,
    /// No `HTTP/digit.digit` and CRLF stands behind the target.
    #[error("expected `HTTP/1.1` and CRLF behind the target")]
    VersionSyntax,
    /// A version other than 1.0 and 1.1.
    #[error("expected HTTP/1.0 or HTTP/1.1, found another version")]
    VersionUnsupported,
    /// The request line is longer than its limit.
    #[error("the request line is longer than its limit")]
    RequestLineTooLong,
    /// A line ends with LF alone.
    #[error("expected CRLF, found LF alone")]
    BareLineFeed,
    /// CR stands without LF.
    #[error("expected LF behind CR")]
    BareCarriageReturn,
    /// A field line is continued on the next one, or whitespace stands before the first.
    #[error("expected a field name, found whitespace at the line's beginning")]
    FieldFolded,
    /// A field line begins with its colon.
    #[error("expected a field name before the colon, found none")]
    FieldNameEmpty,
    /// A field name holds a byte that no token has, or no colon follows it.
    #[error("expected a field name (a token) and a colon")]
    FieldName,
    /// Whitespace stands between a field's name and its colon.
    #[error("expected a colon right behind the field name, found whitespace")]
    SpaceBeforeColon,
    /// A field value holds a control character.
    #[error("expected a field value, found a control character in it")]
    FieldValue,
    /// A field line is longer than its limit.
    #[error("a field line is longer than its limit")]
    FieldLineTooLong,
    /// The head has more fields than its limit.
    #[error("the head has more fields than its limit")]
    TooManyFields,
    /// The head is longer than its limit.
    #[error("the head is longer than its limit")]
    HeadTooLarge,
    /// A field that occurs once at most occurs again.
    #[error("a field that may occur once occurs again")]
    FieldRepeated,
    /// HTTP/1.1 without Host.
    #[error("expected a Host field, found none")]
    HostMissing,
    /// Host occurs again.
    #[error("expected one Host field, found another")]
    HostRepeated,
    /// Host is not `host[:port]`.
    #[error("expected `host[:port]` as Host")]
    HostSyntax,
    /// Host and the authority of the target differ.
    #[error("expected the target's authority as Host, found another")]
    HostDisagrees,
    /// Content-Length is not a number of 1 to 19 digits.
    #[error("expected 1 to 19 digits as Content-Length")]
    LengthSyntax,
    /// Content-Length occurs again, with whatever value.
    #[error("expected one Content-Length field, found another")]
    LengthRepeated,
    /// Content-Length and Transfer-Encoding in one head.
    #[error("expected Content-Length or Transfer-Encoding, found both")]
    LengthAndTransferEncoding,
    /// Transfer-Encoding is not a list of codings.
    #[error("expected `chunked` as Transfer-Encoding")]
    TransferEncodingSyntax,
    /// Transfer-Encoding, or `chunked` in it, occurs again.
    #[error("expected one Transfer-Encoding field with one `chunked`, found another")]
    TransferEncodingRepeated,
    /// `chunked` is not the last coding.
    #[error("expected `chunked` as last transfer coding")]
    TransferEncodingNotLast,
    /// A transfer coding other than `chunked`.
    #[error("expected `chunked` as only transfer coding, found another")]
    TransferCodingUnknown,
    /// Transfer-Encoding in an HTTP/1.0 request.
    #[error("expected no Transfer-Encoding in HTTP/1.0")]
    TransferEncodingInHttp10,
    /// Connection is not a list of tokens.
    #[error("expected a list of tokens as Connection")]
    ConnectionSyntax,
    /// Connection nominates a field that is not for one hop only.
    #[error("expected no end-to-end field among the tokens of Connection")]
    ConnectionNominates,
    /// Connection has more options than are looked at.
    #[error("Connection has more options than its limit")]
    ConnectionTooLong,
    /// CONNECT announces a body, and bytes behind it would be the tunnel's.
    #[error("expected no body of a CONNECT, found one announced")]
    ConnectWithBody,
    /// An expectation other than `100-continue`.
    #[error("expected `100-continue` as only expectation")]
    ExpectationUnknown,
}

impl HeadError {
    /// The status that answers it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::RequestLineTooLong => 414,
            Self::ExpectationUnknown => 417,
            Self::FieldLineTooLong
            | Self::TooManyFields
            | Self::HeadTooLarge
            | Self::ConnectionTooLong => 431,
            Self::TransferCodingUnknown => 501,
            Self::VersionUnsupported => 505,
            _ => 400,
        }
    }
}

/// Why a request body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// A chunk's size is not 1 to 16 hexadecimal digits.
    #[error("expected 1 to 16 hexadecimal digits as chunk size")]
    ChunkSize,
    /// What follows a chunk's size is neither an extension nor CRLF.
    #[error("expected a chunk extension or CRLF behind the chunk size")]
    ChunkExtension,
    /// A chunk's data is not followed by CRLF.
    #[error("expected CRLF behind the chunk's data")]
    ChunkEnd,
    /// The line that begins a chunk is longer than its limit.
    #[error("the line that begins a chunk is longer than its limit")]
    ChunkLineTooLong,
    /// The extensions of all chunks together are longer than their limit.
    #[error("the chunk extensions are longer than their limit")]
    ChunkExtensionsTooLong,
    /// A trailer line is no field line.
    #[error("expected a field line or an empty line behind the last chunk")]
    TrailerSyntax,
    /// The trailer section has more bytes or fields than its limit.
    #[error("the trailer section is larger than its limit")]
    TrailersTooLarge,
    /// The body is larger than its limit.
    #[error("the body is larger than its limit")]
    TooLarge,
    /// The peer stopped sending before the body's end.
    #[error("expected the rest of the body, found the end of input")]
    Truncated,
}

impl BodyError {
    /// The status that answers it, if none was sent yet.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::TrailersTooLarge => 431,
            _ => 400,
        }
    }
}

/// Why a response of the application cannot be written. Nothing of it has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The status is outside 200 to 599, which includes 101 without an upgrade.
    #[error("expected a status from 200 to 599, or 101 with an upgrade, found {0}")]
    Status(u16),
    /// An upgrade with another status.
    #[error("expected 101 with an upgrade, found {0}")]
    UpgradeStatus(u16),
    /// An upgrade for a client that knows none.
    #[error("expected no upgrade: HTTP/1.0 has none")]
    UpgradeInHttp10,
    /// A success without an upgrade in answer to CONNECT: a client takes what follows for the tunnel's.
    #[error(
        "expected an upgrade or a status from 300 to 599 in answer to CONNECT, found {0} alone"
    )]
    NoTunnel(u16),
    /// The status of an informational response is not 102 to 199.
    #[error("expected an informational status from 102 to 199, found {0}")]
    InformationalStatus(u16),
    /// A field name is not a lower-case token.
    #[error("expected a lower-case token as field name")]
    FieldName,
    /// A field value holds a control character.
    #[error("expected a field value, found a control character in it")]
    FieldValue,
    /// A field that only the server may write.
    #[error("expected no field of the message's framing or of this hop, found one")]
    ReservedField,
    /// Content-Length is not a number of 1 to 19 digits, or occurs again.
    #[error("expected one content-length of 1 to 19 digits")]
    LengthSyntax,
    /// Content-Length differs from the length that the response declares or has.
    #[error("expected a content-length that agrees with the body")]
    LengthDisagrees,
    /// The protocol of an upgrade is no token, with or without version.
    #[error("expected `name` or `name/version` as protocol of the upgrade")]
    Protocol,
}
