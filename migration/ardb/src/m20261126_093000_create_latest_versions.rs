//! Creates `latest_versions`, which triggers on `versions` derive, and derives it from the versions that are there.
//!
//! Locks: SHARE ROW EXCLUSIVE on `packages` and `versions` for foreign keys and triggers (their writers wait until all
//! versions have been read once, readers don't), ACCESS EXCLUSIVE on the new table. `down` takes ACCESS EXCLUSIVE on
//! all three.
//! `down` loses nothing that `versions` does not say.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table latest_versions (
    package_id bigint not null,
    newest_version_id bigint,
    newest_stable_version_id bigint,
    versions_count bigint not null,
    updated_at timestamptz not null default now(),
    constraint latest_versions_pkey primary key (package_id),
    constraint latest_versions_package_id_fkey foreign key (package_id) references packages (id),
    constraint latest_versions_newest_version_id_fkey foreign key (newest_version_id) references versions (id),
    constraint latest_versions_newest_stable_version_id_fkey
        foreign key (newest_stable_version_id) references versions (id),
    constraint latest_versions_versions_count_check check (versions_count > 0)
);

create index latest_versions_newest_version_id_idx on latest_versions (newest_version_id);
create index latest_versions_newest_stable_version_id_idx on latest_versions (newest_stable_version_id);

comment on table latest_versions is
    'Derived by triggers on versions: the newest versions of each package that has live ones. Never written by hand; archer derived verify holds it against versions.';
comment on column latest_versions.newest_version_id is
    'The live version, not yanked, with the highest sort key; null: every one is yanked or has no key.';
comment on column latest_versions.newest_stable_version_id is
    'The same without prereleases; null: there is none.';
comment on column latest_versions.versions_count is 'Live versions, yanked ones and prereleases included.';
comment on column latest_versions.updated_at is 'When another column changed last.';

create function derive_latest_versions() returns trigger
    language plpgsql
    as $$
declare
    touched bigint[];
begin
    if tg_op = 'UPDATE' then
        if exists (select from changed join former using (id) where changed.package_id <> former.package_id) then
            raise exception 'a version stays with its package'
                using errcode = 'integrity_constraint_violation', column = 'package_id', table = 'versions';
        end if;
        touched := array(
            select distinct changed.package_id
            from changed
            join former using (id)
            where (changed.number, changed.sort_key, changed.is_prerelease, changed.is_yanked, changed.deleted_at is null)
                is distinct from
                (former.number, former.sort_key, former.is_prerelease, former.is_yanked, former.deleted_at is null)
        );
    else
        touched := array(select distinct package_id from changed);
    end if;
    if touched = '{}' then
        return null;
    end if;

    -- Whoever changes versions of the same package waits here, in one order, and then reads what the other committed:
    -- each statement of this function has a snapshot of its own.
    perform from packages where id = any (touched) order by id for no key update;

    delete from latest_versions kept
    where kept.package_id = any (touched)
      and not exists (select from versions where package_id = kept.package_id and deleted_at is null);

    insert into latest_versions as kept (package_id, newest_version_id, newest_stable_version_id, versions_count)
    select package.id, newest.id, stable.id, counted.versions
    from unnest(touched) as package (id)
    cross join lateral (
        select count(*) as versions from versions where package_id = package.id and deleted_at is null
    ) counted
    left join lateral (
        select version.id
        from versions version
        where version.package_id = package.id and version.deleted_at is null and not version.is_yanked
          and version.sort_key is not null
        order by version.sort_key desc, version.number desc
        limit 1
    ) newest on true
    left join lateral (
        select version.id
        from versions version
        where version.package_id = package.id and version.deleted_at is null and not version.is_yanked
          and version.sort_key is not null and not version.is_prerelease
        order by version.sort_key desc, version.number desc
        limit 1
    ) stable on true
    where counted.versions > 0
    order by package.id
    on conflict (package_id) do update set
        newest_version_id = excluded.newest_version_id, newest_stable_version_id = excluded.newest_stable_version_id,
        versions_count = excluded.versions_count, updated_at = now()
    where (kept.newest_version_id, kept.newest_stable_version_id, kept.versions_count)
        is distinct from (excluded.newest_version_id, excluded.newest_stable_version_id, excluded.versions_count);
    return null;
end
$$;

comment on function derive_latest_versions() is
    'Trigger function: the rows of latest_versions for the packages whose versions a statement touched.';

create function forget_latest_version() returns trigger
    language plpgsql
    as $$
begin
    update latest_versions set
        newest_version_id = nullif(newest_version_id, old.id),
        newest_stable_version_id = nullif(newest_stable_version_id, old.id)
    where package_id = old.package_id and old.id in (newest_version_id, newest_stable_version_id);
    return old;
end
$$;

comment on function forget_latest_version() is
    'Trigger function: takes a row of versions that is about to be removed out of latest_versions, whose foreign keys would keep it.';

create trigger versions_derive_latest_versions_of_inserted after insert on versions
    referencing new table as changed
    for each statement execute function derive_latest_versions();
create trigger versions_derive_latest_versions_of_updated after update on versions
    referencing new table as changed old table as former
    for each statement execute function derive_latest_versions();
create trigger versions_derive_latest_versions_of_deleted after delete on versions
    referencing old table as changed
    for each statement execute function derive_latest_versions();
create trigger versions_forget_latest_version before delete on versions
    for each row execute function forget_latest_version();

insert into latest_versions (package_id, newest_version_id, newest_stable_version_id, versions_count)
select
    package_id,
    (array_agg(id order by sort_key desc, number desc) filter (where not is_yanked and sort_key is not null))[1],
    (array_agg(id order by sort_key desc, number desc)
        filter (where not is_yanked and sort_key is not null and not is_prerelease))[1],
    count(*)
from versions
where deleted_at is null
group by package_id
order by package_id;
"#;

const DOWN: &str = r#"
drop trigger versions_forget_latest_version on versions;
drop trigger versions_derive_latest_versions_of_deleted on versions;
drop trigger versions_derive_latest_versions_of_updated on versions;
drop trigger versions_derive_latest_versions_of_inserted on versions;
drop function forget_latest_version();
drop function derive_latest_versions();
drop table latest_versions;
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
