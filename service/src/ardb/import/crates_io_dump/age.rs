//! Whether a dump is older than the one that was imported last, which would turn facts back.

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{
    ActiveEnum as _,
    sqlx::{self, PgConnection},
};

use super::LOCATOR;
use crate::{Error, Result};

/// Which dumps are imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Those that are not older than the one that was imported last.
    NotOlder,
    /// Every one, also one that turns facts back.
    Any,
}

/// Which dumps are imported, and when the one that was imported last was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which {
    pub age: Age,
    pub stored: Option<DateTime<Utc>>,
}

impl Which {
    /// Refuses a dump, at `place`, that was made before the one that is stored, where that matters.
    pub(super) fn check(self, made_at: DateTime<Utc>, place: &str) -> Result<()> {
        match self.stored {
            Some(stored) if self.age == Age::NotOlder && made_at < stored => {
                let reason = format!(
                    "was made at {made_at}, before the dump of {stored} that was imported last, and would turn facts \
                     back; --older imports it all the same"
                );
                Err(Error::Input { place: place.into(), reason })
            }
            _ => Ok(()),
        }
    }
}

/// When the dump that was imported last was made; `None`: none was, or by a release that did not keep it.
pub(super) async fn stored(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let select =
        "select revision from source_documents where kind = $1 and locator = $2 and deleted_at is null";
    let kind = DocumentKind::CratesIoDump.to_value();
    let query = sqlx::query_scalar(select).bind(kind).bind(LOCATOR);
    let revision: Option<Option<i64>> = query.fetch_optional(connection).await?;
    Ok(revision.flatten().and_then(DateTime::from_timestamp_millis))
}

/// `source_documents.revision` of a dump.
pub(super) fn revision(made_at: DateTime<Utc>) -> i64 {
    made_at.timestamp_millis()
}
