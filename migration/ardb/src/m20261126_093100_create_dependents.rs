//! Creates `dependents`, which triggers on `dependencies` keep count of, and counts the dependencies that are there.
//!
//! Locks: SHARE ROW EXCLUSIVE on `packages` and `dependencies` for foreign keys and triggers (their writers wait until
//! all dependencies have been read once, readers don't), ACCESS EXCLUSIVE on the new table. `down` takes ACCESS
//! EXCLUSIVE on all three.
//! `down` loses nothing that `dependencies` does not say.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table dependents (
    package_id bigint not null,
    dependent_package_id bigint not null,
    dependencies_count bigint not null,
    constraint dependents_pkey primary key (package_id, dependent_package_id),
    constraint dependents_package_id_fkey foreign key (package_id) references packages (id),
    constraint dependents_dependent_package_id_fkey foreign key (dependent_package_id) references packages (id)
);

create index dependents_dependent_package_id_idx on dependents (dependent_package_id);

comment on table dependents is
    'Derived by triggers on dependencies: which package depends on which. Never written by hand; archer derived verify holds it against dependencies.';
comment on column dependents.package_id is 'The package depended on.';
comment on column dependents.dependent_package_id is 'A package with a version that depends on it.';
comment on column dependents.dependencies_count is
    'Live dependencies of versions of the one on the other; a row that reaches 0 is removed.';

create function derive_dependents() returns trigger
    language plpgsql
    as $$
declare
    depended_on bigint[];
    depending bigint[];
begin
    -- What is added up is what the statement changed, so a bulk insert costs one pass over its own rows. Rows are
    -- written in the order of their key, in which nobody waits for somebody who waits for him.
    if tg_op = 'INSERT' then
        insert into dependents as kept (package_id, dependent_package_id, dependencies_count)
        select added.package_id, version.package_id, count(*)
        from added
        join versions version on version.id = added.version_id
        where added.package_id is not null and added.deleted_at is null
        group by added.package_id, version.package_id
        order by added.package_id, version.package_id
        on conflict (package_id, dependent_package_id) do update set
            dependencies_count = kept.dependencies_count + excluded.dependencies_count;
        return null;
    elsif tg_op = 'UPDATE' then
        with counted as (
            insert into dependents as kept (package_id, dependent_package_id, dependencies_count)
            select change.package_id, version.package_id, sum(change.difference)
            from (
                select package_id, version_id, 1 as difference
                from added where package_id is not null and deleted_at is null
                union all
                select package_id, version_id, -1
                from removed where package_id is not null and deleted_at is null
            ) change
            join versions version on version.id = change.version_id
            group by change.package_id, version.package_id
            having sum(change.difference) <> 0
            order by change.package_id, version.package_id
            on conflict (package_id, dependent_package_id) do update set
                dependencies_count = kept.dependencies_count + excluded.dependencies_count
            returning package_id, dependent_package_id, dependencies_count
        )
        select array_agg(package_id), array_agg(dependent_package_id) into depended_on, depending
        from counted where dependencies_count <= 0;
    else
        with counted as (
            insert into dependents as kept (package_id, dependent_package_id, dependencies_count)
            select removed.package_id, version.package_id, -count(*)
            from removed
            join versions version on version.id = removed.version_id
            where removed.package_id is not null and removed.deleted_at is null
            group by removed.package_id, version.package_id
            order by removed.package_id, version.package_id
            on conflict (package_id, dependent_package_id) do update set
                dependencies_count = kept.dependencies_count + excluded.dependencies_count
            returning package_id, dependent_package_id, dependencies_count
        )
        select array_agg(package_id), array_agg(dependent_package_id) into depended_on, depending
        from counted where dependencies_count <= 0;
    end if;

    delete from dependents kept
    using unnest(depended_on, depending) as gone (package_id, dependent_package_id)
    where kept.package_id = gone.package_id and kept.dependent_package_id = gone.dependent_package_id
      and kept.dependencies_count <= 0;
    return null;
end
$$;

comment on function derive_dependents() is
    'Trigger function: adds what a statement changed in dependencies to dependents.';

create trigger dependencies_derive_dependents_of_inserted after insert on dependencies
    referencing new table as added
    for each statement execute function derive_dependents();
create trigger dependencies_derive_dependents_of_updated after update on dependencies
    referencing new table as added old table as removed
    for each statement execute function derive_dependents();
create trigger dependencies_derive_dependents_of_deleted after delete on dependencies
    referencing old table as removed
    for each statement execute function derive_dependents();

insert into dependents (package_id, dependent_package_id, dependencies_count)
select dependency.package_id, version.package_id, count(*)
from dependencies dependency
join versions version on version.id = dependency.version_id
where dependency.package_id is not null and dependency.deleted_at is null
group by dependency.package_id, version.package_id
order by dependency.package_id, version.package_id;
"#;

const DOWN: &str = r#"
drop trigger dependencies_derive_dependents_of_deleted on dependencies;
drop trigger dependencies_derive_dependents_of_updated on dependencies;
drop trigger dependencies_derive_dependents_of_inserted on dependencies;
drop function derive_dependents();
drop table dependents;
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
