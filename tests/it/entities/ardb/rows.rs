//! One row of every entity of ardb, with values in all columns, related to each other.

use entity_ardb::{
    AdvisoryAliasId, AdvisoryId, AdvisoryReferenceId, AdvisorySeverityId, AffectedIntervalId,
    AffectedPackageId, AffectedRangeId, AffectedVersionId, CategoryId, CategoryPackageId, ComponentScope,
    DefaultVersionId, DependencyId, DependencyKind, DocumentKind, EcosystemId, ImportErrorId, ImportOutcome,
    ImportRunId, InventoryComponentId, InventoryId, InventoryKind, InventoryRelationId, KeywordId,
    KeywordPackageId, LicenceId, MaintainerId, MaintainerKind, MaintainerPackageId, PackageDownloadId,
    PackageId, PackageStatus, RangeKind, RelationKind, RepositoryId, SeverityRating, SourceDocumentId,
    VersionId, VersionScheme, advisory, advisory_alias, advisory_match, advisory_reference,
    advisory_severity, affected_interval, affected_package, affected_range, affected_version, category,
    category_package, default_version, dependency, dependent, ecosystem, import_error, import_run, inventory,
    inventory_component, inventory_relation, keyword, keyword_package, latest_version, licence, maintainer,
    maintainer_package, package, package_download, package_search_entry, repository, source_document,
    version, version_download,
};
use serde_json::json;

use crate::entities::time;

const CREATED: &str = "2026-11-02T09:00:00Z";
const UPDATED: &str = "2026-11-02T09:00:00.000001Z";
const DELETED: &str = "2026-11-03T00:00:00Z";

