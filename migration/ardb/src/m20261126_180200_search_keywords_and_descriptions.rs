//! Lets packages be found by their keywords and their description, too: both go into the documents of
//! `package_search_entries`, which triggers on `packages`, `keywords_packages` and `keywords` keep.
//!
//! Locks: SHARE ROW EXCLUSIVE on `packages`, `keywords_packages` and `keywords` for the triggers (their writers wait until
//! every document has been made anew, readers don't). `down` takes ACCESS EXCLUSIVE on them, and makes every document anew
//! without what it takes out.
//! `down` loses nothing that the other tables do not say.

use migration_runner::Claims;
use sea_orm_migration::prelude::*;

const UP: &str = r#"
drop trigger packages_derive_search_entries_of_updated on packages;
drop trigger packages_derive_search_entries_of_inserted on packages;
drop function derive_package_search_entries();

create function package_search_document(namespace text, name text, keywords text, description text) returns tsvector
    language sql immutable parallel safe
    return setweight(to_tsvector('pg_catalog.simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g')), 'A')
        || setweight(to_tsvector('pg_catalog.simple', regexp_replace(namespace, '[^[:alnum:]]+', ' ', 'g')), 'B')
        || setweight(to_tsvector('pg_catalog.simple', regexp_replace(keywords, '[^[:alnum:]]+', ' ', 'g')), 'B')
        || setweight(to_tsvector('pg_catalog.simple', regexp_replace(left(description, 4096), '[^[:alnum:]]+', ' ', 'g')), 'D');

comment on function package_search_document(text, text, text, text) is
    'package_search_entries.document of a package: words are what stands between characters that are neither letter nor digit; of the description those of its first 4,096 characters.';

drop function package_search_document(text, text);

create view package_search_documents as
select
    package.id as package_id,
    package_search_name(package.namespace, package.name) as name,
    package_search_document(
        package.namespace,
        package.name,
        coalesce(
            (
                select string_agg(keyword.name, ' ' order by keyword.name collate "C")
                from keywords_packages pair
                join keywords keyword on keyword.id = pair.keyword_id and keyword.deleted_at is null
                where pair.package_id = package.id and pair.deleted_at is null
            ),
            ''
        ),
        package.description
    ) as document
from packages package
where package.deleted_at is null;

comment on view package_search_documents is
    'What package_search_entries should hold of each live package, but for the popularity.';

create function write_package_search_entries(touched bigint[]) returns void
    language plpgsql
    as $$
begin
    if touched = '{}' then
        return;
    end if;

    -- Whoever changes keywords and description of one package at the same time waits here, in one order, and then reads
    -- what the other committed: each statement of this function has a snapshot of its own.
    perform from packages where id = any (touched) order by id for no key update;

    delete from package_search_entries kept
    using packages package
    where kept.package_id = any (touched) and package.id = kept.package_id and package.deleted_at is not null;

    insert into package_search_entries as kept (package_id, name, document)
    select made.package_id, made.name, made.document
    from package_search_documents made
    where made.package_id = any (touched)
    order by made.package_id
    on conflict (package_id) do update set name = excluded.name, document = excluded.document
    where (kept.name, kept.document) is distinct from (excluded.name, excluded.document);
end
$$;

comment on function write_package_search_entries(bigint[]) is
    'Brings package_search_entries up to date for some packages, but for their popularity.';

create function derive_package_search_entries() returns trigger
    language plpgsql
    as $$
begin
    if tg_table_name = 'packages' and tg_op = 'UPDATE' then
        perform write_package_search_entries(array(
            select changed.id
            from changed
            join former using (id)
            where (changed.namespace, changed.name, changed.description, changed.deleted_at is null)
                is distinct from (former.namespace, former.name, former.description, former.deleted_at is null)
        ));
    elsif tg_table_name = 'packages' then
        perform write_package_search_entries(array(select id from changed));
    elsif tg_table_name = 'keywords' then
        perform write_package_search_entries(array(
            select distinct pair.package_id
            from changed
            join former using (id)
            join keywords_packages pair on pair.keyword_id = changed.id
            where (changed.name, changed.deleted_at is null) is distinct from (former.name, former.deleted_at is null)
        ));
    else
        perform write_package_search_entries(array(select distinct package_id from changed));
    end if;
    return null;
