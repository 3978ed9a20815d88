//! Owned bytes across the ABI: `Bytes` travels inside `gw_buf` and a foreign `gw_buf` becomes `Bytes`.

use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit, align_of, size_of};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use bytes::{Buf, Bytes};

use super::types::GwBuf;

/// A buffer that the other side gave: read it in place, release it by dropping.
pub struct OwnedBuffer {
    raw: GwBuf,
}

// SAFETY: the ABI lets a buffer be read and dropped on any thread (SPEC.md, "Buffers").
unsafe impl Send for OwnedBuffer {}
// SAFETY: shared access only reads.
unsafe impl Sync for OwnedBuffer {}

impl OwnedBuffer {
    /// Takes the buffer, leaving zeroes.
    ///
    /// # Safety
    ///
    /// `buffer` points to an initialised `gw_buf` whose bytes are valid until its `drop` is called.
    pub(crate) unsafe fn take(buffer: *mut GwBuf) -> Self {
        // SAFETY: an initialised `gw_buf` that nobody else uses, by the caller's promise.
        let raw = unsafe { ptr::replace(buffer, GwBuf::EMPTY) };
        Self { raw }
    }

    /// The buffer as the ABI takes it.
    pub(crate) fn into_raw(self) -> GwBuf {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so the buffer has one owner: the result.
        unsafe { ptr::read(&raw const this.raw) }
    }
}

impl Deref for OwnedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `take`'s caller vouched for the bytes; they live until `drop`.
        unsafe { self.raw.bytes() }
    }
}

impl Drop for OwnedBuffer {
    fn drop(&mut self) {
        if let Some(drop) = self.raw.drop {
            // SAFETY: called once, by the owner.
            unsafe { drop(&raw mut self.raw) };
        }
    }
}

impl AsRef<[u8]> for OwnedBuffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Bytes> for OwnedBuffer {
    fn from(bytes: Bytes) -> Self {
        Self { raw: bytes.into() }
    }
}

impl From<OwnedBuffer> for Bytes {
    /// No copy: the buffer lives in a small box until the last slice of it goes.
    fn from(buffer: OwnedBuffer) -> Self {
        match buffer.raw.drop {
            None => {
                // SAFETY: a buffer without `drop` is static.
                Self::from_static(unsafe { buffer.raw.bytes() })
            }
            Some(drop) if ptr::fn_addr_eq(drop, DROP_INLINE) => {
                let raw = buffer.into_raw();
                // SAFETY: this image's own `From<Bytes>` made it, with a `Bytes` inside.
                let mut bytes = unsafe { ptr::read(raw.private.as_ptr().cast::<Self>()) };
                // Whoever passed it on may have cut it at both ends.
                let start = raw.ptr.addr().wrapping_sub(bytes.as_ptr().addr());
                bytes.truncate(start.saturating_add(raw.len));
                bytes.advance(start.min(bytes.len()));
                bytes
            }
            Some(_) => Self::from_owner(buffer),
        }
    }
}

impl fmt::Debug for OwnedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnedBuffer({} bytes)", self.len())
    }
}

impl GwBuf {
    /// No bytes; also what a taker leaves behind.
    pub const EMPTY: Self = Self {
        ptr: ptr::null(),
        len: 0,
        drop: None,
        private: [MaybeUninit::zeroed(); 4],
    };

    /// Bytes that live for ever.
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
            ..Self::EMPTY
        }
    }

    /// Drops what nobody has taken.
    ///
    /// # Safety
    ///
    /// The buffer is initialised and the caller's.
    #[inline]
    pub(crate) unsafe fn release(&mut self) {
        // What has been taken, and what is static, needs nothing.
        if self.drop.is_some() {
            // SAFETY: the caller's promise.
            drop(unsafe { OwnedBuffer::take(self) });
        }
    }

    /// # Safety
    ///
    /// `ptr` and `len` describe bytes valid for `'a`, or `len` is 0.
    #[inline]
    pub(crate) unsafe fn bytes<'a>(&self) -> &'a [u8] {
        if self.len == 0 || self.ptr.is_null() {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl From<Bytes> for GwBuf {
    /// `Bytes` moves into the private words; only where it did not fit would it be boxed.
    fn from(bytes: Bytes) -> Self {
        let mut buffer = Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
            ..Self::EMPTY
        };
        if FITS {
            // SAFETY: size and alignment fit (FITS), and the words are uninitialised memory to Rust.
            unsafe { ptr::write(buffer.private.as_mut_ptr().cast::<Bytes>(), bytes) };
            buffer.drop = Some(DROP_INLINE);
        } else {
            buffer.private[0].write(Box::into_raw(Box::new(bytes)).expose_provenance());
            buffer.drop = Some(drop_boxed);
        }
        buffer
    }
}

impl From<Vec<u8>> for GwBuf {
    /// The private words hold what frees the memory: where it is, and how much.
    #[inline]
    fn from(bytes: Vec<u8>) -> Self {
        let mut bytes = ManuallyDrop::new(bytes);
        let start = bytes.as_mut_ptr();
        let mut buffer = Self {
            ptr: start,
            len: bytes.len(),
            drop: Some(drop_vec),
            ..Self::EMPTY
        };
        buffer.private[0].write(start.expose_provenance());
        buffer.private[1].write(bytes.capacity());
        buffer
    }
}

const FITS: bool = size_of::<Bytes>() <= size_of::<[MaybeUninit<usize>; 4]>()
    && align_of::<Bytes>() <= align_of::<[MaybeUninit<usize>; 4]>();

/// One address for [`drop_inline`], which may have several.
static DROP_INLINE: unsafe extern "C" fn(*mut GwBuf) = drop_inline;

unsafe extern "C" fn drop_inline(buffer: *mut GwBuf) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: whoever drops a buffer owns it, so nobody else looks at it.
        let buffer = unsafe { &mut *buffer };
        // SAFETY: `From<Bytes>` installed this function together with a `Bytes` in the private
        // words, and the owner drops once.
        unsafe { ptr::drop_in_place(buffer.private.as_mut_ptr().cast::<Bytes>()) };
    }));
}

