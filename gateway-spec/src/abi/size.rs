//! The word that every growable structure begins with.

/// The size of a structure as `struct_size` states it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "structures of the ABI are small"
)]
pub(crate) const fn struct_size<T>() -> u32 {
    size_of::<T>() as u32
}
