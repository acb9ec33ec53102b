//! Creates `advisory_severities` and `advisory_references`: how grave an advisory is by whose measure, and where more is
//! said.
//!
//! Locks: SHARE ROW EXCLUSIVE on `advisories` for the foreign keys (its writers wait, readers don't), and ACCESS
//! EXCLUSIVE on the new tables, which nobody else can see yet.
//! `down` loses both; the next import after `up` reads every record again and brings them back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table advisory_severities (
    id bigserial,
    advisory_id bigint not null,
    kind text not null,
    vector text not null,
    score_tenths integer,
    rating text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint advisory_severities_pkey primary key (id),
    constraint advisory_severities_advisory_id_fkey foreign key (advisory_id) references advisories (id),
    constraint advisory_severities_advisory_id_kind_vector_key unique (advisory_id, kind, vector),
    constraint advisory_severities_kind_check check (octet_length(kind) between 1 and 64),
    constraint advisory_severities_vector_check check (octet_length(vector) between 1 and 1024),
    constraint advisory_severities_score_tenths_check check (score_tenths between 0 and 100),
    constraint advisory_severities_rating_check check (rating in ('none', 'low', 'medium', 'high', 'critical'))
);

create trigger advisory_severities_set_updated_at before update on advisory_severities
    for each row execute function ardb_set_updated_at();

comment on table advisory_severities is
    'How grave an advisory is by one measure. A deleted severity is restored when the advisory has it again.';
comment on column advisory_severities.kind is 'The measure, by OSV''s name: CVSS_V2, CVSS_V3, CVSS_V4, Ubuntu, …';
comment on column advisory_severities.vector is 'As published: a CVSS vector, or a word.';
comment on column advisory_severities.score_tenths is
    'The CVSS score of the vector times ten, 0 to 100; null: it is no CVSS vector.';
comment on column advisory_severities.rating is
    'none, low, medium, high or critical, by the score or as published; null: neither says.';
comment on column advisory_severities.deleted_at is 'When the row was deleted; null: live.';

create table advisory_references (
    id bigserial,
    advisory_id bigint not null,
    kind text not null,
    url text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint advisory_references_pkey primary key (id),
    constraint advisory_references_advisory_id_fkey foreign key (advisory_id) references advisories (id),
    constraint advisory_references_advisory_id_kind_url_key unique (advisory_id, kind, url),
    constraint advisory_references_kind_check check (octet_length(kind) between 1 and 64),
    constraint advisory_references_url_check check (octet_length(url) between 1 and 2048)
);

create trigger advisory_references_set_updated_at before update on advisory_references
    for each row execute function ardb_set_updated_at();

comment on table advisory_references is
    'Where more is said about an advisory. A deleted reference is restored when the advisory has it again.';
comment on column advisory_references.kind is
    'What is said there, by OSV''s name: ADVISORY, ARTICLE, FIX, REPORT, PACKAGE, WEB, …';
comment on column advisory_references.url is 'As published.';
comment on column advisory_references.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = r#"
drop table advisory_references;
drop table advisory_severities;
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
