//! Identities that are in no key file yet, in id order.
//!
//! Kept in blocks, none of which is ever moved: memory that is touched for the first time costs more than all else that is
//! done with a key.

use std::borrow::Cow;

use super::key::{IdentityKey, WantedKey};
use crate::schema::IdentityKind;

/// log2 of the keys of a block.
const BLOCK_BITS: u32 = 12;
/// Keys of a block.
const BLOCK_KEYS: usize = 1 << BLOCK_BITS;

/// Keys by index, from 0.
#[derive(Debug, Default)]
pub(super) struct NewKeys {
    blocks: Vec<Block>,
    len: u32,
}

#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    len: usize,
    /// Bytes of each key, as long as all are packed and have as many: nothing else is then read to find one.
    width: Option<usize>,
    /// A bit for each key that is an address; of keys of one width.
    addresses: Vec<u64>,
    /// Of keys that differ in width.
    heads: Vec<Head>,
}

/// From the lowest bit: whether a key is an address, whether it is packed, where its bytes end.
#[derive(Clone, Copy, Debug)]
struct Head(u64);

impl Head {
    fn new(kind: IdentityKind, packed: bool, end: usize) -> Self {
        let flags = u64::from(packed) << 1 | u64::from(kind == IdentityKind::Ip);
        Self((end as u64) << 2 | flags)
    }

    const fn kind(self) -> IdentityKind {
        match self.0 & 1 {
            1 => IdentityKind::Ip,
            _ => IdentityKind::User,
        }
    }

    const fn packed(self) -> bool {
        self.0 >> 1 & 1 == 1
    }

    const fn end(self) -> usize {
        (self.0 >> 2) as usize
    }
}

/// Keys that a word of addresses has bits of.
const WORD: usize = u64::BITS as usize;

impl Block {
    /// None yet, with room for so many bytes.
    fn with_room(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            addresses: vec![0; BLOCK_KEYS / WORD],
            ..Self::default()
        }
    }

    #[inline]
    fn push(&mut self, key: &WantedKey<'_>) {
        if self.len == 0 {
            let width = key.packed.then_some(key.bytes.len());
            self.width = width.filter(|width| *width > 0);
        }
        let is_usual = key.packed && self.width == Some(key.bytes.len());
        if !is_usual {
            self.spread();
        }
        self.bytes.extend_from_slice(key.bytes);
        if !is_usual {
            let end = self.bytes.len();
            self.heads.push(Head::new(key.kind, key.packed, end));
        } else if key.kind == IdentityKind::Ip
            && let Some(word) = self.addresses.get_mut(self.len / WORD)
        {
            *word |= 1 << (self.len % WORD);
        }
        self.len += 1;
    }

    /// Gives each key a head.
    fn spread(&mut self) {
        let Some(width) = self.width.take() else {
            return;
        };
        let heads =
            (0..self.len).map(|index| Head::new(self.kind(index), true, (index + 1) * width));
        self.heads = heads.collect();
        self.heads.reserve_exact(BLOCK_KEYS - self.len);
    }

    /// That of a key of the usual width.
    #[inline]
    fn kind(&self, index: usize) -> IdentityKind {
        let word = self.addresses.get(index / WORD).copied().unwrap_or(0);
        match word >> (index % WORD) & 1 {
            1 => IdentityKind::Ip,
            _ => IdentityKind::User,
        }
    }

    #[inline]
    fn key(&self, index: usize) -> Option<IdentityKey<'_>> {
        if let Some(width) = self.width {
            let start = index * width;
            return Some(IdentityKey {
                kind: self.kind(index),
                packed: true,
                bytes: Cow::Borrowed(self.bytes.get(start..start + width)?),
            });
        }
        let head = self.heads.get(index)?;
        let before = index.checked_sub(1).and_then(|index| self.heads.get(index));
        let start = before.map_or(0, |head| head.end());
        Some(IdentityKey {
            kind: head.kind(),
            packed: head.packed(),
            bytes: Cow::Borrowed(self.bytes.get(start..head.end())?),
        })
    }

    /// Forgets all but the first `len`.
    fn truncate(&mut self, len: usize) {
        if let Some(width) = self.width {
            self.bytes.truncate(len * width);
            for index in len..self.len {
                if let Some(word) = self.addresses.get_mut(index / WORD) {
                    *word &= !(1 << (index % WORD));
                }
            }
        } else {
            self.heads.truncate(len);
            let end = self.heads.last().map_or(0, |head| head.end());
            self.bytes.truncate(end);
        }
        self.len = self.len.min(len);
    }
}

impl NewKeys {
    /// How many there are.
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// Adds one.
    #[inline]
    pub(super) fn push(&mut self, key: &WantedKey<'_>) {
        if (self.len as usize).is_multiple_of(BLOCK_KEYS) {
            let usual = self.blocks.last().map_or(0, |block| block.bytes.len());
            self.blocks.push(Block::with_room(usual));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push(key);
            self.len += 1;
        }
    }

    /// The key at `index`.
    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<IdentityKey<'_>> {
        let block = self.blocks.get((index >> BLOCK_BITS) as usize)?;
        block.key(index as usize % BLOCK_KEYS)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = IdentityKey<'_>> + Clone {
        let keys = |block| (0..BLOCK_KEYS).map_while(move |index| Block::key(block, index));
        self.blocks.iter().flat_map(keys)
    }

    /// Forgets all but the first `len`.
    pub(super) fn truncate(&mut self, len: u32) {
        self.len = self.len.min(len);
        self.blocks
            .truncate((self.len as usize).div_ceil(BLOCK_KEYS));
        let full = self.blocks.len().saturating_sub(1) * BLOCK_KEYS;
        if let Some(block) = self.blocks.last_mut() {
            block.truncate(self.len as usize - full);
        }
    }

    /// Bytes of memory that they take, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let of_block = |block: &Block| block.bytes.capacity() + BLOCK_KEYS * size_of::<Head>();
        // The last two are as good as all: those before are of their size.
        let each = self.blocks.iter().rev().take(2).map(of_block).max();
        each.unwrap_or_default() * self.blocks.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        /// The twin is a vector.
        #[test]
        fn keys_are_those_of_a_vector(
            len in 0_usize..3 * BLOCK_KEYS, kept in 0_usize..3 * BLOCK_KEYS, more in 0_usize..3,
            even in 0_usize..3 * BLOCK_KEYS,
        ) {
            // Of one width up to some key.
            let key = |index: usize| IdentityKey::of_text(
                if index.is_multiple_of(3) { IdentityKind::User } else { IdentityKind::Ip },
                format!("{index:0width$x}", width = if index < even { 8 } else { index % 9 }).as_bytes(),
            );
            let mut keys: Vec<IdentityKey<'_>> = (0..len).map(key).collect();
            let mut new = NewKeys::default();
            keys.iter().for_each(|key| new.push(&key.wanted(0)));
            keys.truncate(kept);
            new.truncate(kept as u32);
            for index in 0..more {
                keys.push(key(index));
                new.push(&key(index).wanted(0));
            }
            prop_assert_eq!(new.len() as usize, keys.len());
            prop_assert!(new.iter().eq(keys.iter().cloned()));
            for (index, key) in (0..).zip(&keys) {
                prop_assert_eq!(new.get(index), Some(key.clone()));
            }
            prop_assert_eq!(new.get(keys.len() as u32), None);
        }
    }
}
