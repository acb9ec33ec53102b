//! What a user's password is checked against, and how: argon2id, off the async threads, so many at once and
//! no more.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use entity_identitydb::{SessionId, UserId, password, session};
use rand::{CryptoRng, RngExt as _};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, TransactionTrait,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::audit_event::Entry;
use super::scope::Live;
use super::{Act, commit, rule, secret, user};
use crate::error::{Error, Result};

/// How passwords are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Stored with each hash; a hash of a lower version is made anew when its user signs in.
    pub version: i32,
    /// KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Scheme {
    /// argon2id with 19 MiB, two passes, one lane: what [OWASP's password storage cheat
    /// sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id) asks for.
    pub const CURRENT: Self = Self { version: 1, memory_kib: 19_456, passes: 2 };
}

/// Hashes and checks passwords on threads for blocking work, a bounded number at once; who comes next waits.
/// Make one for the process and clone it.
#[derive(Clone, Debug)]
pub struct Hasher {
    scheme: Scheme,
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// Of no password: checked against where there is no user or no password, for the time that it takes.
    nobody: Arc<str>,
}

impl Hasher {
    /// Hashes by `scheme`, at most `at_once` at the same time: a core each, and `memory_kib` each. Takes the
    /// time of one hash.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if argon2 has no such parameters, or `at_once` is 0.
    pub fn new(scheme: Scheme, at_once: usize) -> Result<Self> {
        let invalid = |reason: String| Error::Invalid { field: "scheme", reason };
        if at_once == 0 || at_once > Semaphore::MAX_PERMITS {
            return Err(invalid("expected at least one hash at once".to_owned()));
        }
        let params = Params::new(scheme.memory_kib, scheme.passes, 1, None);
        let params = params.map_err(|error| invalid(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon2, "", &[0; 16]).map_err(|error| invalid(error.to_string()))?.into();
        Ok(Self { scheme, argon2, permits: Arc::new(Semaphore::new(at_once)), nobody })
    }

    pub(super) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) async fn hash(&self, password: &SecretString, rng: &mut impl CryptoRng) -> String {
        let salt: [u8; 16] = rng.random();
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.blocking(move || {
            hash(&argon2, password.expose_secret(), &salt).expect("the parameters made a hash before")
        })
        .await
    }

    /// Whether `password` is the one behind `hash`. Without a hash it is not, which takes as long.
    pub(super) async fn is_right(&self, password: &SecretString, hash: Option<&str>) -> bool {
        let exists = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let matches =
            move || argon2.verify_password(password.expose_secret().as_bytes(), hash.as_str()).is_ok();
        self.blocking(matches).await && exists
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("it is never closed");
        let done = spawn_blocking(move || {
            let done = work();
            drop(permit); // the thread's, so that a caller who gives up doesn't make room for one more
            done
        });
        done.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

/// PHC string.
fn hash(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> argon2::password_hash::Result<String> {
    let hash: phc::PasswordHash = argon2.hash_password_with_salt(password.as_bytes(), salt)?;
    Ok(hash.to_string())
}

/// A password that nobody has chosen: 100 bits, of digits and capital letters that are not mistaken for one another.
pub fn generate(rng: &mut impl CryptoRng) -> SecretString {
    secret::generate_password(rng)
}

/// When a live user chose the password that they have; none if they have none.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn changed_at(db: &impl ConnectionTrait, user: UserId) -> Result<Option<DateTimeUtc>> {
    Ok(of_user(user).one(db).await?.map(|row| row.changed_at))
}

/// Gives a user a password without asking for one: the first, or by an operator. Every session ends.
///
/// # Errors
///
/// [`Error::Invalid`] if it breaks [`rule::password`]; [`Error::NotFound`] if there is no such live user.
pub async fn set(
    db: &(impl ConnectionTrait + TransactionTrait),
    hasher: &Hasher,
    user: UserId,
    password: &SecretString,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<()> {
    rule::password(password.expose_secret())?;
    let hash = hasher.hash(password, rng).await;
    let txn = db.begin().await?;
    user::lock_in_txn(&txn, user).await?;
    store_in_txn(&txn, hasher, user, hash, None, act).await?;
    commit(txn).await
}

/// Changes a password. Every session of the user ends but `session`, in which it was changed.
///
/// # Errors
///
/// [`Error::Refused`] if `current` is wrong or the user has none; [`Error::Invalid`] if `new` breaks
/// [`rule::password`]; [`Error::NotFound`] if `session` is none of the user's.
pub async fn change(
    db: &(impl ConnectionTrait + TransactionTrait),
    hasher: &Hasher,
    (user, session): (UserId, Option<SessionId>),
    current: &SecretString,
    new: &SecretString,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<()> {
    rule::password(new.expose_secret())?;
    let known = of_user(user).one(db).await?;
    if !hasher.is_right(current, known.as_ref().map(|row| row.hash.as_str())).await {
        return Err(Error::Refused);
    }
    let hash = hasher.hash(new, rng).await;
    let txn = db.begin().await?;
    user::lock_in_txn(&txn, user).await?;
    let still = of_user(user).one(&txn).await?;
    if still.map(|row| row.hash) != known.map(|row| row.hash) {
        return Err(Error::Refused); // somebody else has changed it meanwhile, so `current` is wrong by now
    }
    if let Some(id) = session {
        let found = session::Entity::find_by_id(id).filter(session::Column::UserId.eq(user)).live();
        let key = || id.0.to_string();
        found.one(&txn).await?.ok_or_else(|| Error::NotFound { what: "session", key: key() })?;
    }
    store_in_txn(&txn, hasher, user, hash, session, act).await?;
    commit(txn).await
}

/// Stores what a user chose; the database ends the sessions. The caller holds the lock of the user.
pub(super) async fn store_in_txn(
    txn: &impl ConnectionTrait,
    hasher: &Hasher,
    user: UserId,
    hash: String,
    session: Option<SessionId>,
    act: &Act<'_>,
) -> Result<()> {
    let row = password::ActiveModel {
        user_id: Set(user),
        hash: Set(hash),
        scheme: Set(hasher.scheme().version),
        changed_at: Set(act.at),
        session_id: Set(session),
        ..Default::default()
    };
    match of_user(user).one(txn).await? {
        Some(known) => drop(password::ActiveModel { id: Set(known.id), ..row }.update(txn).await?),
        None => drop(row.insert(txn).await?),
    }
    Entry::new("set-password", "user", user.0).record_in_txn(txn, act).await
}

/// Replaces the hash of a password that stays the same, where it still is the one that was checked; whether it is.
pub(super) async fn confirm_in_txn(
    txn: &impl ConnectionTrait,
    hasher: &Hasher,
    checked: &password::Model,
    anew: Option<String>,
) -> Result<bool> {
    let still = password::Entity::find_by_id(checked.id).live().lock_exclusive().one(txn).await?;
    let Some(still) = still.filter(|row| row.hash == checked.hash) else { return Ok(false) };
    if let Some(hash) = anew {
        let row =
            password::ActiveModel { hash: Set(hash), scheme: Set(hasher.scheme().version), ..still.into() };
        row.update(txn).await?;
    }
    Ok(true)
}

/// The live password of a user.
pub(super) fn of_user(user: UserId) -> sea_orm::Select<password::Entity> {
    password::Entity::find().filter(password::Column::UserId.eq(user)).live()
}
