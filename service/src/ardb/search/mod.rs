//! Search for packages by words and by likeness of names.
//!
//! A package is found when the words occur in its name, namespace, keywords and description. Where fewer than
//! [`FEW_HITS`] are, those whose name is like the text (a typing error, a beginning, a part) are found, too, unless the text
//! says what not to find. A word in the name weighs more than one in a keyword, and that more than one in the description.
//! What fits about equally well is ordered by popularity, how many other packages depend on it, and then by downloads,
//! both as of the last import.

use entity_ardb::PackageId;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use serde::{Deserialize, Serialize};

use crate::Result;

/// The most packages that a search finds, on all its pages: those that fit best, and of them the most popular.
pub const MAX_HITS: u64 = 1_000;

/// Words that find fewer packages than this are taken for a part of a name, or a wrong one, as well.
pub const FEW_HITS: u64 = 50;

/// What to look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Search<'a> {
    /// Words, all of which should occur; `or`, `-without` and `"quotes"` are understood.
    pub text: &'a str,
    /// Only this ecosystem (`ecosystems.name`, such as `cargo`); `None`: all.
    pub ecosystem: Option<&'a str>,
    /// Only packages with a stable version.
    pub has_stable: bool,
    /// Only packages whose newest stable version, or newest where none is, is under this licence: an SPDX identifier that
    /// its expression has, or the whole expression, in any letter case; `None`: all.
    pub licence: Option<&'a str>,
    /// Only packages with this keyword, in any letter case; `None`: all.
    pub keyword: Option<&'a str>,
    /// Only packages in the category with this slug, such as `science::robotics`; `None`: all.
    pub category: Option<&'a str>,
    /// Continues after this; `None`: from the best.
    pub after: Option<Place>,
}

/// A place in the results, to continue from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    score: i32,
    popularity: i64,
    downloads: i64,
    package_id: i64,
}

/// A package that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromQueryResult)]
pub struct Hit {
    /// Of the package.
    #[serde(skip)]
    pub package_id: PackageId,
    /// `ecosystems.name`.
    pub ecosystem: String,
    /// `None`: the ecosystem has no package URLs.
    pub purl: Option<String>,
    /// Empty: none.
    pub namespace: String,
    /// As published.
    pub name: String,
    /// `None`: every version is yanked, or has no order.
    pub newest: Option<String>,
    /// `None`: no such version that is stable.
    pub newest_stable: Option<String>,
    /// How many other packages depend on it.
    pub popularity: i64,
    /// How often it was downloaded in all; 0 also where its registry does not say.
    pub downloads: i64,
    /// How well it fits, from 0 to 20.
    pub score: i32,
}

impl Hit {
    /// Where the next page begins, if this is the last of its page.
    #[must_use]
    pub fn place(&self) -> Place {
        let Self { score, popularity, downloads, package_id, .. } = *self;
        Place { score, popularity, downloads, package_id: package_id.0 }
    }
}

/// The best `limit` packages for `search`, of at most [`MAX_HITS`] in all. One statement. Empty when nothing fits.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if the query does not run.
pub async fn packages(db: &impl ConnectionTrait, search: &Search<'_>, limit: u64) -> Result<Vec<Hit>> {
    let Search { text, ecosystem, has_stable, licence, keyword, category, after } = *search;
    let values = [
        words(text).into(),
        text.trim().to_lowercase().replace('\0', "").into(),
        ecosystem.into(),
        has_stable.into(),
        after.map(|place| place.score).into(),
        after.map(|place| place.popularity).into(),
        after.map(|place| place.package_id).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
        licence.into(),
        keyword.into(),
        category.into(),
        after.map(|place| place.downloads).into(),
        (MAX_HITS as i64).into(),
        (FEW_HITS as i64).into(),
    ];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("search.sql"), values);
    Ok(Hit::find_by_statement(select).all(db).await?)
}

/// `text` with words where `package_search_document` makes them: a sign within a word separates, one before a word
/// stays (`-without`).
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        let is_within = words.ends_with(char::is_alphanumeric);
        match character {
            '\0' => {}
            '"' => words.push('"'),
            sign if !sign.is_alphanumeric() && (is_within || sign != '-') => words.push(' '),
            other => words.push(other),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn signs_within_words_separate_and_a_minus_before_one_stays() {
        assert_eq!(words("serde_json -derive"), "serde json -derive");
        assert_eq!(words("@babel/core \"left-pad\""), " babel core \"left pad\"");
        assert_eq!(words("a\0b"), "ab");
    }
}