pub(super) fn ecosystem() -> ecosystem::Model {
    ecosystem::Model {
        id: EcosystemId(101),
        name: "swift".into(),
        osv_name: Some("SwiftURL".into()),
        purl_type: Some("swift".into()),
        version_scheme: VersionScheme::Pep440,
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn package() -> package::Model {
    package::Model {
        id: PackageId(102),
        ecosystem_id: EcosystemId(101),
        namespace: "example.org/left".into(),
        name: "Left_Pad".into(),
        normalized_name: "left-pad".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
        purl: Some("pkg:swift/example.org/left/left-pad".into()),
        status: PackageStatus::Deprecated,
        description: "Pads.".into(),
        homepage_url: "https://left.example.org".into(),
        documentation_url: "https://left.example.org/docs".into(),
        repository_id: Some(RepositoryId(114)),
    }
}

pub(super) fn version() -> version::Model {
    version::Model {
        id: VersionId(103),
        package_id: PackageId(102),
        number: "1.0.0-RC.1".into(),
        sort_key: Some(vec![0, 1, 255]),
        is_prerelease: true,
        is_yanked: true,
        checksum_sha256: Some(vec![7; 32]),
        published_at: Some(time(CREATED)),
        attributes: json!({ "links": null, "features": { "default": ["std"] } }),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
        licence: "MIT/Apache-2.0".into(),
        licence_id: Some(LicenceId(115)),
        size_bytes: Some(i64::MAX),
        checksums: json!({ "sha512": "00" }),
        yanked_reason: Some("Broken on Tuesdays".into()),
    }
}

pub(super) fn dependency() -> dependency::Model {
    dependency::Model {
        id: DependencyId(104),
        version_id: VersionId(103),
        package_id: Some(PackageId(102)),
        namespace: "example.org/left".into(),
        name: "Left_Pad".into(),
        normalized_name: "left-pad".into(),
        alias: "padding".into(),
        requirement: ">=1, <2".into(),
        kind: DependencyKind::Build,
        is_optional: true,
        uses_default_features: false,
        features: vec!["std".into(), "with \"quotes\", commas and {braces}".into()],
        target: "cfg(unix)".into(),
        registry: "https://registry.example.org/index".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn document() -> source_document::Model {
    source_document::Model {
        id: SourceDocumentId(105),
        kind: DocumentKind::CargoIndex,
        locator: "index/le/ft/left-pad".into(),
        sha256: vec![9; 32],
        size_bytes: i64::MAX,
        imported_at: time(CREATED),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
        revision: Some(i64::MAX),
    }
}

pub(super) fn advisory() -> advisory::Model {
    advisory::Model {
        id: AdvisoryId(106),
        identifier: "EXAMPLE-2026-0001".into(),
        kind: "unsound".into(),
        summary: "pads on the wrong side".into(),
        details: "# Details\n\n…".into(),
        severity: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N".into()),
        published_at: Some(time(CREATED)),
        modified_at: time(UPDATED),
        withdrawn_at: Some(time(DELETED)),
        source_document_id: SourceDocumentId(105),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn alias() -> advisory_alias::Model {
    advisory_alias::Model {
        id: AdvisoryAliasId(107),
        advisory_id: AdvisoryId(106),
        alias: "CVE-2026-0001".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn affected() -> affected_package::Model {
    affected_package::Model {
        id: AffectedPackageId(108),
        advisory_id: AdvisoryId(106),
        ecosystem_id: EcosystemId(101),
        package_id: Some(PackageId(102)),
        namespace: "example.org/left".into(),
        name: "Left_Pad".into(),
        normalized_name: "left-pad".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
        release: "12".into(),
    }
}

pub(super) fn affected_version() -> affected_version::Model {
    affected_version::Model {
        id: AffectedVersionId(109),
        affected_package_id: AffectedPackageId(108),
        number: "1.0.0-RC.1".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn range() -> affected_range::Model {
    affected_range::Model {
        id: AffectedRangeId(110),
        affected_package_id: AffectedPackageId(108),
        position: 1,
        kind: RangeKind::Ecosystem,
        repository: "https://example.org/left-pad.git".into(),
        events: json!([{ "introduced": "0" }, { "last_affected": "2" }]),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn interval() -> affected_interval::Model {
    affected_interval::Model {
        id: AffectedIntervalId(111),
        affected_range_id: AffectedRangeId(110),
        position: 2,
        introduced: "0".into(),
        fixed: None,
        last_affected: Some("2".into()),
        lower_key: Some(vec![]),
        upper_key: Some(vec![2, 0]),
        is_upper_inclusive: true,
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn inventory() -> inventory::Model {
    inventory::Model {
        id: InventoryId(112),
        kind: InventoryKind::Lockfile,
        name: "shop".into(),
        identitydb_user_id: None,
        identitydb_organization_id: Some(7),
        source_document_id: SourceDocumentId(105),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn severity() -> advisory_severity::Model {
    advisory_severity::Model {
        id: AdvisorySeverityId(115),
        advisory_id: AdvisoryId(106),
        kind: "CVSS_V3".into(),
        vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(),
        score_tenths: Some(98),
        rating: Some(SeverityRating::Critical),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn reference() -> advisory_reference::Model {
    advisory_reference::Model {
        id: AdvisoryReferenceId(116),
        advisory_id: AdvisoryId(106),
        kind: "WEB".into(),
        url: "https://example.org/advisories/1".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn run() -> import_run::Model {
    import_run::Model {
        id: ImportRunId(117),
        importer: "osv".into(),
        source: "advisories.zip".into(),
        started_at: time(CREATED),
        finished_at: Some(time(UPDATED)),
        outcome: Some(ImportOutcome::Failed),
        error: Some("advisories.zip: can't be read".into()),
        counts: json!({"rejected_total": 1}),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn error() -> import_error::Model {
    import_error::Model {
        id: ImportErrorId(118),
        import_run_id: ImportRunId(117),
        place: "EXAMPLE-2026-0001.json:3".into(),
        reason: "is not what was expected".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn relation() -> inventory_relation::Model {
    inventory_relation::Model {
        id: InventoryRelationId(114),
        inventory_id: InventoryId(112),
        from_component_id: None,
        to_component_id: InventoryComponentId(113),
        kind: RelationKind::DependsOn,
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn component() -> inventory_component::Model {
    inventory_component::Model {
        id: InventoryComponentId(113),
        inventory_id: InventoryId(112),
        ecosystem_id: EcosystemId(101),
        package_id: Some(PackageId(102)),
        version_id: Some(VersionId(103)),
        namespace: "example.org/left".into(),
        name: "Left_Pad".into(),
        normalized_name: "left-pad".into(),
        number: "1.0.0-RC.1".into(),
        sort_key: Some(vec![0, 1, 255]),
        source: "registry+https://registry.example.org/index".into(),
        checksum_sha256: Some(vec![7; 32]),
        purl: Some("pkg:swift/example.org/left/Left_Pad@1.0.0-RC.1".into()),
        scope: Some(ComponentScope::Excluded),
        licence: Some("MIT AND Apache-2.0".into()),
        release: "12".into(),
        upstream_name: Some("left-pad-source".into()),
        upstream_number: Some("1.0.0".into()),
        upstream_sort_key: Some(vec![1, 0]),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

/// What this row and the next three would follow from is deleted above, so no trigger writes them.
pub(super) fn latest() -> latest_version::Model {
    latest_version::Model {
        package_id: PackageId(102),
        newest_version_id: Some(VersionId(103)),
        newest_stable_version_id: Some(VersionId(103)),
        versions_count: 1,
        updated_at: time(UPDATED),
    }
}

pub(super) fn dependent() -> dependent::Model {
    dependent::Model {
        package_id: PackageId(102),
        dependent_package_id: PackageId(102),
        dependencies_count: 1,
    }
}

pub(super) fn matched() -> advisory_match::Model {
    advisory_match::Model {
        advisory_id: AdvisoryId(106),
        version_id: VersionId(103),
        affected_package_id: AffectedPackageId(108),
        fixed: Some("2".into()),
        is_by_range: true,
        is_by_enumeration: true,
    }
}

pub(super) fn search_entry() -> package_search_entry::Model {
    package_search_entry::Model {
        package_id: PackageId(102),
        name: "example.org/left/left_pad".into(),
        document: "'left':1A 'pad':2A".into(),
        popularity: 7,
        downloads: 9,
    }
}

pub(super) fn repository() -> repository::Model {
    repository::Model {
        id: RepositoryId(114),
        url: "https://git.example.org/acme/left-pad".into(),
        host: "git.example.org".into(),
        path: "acme/left-pad".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn licence() -> licence::Model {
    licence::Model {
        id: LicenceId(115),
        expression: "MIT OR Apache-2.0".into(),
        is_spdx: true,
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn maintainer() -> maintainer::Model {
    maintainer::Model {
        id: MaintainerId(116),
        ecosystem_id: EcosystemId(101),
        kind: MaintainerKind::Team,
        login: "acme:padders".into(),
        name: "Padders".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn maintained() -> maintainer_package::Model {
    maintainer_package::Model {
        id: MaintainerPackageId(117),
        maintainer_id: MaintainerId(116),
        package_id: PackageId(102),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn keyword() -> keyword::Model {
    keyword::Model {
        id: KeywordId(118),
        name: "padding".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn carried() -> keyword_package::Model {
    keyword_package::Model {
        id: KeywordPackageId(119),
        keyword_id: KeywordId(118),
        package_id: PackageId(102),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn category() -> category::Model {
    category::Model {
        id: CategoryId(120),
        ecosystem_id: EcosystemId(101),
        slug: "text::layout".into(),
        name: "Text::Layout".into(),
        description: "Where text goes.".into(),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn sorted() -> category_package::Model {
    category_package::Model {
        id: CategoryPackageId(121),
        category_id: CategoryId(120),
        package_id: PackageId(102),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn shown() -> default_version::Model {
    default_version::Model {
        id: DefaultVersionId(122),
        package_id: PackageId(102),
        version_id: VersionId(103),
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn downloads_in_all() -> package_download::Model {
    package_download::Model {
        id: PackageDownloadId(123),
        package_id: PackageId(102),
        downloads: i64::MAX,
        created_at: time(CREATED),
        updated_at: time(UPDATED),
        deleted_at: Some(time(DELETED)),
    }
}

pub(super) fn downloads() -> version_download::Model {
    version_download::Model {
        version_id: VersionId(103),
        day: time(CREATED).date_naive(),
        downloads: i64::MAX,
    }
}
