//! The forms of a request target (RFC 9112 §3.2), beyond the path and query of most requests.

use gateway_spec::abi::method;

use super::parts::Span;
use crate::http1::authority::Authority;
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

/// A request target taken apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Target {
    pub(super) whole: Span,
    pub(super) form: Form,
    pub(super) path: Span,
    /// Of the first `?`; the end of `whole` if there is none.
    question_mark: u32,
    /// Empty where the form has none.
    pub(super) authority: Span,
}

impl Target {
    /// A target that begins with `/` and holds its first `?` at `question_mark`, which else is its
    /// end.
    #[inline]
    pub(super) fn origin(whole: Span, question_mark: usize) -> Self {
        let path = Span::new(whole.start(), question_mark);
        Self {
            whole,
            form: Form::Origin,
            path,
            question_mark: path.end_place(),
            authority: Span::default(),
        }
    }

    /// What follows the first `?`.
    #[inline]
    pub(super) fn query(&self) -> Option<Span> {
        let (at, end) = (self.question_mark as usize, self.whole.end());
        (at < end).then(|| Span::new(at + 1, end))
    }

    /// Takes a target apart that does not begin with `/`, or that CONNECT came with.
    #[cold]
    pub(super) fn other(
        bytes: &[u8],
        whole: Span,
        question_mark: usize,
        method_id: u32,
    ) -> Result<Self, HeadError> {
        let (start, end) = (whole.start(), whole.end());
        let target = whole.of(bytes);
        let path_end = Span::new(start, question_mark);
        let none = Self {
            whole,
            question_mark: path_end.end_place(),
            ..Self::default()
        };
        if method_id == method::CONNECT {
            // The port is not optional here (RFC 9110 §9.3.6).
            return match Authority::parse(target) {
                Some(authority) if authority.has_port() => {
                    let path = Span::new(end, end);
                    Ok(Self {
                        form: Form::Authority,
                        authority: whole,
                        path,
                        ..none
                    })
                }
                _ => Err(HeadError::TargetForm),
            };
        }
        if target == b"*" {
            return if method_id == method::OPTIONS {
                Ok(Self {
                    form: Form::Asterisk,
                    path: whole,
                    ..none
                })
            } else {
                Err(HeadError::TargetForm)
            };
        }
        let scheme = scheme_length(target).ok_or(HeadError::TargetForm)?;
        let authority_at = start + scheme;
        let rest = &target[scheme..];
        let length = rest
            .iter()
            .position(|&b| b == b'/' || b == b'?')
            .unwrap_or(rest.len());
        let authority_end = authority_at + length;
        if Authority::parse(&rest[..length]).is_none() {
            return Err(HeadError::TargetAuthority);
        }
        let path_end = path_end.end();
        Ok(Self {
            form: Form::Absolute,
            authority: Span::new(authority_at, authority_end),
            path: if authority_end == path_end {
                Span::new(authority_at - 1, authority_at)
            } else {
                Span::new(authority_end, path_end)
            },
            ..none
        })
    }

    /// Host beside a target with an authority of its own: they must agree. A server would have to
    /// go by the target, and whoever went by Host before would have seen another site.
    pub(super) fn check_host(&self, bytes: &[u8], host: Span) -> Result<(), HeadError> {
        let default = match self.form {
            Form::Absolute if self.whole.of(bytes)[4] == b':' => Some(80),
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
