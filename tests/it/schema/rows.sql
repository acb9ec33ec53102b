-- One row per table of the three databases, beside the ecosystems that the migration adds; all ids are 1.
insert into packages (ecosystem_id, name, normalized_name) values (1, 'Left_Pad', 'left-pad');
insert into versions (package_id, number, sort_key) values (1, '1.0.0', '\x01');
insert into dependencies (version_id, package_id, name, normalized_name, requirement, kind)
values (1, 1, 'Left_Pad', 'left-pad', '^1', 'normal');
insert into source_documents (kind, locator, sha256, size_bytes, imported_at)
values ('osv', 'all.zip', sha256('all'), 3, now());
insert into advisories (identifier, modified_at, source_document_id) values ('EXAMPLE-2026-0001', now(), 1);
insert into advisory_aliases (advisory_id, alias) values (1, 'CVE-2026-0001');
insert into affected_packages (advisory_id, ecosystem_id, name, normalized_name) values (1, 1, 'Left_Pad', 'left-pad');
insert into affected_versions (affected_package_id, number) values (1, '1.0.0');
insert into affected_ranges (affected_package_id, position, kind, events) values (1, 0, 'semver', '[]');
insert into affected_intervals (affected_range_id, position, introduced, lower_key) values (1, 0, '0', '');
insert into inventories (kind, name, source_document_id) values ('lockfile', 'shop', 1);
insert into inventory_components (inventory_id, ecosystem_id, name, normalized_name, number)
values (1, 1, 'Left_Pad', 'left-pad', '1.0.0');

insert into users (name) values ('ada');
insert into user_emails (user_id, email, is_primary, verified_at) values (1, 'ada@example.org', true, now());
insert into organizations (name) values ('acme');
insert into organizations_users (organization_id, user_id, role) values (1, 1, 'owner');

insert into refresh_runs (report, started_at) values ('package_rankings', now());
insert into package_rankings (ecosystem, name, rank, dependents_count, dependent_versions_count, refresh_run_id)
values ('cargo', 'left-pad', 1, 0, 0, 1);
