//! [`Noted`]: the fields of a response that the access log shows.

use std::rc::Rc;

use gateway_spec::abi::Field;

/// Values of fields, in the order of their names; none where the response has no such field.
pub(super) type Values = Vec<Option<Box<[u8]>>>;

/// What is kept of responses where the access log's format names fields of theirs.
#[derive(Debug)]
pub(super) struct Noted {
    names: Rc<[Box<[u8]>]>,
    values: Values,
}

impl Noted {
    /// For fields of these names, in small letters.
    pub(super) fn new(names: Rc<[Box<[u8]>]>) -> Self {
        Self {
            names,
            values: Vec::new(),
        }
    }

    /// Keeps those of a response, the first of each name, cut to what a line may show. Secrets are never logged.
    pub(super) fn keep(&mut self, fields: &[Field<'_>]) {
        let value = |name: &[u8]| {
            let mut like = fields.iter().filter(|field| field.name() == name);
            let found = like.next().filter(|field| !field.is_sensitive())?;
            let value = found.value();
            Some(Box::from(&value[..value.len().min(KEPT)]))
        };
        self.values.clear();
        self.values
            .extend(self.names.iter().map(|name| value(name)));
    }

    /// What was kept last.
    pub(super) fn values(&self) -> &[Option<Box<[u8]>>] {
        &self.values
    }

    /// The same, taken away.
    pub(super) fn take(&mut self) -> Values {
        std::mem::take(&mut self.values)
    }
}

/// Bytes that are kept of a value; a line shows fewer.
const KEPT: usize = 1024;
