//! An account elsewhere that a user can sign in with, and the secret that acts there for the user.

use entity_identitydb::{ExternalAccountId, UserId, external_account};
use rand::CryptoRng;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, TransactionTrait,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::audit_event::Entry;
use super::keyring::Keyring;
use super::scope::{AtMost, Live, delete_all};
use super::{Act, commit, conflict_on, rule, user};
use crate::error::{Error, Result};

/// Bytes that a secret may have.
pub const SECRET_MAX: usize = 16_000;

/// Which account it is: the same for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'a> {
    /// What kind of service it is, by [`rule::provider`].
    pub provider: &'a str,
    /// Where it runs, by [`rule::host`].
    pub host: &'a str,
    /// What the service calls the account, by [`rule::subject`].
    pub subject: &'a str,
}

impl Account<'_> {
    fn check(&self) -> Result<()> {
        rule::provider(self.provider)?;
        rule::host(self.host)?;
        rule::subject(self.subject)
    }

    fn find(&self) -> Select<external_account::Entity> {
        external_account::Entity::find()
            .filter(external_account::Column::Provider.eq(self.provider))
            .filter(external_account::Column::Host.eq(self.host))
            .filter(external_account::Column::Subject.eq(self.subject))
            .live()
    }
}

/// Links an account to a live user, with the secret that acts there for the user. Linking it again to the same
/// user replaces the secret.
///
/// # Errors
///
/// [`Error::Invalid`] if a value breaks its rule, or the secret is longer than [`SECRET_MAX`];
/// [`Error::NotFound`] if there is no such live user; [`Error::Conflict`] if it is linked to another user.
pub async fn link(
    db: &(impl ConnectionTrait + TransactionTrait),
    keys: &Keyring,
    user: UserId,
    account: &Account<'_>,
    secret: Option<&SecretString>,
    rng: &mut impl CryptoRng,
    act: &Act<'_>,
) -> Result<external_account::Model> {
    account.check()?;
    if secret.is_some_and(|secret| secret.expose_secret().len() > SECRET_MAX) {
        let reason = format!("expected at most {SECRET_MAX} bytes");
        return Err(Error::Invalid { field: "secret", reason });
    }
    let sealed = secret.map(|secret| keys.seal(secret, &bound_to(user, account), rng));
    let txn = db.begin().await?;
    user::lock_in_txn(&txn, user).await?;
    let row = external_account::ActiveModel {
        user_id: Set(user),
        provider: Set(account.provider.to_owned()),
        host: Set(account.host.to_owned()),
        subject: Set(account.subject.to_owned()),
        secret_key_name: Set(sealed.is_some().then(|| keys.current().to_owned())),
        secret: Set(sealed),
        ..Default::default()
    };
    let taken = || format!("{} account {:?} on {}", account.provider, account.subject, account.host);
    let row = match account.find().one(&txn).await? {
        Some(known) if known.user_id != user => return Err(Error::Conflict { what: taken() }),
        Some(known) => external_account::ActiveModel { id: Set(known.id), ..row }.update(&txn).await?,
        None => {
            let key = &["external_accounts_provider_host_subject_key"];
            row.insert(&txn).await.map_err(conflict_on(key, taken))?
        }
    };
    let after = json!({ "user": user.0 });
    Entry::new("link", "external-account", row.id.0).after(after).record_in_txn(&txn, act).await?;
    commit(txn).await?;
    Ok(row)
}

/// The live account, and so the user whom it signs in.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn find(
    db: &impl ConnectionTrait,
    account: &Account<'_>,
) -> Result<Option<external_account::Model>> {
    if account.check().is_err() {
        return Ok(None); // none can look like that, and a NUL would be an error of the database
    }
    Ok(account.find().one(db).await?)
}

/// The live accounts of a user, in the order in which they were linked.
///
/// # Errors
///
/// [`Error::Database`] if the query does not run.
pub async fn of_user(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<external_account::Model>> {
    let found = external_account::Entity::find().filter(external_account::Column::UserId.eq(user)).live();
    Ok(found.order_by_asc(external_account::Column::Id).all(db).await?)
}

/// The secret of an account; none if none is kept.
///
/// # Errors
///
/// [`Error::Invalid`] if its key is not on the ring, or it was tampered with.
pub fn secret(keys: &Keyring, row: &external_account::Model) -> Result<Option<SecretString>> {
    let (Some(sealed), Some(key)) = (&row.secret, &row.secret_key_name) else { return Ok(None) };
    let account = Account { provider: &row.provider, host: &row.host, subject: &row.subject };
    let opened = keys.open(key, sealed, &bound_to(row.user_id, &account));
    let reason = || format!("of external account {} does not open with key {key:?}", row.id.0);
    opened.map(Some).ok_or_else(|| Error::Invalid { field: "secret", reason: reason() })
}

/// Encrypts up to `limit` secrets of older keys with the current one; how many. Deleted rows are not left out:
/// their secrets would be lost with the old key.
///
/// # Errors
///
/// As [`secret`]; nothing is written then.
pub async fn reencrypt(
    db: &(impl ConnectionTrait + TransactionTrait),
    keys: &Keyring,
    limit: u64,
    rng: &mut impl CryptoRng,
) -> Result<usize> {
    let txn = db.begin().await?;
    let old = external_account::Entity::find()
        .filter(external_account::Column::SecretKeyName.ne(keys.current()))
        .order_by_asc(external_account::Column::Id);
    let rows = old.at_most(limit).lock_exclusive().all(&txn).await?;
    let done = rows.len();
    for row in rows {
        let Some(opened) = secret(keys, &row)? else { continue };
        let account = Account { provider: &row.provider, host: &row.host, subject: &row.subject };
        let sealed = keys.seal(&opened, &bound_to(row.user_id, &account), rng);
        let row = external_account::ActiveModel {
            secret: Set(Some(sealed)),
            secret_key_name: Set(Some(keys.current().to_owned())),
            ..row.into()
        };
        row.update(&txn).await?;
    }
    commit(txn).await?;
    Ok(done)
}

/// Takes an account from its user.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such live account.
pub async fn unlink(
    db: &(impl ConnectionTrait + TransactionTrait),
    account: ExternalAccountId,
    act: &Act<'_>,
) -> Result<()> {
    let txn = db.begin().await?;
    let which = external_account::Column::Id.eq(account);
    if delete_all::<external_account::Entity>(&txn, which, act.at).await? == 0 {
        return Err(Error::NotFound { what: "external account", key: account.0.to_string() });
    }
    Entry::new("unlink", "external-account", account.0).record_in_txn(&txn, act).await?;
    commit(txn).await
}

/// Restores the accounts that were deleted at `deleted_at` and that nobody has linked since; how many.
pub(super) async fn restore_in_txn(
    txn: &impl ConnectionTrait,
    user: UserId,
    deleted_at: DateTimeUtc,
) -> Result<u64> {
    let gone = external_account::Entity::find()
        .filter(external_account::Column::UserId.eq(user))
        .filter(external_account::Column::DeletedAt.eq(deleted_at));
    let mut restored = 0;
    for row in gone.all(txn).await? {
        let account = Account { provider: &row.provider, host: &row.host, subject: &row.subject };
        if account.find().one(txn).await?.is_none() {
            external_account::ActiveModel { deleted_at: Set(None), ..row.into() }.update(txn).await?;
            restored += 1;
        }
    }
    Ok(restored)
}

/// What a ciphertext is bound to, so that it opens in the row alone that it was made for.
fn bound_to(user: UserId, account: &Account<'_>) -> String {
    format!("{}\0{}\0{}\0{}", user.0, account.provider, account.host, account.subject)
}
