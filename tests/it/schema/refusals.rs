//! The unique keys and checks, each with what it refuses.

use std::collections::BTreeSet;

use super::{filled, texts, violation};
use crate::harness::TestDb;

/// Each constraint, and a statement that violates it alone.
const REFUSED: &[(&str, &str)] = &[
    ("ecosystems_name_key", "update ecosystems set name = 'npm' where id = 1"),
    ("ecosystems_osv_name_key", "update ecosystems set osv_name = 'npm' where id = 1"),
    ("ecosystems_name_check", "update ecosystems set name = 'Cargo'"),
    ("ecosystems_name_check", "update ecosystems set name = ''"),
    ("ecosystems_osv_name_check", "update ecosystems set osv_name = ''"),
    ("ecosystems_purl_type_check", "update ecosystems set purl_type = 'a type'"),
    ("ecosystems_version_scheme_check", "update ecosystems set version_scheme = 'alphabet'"),
    (
        "packages_ecosystem_id_namespace_normalized_name_key",
        "insert into packages (ecosystem_id, name, normalized_name, deleted_at) values (1, 'LeftPad', 'left-pad', now())",
    ),
    ("packages_namespace_check", "update packages set namespace = repeat('x', 257)"),
    ("packages_name_check", "update packages set name = ''"),
    ("packages_name_check", "update packages set name = repeat('x', 257)"),
    ("packages_normalized_name_check", "update packages set normalized_name = ''"),
    ("packages_purl_check", "update packages set purl = ''"),
    ("packages_status_check", "update packages set status = 'resting'"),
    (
        "repositories_url_key",
        "insert into repositories (url, host, path) select url, host, path from repositories",
    ),
    ("repositories_url_check", "update repositories set url = 'http://git.example.org/acme/left-pad'"),
    ("repositories_url_check", "update repositories set url = 'https://' || repeat('x', 1017)"),
    ("repositories_host_check", "update repositories set host = ''"),
    ("repositories_path_check", "update repositories set path = ''"),
    (
        "maintainers_ecosystem_id_kind_login_key",
        "insert into maintainers (ecosystem_id, kind, login) values (1, 'user', 'ada')",
    ),
    ("maintainers_kind_check", "update maintainers set kind = 'robot'"),
    ("maintainers_login_check", "update maintainers set login = ''"),
    ("maintainers_name_check", "update maintainers set name = repeat('x', 1025)"),
    (
        "maintainers_packages_maintainer_id_package_id_key",
        "insert into maintainers_packages (maintainer_id, package_id, deleted_at) values (1, 1, now())",
    ),
    ("keywords_name_key", "insert into keywords (name) values ('padding')"),
    ("keywords_name_check", "update keywords set name = 'Padding'"),
    ("keywords_name_check", "update keywords set name = ''"),
    (
        "keywords_packages_keyword_id_package_id_key",
        "insert into keywords_packages (keyword_id, package_id, deleted_at) values (1, 1, now())",
    ),
    (
        "categories_ecosystem_id_slug_key",
        "insert into categories (ecosystem_id, slug, name) values (1, 'text', 'Texts')",
    ),
    ("categories_slug_check", "update categories set slug = ''"),
    ("categories_name_check", "update categories set name = ''"),
    (
        "categories_packages_category_id_package_id_key",
        "insert into categories_packages (category_id, package_id, deleted_at) values (1, 1, now())",
    ),
    ("licences_expression_key", "insert into licences (expression, is_spdx) values ('MIT', false)"),
    ("licences_expression_check", "update licences set expression = ''"),
    ("versions_package_id_number_key", "insert into versions (package_id, number) values (1, '1.0.0')"),
    ("versions_number_check", "update versions set number = ''"),
    ("versions_number_check", "update versions set number = repeat('é', 129)"),
    ("versions_sort_key_check", "update versions set sort_key = ''"),
    ("versions_sort_key_check", r"update versions set sort_key = decode(repeat('00', 2049), 'hex')"),
    ("versions_checksum_sha256_check", r"update versions set checksum_sha256 = '\x00'"),
    ("versions_size_bytes_check", "update versions set size_bytes = -1"),
    ("versions_checksums_check", "update versions set checksums = '[]'"),
    ("versions_yanked_reason_check", "update versions set yanked_reason = ''"),
    ("versions_attributes_check", "update versions set attributes = '[]'"),
    (
        "dependencies_version_id_kind_target_namespace_normalized_na_key",
        "insert into dependencies (version_id, name, normalized_name, requirement, kind)
         values (1, 'left.pad', 'left-pad', '^2', 'normal')",
    ),
    ("dependencies_namespace_check", "update dependencies set namespace = repeat('x', 257)"),
    ("dependencies_name_check", "update dependencies set name = ''"),
    ("dependencies_normalized_name_check", "update dependencies set normalized_name = ''"),
    ("dependencies_alias_check", "update dependencies set alias = repeat('x', 257)"),
    ("dependencies_requirement_check", "update dependencies set requirement = ''"),
    ("dependencies_kind_check", "update dependencies set kind = 'odd'"),
    ("dependencies_target_check", "update dependencies set target = repeat('x', 1025)"),
    ("dependencies_registry_check", "update dependencies set registry = repeat('x', 513)"),
    (
        "source_documents_kind_locator_key",
        "insert into source_documents (kind, locator, sha256, size_bytes, imported_at)
         select kind, locator, sha256, size_bytes, imported_at from source_documents",
    ),
    ("source_documents_kind_check", "update source_documents set kind = 'letter'"),
    ("source_documents_locator_check", "update source_documents set locator = ''"),
    ("source_documents_sha256_check", "update source_documents set sha256 = ''"),
    ("source_documents_size_bytes_check", "update source_documents set size_bytes = -1"),
    (
        "advisories_identifier_key",
        "insert into advisories (identifier, modified_at, source_document_id) values ('EXAMPLE-2026-0001', now(), 1)",
    ),
    ("advisories_identifier_check", "update advisories set identifier = ''"),
    ("advisories_kind_check", "update advisories set kind = 'Not a slug'"),
    ("advisories_kind_check", "update advisories set kind = ''"),
    ("advisories_severity_check", "update advisories set severity = ''"),
    (
        "advisory_aliases_advisory_id_alias_key",
        "insert into advisory_aliases (advisory_id, alias) values (1, 'CVE-2026-0001')",
    ),
    ("advisory_aliases_alias_check", "update advisory_aliases set alias = ''"),
    (
        "affected_packages_advisory_id_ecosystem_id_namespace_normal_key",
        "insert into affected_packages (advisory_id, ecosystem_id, name, normalized_name) values (1, 1, 'x', 'left-pad')",
    ),
    ("affected_packages_release_check", "update affected_packages set release = repeat('x', 257)"),
    ("affected_packages_namespace_check", "update affected_packages set namespace = repeat('x', 257)"),
    ("affected_packages_name_check", "update affected_packages set name = ''"),
    ("affected_packages_normalized_name_check", "update affected_packages set normalized_name = ''"),
    (
        "affected_versions_affected_package_id_number_key",
        "insert into affected_versions (affected_package_id, number) values (1, '1.0.0')",
    ),
    ("affected_versions_number_check", "update affected_versions set number = ''"),
    (
        "affected_ranges_affected_package_id_position_key",
        "insert into affected_ranges (affected_package_id, position, kind, events) values (1, 0, 'git', '[]')",
    ),
    ("affected_ranges_position_check", "update affected_ranges set position = -1"),
    ("affected_ranges_kind_check", "update affected_ranges set kind = 'SEMVER'"),
    ("affected_ranges_events_check", "update affected_ranges set events = '{}'"),
    (
        "affected_intervals_affected_range_id_position_key",
        "insert into affected_intervals (affected_range_id, position, introduced) values (1, 0, '1')",
    ),
    ("affected_intervals_position_check", "update affected_intervals set position = -1"),
    ("affected_intervals_introduced_check", "update affected_intervals set introduced = ''"),
    ("affected_intervals_fixed_check", r"update affected_intervals set fixed = '', upper_key = '\x01'"),
    ("affected_intervals_last_affected_check", r"update affected_intervals set last_affected = '', upper_key = '\x01'"),
    (
        "affected_intervals_fixed_last_affected_check",
        r"update affected_intervals set fixed = '2', last_affected = '1', upper_key = '\x01'",
    ),
    (
        "affected_intervals_fixed_last_affected_lower_key_upper_ke_check",
        "update affected_intervals set fixed = 'does not parse'",
    ),
    (
        "affected_intervals_upper_key_is_upper_inclusive_check",
        "update affected_intervals set is_upper_inclusive = true",
    ),
    (
        "inventories_kind_name_identitydb_user_id_identitydb_organiz_key",
        "insert into inventories (kind, name, source_document_id) values ('lockfile', 'shop', 1)",
    ),
    ("inventories_kind_check", "update inventories set kind = 'guess'"),
    ("inventories_name_check", "update inventories set name = ''"),
    (
        "inventories_identitydb_user_id_identitydb_organization_id_check",
        "update inventories set identitydb_user_id = 1, identitydb_organization_id = 1",
    ),
    (
        "inventory_components_inventory_id_ecosystem_id_namespace_no_key",
        "insert into inventory_components (inventory_id, ecosystem_id, name, normalized_name, number)
         values (1, 1, 'left.pad', 'left-pad', '1.0.0')",
    ),
    ("inventory_components_namespace_check", "update inventory_components set namespace = repeat('x', 257)"),
    ("inventory_components_name_check", "update inventory_components set name = ''"),
    ("inventory_components_normalized_name_check", "update inventory_components set normalized_name = ''"),
    ("inventory_components_number_check", "update inventory_components set number = repeat('x', 257)"),
    ("inventory_components_sort_key_check", "update inventory_components set sort_key = ''"),
    ("inventory_components_source_check", "update inventory_components set source = repeat('x', 1025)"),
    ("inventory_components_checksum_sha256_check", "update inventory_components set checksum_sha256 = ''"),
    ("inventory_components_purl_check", "update inventory_components set purl = ''"),
    ("inventory_components_scope_check", "update inventory_components set scope = 'some'"),
    ("inventory_components_licence_check", "update inventory_components set licence = ''"),
    ("inventory_components_release_check", "update inventory_components set release = repeat('x', 257)"),
    (
        "inventory_components_upstream_name_check",
        "update inventory_components set upstream_name = '', upstream_number = '1'",
    ),
    (
        "inventory_components_upstream_number_check",
        "update inventory_components set upstream_name = 'x', upstream_number = repeat('x', 257)",
    ),
    ("inventory_components_upstream_sort_key_check", "update inventory_components set upstream_sort_key = ''"),
    ("inventory_components_upstream_name_upstream_number_check", "update inventory_components set upstream_name = 'x'"),
    (
        "inventory_relations_inventory_id_from_component_id_to_compo_key",
        "insert into inventory_relations (inventory_id, from_component_id, to_component_id, kind) values (1, 1, 1, 'depends-on')",
    ),
    ("import_runs_importer_check", "update import_runs set importer = 'An importer'"),
    ("import_runs_source_check", "update import_runs set source = ''"),
    ("import_runs_finished_at_outcome_check", "update import_runs set finished_at = now()"),
    ("import_runs_outcome_check", "update import_runs set finished_at = now(), outcome = 'so-so'"),
    ("import_runs_error_check", "update import_runs set error = ''"),
    ("import_runs_counts_check", "update import_runs set counts = '[]'"),
    ("import_errors_place_check", "update import_errors set place = ''"),
    ("import_errors_reason_check", "update import_errors set reason = ''"),
    (
        "advisory_severities_advisory_id_kind_vector_key",
        "insert into advisory_severities (advisory_id, kind, vector) values (1, 'Ubuntu', 'medium')",
    ),
    ("advisory_severities_kind_check", "update advisory_severities set kind = ''"),
    ("advisory_severities_vector_check", "update advisory_severities set vector = ''"),
    ("advisory_severities_score_tenths_check", "update advisory_severities set score_tenths = 101"),
    ("advisory_severities_rating_check", "update advisory_severities set rating = 'grave'"),
    (
        "advisory_references_advisory_id_kind_url_key",
        "insert into advisory_references (advisory_id, kind, url) values (1, 'WEB', 'https://example.org')",
    ),
    ("advisory_references_kind_check", "update advisory_references set kind = ''"),
    ("advisory_references_url_check", "update advisory_references set url = ''"),
    ("inventory_relations_kind_check", "update inventory_relations set kind = 'likes'"),
    ("version_downloads_downloads_check", "update version_downloads set downloads = -1"),
    ("latest_versions_versions_count_check", "update latest_versions set versions_count = 0"),
    ("advisory_matches_fixed_check", "update advisory_matches set fixed = ''"),
    ("advisory_matches_fixed_is_by_range_check", "update advisory_matches set fixed = '2', is_by_range = false"),
    (
        "advisory_matches_is_by_range_is_by_enumeration_check",
        "update advisory_matches set is_by_range = false, is_by_enumeration = false",
    ),
    ("package_search_entries_downloads_check", "update package_search_entries set downloads = -1"),
    ("default_versions_package_id_key", "insert into default_versions (package_id, version_id) values (1, 1)"),
    ("package_downloads_package_id_key", "insert into package_downloads (package_id, downloads) values (1, 3)"),
    ("package_downloads_downloads_check", "update package_downloads set downloads = -1"),
    ("package_search_entries_popularity_check", "update package_search_entries set popularity = -1"),
    ("users_name_key", "insert into users (name, deleted_at) values ('ADA', now())"),
    ("users_name_check", "update users set name = 'ada lovelace'"),
    ("users_display_name_check", "update users set display_name = repeat('x', 101)"),
    (
        "user_emails_user_id_key",
        "insert into user_emails (user_id, email, is_primary) values (1, 'lovelace@example.org', true)",
    ),
    ("user_emails_user_id_email_key", "insert into user_emails (user_id, email) values (1, 'Ada@Example.org')"),
    (
        "user_emails_email_key",
        "with bob as (insert into users (name) values ('bob') returning id)
         insert into user_emails (user_id, email, verified_at) select id, 'ADA@example.org', now() from bob",
    ),
    ("user_emails_email_check", "update user_emails set email = 'ada'"),
    ("organizations_name_key", "insert into organizations (name, deleted_at) values ('ACME', now())"),
    ("organizations_name_check", "update organizations set name = 'a'"),
    ("organizations_display_name_check", "update organizations set display_name = repeat('x', 101)"),
    (
        "organizations_users_organization_id_user_id_key",
        "insert into organizations_users (organization_id, user_id, role, deleted_at) values (1, 1, 'member', now())",
    ),
    ("organizations_users_role_check", "update organizations_users set role = 'god'"),
    ("names_canonical_key_key", "insert into organizations (name) values ('A-DA')"),
    ("names_canonical_key_key", "insert into users (name) values ('support')"),
    ("names_user_id_key", "insert into names (canonical_key, user_id) values (sha256('x'), 1)"),
    ("names_organization_id_key", "insert into names (canonical_key, organization_id) values (sha256('x'), 1)"),
    ("names_name_check", "update names set name = repeat('x', 40)"),
    ("names_canonical_key_check", r"update names set canonical_key = '\x00'"),
    ("names_user_id_organization_id_check", "update names set user_id = 1, organization_id = 1 where id = 1"),
    ("origins_user_id_address_agent_key", "insert into origins (user_id, address, agent) values (1, '203.0.113.7', 'curl')"),
    ("origins_address_check", "update origins set address = repeat('x', 65)"),
    ("origins_agent_check", "update origins set agent = repeat('x', 257)"),
    (
        "sessions_secret_sha256_key",
        "insert into sessions (user_id, secret_sha256, expires_at) values (1, sha256('s'), now())",
    ),
    ("sessions_secret_sha256_check", "update sessions set secret_sha256 = ''"),
    ("passwords_user_id_key", "insert into passwords (user_id, hash, scheme, changed_at) values (1, '$argon2id$', 1, now())"),
    ("passwords_hash_check", "update passwords set hash = 'letmein'"),
    ("passwords_scheme_check", "update passwords set scheme = 0"),
    (
        "api_tokens_secret_sha256_key",
        "insert into api_tokens (user_id, name, hint, secret_sha256) values (1, 'x', '', sha256('t'))",
    ),
    ("api_tokens_name_check", "update api_tokens set name = ''"),
    ("api_tokens_hint_check", "update api_tokens set hint = repeat('x', 9)"),
    ("api_tokens_secret_sha256_check", "update api_tokens set secret_sha256 = ''"),
    ("api_tokens_scopes_check", "update api_tokens set scopes = '{Packages}'"),
    ("api_tokens_scopes_check", "update api_tokens set scopes = '{null}'"),
    (
        "one_time_codes_user_id_purpose_key",
        "insert into one_time_codes (user_id, purpose, code_sha256, expires_at) values (1, 'verify-email', sha256('x'), now())",
    ),
    ("one_time_codes_purpose_check", "update one_time_codes set purpose = 'guess'"),
    ("one_time_codes_code_sha256_check", "update one_time_codes set code_sha256 = ''"),
    ("one_time_codes_attempts_check", "update one_time_codes set attempts = 6"),
    (
        "external_accounts_provider_host_subject_key",
        "insert into external_accounts (user_id, provider, host, subject) values (1, 'github', 'github.com', '583231')",
    ),
    ("external_accounts_provider_check", "update external_accounts set provider = ''"),
    ("external_accounts_host_check", "update external_accounts set host = 'https://github.com'"),
    ("external_accounts_subject_check", "update external_accounts set subject = ''"),
    ("external_accounts_secret_check", r"update external_accounts set secret = '\x00'"),
    ("external_accounts_secret_key_name_check", "update external_accounts set secret_key_name = ''"),
    ("external_accounts_secret_secret_key_name_check", "update external_accounts set secret_key_name = null"),
    ("teams_organization_id_name_key", "insert into teams (organization_id, name) values (1, 'CORE')"),
    ("teams_name_check", "update teams set name = 'the core'"),
    ("teams_display_name_check", "update teams set display_name = repeat('x', 101)"),
    (
        "teams_users_team_id_user_id_key",
        "insert into teams_users (team_id, user_id, deleted_at) values (1, 1, now())",
    ),
    ("roles_name_key", "insert into roles (name, deleted_at) values ('owner', now())"),
    ("roles_name_check", "update roles set name = 'The Boss' where id = 1"),
    (
        "permissions_role_id_action_object_key",
        "insert into permissions (role_id, action, object, deleted_at) values (1, 'read', 'team', now())",
    ),
    ("permissions_action_check", "update permissions set action = ''"),
    ("permissions_object_check", "update permissions set object = 'world'"),
    (
        "invitations_organization_id_email_key",
        "insert into invitations (organization_id, email, role, inviter_user_id, secret_sha256, expires_at)
         values (1, 'BOB@example.org', 'member', 1, sha256('x'), now())",
    ),
    (
        "invitations_secret_sha256_key",
        "insert into invitations (organization_id, email, role, inviter_user_id, secret_sha256, expires_at)
         values (1, 'eve@example.org', 'member', 1, sha256('i'), now())",
    ),
    ("invitations_email_check", "update invitations set email = 'bob'"),
    ("invitations_role_check", "update invitations set role = 'god'"),
    ("invitations_secret_sha256_check", "update invitations set secret_sha256 = ''"),
    ("erasure_requests_user_id_key", "insert into erasure_requests (user_id, actor_digests) values (1, '{}')"),
    (
        "erasure_requests_actor_digests_check",
        "update erasure_requests set actor_digests = array_fill('x'::text, array[1001])",
    ),
    ("refresh_runs_report_check", "update refresh_runs set report = 'Top Ten'"),
    ("refresh_runs_rows_changed_check", "update refresh_runs set rows_changed = -1"),
    ("refresh_runs_error_check", "update refresh_runs set error = ''"),
    (
        "package_rankings_ecosystem_namespace_name_key",
        "insert into package_rankings (ecosystem, name, rank, dependents_count, dependent_versions_count, refresh_run_id)
         values ('cargo', 'left-pad', 2, 0, 0, 1)",
    ),
    ("package_rankings_ecosystem_check", "update package_rankings set ecosystem = ''"),
    ("package_rankings_namespace_check", "update package_rankings set namespace = repeat('x', 257)"),
    ("package_rankings_name_check", "update package_rankings set name = ''"),
    ("package_rankings_rank_check", "update package_rankings set rank = 0"),
    ("package_rankings_dependents_count_check", "update package_rankings set dependents_count = -1"),
    ("package_rankings_dependent_versions_count_check", "update package_rankings set dependent_versions_count = -1"),
];

#[tokio::test]
async fn every_unique_key_and_check_refuses_what_it_says() {
    let db = filled().await;
    for (constraint, sql) in REFUSED {
        assert_eq!(violation(&db, sql).await, Err((*constraint).to_owned()), "{sql}");
    }
}

#[tokio::test]
async fn the_list_of_refusals_leaves_no_unique_key_or_check_out() {
    let query = "
        select c.conname::text as text from tables t join pg_constraint c on c.conrelid = t.oid and c.contype in ('u', 'c')
        union
        select i.indexrelid::regclass::text
        from tables t join pg_index i on i.indrelid = t.oid and i.indisunique and not i.indisprimary";
    let db = TestDb::overlaid().await;
    let all: BTreeSet<String> = texts(&db, query).await.into_iter().collect();
    let listed: BTreeSet<String> = REFUSED.iter().map(|(constraint, _)| (*constraint).to_owned()).collect();
    assert_eq!(listed, all);
}
