//! [`Request`]: what lines say of a request.

use std::borrow::Cow;
use std::net::IpAddr;

/// A request whose head was read, or as much of it as could be. A log asks for nothing but what its format names.
pub(crate) trait Request {
    /// The client's address, if that is one of IP.
    fn client(&self) -> Option<IpAddr>;

    /// When it came, in nanoseconds of the monotonic clock.
    fn began_ns(&self) -> u64;

    fn method(&self) -> &[u8];

    /// With its query.
    fn target(&self) -> &[u8];

    fn path(&self) -> &[u8];

    /// Empty if there is none.
    fn query(&self) -> &[u8];

    fn version(&self) -> &str;

    /// Method, target and version as they came, if they stand in one piece; of what is no request what came instead.
    fn line(&self) -> Option<&[u8]>;

    fn scheme(&self) -> &str;

    /// Empty if it names none.
    fn host(&self) -> &[u8];

    /// None in a log that does not show it.
    fn id(&self) -> Option<Cow<'_, str>>;

    /// The value of a field, by its name in small letters and the name's id.
    fn field(&self, name: &[u8], id: u16) -> Option<&[u8]>;

    /// The application that it was for, where there are several.
    fn app(&self) -> Option<&str>;

    /// Why its head was refused, if it was.
    fn refused(&self) -> Option<&str> {
        None
    }
}
