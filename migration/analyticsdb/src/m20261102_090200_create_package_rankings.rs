//! Creates `package_rankings`, the packages by how much others depend on them.
//!
//! Locks: SHARE ROW EXCLUSIVE on `refresh_runs` for the foreign key (its writers wait, readers don't), and
//! ACCESS EXCLUSIVE on the new table, which nobody else can see yet. `down` takes ACCESS EXCLUSIVE on both.
//! `down` loses the report; the next refresh computes it again.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table package_rankings (
    id bigserial,
    ecosystem text not null,
    namespace text not null default '',
    name text not null,
    ardb_package_id bigint,
    rank integer not null,
    dependents_count bigint not null,
    dependent_versions_count bigint not null,
    refresh_run_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint package_rankings_pkey primary key (id),
    constraint package_rankings_refresh_run_id_fkey foreign key (refresh_run_id) references refresh_runs (id),
    constraint package_rankings_ecosystem_namespace_name_key unique (ecosystem, namespace, name),
    constraint package_rankings_ecosystem_check check (octet_length(ecosystem) between 1 and 63),
    constraint package_rankings_namespace_check check (octet_length(namespace) <= 256),
    constraint package_rankings_name_check check (octet_length(name) between 1 and 256),
    constraint package_rankings_rank_check check (rank >= 1),
    constraint package_rankings_dependents_count_check check (dependents_count >= 0),
    constraint package_rankings_dependent_versions_count_check check (dependent_versions_count >= 0)
);

create index package_rankings_rank_idx on package_rankings (rank);
create index package_rankings_refresh_run_id_idx on package_rankings (refresh_run_id);

create trigger package_rankings_set_updated_at before update on package_rankings
    for each row execute function analyticsdb_set_updated_at();

comment on table package_rankings is
    'Packages by how many others depend on them. A package that drops out is deleted, and restored when it is back.';
comment on column package_rankings.ecosystem is 'Name of the ecosystem in ardb.';
comment on column package_rankings.namespace is 'The purl namespace; empty: none.';
comment on column package_rankings.name is 'The package''s normalized name; the spelling that was published is in ardb.';
comment on column package_rankings.ardb_package_id is
    'Id of the package in ardb; null: others depend on it, but ardb does not have it.';
comment on column package_rankings.rank is 'From 1, the most depended-on; equals share a rank.';
comment on column package_rankings.dependents_count is 'Distinct packages with a version that depends on it.';
comment on column package_rankings.dependent_versions_count is 'Versions that depend on it.';
comment on column package_rankings.refresh_run_id is 'The run that wrote the row last.';
comment on column package_rankings.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = "drop table package_rankings;";

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
