//! Structures that are frozen for ever, because they occur in arrays or by value.

/// Borrowed bytes. `ptr` may be NULL only if `len` is 0; where the difference means something
/// (an absent query), the field says so.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwStr {
    pub ptr: *const u8,
    pub len: usize,
}

/// Owned bytes; moves by copying the structure, after which the taker zeroes the original.
#[repr(C)]
#[derive(Debug)]
pub struct GwBuf {
    pub ptr: *const u8,
    pub len: usize,
    /// NULL: the bytes are static and nothing is to be freed.
    pub drop: Option<unsafe extern "C" fn(*mut Self)>,
    /// The owner's; may hold pointers, hence not an integer type.
    pub private: [std::mem::MaybeUninit<usize>; 4],
}

/// One field line, borrowed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwHeader {
    pub name: *const u8,
    pub value: *const u8,
    pub name_len: u32,
    pub value_len: u32,
    /// Id of a well-known name (`abi::names`), or 0.
    pub name_id: u16,
    pub flags: u16,
    pub reserved: u32,
}

/// Flags of [`GwHeader`].
pub mod header_flag {
    /// The value is a secret: never logged, never indexed by HPACK.
    pub const SENSITIVE: u16 = 1 << 0;
}

/// A socket address.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwAddr {
    pub family: u16,
    pub port: u16,
    /// IPv6 scope id, else 0.
    pub scope: u32,
    /// IPv4 in the first four bytes.
    pub ip: [u8; 16],
    /// Bytes of a unix socket's path; a leading NUL marks an abstract name; empty if unnamed.
    pub unix_path: GwStr,
}

/// Values of `GwAddr::family`.
pub mod family {
    pub const NONE: u16 = 0;
    pub const IPV4: u16 = 4;
    pub const IPV6: u16 = 6;
    pub const UNIX: u16 = 1;
}

/// One buffer of a gathered write.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwIov {
    pub ptr: *const u8,
    pub len: usize,
}

/// A key and its value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GwKv {
    pub key: GwStr,
    pub value: GwStr,
}

/// A waker: a thin pointer whose target begins with its table. Equal live pointers mean the same waker.
#[repr(C)]
#[derive(Debug)]
pub struct GwWaker {
    pub vt: *const GwWakerVt,
}

/// Functions of a waker (frozen). All may be called from any thread.
#[repr(C)]
#[derive(Debug)]
pub struct GwWakerVt {
    /// Returns an owned waker, ended by `wake` or `drop`.
    pub clone: unsafe extern "C" fn(*const GwWaker) -> *const GwWaker,
    /// Wakes and ends an owned waker.
    pub wake: unsafe extern "C" fn(*const GwWaker),
    /// Wakes; the waker stays its owner's.
    pub wake_by_ref: unsafe extern "C" fn(*const GwWaker),
    /// Ends an owned waker.
    pub drop: unsafe extern "C" fn(*const GwWaker),
}

const _: () = {
    assert!(size_of::<GwStr>() == 16);
    assert!(size_of::<GwBuf>() == 56);
    assert!(size_of::<GwHeader>() == 32);
    assert!(size_of::<GwAddr>() == 40);
};
