//! Creates `package_search_entries`, whose text triggers on `packages` derive and whose popularity imports do, and
//! derives it from the packages that are there.
//!
//! Locks: SHARE ROW EXCLUSIVE on `packages` for foreign key and triggers (its writers wait until all packages have been
//! read once, readers don't), ACCESS EXCLUSIVE on the new table. `down` takes ACCESS EXCLUSIVE on both.
//! `down` loses nothing that `packages` and `dependents` do not say.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table package_search_entries (
    package_id bigint not null,
    name text not null,
    document tsvector not null,
    popularity bigint not null default 0,
    constraint package_search_entries_pkey primary key (package_id),
    constraint package_search_entries_package_id_fkey foreign key (package_id) references packages (id),
    constraint package_search_entries_popularity_check check (popularity >= 0)
);

create index package_search_entries_name_idx on package_search_entries using gin (name gin_trgm_ops);
create index package_search_entries_document_idx on package_search_entries using gin (document);

comment on table package_search_entries is
    'Derived by triggers on packages, popularity at the end of imports: what live packages are found by. Never written by hand; archer derived verify holds it against packages.';
comment on column package_search_entries.name is
    'Namespace and name in lower case, a slash between them where there is a namespace; for likeness.';
comment on column package_search_entries.document is 'The words: of the name (weight A) and of the namespace (B).';
comment on column package_search_entries.popularity is 'How many other packages depend on it.';

create function package_search_name(namespace text, name text) returns text
    language sql immutable parallel safe
    return lower(case when namespace = '' then name else namespace || '/' || name end);

comment on function package_search_name(text, text) is 'package_search_entries.name of a package.';

create function package_search_document(namespace text, name text) returns tsvector
    language sql immutable parallel safe
    return setweight(to_tsvector('pg_catalog.simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g')), 'A')
        || setweight(to_tsvector('pg_catalog.simple', regexp_replace(namespace, '[^[:alnum:]]+', ' ', 'g')), 'B');

comment on function package_search_document(text, text) is
    'package_search_entries.document of a package: words are what stands between characters that are neither letter nor digit.';

create function derive_package_search_entries() returns trigger
    language plpgsql
    as $$
begin
    delete from package_search_entries kept
    using changed
    where kept.package_id = changed.id and changed.deleted_at is not null;

    insert into package_search_entries as kept (package_id, name, document)
    select id, package_search_name(namespace, name), package_search_document(namespace, name)
    from changed
    where deleted_at is null
    order by id
    on conflict (package_id) do update set name = excluded.name, document = excluded.document
    where (kept.name, kept.document) is distinct from (excluded.name, excluded.document);
    return null;
end
$$;

comment on function derive_package_search_entries() is
    'Trigger function: the rows of package_search_entries for the packages that a statement touched, but for their popularity.';

create function forget_package_search_entry() returns trigger
    language plpgsql
    as $$
begin
    delete from package_search_entries where package_id = old.id;
    return old;
end
$$;

comment on function forget_package_search_entry() is
    'Trigger function: a row of packages that is about to be removed takes its row of package_search_entries along.';

create trigger packages_derive_search_entries_of_inserted after insert on packages
    referencing new table as changed
    for each statement execute function derive_package_search_entries();
create trigger packages_derive_search_entries_of_updated after update on packages
    referencing new table as changed
    for each statement execute function derive_package_search_entries();
create trigger packages_forget_search_entry before delete on packages
    for each row execute function forget_package_search_entry();

insert into package_search_entries (package_id, name, document, popularity)
select package.id, package_search_name(package.namespace, package.name),
    package_search_document(package.namespace, package.name), count(dependent.dependent_package_id)
from packages package
left join dependents dependent
    on dependent.package_id = package.id and dependent.dependent_package_id <> package.id
where package.deleted_at is null
group by package.id
order by package.id;
"#;

const DOWN: &str = r#"
drop trigger packages_forget_search_entry on packages;
drop trigger packages_derive_search_entries_of_updated on packages;
drop trigger packages_derive_search_entries_of_inserted on packages;
drop function forget_package_search_entry();
drop function derive_package_search_entries();
drop table package_search_entries;
drop function package_search_document(text, text);
drop function package_search_name(text, text);
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
