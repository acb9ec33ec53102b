//! What the dump says of all versions of a crate together: which one is shown by default, and how often they were
//! downloaded. Written when the versions are. A dump of a time when it had no such table leaves what is stored.

use chrono::{DateTime, Utc};
use sea_orm::sqlx::PgConnection;

use super::{
    super::{report::Rows, statement::upsert},
    merge::replace,
    read::Dump,
};
use crate::Result;

const DEFAULT_VERSIONS: &str = upsert!(
    "insert into default_versions as kept (package_id, version_id)
     select package.package_id, version.id
     from dump_default_versions staged
     join dump_crates package on package.id = staged.crate_id and not package.is_outdated
     join dump_versions known on known.id = staged.version_id
     join versions version on version.package_id = package.package_id and version.number = known.number
     order by package.package_id
     on conflict (package_id) do update set version_id = excluded.version_id, deleted_at = null
     where kept.version_id <> excluded.version_id or kept.deleted_at is not null"
);

const DELETE_DEFAULT_VERSIONS: &str = "
    update default_versions kept set deleted_at = $1
    from dump_crates package
    where not package.is_outdated and kept.package_id = package.package_id and kept.deleted_at is null
      and not exists (select from dump_default_versions staged where staged.crate_id = package.id)";

const DOWNLOADS: &str = upsert!(
    "insert into package_downloads as kept (package_id, downloads)
     select package.package_id, staged.downloads
     from dump_crate_downloads staged
     join dump_crates package on package.id = staged.crate_id and not package.is_outdated
     order by package.package_id
     on conflict (package_id) do update set downloads = excluded.downloads, deleted_at = null
     where kept.downloads <> excluded.downloads or kept.deleted_at is not null"
);

const DELETE_DOWNLOADS: &str = "
    update package_downloads kept set deleted_at = $1
    from dump_crates package
    where not package.is_outdated and kept.package_id = package.package_id and kept.deleted_at is null
      and not exists (select from dump_crate_downloads staged where staged.crate_id = package.id)";

/// The table of the dump, the one here, and the statements that delete and write.
const TABLES: [(&str, &str, &str, &str); 2] = [
    ("default_versions", "default_versions", DELETE_DEFAULT_VERSIONS, DEFAULT_VERSIONS),
    ("crate_downloads", "package_downloads", DELETE_DOWNLOADS, DOWNLOADS),
];

/// Writes both, in the transaction that `connection` is in.
pub(super) async fn write(
    connection: &mut PgConnection,
    dump: &Dump,
    deletes: Option<DateTime<Utc>>,
) -> Result<Vec<(&'static str, Rows)>> {
    let mut counts = Vec::new();
    for (file, table, delete, upsert) in TABLES {
        if dump.tables.contains(file) {
            replace(connection, (table, delete, upsert), deletes, &mut counts).await?;
        }
    }
    Ok(counts)
}
