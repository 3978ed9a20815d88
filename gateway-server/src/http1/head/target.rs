//! The forms of a request target (RFC 9112 §3.2), beyond the path and query of most requests.

use gateway_spec::abi::method;

use super::{Head, Span};
use crate::http1::authority::{self, Authority};
use crate::http1::error::HeadError;

/// The form of a request target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`
    Absolute,
    /// `host:port`, with CONNECT.
    Authority,
    /// `*`, with OPTIONS.
    Asterisk,
}

impl Head {
    /// Takes a target apart that does not begin with `/`, or that CONNECT came with.
    #[cold]
    pub(super) fn other_form(
        &mut self,
        bytes: &[u8],
        question_mark: Option<usize>,
    ) -> Result<(), HeadError> {
        let start = self.target.start as usize;
        let target = self.target.of(bytes);
        let end = start + target.len();
        self.query = None;
        if self.method_id == method::CONNECT {
            // The port is not optional here (RFC 9110 §9.3.6).
            return match Authority::parse(target) {
                Some(authority) if authority.has_port() => {
                    self.form = Form::Authority;
                    self.authority = self.target;
                    self.path = Span::new(end, end);
                    Ok(())
                }
                _ => Err(HeadError::TargetForm),
            };
        }
        if target == b"*" {
            self.form = Form::Asterisk;
            self.path = self.target;
            let allowed = self.method_id == method::OPTIONS;
            return if allowed {
                Ok(())
            } else {
                Err(HeadError::TargetForm)
            };
        }
        let Some(scheme) = scheme_length(target) else {
            return Err(HeadError::TargetForm);
        };
        let authority_at = start + scheme;
        let rest = &target[scheme..];
        let authority_end = authority_at
            + rest
                .iter()
                .position(|&b| b == b'/' || b == b'?')
                .unwrap_or(rest.len());
        if !authority::is_authority(bytes, authority_at, authority_end) {
            return Err(HeadError::TargetAuthority);
        }
        self.form = Form::Absolute;
        self.authority = Span::new(authority_at, authority_end);
        let path_end = question_mark.unwrap_or(end);
        self.path = if authority_end == path_end {
            Span::new(authority_at - 1, authority_at)
        } else {
            Span::new(authority_end, path_end)
        };
        self.query = question_mark.map(|at| Span::new(at + 1, end));
        Ok(())
    }

    /// Host beside a target with an authority of its own: they must agree. A server would have to
    /// go by the target, and whoever went by Host before would have seen another site.
    pub(super) fn check_host(&self, bytes: &[u8], host: Span) -> Result<(), HeadError> {
        let default = match self.form {
            Form::Absolute if self.target.of(bytes)[4] == b':' => Some(80),
            Form::Absolute => Some(443),
            _ => None,
        };
        let of_target = Authority::parse(self.authority.of(bytes));
        let of_host = Authority::parse(host.of(bytes));
        match (of_target, of_host) {
            (Some(one), Some(other)) if one.agrees(&other, default) => Ok(()),
            _ => Err(HeadError::HostDisagrees),
        }
    }
}

/// The length of `http://` or `https://`, if the target begins with one: other schemes are not
/// served.
fn scheme_length(target: &[u8]) -> Option<usize> {
    let schemes: [&[u8]; 2] = [b"http://", b"https://"];
    schemes
        .iter()
        .find(|scheme| {
            target
                .get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        .map(|scheme| scheme.len())
}