end
$$;

comment on function derive_package_search_entries() is
    'Trigger function: the rows of package_search_entries for the packages that a statement touched, but for their popularity.';

create trigger packages_derive_search_entries_of_inserted after insert on packages
    referencing new table as changed
    for each statement execute function derive_package_search_entries();
create trigger packages_derive_search_entries_of_updated after update on packages
    referencing new table as changed old table as former
    for each statement execute function derive_package_search_entries();
create trigger keywords_derive_search_entries_of_updated after update on keywords
    referencing new table as changed old table as former
    for each statement execute function derive_package_search_entries();
create trigger keywords_packages_derive_search_entries_of_inserted after insert on keywords_packages
    referencing new table as changed
    for each statement execute function derive_package_search_entries();
create trigger keywords_packages_derive_search_entries_of_updated after update on keywords_packages
    referencing new table as changed
    for each statement execute function derive_package_search_entries();
create trigger keywords_packages_derive_search_entries_of_deleted after delete on keywords_packages
    referencing old table as changed
    for each statement execute function derive_package_search_entries();

comment on table package_search_entries is
    'Derived by triggers on packages and their keywords, popularity at the end of imports: what live packages are found by. Never written by hand; archer derived verify holds it against them.';
comment on column package_search_entries.document is
    'The words: of the name (weight A), of the namespace and the keywords (B), and of the description (D).';

update package_search_entries kept set document = made.document
from package_search_documents made
where made.package_id = kept.package_id and made.document is distinct from kept.document;
"#;

const DOWN: &str = r#"
drop trigger keywords_packages_derive_search_entries_of_deleted on keywords_packages;
drop trigger keywords_packages_derive_search_entries_of_updated on keywords_packages;
drop trigger keywords_packages_derive_search_entries_of_inserted on keywords_packages;
drop trigger keywords_derive_search_entries_of_updated on keywords;
drop trigger packages_derive_search_entries_of_updated on packages;
drop trigger packages_derive_search_entries_of_inserted on packages;
drop function derive_package_search_entries();
drop function write_package_search_entries(bigint[]);
drop view package_search_documents;

create function package_search_document(namespace text, name text) returns tsvector
    language sql immutable parallel safe
    return setweight(to_tsvector('pg_catalog.simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g')), 'A')
        || setweight(to_tsvector('pg_catalog.simple', regexp_replace(namespace, '[^[:alnum:]]+', ' ', 'g')), 'B');

comment on function package_search_document(text, text) is
    'package_search_entries.document of a package: words are what stands between characters that are neither letter nor digit.';

drop function package_search_document(text, text, text, text);

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

create trigger packages_derive_search_entries_of_inserted after insert on packages
    referencing new table as changed
    for each statement execute function derive_package_search_entries();
create trigger packages_derive_search_entries_of_updated after update on packages
    referencing new table as changed
    for each statement execute function derive_package_search_entries();

comment on table package_search_entries is
    'Derived by triggers on packages, popularity at the end of imports: what live packages are found by. Never written by hand; archer derived verify holds it against packages.';
comment on column package_search_entries.document is 'The words: of the name (weight A) and of the namespace (B).';

update package_search_entries kept
set document = package_search_document(package.namespace, package.name)
from packages package
where package.id = kept.package_id
  and package_search_document(package.namespace, package.name) is distinct from kept.document;
"#;

/// Documents are derived, so both ways bring rows that were made up to what the packages say.
pub const CLAIMS: Claims = Claims::new().down_loses(&["package_search_entries.document"]);

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
