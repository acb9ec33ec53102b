//! Creates `version_downloads`, partitioned by month, and the function that makes a month's partition.
//!
//! No id and none of the other standard columns: the table has a row per version and day, and they would be most of it.
//!
//! Locks: SHARE ROW EXCLUSIVE on `versions` for the foreign key (its writers wait, readers don't), and ACCESS EXCLUSIVE on
//! the new tables, which nobody else can see yet. A later call of the function takes SHARE UPDATE EXCLUSIVE on
//! `version_downloads` and SHARE ROW EXCLUSIVE on `versions`, and so stops no reader.
//! `down` loses every count; importing a registry's data again brings back the days that it still has.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table version_downloads (
    version_id bigint not null,
    day date not null,
    downloads bigint not null,
    constraint version_downloads_pkey primary key (version_id, day),
    constraint version_downloads_version_id_fkey foreign key (version_id) references versions (id),
    constraint version_downloads_downloads_check check (downloads >= 0)
) partition by range (day);

comment on table version_downloads is
    'How often a version was downloaded on a day. Partitioned by month: version_downloads_2026_11 and so on.';
comment on column version_downloads.day is 'In UTC, as the registry counts.';

create function ardb_add_version_downloads_partition(day date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', day);
    name text := 'version_downloads_' || to_char(day, 'YYYY_MM');
begin
    -- Two that need the same month take turns, and the second finds it.
    perform pg_advisory_xact_lock(hashtextextended('ardb partition ' || name, 0));
    if to_regclass(name) is null then
        execute format('create table %I (like version_downloads including defaults including constraints)', name);
        execute format('alter table version_downloads attach partition %I for values from (%L) to (%L)',
            name, first, first + interval '1 month');
    end if;
end
$$;

comment on function ardb_add_version_downloads_partition(date) is
    'Makes the partition of version_downloads that holds the month of a day, where it is not there yet.';

select ardb_add_version_downloads_partition('2026-11-01');
"#;

const DOWN: &str = r#"
drop function ardb_add_version_downloads_partition(date);
drop table version_downloads;
"#;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(UP).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await.map(drop)
    }
}
