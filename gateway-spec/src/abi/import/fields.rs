//! [`read`]: the field lines of an imported response, and the length that they declare.

use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};

use crate::abi::body::owned_fields;
use crate::abi::field::Field;
use crate::abi::host::AppResponse;
use crate::abi::names;
use crate::error::ErrorKind;
use crate::fields::{Fields, Fixed, Line};

/// The lines without a content-length, and what that says.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for lines that are the host's own or none, and for a length that is none, or two.
pub(super) fn read(response: &AppResponse<'_>) -> Result<(Fields, Option<u64>), ErrorKind> {
    let lines = response.fields();
    if response.fields_are_lasting()
        && let Some(known) = known(lines)
    {
        return Ok((Fields::of(known), None));
    }
    if lines.iter().any(|line| OF_THE_HOP.contains(&id_of(line))) {
        return Err(ErrorKind::Invalid);
    }
    let length = length_of(lines)?;
    let kept = lines.iter().filter(|line| id_of(line) != CONTENT_LENGTH);
    let fields = owned_fields(kept).map_err(|error| error.kind())?;
    Ok((fields, length))
}

/// The length that fields declare.
fn length_of(lines: &[Field<'_>]) -> Result<Option<u64>, ErrorKind> {
    let mut length = None;
    for line in lines.iter().filter(|line| id_of(line) == CONTENT_LENGTH) {
        let digits = line.value();
        let number = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .ok_or(ErrorKind::Invalid)?;
        if length.is_some_and(|length| length != number) {
            return Err(ErrorKind::Invalid);
        }
        length = Some(number);
    }
    Ok(length)
}

/// A line's id, found by its name where the application gave none.
fn id_of(line: &Field<'_>) -> u16 {
    match line.name_id() {
        0 => names::id_of(line.name()),
        id => id,
    }
}

/// Lines that an application promised never to change (RES-21), read once.
struct Known {
    /// Address and number of the lines.
    place: (usize, usize),
    /// `None` if a line decides about more than itself, or is not to be sent.
    fields: Option<&'static Fixed>,
}

/// What is known of lasting lines; `None` if they are to be read as others are.
fn known(lines: &[Field<'_>]) -> Option<&'static Fixed> {
    let place = (lines.as_ptr().addr(), lines.len());
    // Filled from the first on.
    let mut all = KNOWN
        .iter()
        .map(|known| known.get_or_init(|| Known::of(lines)));
    all.find(|known| known.place == place)?.fields
}

impl Known {
    #[cold]
    fn of(lines: &[Field<'_>]) -> Self {
        let decides = |id| id == CONTENT_LENGTH || OF_THE_HOP.contains(&id);
        let fields = match lines.iter().any(|line| decides(id_of(line))) {
            true => None,
            false => owned_fields(lines.iter()).ok(),
        };
        let fields = fields.map(|fields| Fixed::looked_at(fields.iter().map(lasting).collect()));
        Self {
            place: (lines.as_ptr().addr(), lines.len()),
            fields: fields.map(|fixed| &*Box::leak(Box::new(fixed))),
        }
    }
}

/// A line that lives for ever, so that copies of it cost nothing.
fn lasting((name, value): (&HeaderName, &HeaderValue)) -> Line {
    let known = names::name_of(names::id_of(name.as_str().as_bytes()));
    let name = known.unwrap_or_else(|| String::from(name.as_str()).leak());
    let bytes = Bytes::from_static(value.as_bytes().to_vec().leak());
    let mut lasting = HeaderValue::from_maybe_shared(bytes).unwrap_or_else(|_| value.clone());
    lasting.set_sensitive(value.is_sensitive());
    (HeaderName::from_static(name), lasting)
}

/// Applications have a list for each kind of content. Where there are more of them than this, the rest is
/// read anew each time.
const MOST: usize = 32;

static KNOWN: [OnceLock<Known>; MOST] = [const { OnceLock::new() }; MOST];

const CONTENT_LENGTH: u16 = names::id("content-length");
/// Fields of framing and of the hop, which are the host's.
const OF_THE_HOP: [u16; 7] = [
    names::id("connection"),
    names::id("keep-alive"),
    names::id("proxy-connection"),
    names::id("te"),
    names::id("trailer"),
    names::id("transfer-encoding"),
    names::id("upgrade"),
];
