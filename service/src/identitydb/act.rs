//! Who does something, from where, and when: what every write of this module is told.

use entity_identitydb::UserId;
use sea_orm::prelude::DateTimeUtc;

/// Who does something, from where, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act<'a> {
    /// The user who does it; none: an operator, or the system itself.
    pub actor: Option<UserId>,
    /// From where; none: not known. Kept only beside an actor, because it is theirs.
    pub origin: Option<Origin<'a>>,
    /// When. It becomes the time in every row that is written.
    pub at: DateTimeUtc,
}

/// Where somebody acts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Network address, by [`rule::address`](super::rule::address).
    pub address: &'a str,
    /// The program, as it calls itself, by [`rule::agent`](super::rule::agent).
    pub agent: &'a str,
}

impl<'a> Act<'a> {
    /// Of an operator, or of the system itself.
    #[must_use]
    pub const fn system(at: DateTimeUtc) -> Self {
        Self { actor: None, origin: None, at }
    }

    /// Of a user.
    #[must_use]
    pub const fn by(actor: UserId, at: DateTimeUtc) -> Self {
        Self { actor: Some(actor), origin: None, at }
    }

    /// The same, from somewhere.
    #[must_use]
    pub const fn from(self, origin: Origin<'a>) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// The same, by `user` where nobody is named: who registers or signs in is nobody before.
    pub(super) fn or_by(self, user: UserId) -> Self {
        Self { actor: self.actor.or(Some(user)), ..self }
    }
}
