//! [`Field`]: a borrowed field line with the layout of `gw_header`, safe to make and to read.

use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::names;
use super::types::{GwHeader, header_flag};

/// One field line, borrowed: the safe face of `gw_header`.
///
/// The name is lower-case. A slice of these is what both sides of the ABI hand across, without
/// conversion.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Field<'a> {
    raw: GwHeader,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Field<'a> {
    /// A field whose name's id the caller knows: an id of [`names`], or 0 for any other name.
    ///
    /// Parts longer than `u32::MAX` are cut there; no limit of a server lets them grow so far.
    #[must_use]
    #[inline]
    pub const fn new(name_id: u16, name: &'a [u8], value: &'a [u8]) -> Self {
        Self {
            raw: GwHeader {
                name: name.as_ptr(),
                value: value.as_ptr(),
                name_len: length(name),
                value_len: length(value),
                name_id,
                flags: 0,
                reserved: 0,
            },
            bytes: PhantomData,
        }
    }

    /// A line of a response or of trailers.
    #[inline(always)]
    pub(crate) fn of(name: &'a HeaderName, value: &'a HeaderValue) -> Self {
        // The one that nearly every response has is known without a look at the table.
        let (id, text) = if *name == CONTENT_TYPE {
            (const { names::id("content-type") }, &b"content-type"[..])
        } else {
            let text = name.as_str().as_bytes();
            (names::id_of(text), text)
        };
        let field = Self::new(id, text, value.as_bytes());
        if value.is_sensitive() {
            field.sensitive()
        } else {
            field
        }
    }

    /// The same field, marked as a secret: never logged, never indexed by HPACK.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.raw.flags |= header_flag::SENSITIVE;
        self
    }

    /// Whether the value is a secret.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.raw.flags & header_flag::SENSITIVE != 0
    }

    /// The name's id in [`names`], or 0. Ids that this version does not know read as 0.
    #[must_use]
    #[inline]
    pub fn name_id(&self) -> u16 {
        if usize::from(self.raw.name_id) <= names::NAMES.len() {
            self.raw.name_id
        } else {
            0
        }
    }

    /// The lower-case name.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        // SAFETY: `new` took the pointer and the length (cut, never extended) from a slice that
        // lives for 'a; a foreign array becomes `&[Field]` only through `foreign`, whose caller
        // vouches for the same.
        unsafe { bytes(self.raw.name, self.raw.name_len) }
    }

    /// The name as `http` has it, if its id is right: without reading it again.
    pub(crate) fn known_name(&self) -> Option<HeaderName> {
        static KNOWN: LazyLock<Vec<HeaderName>> = LazyLock::new(|| {
            let names = names::NAMES.iter();
            names.map(|name| HeaderName::from_static(name)).collect()
        });
        let name = KNOWN.get(usize::from(self.raw.name_id).wrapping_sub(1))?;
        (name.as_str().as_bytes() == self.name()).then(|| name.clone())
    }

    /// The value.
    #[must_use]
    #[inline]
    pub fn value(&self) -> &'a [u8] {
        // SAFETY: as for `name`.
        unsafe { bytes(self.raw.value, self.raw.value_len) }
    }

    /// The fields that the other side of the ABI lent.
    ///
    /// # Safety
    ///
    /// `fields` points to `count` headers, and each header's name and value to as many bytes as it
    /// says, all of them valid and unchanged for `'a`. `fields` may be NULL if `count` is 0.
    pub(crate) unsafe fn foreign(fields: *const GwHeader, count: u32) -> &'a [Self] {
        if count == 0 || fields.is_null() {
            return &[];
        }
        // SAFETY: the caller's promise; `Field` is a transparent wrapper of `GwHeader`.
        unsafe { std::slice::from_raw_parts(fields.cast::<Self>(), count as usize) }
    }

    /// The line as the ABI takes it.
    pub(crate) fn into_raw(self) -> GwHeader {
        self.raw
    }

    /// The array as the ABI takes it.
    pub(crate) fn as_headers(fields: &[Self]) -> *const GwHeader {
        fields.as_ptr().cast()
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.is_sensitive() {
            &b"<secret>"[..]
        } else {
            self.value()
        };
        write!(
            f,
            "{}: {}",
            self.name().escape_ascii(),
            value.escape_ascii()
        )
    }
}

// SAFETY: a shared borrow of bytes.
unsafe impl Send for Field<'_> {}
// SAFETY: a shared borrow of bytes.
unsafe impl Sync for Field<'_> {}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit is cut off"
)]
#[inline]
const fn length(part: &[u8]) -> u32 {
    if part.len() > u32::MAX as usize {
        return u32::MAX;
    }
    part.len() as u32
}

/// # Safety
///
/// `ptr` points to `len` bytes valid for `'a`, or `len` is 0.
#[inline]
unsafe fn bytes<'a>(ptr: *const u8, len: u32) -> &'a [u8] {
    if ptr.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(ptr, len as usize) }
}
