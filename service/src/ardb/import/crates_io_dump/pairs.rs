//! Which maintainers, keywords and categories a crate has: join tables that are made what the dump says.

use chrono::{DateTime, Utc};
use sea_orm::sqlx::{self, PgConnection};

use super::{super::report::Rows, merge::replace};
use crate::Result;

macro_rules! upsert_pairs {
    ($table:literal, $column:literal) => {
        concat!(
            "with merged as (insert into ",
            $table,
            " as kept (",
            $column,
            ", package_id)
             select id, package_id from dump_",
            $table,
            " order by id, package_id
             on conflict (",
            $column,
            ", package_id) do update set deleted_at = null where kept.deleted_at is not null
             returning (xmax = 0) as is_new)
             select count(*) filter (where is_new), count(*) filter (where not is_new) from merged"
        )
    };
}

/// The three statements that make a join table what the dump says: its name, its column, and the pairs.
macro_rules! pairs {
    ($table:literal, $column:literal, $pairs:literal) => {
        (
            $table,
            concat!("create temporary table dump_", $table, " on commit drop as select distinct ", $pairs),
            concat!(
                "update ", $table, " kept set deleted_at = $1 from dump_crates staged
                 where not staged.is_outdated and kept.package_id = staged.package_id and kept.deleted_at is null
                   and not exists (
                       select from dump_", $table, " pair
                       where pair.package_id = kept.package_id and pair.id = kept.", $column, ")"
            ),
            upsert_pairs!($table, $column),
        )
    };
}

/// For the plans of pairs and of the triggers on them: a table that has just been filled for the first time passes for one of
/// a few rows, and is then read once per row of another.
const ANALYZE: &str = "
    analyze packages (id, ecosystem_id, namespace, normalized_name, deleted_at), maintainers, keywords, categories";

const PAIRS: [(&str, &str, &str, &str); 3] = [
    pairs!(
        "maintainers_packages",
        "maintainer_id",
        "kept.id, staged.package_id
         from dump_owners owner
         join dump_crates staged on staged.id = owner.crate_id and not staged.is_outdated
         join dump_accounts account on account.kind = owner.kind and account.id = owner.account_id
         join maintainers kept on kept.kind = account.kind and kept.login = account.login
             and kept.ecosystem_id = (select id from ecosystems where name = 'cargo')"
    ),
    pairs!(
        "keywords_packages",
        "keyword_id",
        "kept.id, staged.package_id
         from dump_crates_keywords pair
         join dump_crates staged on staged.id = pair.crate_id and not staged.is_outdated
         join dump_keywords keyword on keyword.id = pair.keyword_id
         join keywords kept on kept.name = keyword.name"
    ),
    pairs!(
        "categories_packages",
        "category_id",
        "kept.id, staged.package_id
         from dump_crates_categories pair
         join dump_crates staged on staged.id = pair.crate_id and not staged.is_outdated
         join dump_categories category on category.id = pair.category_id
         join categories kept on kept.slug = category.slug
             and kept.ecosystem_id = (select id from ecosystems where name = 'cargo')"
    ),
];

/// Writes them all, and counts what became of the rows of each table.
pub(super) async fn write(
    connection: &mut PgConnection,
    deletes: Option<DateTime<Utc>>,
    counts: &mut Vec<(&'static str, Rows)>,
) -> Result<()> {
    sqlx::raw_sql(ANALYZE).execute(&mut *connection).await?;
    for (table, stage, delete, upsert) in PAIRS {
        sqlx::raw_sql(stage).execute(&mut *connection).await?;
        replace(connection, (table, delete, upsert), deletes, counts).await?;
    }
    Ok(())
}