unsafe extern "C" fn drop_vec(buffer: *mut GwBuf) {
    // SAFETY: whoever drops a buffer owns it, so nobody else looks at it.
    let buffer = unsafe { &mut *buffer };
    // SAFETY: `From<Vec<u8>>` installed this function and wrote the first two private words.
    let address = unsafe { buffer.private[0].assume_init() };
    // SAFETY: as above.
    let capacity = unsafe { buffer.private[1].assume_init() };
    let start = ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: the memory of a vector that nobody else owns, whose provenance was exposed; no byte of
    // it needs a drop.
    drop(unsafe { Vec::from_raw_parts(start, 0, capacity) });
}

unsafe extern "C" fn drop_boxed(buffer: *mut GwBuf) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: whoever drops a buffer owns it, so nobody else looks at it.
        let buffer = unsafe { &mut *buffer };
        // SAFETY: `From<Bytes>` installed this function and wrote the first private word.
        let address = unsafe { buffer.private[0].assume_init() };
        // SAFETY: the address of a box that nobody else owns, whose provenance `From<Bytes>` exposed.
        drop(unsafe { Box::from_raw(ptr::with_exposed_provenance_mut::<Bytes>(address)) });
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_the_same_memory() {
        let bytes = Bytes::from(vec![7; 4096]);
        let address = bytes.as_ptr();
        let buffer = OwnedBuffer::from(bytes.clone());
        assert_eq!(buffer.as_ptr(), address);
        let back = Bytes::from(buffer);
        assert_eq!(back.as_ptr(), address);
        drop(bytes);
        assert!(back.is_unique(), "neither lost nor duplicated");
    }

    #[test]
    fn a_vector_crosses_as_it_is() {
        let mut vector = Vec::with_capacity(100);
        vector.extend_from_slice(b"vector");
        let address = vector.as_ptr();
        let mut raw = GwBuf::from(vector);
        raw.len -= 1;
        // SAFETY: initialised, and a part of its bytes.
        let buffer = unsafe { OwnedBuffer::take(&raw mut raw) };
        assert_eq!((&buffer[..], buffer.as_ptr()), (&b"vecto"[..], address));
        assert_eq!(Bytes::from(buffer).as_ptr(), address);
        let mut raw = GwBuf::from(Vec::new());
        // SAFETY: initialised.
        assert!(unsafe { OwnedBuffer::take(&raw mut raw) }.is_empty());
    }

    #[test]
    fn a_buffer_that_was_cut_comes_back_as_short() {
        let mut raw = GwBuf::from(Bytes::from(vec![1, 2, 3, 4, 5]));
        raw.ptr = raw.ptr.wrapping_add(1);
        raw.len = 3;
        // SAFETY: initialised, and a part of its bytes.
        let back = Bytes::from(unsafe { OwnedBuffer::take(&raw mut raw) });
        assert_eq!(&back[..], [2, 3, 4]);
    }

    #[test]
    fn a_foreign_buffer_is_released_when_the_last_slice_goes() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        unsafe extern "C" fn count(_: *mut GwBuf) {
            DROPS.fetch_add(1, Ordering::SeqCst);
        }
        let mut raw = GwBuf {
            drop: Some(count),
            ..GwBuf::from_static(b"foreign")
        };
        // SAFETY: initialised, static bytes.
        let bytes = Bytes::from(unsafe { OwnedBuffer::take(&raw mut raw) });
        assert_eq!(raw.len, 0, "the taker leaves zeroes");
        let slice = bytes.slice(3..);
        drop(bytes);
        assert_eq!(
            (&slice[..], DROPS.load(Ordering::SeqCst)),
            (&b"eign"[..], 0)
        );
        drop(slice);
        assert_eq!(DROPS.load(Ordering::SeqCst), 1);
    }
}
