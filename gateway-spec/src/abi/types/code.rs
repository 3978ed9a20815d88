//! Result codes: every function that can fail returns one of these as `int32_t`.

pub const READY: i32 = 0;
pub const PENDING: i32 = 1;
pub const PANIC: i32 = -1;
pub const UNSUPPORTED: i32 = -2;
pub const INVALID: i32 = -3;
pub const CLOSED: i32 = -4;
pub const TOO_LATE: i32 = -5;
pub const LIMIT: i32 = -6;
pub const TIMEOUT: i32 = -7;
pub const PROTOCOL: i32 = -8;
pub const IO: i32 = -9;
pub const BUSY: i32 = -10;
pub const INTERNAL: i32 = -11;
pub const NO_RESPONSE: i32 = -12;
