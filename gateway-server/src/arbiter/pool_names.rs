//! [`PoolNames`]: pools are numbered as they first appear, and keep their numbers.

use super::event::PoolId;

/// The names of all pools that there have been, by their numbers; the first has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolNames(Vec<String>);

impl Default for PoolNames {
    fn default() -> Self {
        Self(vec![String::new()])
    }
}

impl PoolNames {
    /// Those that another program has numbered.
    pub(super) fn adopt(names: Vec<String>) -> Self {
        let mut pools = Self::default();
        pools.0.extend(names);
        pools
    }

    /// All but the first.
    pub(super) fn others(&self) -> &[String] {
        self.0.get(1..).unwrap_or_default()
    }

    /// The number of the pool that is called so, from now on if it had none.
    pub(super) fn id_of(&mut self, name: &str) -> PoolId {
        self.known(name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            PoolId(u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// The number of the pool that is called so, if it has one.
    pub(super) fn known(&self, name: &str) -> Option<PoolId> {
        let at = self.0.iter().position(|one| one == name)?;
        u32::try_from(at).ok().map(PoolId)
    }

    /// The name of the pool with this number; none for the server's own.
    pub(super) fn name_of(&self, id: PoolId) -> Option<&str> {
        let name = self.0.get(usize::try_from(id.0).ok()?);
        name.map(String::as_str).filter(|name| !name.is_empty())
    }
}
