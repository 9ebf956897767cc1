//! Numbers the cases that run side by side, so that a report can show them as rows of a timeline.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The numbers that are taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    taken: Arc<Mutex<BTreeSet<usize>>>,
}

/// A number, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    number: usize,
    slots: Slots,
}

impl Slots {
    /// Takes the smallest free number.
    pub(super) fn take(&self) -> Slot {
        let mut taken = self.lock();
        let number = (0..=taken.len())
            .find(|number| !taken.contains(number))
            .unwrap_or_default();
        taken.insert(number);
        Slot {
            number,
            slots: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        // The set is whole after every statement, so a panic elsewhere does no harm.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    pub(super) fn number(&self) -> usize {
        self.number
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_free_number_is_taken() {
        let slots = Slots::default();
        let (first, second) = (slots.take(), slots.take());
        assert_eq!(first.number(), 0);
        assert_eq!(second.number(), 1);
        drop(first);
        assert_eq!(slots.take().number(), 0);
        assert_eq!(second.number(), 1);
    }
}
