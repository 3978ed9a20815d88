//! [`Parts`]: values by type, for what one room keeps in a place that another room owns.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

/// At most one value of each type.
///
/// A list, not a hash table: there are a handful of types, and an empty one costs nothing.
#[derive(Clone, Default)]
pub struct Parts {
    entries: Vec<(TypeId, Arc<dyn Any + Send + Sync>)>,
}

impl Parts {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Puts a value; the earlier one of its type, if there was one, comes back.
    pub fn put<T: Send + Sync + 'static>(&mut self, value: T) -> Option<Arc<T>> {
        self.put_arc(Arc::new(value))
    }

    /// Puts a value that is shared already.
    pub fn put_arc<T: Send + Sync + 'static>(&mut self, value: Arc<T>) -> Option<Arc<T>> {
        match self.position::<T>() {
            Some(at) => {
                let earlier = std::mem::replace(&mut self.entries[at].1, value);
                earlier.downcast().ok()
            }
            None => {
                self.entries.push((TypeId::of::<T>(), value));
                None
            }
        }
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.entries[self.position::<T>()?].1.downcast_ref()
    }

    /// The value of this type, shared.
    #[must_use]
    pub fn get_arc<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.entries[self.position::<T>()?].1)
            .downcast()
            .ok()
    }

    /// The value of this type, to be changed; made first if there is none. A value that is shared
    /// is copied before it is changed.
    pub fn entry<T: Clone + Default + Send + Sync + 'static>(&mut self) -> &mut T {
        let at = self.position::<T>().unwrap_or_else(|| {
            self.entries
                .push((TypeId::of::<T>(), Arc::new(T::default())));
            self.entries.len() - 1
        });
        let slot = &mut self.entries[at].1;
        if Arc::get_mut(slot).is_none() {
            let copy = slot.downcast_ref::<T>().cloned().unwrap_or_default();
            *slot = Arc::new(copy);
        }
        let sole = Arc::get_mut(slot).and_then(|value| value.downcast_mut());
        sole.unwrap_or_else(|| unreachable!("the slot of this type, just made sole owner"))
    }

    /// Takes the value of this type out.
    pub fn take<T: Send + Sync + 'static>(&mut self) -> Option<Arc<T>> {
        let at = self.position::<T>()?;
        self.entries.swap_remove(at).1.downcast().ok()
    }

    /// Whether there is a value of this type.
    #[must_use]
    pub fn contains(&self, id: TypeId) -> bool {
        self.entries.iter().any(|(other, _)| *other == id)
    }

    fn position<T: 'static>(&self) -> Option<usize> {
        let id = TypeId::of::<T>();
        self.entries.iter().position(|(other, _)| *other == id)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parts({} types)", self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_value_and_the_last_one_counts() {
        let mut parts = Parts::new();
        assert!(parts.put(1_u8).is_none());
        parts.put("text");
        assert_eq!(parts.put(2_u8).as_deref(), Some(&1));
        assert_eq!(parts.get::<u8>(), Some(&2));
        assert_eq!(parts.take::<u8>().as_deref(), Some(&2));
        assert_eq!(parts.get::<u8>(), None);
        assert_eq!(parts.get::<&str>(), Some(&"text"));
    }

    #[test]
    fn an_entry_that_others_hold_is_copied_before_it_changes() {
        let mut parts = Parts::new();
        parts.entry::<Vec<u8>>().push(1);
        let held = parts.get_arc::<Vec<u8>>().unwrap();
        parts.entry::<Vec<u8>>().push(2);
        assert_eq!(*held, [1]);
        assert_eq!(parts.get::<Vec<u8>>().unwrap(), &[1, 2]);
    }
}
