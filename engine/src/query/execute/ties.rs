//! Downloaders that have as much as each other to those of them that come first in an answer.
//!
//! There may be millions, of which a query wants a hundred: their keys decide. Of most keys a look at the first bytes
//! is enough, and few are kept at a time.

use crate::dictionary::identity::{IdentityKey, IdentityKeys, KeyChunk};
use crate::error::Result;

/// More are kept than are wanted, so that they are sorted once in so many.
const KEPT_MORE: usize = 1 << 10;

/// The first of some downloaders.
#[derive(Debug)]
pub(super) struct FirstOfTies<'k> {
    keys: &'k IdentityKeys,
    count: usize,
    /// The start of each one's text, and its id.
    kept: Vec<(u64, u32)>,
    /// The last of those that would be first if no more came, once there are enough of them, and the start of its text.
    last: Option<IdentityKey<'k>>,
    most: u64,
    /// The file of the one before.
    chunk: Option<&'k KeyChunk>,
    /// Whether requests without identity tie with them: they come last.
    has_nobody: bool,
}

impl<'k> FirstOfTies<'k> {
    /// None yet, of which `count` are wanted.
    pub(super) fn new(keys: &'k IdentityKeys, count: usize) -> Self {
        Self {
            keys,
            count,
            kept: Vec::new(),
            last: None,
            most: u64::MAX,
            chunk: None,
            has_nobody: false,
        }
    }

    /// Adds a downloader, or 0 for nobody; each comes once.
    ///
    /// # Errors
    ///
    /// `Corrupt` when an identity cannot be read.
    pub(super) fn push(&mut self, id: u32) -> Result<()> {
        if id == 0 {
            self.has_nobody = true;
            return Ok(());
        }
        let start = self.keys.start(id, &mut self.chunk)?;
        if start > self.most {
            return Ok(());
        }
        if let Some(last) = self.last.as_ref().filter(|_| start == self.most)
            && self.keys.key(id)?.by_text(last).is_gt()
        {
            return Ok(());
        }
        self.kept.push((start, id));
        if self.kept.len() >= 2 * self.count + KEPT_MORE {
            self.leave_out()?;
        }
        Ok(())
    }

    /// Leaves out those that are not among the first.
    fn leave_out(&mut self) -> Result<()> {
        if self.count == 0 {
            self.kept.clear();
        }
        if self.kept.len() <= self.count {
            return Ok(());
        }
        let kept = self.kept.drain(..);
        let keys = kept.map(|(start, id)| Ok((start, self.keys.key(id)?, id)));
        let mut keys = keys.collect::<Result<Vec<_>>>()?;
        let last = self.count.saturating_sub(1);
        keys.select_nth_unstable_by(last, |(a_start, a, _), (b_start, b, _)| {
            a_start.cmp(b_start).then_with(|| a.by_text(b))
        });
        keys.truncate(self.count);
        self.kept
            .extend(keys.iter().map(|(start, _, id)| (*start, *id)));
        if let Some((start, key, _)) = keys.pop() {
            (self.most, self.last) = (start, Some(key));
        }
        Ok(())
    }

    /// The first of them, ascending.
    ///
    /// # Errors
    ///
    /// As [`Self::push`].
    pub(super) fn into_ids(mut self) -> Result<Vec<u32>> {
        self.leave_out()?;
        let mut ids: Vec<u32> = self.kept.iter().map(|(_, id)| *id).collect();
        if self.has_nobody && ids.len() < self.count {
            ids.push(0);
        }
        ids.sort_unstable();
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::dictionary::identity::{encode_keys, fingerprint};
    use crate::query::order::downloader_key;
    use crate::schema::IdentityKind;
    use crate::storage::FileBytes;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[0-9a-f]{64}",
            3 => "(ab){0,5}[0-9a-f]{0,3}",
            2 => "[a-z0-9]{1,12}",
            1 => "same_start_[0-9]{1,3}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_first_are_those_of_all_sorted(
            texts in prop::collection::btree_set((any::<bool>(), text()), 1..400),
            count in 0_usize..60, times in 1_u32..7, has_nobody: bool,
        ) {
            // Each comes again under longer texts, so that there are more than are kept at a time.
            let again = (0..times).flat_map(|time| texts.iter().map(move |(is_ip, text)| (*is_ip, format!("{text}{time}"))));
            let texts: BTreeSet<(bool, String)> = texts.iter().cloned().chain(again).collect();
            let kind = |is_ip: bool| if is_ip { IdentityKind::Ip } else { IdentityKind::User };
            let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
            let mut texts: Vec<_> = texts.map(|(is_ip, text)| (kind(is_ip), text)).collect();
            texts.sort_by_key(|(kind, text)| fingerprint(*kind, text.as_bytes()));
            let keys = texts.iter().map(|(kind, text)| IdentityKey::of_text(*kind, text.as_bytes()));
            let keys: Vec<_> = keys.collect();
            let file = encode_keys(1, keys.iter().cloned())?;
            let keys = IdentityKeys::new(vec![Arc::new(KeyChunk::open(Arc::new(FileBytes::from(file)))?)])?;
            let mut first = FirstOfTies::new(&keys, count);
            let mut wanted: Vec<(Vec<u8>, u32)> = Vec::new();
            for ((kind, text), id) in texts.iter().zip(1..) {
                first.push(id)?;
                wanted.push((downloader_key(text.as_bytes(), *kind), id));
            }
            if has_nobody {
                first.push(0)?;
            }
            wanted.sort();
            let ids = wanted.into_iter().map(|(_, id)| id).chain(has_nobody.then_some(0));
            let mut wanted: Vec<u32> = ids.take(count).collect();
            wanted.sort_unstable();
            prop_assert_eq!(first.into_ids()?, wanted);
        }
    }
}
