//! Creates `advisories` and what hangs on one: `advisory_aliases`, `affected_packages`,
//! `affected_versions`, `affected_ranges` and `affected_intervals`.
//!
//! Locks: SHARE ROW EXCLUSIVE on `ecosystems`, `packages` and `source_documents` for the foreign keys
//! (their writers wait, readers don't), and ACCESS EXCLUSIVE on the new tables, which nobody else can see
//! yet. `down` takes ACCESS EXCLUSIVE on all of them.
//! `down` loses every advisory; importing the records again brings them back, with other ids.

use sea_orm_migration::prelude::*;

const UP: &str = r#"
create table advisories (
    id bigserial,
    identifier text not null,
    kind text not null default 'vulnerability',
    summary text not null default '',
    details text not null default '',
    severity text,
    published_at timestamptz,
    modified_at timestamptz not null,
    withdrawn_at timestamptz,
    source_document_id bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint advisories_pkey primary key (id),
    constraint advisories_source_document_id_fkey foreign key (source_document_id) references source_documents (id),
    constraint advisories_identifier_key unique (identifier),
    constraint advisories_identifier_check check (octet_length(identifier) between 1 and 256),
    constraint advisories_kind_check check (octet_length(kind) <= 64 and kind ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    constraint advisories_severity_check check (severity <> '')
);

create index advisories_source_document_id_idx on advisories (source_document_id);

create trigger advisories_set_updated_at before update on advisories
    for each row execute function ardb_set_updated_at();

comment on table advisories is
    'What is known to be wrong with packages. A deleted advisory keeps its identifier; importing it again restores the row.';
comment on column advisories.identifier is 'Its own id in the database that publishes it, such as RUSTSEC-2021-0001.';
comment on column advisories.kind is
    'vulnerability, or what its source calls it otherwise: unmaintained, unsound, notice, …';
comment on column advisories.details is 'Markdown, as published.';
comment on column advisories.severity is 'CVSS vector as published, of the highest CVSS version given; null: none given.';
comment on column advisories.published_at is 'When its source published it; null: the source does not say.';
comment on column advisories.modified_at is 'When its source changed it last.';
comment on column advisories.withdrawn_at is 'When its source took it back; null: it stands.';
comment on column advisories.source_document_id is 'The document it was read from last.';
comment on column advisories.deleted_at is 'When the row was deleted; null: live.';

create table advisory_aliases (
    id bigserial,
    advisory_id bigint not null,
    alias text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint advisory_aliases_pkey primary key (id),
    constraint advisory_aliases_advisory_id_fkey foreign key (advisory_id) references advisories (id),
    constraint advisory_aliases_advisory_id_alias_key unique (advisory_id, alias),
    constraint advisory_aliases_alias_check check (octet_length(alias) between 1 and 256)
);

create index advisory_aliases_alias_idx on advisory_aliases (alias);

create trigger advisory_aliases_set_updated_at before update on advisory_aliases
    for each row execute function ardb_set_updated_at();

comment on table advisory_aliases is
    'Another identifier of the same advisory, such as its CVE number. A deleted alias is restored when the advisory has it again.';
comment on column advisory_aliases.deleted_at is 'When the row was deleted; null: live.';

create table affected_packages (
    id bigserial,
    advisory_id bigint not null,
    ecosystem_id bigint not null,
    package_id bigint,
    namespace text not null default '',
    name text not null,
    normalized_name text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint affected_packages_pkey primary key (id),
    constraint affected_packages_advisory_id_fkey foreign key (advisory_id) references advisories (id),
    constraint affected_packages_ecosystem_id_fkey foreign key (ecosystem_id) references ecosystems (id),
    constraint affected_packages_package_id_fkey foreign key (package_id) references packages (id),
    constraint affected_packages_advisory_id_ecosystem_id_namespace_normal_key
        unique (advisory_id, ecosystem_id, namespace, normalized_name),
    constraint affected_packages_namespace_check check (octet_length(namespace) <= 256),
    constraint affected_packages_name_check check (octet_length(name) between 1 and 256),
    constraint affected_packages_normalized_name_check check (octet_length(normalized_name) between 1 and 256)
);

create index affected_packages_ecosystem_id_namespace_normalized_name_idx
    on affected_packages (ecosystem_id, namespace, normalized_name);
create index affected_packages_package_id_idx on affected_packages (package_id);

create trigger affected_packages_set_updated_at before update on affected_packages
    for each row execute function ardb_set_updated_at();

comment on table affected_packages is
    'A package that an advisory is about. A deleted row is restored when the advisory names the package again.';
comment on column affected_packages.package_id is
    'The package meant; null: not known here, until it is imported.';
comment on column affected_packages.namespace is 'The purl namespace; empty: none.';
comment on column affected_packages.name is 'As published.';
comment on column affected_packages.deleted_at is 'When the row was deleted; null: live.';

create table affected_versions (
    id bigserial,
    affected_package_id bigint not null,
    number text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint affected_versions_pkey primary key (id),
    constraint affected_versions_affected_package_id_fkey
        foreign key (affected_package_id) references affected_packages (id),
    constraint affected_versions_affected_package_id_number_key unique (affected_package_id, number),
    constraint affected_versions_number_check check (octet_length(number) between 1 and 256)
);

create trigger affected_versions_set_updated_at before update on affected_versions
    for each row execute function ardb_set_updated_at();

comment on table affected_versions is
    'A version that an advisory names one by one, beside its ranges. A deleted row is restored when the advisory names the version again.';
comment on column affected_versions.number is 'As published; compared for equality only.';
comment on column affected_versions.deleted_at is 'When the row was deleted; null: live.';

create table affected_ranges (
    id bigserial,
    affected_package_id bigint not null,
    position integer not null,
    kind text not null,
    repository text not null default '',
    events jsonb not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint affected_ranges_pkey primary key (id),
    constraint affected_ranges_affected_package_id_fkey
        foreign key (affected_package_id) references affected_packages (id),
    constraint affected_ranges_affected_package_id_position_key unique (affected_package_id, position),
    constraint affected_ranges_position_check check (position >= 0),
    constraint affected_ranges_kind_check check (kind in ('semver', 'ecosystem', 'git')),
    constraint affected_ranges_events_check check (jsonb_typeof(events) = 'array')
);

create trigger affected_ranges_set_updated_at before update on affected_ranges
    for each row execute function ardb_set_updated_at();

comment on table affected_ranges is
    'A range of versions that an advisory is about, as published. A deleted row is restored when the advisory has a range at its position again.';
comment on column affected_ranges.position is 'Place among the ranges of the affected package, from 0.';
comment on column affected_ranges.kind is
    'In which order the events are meant: semver, the ecosystem''s own, or the history of a git repository.';
comment on column affected_ranges.repository is 'Address of the git repository; empty: none given.';
comment on column affected_ranges.events is
    'The array of OSV events, as published and so not always sorted; affected_intervals is what follows from it.';
comment on column affected_ranges.deleted_at is 'When the row was deleted; null: live.';

create table affected_intervals (
    id bigserial,
    affected_range_id bigint not null,
    position integer not null,
    introduced text not null,
    fixed text,
    last_affected text,
    lower_key bytea,
    upper_key bytea,
    is_upper_inclusive boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint affected_intervals_pkey primary key (id),
    constraint affected_intervals_affected_range_id_fkey
        foreign key (affected_range_id) references affected_ranges (id),
    constraint affected_intervals_affected_range_id_position_key unique (affected_range_id, position),
    constraint affected_intervals_position_check check (position >= 0),
    constraint affected_intervals_introduced_check check (introduced <> ''),
    constraint affected_intervals_fixed_check check (fixed <> ''),
    constraint affected_intervals_last_affected_check check (last_affected <> ''),
    constraint affected_intervals_fixed_last_affected_check check (fixed is null or last_affected is null),
    constraint affected_intervals_fixed_last_affected_lower_key_upper_ke_check check (
        lower_key is null or upper_key is not null or (fixed is null and last_affected is null)
    ),
    constraint affected_intervals_upper_key_is_upper_inclusive_check check (
        upper_key is not null or not is_upper_inclusive
    )
);

create trigger affected_intervals_set_updated_at before update on affected_intervals
    for each row execute function ardb_set_updated_at();

comment on table affected_intervals is
    'One stretch of affected versions, derived from the events of its range: a version matches when lower_key <= sort_key and sort_key < upper_key (<= when is_upper_inclusive). A deleted row is restored when the range has an interval at its position again.';
comment on column affected_intervals.position is 'Place among the intervals of the range, lowest first, from 0.';
comment on column affected_intervals.introduced is 'First affected version, as published; 0: from the beginning.';
comment on column affected_intervals.fixed is 'First version that is not affected any more, as published; null: not given.';
comment on column affected_intervals.last_affected is 'Last affected version, as published; null: not given.';
comment on column affected_intervals.lower_key is
    'Sort key of introduced, empty for 0; null: a bound does not parse, so nothing matches by this interval.';
comment on column affected_intervals.upper_key is
    'Sort key of fixed or last_affected; null: no upper bound, or nothing matches because lower_key is null.';
comment on column affected_intervals.is_upper_inclusive is 'True when the upper bound is last_affected.';
comment on column affected_intervals.deleted_at is 'When the row was deleted; null: live.';
comment on constraint affected_intervals_fixed_last_affected_lower_key_upper_ke_check on affected_intervals is
    'An upper bound that does not parse must not turn into no upper bound.';
"#;

const DOWN: &str = r#"
drop table affected_intervals;
drop table affected_ranges;
drop table affected_versions;
drop table affected_packages;
drop table advisory_aliases;
drop table advisories;
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
