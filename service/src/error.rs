//! What can go wrong in this crate, in few words.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A statement or a connection failed; the server's own message is inside.
    #[error("the database refused: {0}")]
    Database(#[from] DbErr),

    /// A write named something that is not there. (A read of it is `Ok(None)` or empty.)
    #[error("there is no {what} {key:?}")]
    NotFound {
        /// The noun, such as "inventory".
        what: &'static str,
        /// What it was looked up by.
        key: String,
    },

    /// A value breaks a rule; nothing was written.
    #[error("{field}: {reason}")]
    Invalid {
        /// The argument or column.
        field: &'static str,
        /// The rule, and how the value breaks it.
        reason: String,
    },

    /// Somebody else did the same thing first; nothing was written.
    #[error("{what} is there already")]
    Conflict {
        /// What collided.
        what: String,
    },

    /// What was shown proves nothing: it is wrong, expired, revoked, or of nobody. Which of these is never said.
    #[error("the credentials are refused")]
    Refused,

    /// An input can't be read at all. (A bad record within one is a
    /// [`Rejection`](crate::ardb::import::Rejection) instead, and the rest is loaded.)
    #[error("{place}: {reason}")]
    Input {
        /// The file or folder.
        place: String,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
}

impl Error {
    /// Whether the same transaction can succeed when it is run again: a serialisation failure (40001) or a
    /// deadlock (40P01).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.has_code(&["40001", "40P01"])
    }

    /// Whether the server refused with one of these codes (SQLSTATE).
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        let Self::Database(DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error)) = self else {
            return false;
        };
        let RuntimeErr::SqlxError(error) = error else { return false };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| codes.contains(&&*code))
    }
}

/// So that `?` works in the bulk paths, which talk to sqlx below SeaORM because SeaORM has no COPY.
impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }
}
