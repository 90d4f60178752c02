//! Hashes of a request to its downloader: a signed-in account, an anonymous address, or none.

/// The kind of a downloader.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IdentityKind {
    /// A signed-in account.
    User,
    /// An anonymous address.
    Ip,
}

impl IdentityKind {
    /// As written in queries and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Ip => "ip",
        }
    }
}

/// Who asked: the account if there is one, else the address, else nobody.
///
/// With both set the account is the identity. The same text as account and as address is two.
#[must_use]
pub fn who<'a, T: AsRef<[u8]> + ?Sized>(
    user_hash: &'a T,
    ip_hash: &'a T,
) -> Option<(IdentityKind, &'a T)> {
    if !user_hash.as_ref().is_empty() {
        Some((IdentityKind::User, user_hash))
    } else if !ip_hash.as_ref().is_empty() {
        Some((IdentityKind::Ip, ip_hash))
    } else {
        None
    }
}
