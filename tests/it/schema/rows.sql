-- One row per table of the three databases, beside the ecosystems that the migration adds; all ids are 1. Triggers add
-- those of latest_versions, dependents and package_search_entries.
insert into packages (ecosystem_id, name, normalized_name) values (1, 'Left_Pad', 'left-pad');
insert into versions (package_id, number, sort_key) values (1, '1.0.0', '\x01');
insert into licences (expression, is_spdx) values ('MIT', true);
insert into repositories (url, host, path) values ('https://git.example.org/acme/left-pad', 'git.example.org', 'acme/left-pad');
insert into maintainers (ecosystem_id, kind, login) values (1, 'user', 'ada');
insert into maintainers_packages (maintainer_id, package_id) values (1, 1);
insert into keywords (name) values ('padding');
insert into keywords_packages (keyword_id, package_id) values (1, 1);
insert into categories (ecosystem_id, slug, name) values (1, 'text', 'Text');
insert into categories_packages (category_id, package_id) values (1, 1);
insert into default_versions (package_id, version_id) values (1, 1);
insert into package_downloads (package_id, downloads) values (1, 3);
insert into version_downloads (version_id, day, downloads) values (1, '2026-11-02', 3);
insert into dependencies (version_id, package_id, name, normalized_name, requirement, kind)
values (1, 1, 'Left_Pad', 'left-pad', '^1', 'normal');
insert into source_documents (kind, locator, sha256, size_bytes, imported_at)
values ('osv', 'all.zip', sha256('all'), 3, now());
insert into advisories (identifier, modified_at, source_document_id) values ('EXAMPLE-2026-0001', now(), 1);
insert into advisory_aliases (advisory_id, alias) values (1, 'CVE-2026-0001');
insert into advisory_severities (advisory_id, kind, vector) values (1, 'Ubuntu', 'medium');
insert into advisory_references (advisory_id, kind, url) values (1, 'WEB', 'https://example.org');
insert into affected_packages (advisory_id, ecosystem_id, name, normalized_name) values (1, 1, 'Left_Pad', 'left-pad');
insert into affected_versions (affected_package_id, number) values (1, '1.0.0');
insert into affected_ranges (affected_package_id, position, kind, events) values (1, 0, 'semver', '[]');
insert into affected_intervals (affected_range_id, position, introduced, lower_key) values (1, 0, '0', '');
insert into inventories (kind, name, source_document_id) values ('lockfile', 'shop', 1);
insert into inventory_components (inventory_id, ecosystem_id, name, normalized_name, number)
values (1, 1, 'Left_Pad', 'left-pad', '1.0.0');
insert into inventory_relations (inventory_id, from_component_id, to_component_id, kind) values (1, 1, 1, 'depends-on');
insert into import_runs (importer, source, started_at) values ('osv', 'all.zip', now());
insert into import_errors (import_run_id, place, reason) values (1, 'all.zip', 'is empty');
insert into advisory_matches (advisory_id, version_id, affected_package_id, is_by_range, is_by_enumeration)
values (1, 1, 1, true, true);

insert into users (name) values ('ada');
insert into user_emails (user_id, email, is_primary, verified_at) values (1, 'ada@example.org', true, now());
insert into organizations (name) values ('acme');
insert into organizations_users (organization_id, user_id, role) values (1, 1, 'owner');
insert into origins (user_id, address, agent) values (1, '203.0.113.7', 'curl');
insert into sessions (user_id, origin_id, secret_sha256, expires_at) values (1, 1, sha256('s'), now());
insert into passwords (user_id, hash, scheme, changed_at, session_id) values (1, '$argon2id$', 1, now(), 1);
insert into api_tokens (user_id, name, hint, secret_sha256) values (1, 'ci', 'a1b2', sha256('t'));
insert into one_time_codes (user_id, user_email_id, purpose, code_sha256, expires_at)
values (1, 1, 'verify-email', sha256('c'), now());
insert into external_accounts (user_id, provider, host, subject, secret, secret_key_name)
values (1, 'github', 'github.com', '583231', decode(repeat('00', 56), 'hex'), 'k1');
insert into teams (organization_id, name) values (1, 'core');
insert into teams_users (team_id, user_id) values (1, 1);
insert into invitations (organization_id, email, role, inviter_user_id, secret_sha256, expires_at)
values (1, 'bob@example.org', 'member', 1, sha256('i'), now());
insert into audit_events (occurred_at, actor_user_id, origin_id, action, object_kind, object_id)
values ('2026-11-26T10:00:00Z', 1, 1, 'register', 'user', 1);
insert into erasure_requests (user_id, actor_digests) values (1, '{}');

insert into refresh_runs (report, started_at) values ('package_rankings', now());
insert into package_rankings (ecosystem, name, rank, dependents_count, dependent_versions_count, refresh_run_id)
values ('cargo', 'left-pad', 1, 0, 0, 1);
