//! [`Plan`]: whether and how a response is compressed.

use gateway_spec::abi::host::AppResponse;
use gateway_spec::abi::{Field, method, names};

use crate::coding::Coding;
use crate::compression::{Compression, Encoder, Leave, Packing, Subject, amended};
use crate::http1::Length;
use crate::limits::COMPRESSED_WHOLE;

/// What becomes of a response.
#[derive(Debug)]
pub(super) enum Plan {
    /// It is not fit to be compressed.
    Untouched,
    /// It stays as it is, and another client gets another one.
    Varies,
    /// It is compressed, and has no body: the answer to HEAD.
    Bare(Coding),
    /// It is compressed as a whole.
    Whole(Coding, Vec<u8>),
    /// It is compressed as it comes.
    Pieces(Coding, Box<Packer>),
}

/// Has a body be compressed.
#[derive(Debug)]
pub(super) struct Packer {
    pub(super) encoder: Encoder,
    /// What the application has said of its length.
    pub(super) length: Option<u64>,
    _leave: Leave,
}

impl Plan {
    /// For the response to a request with this method.
    pub(super) fn of(
        compression: &Compression,
        packing: Packing,
        method_id: u32,
        response: &AppResponse<'_>,
        length: Length,
    ) -> Self {
        let Ok(length) = announced(response.fields(), length) else {
            // Whoever writes the head will say what is wrong with it.
            return Self::Untouched;
        };
        let subject = Subject {
            status: u16::try_from(response.status()).unwrap_or(u16::MAX),
            fields: response.fields(),
            length,
        };
        let bare = response.upgrade().is_some() || method_id == method::CONNECT;
        if bare || !compression.fits(&subject) {
            return Self::Untouched;
        }
        let Packing::As(coding) = packing else {
            return Self::Varies;
        };
        if method_id == method::HEAD {
            return Self::Bare(coding);
        }
        let first = response.first();
        if !response.has_body() && first.len() <= COMPRESSED_WHOLE {
            let packed = Encoder::whole(coding, first);
            return packed.map_or(Self::Varies, |packed| Self::Whole(coding, packed));
        }
        match (compression.leave(), Encoder::new(coding)) {
            (Some(leave), Ok(encoder)) => Self::Pieces(
                coding,
                Box::new(Packer {
                    encoder,
                    length,
                    _leave: leave,
                }),
            ),
            _ => Self::Varies,
        }
    }

    /// The fields that are true then; `weak` is memory for one of them.
    pub(super) fn amend<'a>(
        &self,
        fields: &'a [Field<'a>],
        weak: &'a mut Vec<u8>,
    ) -> Option<Vec<Field<'a>>> {
        match self {
            Self::Untouched => None,
            Self::Varies => Some(amended(fields, None, weak)),
            Self::Bare(coding) | Self::Whole(coding, _) | Self::Pieces(coding, _) => {
                Some(amended(fields, Some(*coding), weak))
            }
        }
    }

    /// The length that is known then.
    pub(super) fn length(&self, length: Length) -> Length {
        match self {
            Self::Untouched | Self::Varies => length,
            Self::Bare(_) | Self::Pieces(..) => Length::Unknown,
            Self::Whole(_, packed) => Length::Actual(packed.len() as u64),
        }
    }
}

/// The length that the application has announced, one way or another.
///
/// # Errors
///
/// Two ways, which disagree, or a field that is no length.
fn announced(fields: &[Field<'_>], length: Length) -> Result<Option<u64>, ()> {
    let length = match length {
        Length::Declared(length) | Length::Actual(length) => Some(length),
        Length::Unknown => None,
    };
    let is_length = |field: &&Field<'_>| match field.name_id() {
        0 => field.name() == b"content-length",
        id => id == CONTENT_LENGTH,
    };
    let Some(field) = fields.iter().find(is_length) else {
        return Ok(length);
    };
    let text = std::str::from_utf8(field.value()).map_err(drop)?;
    let told = text.parse().map_err(drop)?;
    match length {
        Some(length) if length != told => Err(()),
        _ => Ok(Some(told)),
    }
}

const CONTENT_LENGTH: u16 = names::id("content-length");
