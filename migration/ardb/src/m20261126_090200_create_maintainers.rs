//! Creates `maintainers` and `maintainers_packages`: who may publish a package.
//!
//! Locks: SHARE ROW EXCLUSIVE on `ecosystems` and `packages` for the foreign keys (their writers wait, readers don't), and
//! ACCESS EXCLUSIVE on the new tables, which nobody else can see yet.
//! `down` loses who maintains what; importing a registry's data again brings it back.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table maintainers (
    id bigserial,
    ecosystem_id bigint not null,
    kind text not null,
    login text not null,
    name text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint maintainers_pkey primary key (id),
    constraint maintainers_ecosystem_id_fkey foreign key (ecosystem_id) references ecosystems (id),
    constraint maintainers_ecosystem_id_kind_login_key unique (ecosystem_id, kind, login),
    constraint maintainers_kind_check check (kind in ('user', 'team')),
    constraint maintainers_login_check check (octet_length(login) between 1 and 256),
    constraint maintainers_name_check check (octet_length(name) <= 1024)
);

create trigger maintainers_set_updated_at before update on maintainers
    for each row execute function ardb_set_updated_at();

comment on table maintainers is
    'Who may publish packages of an ecosystem, by their account there; email addresses are not stored. A deleted maintainer keeps the login; importing it again restores the row.';
comment on column maintainers.kind is 'user (a person or a bot) or team.';
comment on column maintainers.login is 'By which the registry tells them apart.';
comment on column maintainers.name is 'As published; empty: none given.';
comment on column maintainers.deleted_at is 'When the row was deleted; null: live.';

create table maintainers_packages (
    id bigserial,
    maintainer_id bigint not null,
    package_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint maintainers_packages_pkey primary key (id),
    constraint maintainers_packages_maintainer_id_fkey foreign key (maintainer_id) references maintainers (id),
    constraint maintainers_packages_package_id_fkey foreign key (package_id) references packages (id),
    constraint maintainers_packages_maintainer_id_package_id_key unique (maintainer_id, package_id)
);

create index maintainers_packages_package_id_idx on maintainers_packages (package_id);

create trigger maintainers_packages_set_updated_at before update on maintainers_packages
    for each row execute function ardb_set_updated_at();

comment on table maintainers_packages is
    'Which maintainer may publish which package. A deleted pair stays; importing it again restores the row.';
comment on column maintainers_packages.deleted_at is 'When the row was deleted; null: live.';
"#;

const DOWN: &str = r#"
drop table maintainers_packages;
drop table maintainers;
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
