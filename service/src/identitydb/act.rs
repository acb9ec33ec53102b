//! Who does something, from where, and when: what every write of this module is told.

use entity_identitydb::UserId;
use sea_orm::prelude::DateTimeUtc;

/// Who does something, from where, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act<'a> {
    /// Who does it.
    pub actor: Actor,
    /// From where; none: not known. Kept only beside an actor, because it is theirs.
    pub origin: Option<Origin<'a>>,
    /// When. It becomes the time in every row that is written.
    pub at: DateTimeUtc,
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An operator, or the system itself: the audit trail names nobody.
    System,
    /// Whoever is about to register or to sign in: the user that they turn out to be.
    Newcomer,
    /// This user.
    User(UserId),
}

impl Actor {
    /// The user, if it is a known one.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::System | Self::Newcomer => None,
        }
    }
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
        Self { actor: Actor::System, origin: None, at }
    }

    /// Of whoever is about to register or to sign in.
    #[must_use]
    pub const fn newcomer(at: DateTimeUtc) -> Self {
        Self { actor: Actor::Newcomer, origin: None, at }
    }

    /// Of a user.
    #[must_use]
    pub const fn by(actor: UserId, at: DateTimeUtc) -> Self {
        Self { actor: Actor::User(actor), origin: None, at }
    }

    /// The same, from somewhere.
    #[must_use]
    pub const fn from(self, origin: Origin<'a>) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// The same, of `user` if it is a newcomer's, who turned out to be that.
    pub(super) fn known_as(self, user: UserId) -> Self {
        let actor = if self.actor == Actor::Newcomer { Actor::User(user) } else { self.actor };
        Self { actor, ..self }
    }
}
