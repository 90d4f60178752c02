//! What stored sums are for: a measure of groups, or what is distinct of them.

use super::scope::Wants;
use crate::derived::Base;

/// What a source adds to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// Requests of groups.
    Requests,
    /// Downloads of groups, which add up to those of the whole.
    Downloads,
    /// Downloads of groups, which do not.
    DownloadsApart,
    /// Downloads of the whole.
    Whole,
    /// Accepted requests without identity.
    Unidentified,
    /// Repos that have accepted requests.
    Repos,
    /// Countries that have some.
    Countries,
}

impl Target {
    /// How many are told apart by what a query takes from them together: see [`Self::index`].
    pub(super) const COUNT: usize = 5;

    /// A number for each of them; the same for all that downloads are taken from.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Requests => 0,
            Self::Downloads | Self::DownloadsApart | Self::Whole => 1,
            Self::Unidentified => 2,
            Self::Repos => 3,
            Self::Countries => 4,
        }
    }

    /// What is counted of cells that have something, and not their sums.
    pub(super) fn counted(self) -> Option<Base> {
        match self {
            Self::Repos => Some(Base::Repo),
            Self::Countries => Some(Base::Country),
            _ => None,
        }
    }
}

impl Wants {
    /// The same without what a target has.
    pub(super) fn without(mut self, target: Target) -> Self {
        let own = match target {
            Target::Requests => &mut self.requests,
            Target::Downloads | Target::DownloadsApart | Target::Whole => &mut self.downloads,
            Target::Unidentified => &mut self.unidentified,
            Target::Repos => &mut self.repos,
            Target::Countries => &mut self.countries,
        };
        *own = false;
        self
    }
}
