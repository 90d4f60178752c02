//! Many values to memory that is given back while nobody waits.
//!
//! A million rows are millions of allocations: giving them back takes a tenth of a second and more. Whoever asked has
//! the answer by then, or was told to stop, and does not wait for it.

use std::ops::{Deref, DerefMut};
use std::thread;

/// Lists of which the memory may be given back later.
pub trait Many: Default + Send + 'static {
    /// How many values there are.
    fn count(&self) -> usize;
}

impl<T: Send + 'static> Many for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }
}

/// Values that are dropped on a thread of their own if there are many.
#[derive(Debug, Default)]
pub struct Unwaited<L: Many>(L);

/// Fewer are dropped sooner than a thread is started.
const MANY: usize = 1 << 15;

impl<L: Many> Unwaited<L> {
    /// Takes values over.
    #[must_use]
    pub fn new(values: L) -> Self {
        Self(values)
    }

    /// Hands the values on, to be dropped as any others.
    #[must_use]
    pub fn into_inner(mut self) -> L {
        std::mem::take(&mut self.0)
    }
}

impl<L: Many> Deref for Unwaited<L> {
    type Target = L;

    fn deref(&self) -> &L {
        &self.0
    }
}

impl<L: Many> DerefMut for Unwaited<L> {
    fn deref_mut(&mut self) -> &mut L {
        &mut self.0
    }
}

impl<L: Many> Drop for Unwaited<L> {
    fn drop(&mut self) {
        if self.0.count() >= MANY {
            let values = std::mem::take(&mut self.0);
            // Where no thread can be started the values are dropped here.
            let _ = thread::Builder::new()
                .name("unwaited".to_owned())
                .spawn(move || drop(values));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Tells on which thread it is dropped.
    struct Told(mpsc::Sender<thread::ThreadId>);

    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }

    #[test]
    fn many_are_dropped_elsewhere_and_each_of_them() {
        for (count, is_here) in [(3, true), (MANY, false)] {
            let (tell, told) = mpsc::channel();
            let mut values = Unwaited::new(Vec::new());
            values.extend((0..count).map(|_| Told(tell.clone())));
            drop((values, tell));
            let threads: Vec<_> = told.iter().collect();
            assert_eq!(threads.len(), count);
            let here = |id: &thread::ThreadId| *id == thread::current().id();
            assert!(threads.iter().all(|id| here(id) == is_here));
        }
    }

    #[test]
    fn what_is_handed_on_is_not_dropped() {
        let values = Unwaited::new((0..MANY).collect::<Vec<_>>());
        assert_eq!(values.first(), Some(&0));
        assert_eq!(values.into_inner().len(), MANY);
    }
}
