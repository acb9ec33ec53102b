//! The names that users and organizations share, and when a released one may be taken again.

use entity_identitydb::{OrganizationId, UserId, name};
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use sha2::{Digest as _, Sha256};

use super::rule;
use super::scope::{Live, delete_all};
use crate::error::Result;

/// Days for which a name that its holder gave up can't be taken by others.
pub const QUARANTINE_DAYS: i64 = 90;

/// What a name looks like: lower case, without hyphens, `0` as `o`, `1` and `i` as `l`, `rn` as `m`. Names
/// of one canonical form are one name, so nobody can pass for somebody else.
///
/// Names are ASCII by [`rule::name`], so what looks alike is what [Unicode's list of
/// confusables](https://www.unicode.org/reports/tr39/#Confusable_Detection) has within ASCII letters and
/// digits; letter case and hyphens come on top, because names are compared and read without them.
/// `identitydb_name_key` in the database says the same.
#[must_use]
pub fn canonical(name: &str) -> String {
    let shown = name.chars().filter(|&c| c != '-').map(|c| match c.to_ascii_lowercase() {
        '0' => 'o',
        '1' | 'i' => 'l',
        other => other,
    });
    shown.collect::<String>().replace("rn", "m")
}

/// SHA-256 of the canonical form.
#[must_use]
pub fn key(name: &str) -> [u8; 32] {
    Sha256::digest(canonical(name)).into()
}

/// What keeps others from taking `name` at `at`: a name that looks the same and is held, reserved or in quarantine.
///
/// None if it is free, or can be no name.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn taken(db: &impl ConnectionTrait, name: &str, at: DateTimeUtc) -> Result<Option<name::Model>> {
    if rule::name(name).is_err() {
        return Ok(None);
    }
    let found = name::Entity::find().filter(name::Column::CanonicalKey.eq(key(name).to_vec())).live();
    Ok(found.one(db).await?.filter(|row| row.available_at.is_none_or(|available_at| available_at > at)))
}

/// Who is about to take a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taker {
    /// Somebody who has had none.
    Newcomer,
    User(UserId),
    Organization(OrganizationId),
}

/// Frees `name` where its quarantine is over at `at`, or where it was the `taker`'s own. The trigger that
/// enters the next holder then finds it free.
pub(super) async fn free_in_txn(
    txn: &impl ConnectionTrait,
    name: &str,
    taker: Taker,
    at: DateTimeUtc,
) -> Result<()> {
    let own = match taker {
        Taker::Newcomer => None,
        Taker::User(user) => Some(name::Column::UserId.eq(user)),
        Taker::Organization(organization) => Some(name::Column::OrganizationId.eq(organization)),
    };
    let given_up = name::Column::AvailableAt.is_not_null();
    let free = Condition::any()
        .add(name::Column::AvailableAt.lte(at))
        .add_option(own.map(|own| Condition::all().add(own).add(given_up)));
    let which = Condition::all().add(name::Column::CanonicalKey.eq(key(name).to_vec())).add(free);
    delete_all::<name::Entity>(txn, which, at).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn what_looks_alike_has_one_form() {
        let alike = ["ill-1-0", "LLI1O", "lll-lo", "i1l1o"];
        assert!(alike.iter().all(|name| canonical(name) == "llllo"), "{:?}", alike.map(canonical));
        assert_eq!(canonical("Bar-N"), canonical("bam"));
        assert_ne!(canonical("ada"), canonical("bob"));
    }

    /// Every name of two and three characters of a small alphabet: the form is a fixed point, and neither
    /// letter case nor hyphens nor a look-alike leads out of it.
    #[test]
    fn the_form_of_a_form_is_itself_and_no_look_alike_leads_out_of_it() {
        let alphabet: Vec<char> = "abiIlLoO01rnmM-".chars().collect();
        let mut names = vec![String::new()];
        for _ in 0..4 {
            let longer = names.iter().flat_map(|name| alphabet.iter().map(move |c| format!("{name}{c}")));
            names = longer.collect();
        }
        for name in names {
            let form = canonical(&name);
            assert_eq!(canonical(&form), form, "{name}");
            let variants = [
                name.to_uppercase(),
                name.to_lowercase(),
                name.replace('o', "0"),
                name.replace('l', "1"),
                name.replace('i', "L"),
                name.replace('-', ""),
                format!("-{name}-"),
            ];
            for variant in variants {
                assert_eq!(canonical(&variant), form, "{name} as {variant}");
            }
        }
    }
}
