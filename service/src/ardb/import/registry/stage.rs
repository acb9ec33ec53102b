//! From documents to rows of the staging tables, sent whenever there are some megabytes of them.

use std::collections::HashSet;

use sea_orm::{
    ActiveEnum as _,
    sqlx::{self, PgConnection},
};

use super::{
    super::{copy::CopyRows, pipeline::Document},
    Details, Extent, Package, Published, Registry, Version, sql,
};
use crate::{Result, ardb::name};

/// Rows of one table are sent at this many bytes of them.
const MAX_ROWS_BYTES: usize = 4 * 1024 * 1024;

/// Documents of one package that are merged at once: a listing, or documents of versions.
pub(super) struct Group<'a> {
    /// The one whose package is written: the listing, or that of the newest version.
    pub(super) head: &'a Package,
    pub(super) documents: Vec<&'a Document<Package>>,
}

/// Rows for one table.
struct Table {
    copy: &'static str,
    rows: CopyRows,
}

impl Table {
    fn new(copy: &'static str) -> Self {
        Self { copy, rows: CopyRows::new() }
    }

    /// Sends what has been gathered, if it is much or the last.
    async fn send(&mut self, connection: &mut PgConnection, is_last: bool) -> Result<()> {
        if is_last || self.rows.size() >= MAX_ROWS_BYTES {
            std::mem::replace(&mut self.rows, CopyRows::new()).send(connection, self.copy).await?;
        }
        Ok(())
    }
}

struct Staging<'a> {
    registry: Registry,
    packages: Table,
    versions: Table,
    dependencies: Table,
    licences: Table,
    keywords: Table,
    categories: Table,
    maintainers: Table,
    /// Licences that are staged.
    seen: HashSet<&'a str>,
    next_version: i32,
}

/// Fills the staging tables, which are there and empty.
pub(super) async fn stage(
    connection: &mut PgConnection,
    registry: Registry,
    groups: &[Group<'_>],
) -> Result<()> {
    let mut staging = Staging {
        registry,
        packages: Table::new(sql::COPY_PACKAGES),
        versions: Table::new(sql::COPY_VERSIONS),
        dependencies: Table::new(sql::COPY_DEPENDENCIES),
        licences: Table::new(sql::COPY_LICENCES),
        keywords: Table::new(sql::COPY_KEYWORDS),
        categories: Table::new(sql::COPY_CATEGORIES),
        maintainers: Table::new(sql::COPY_MAINTAINERS),
        seen: HashSet::new(),
        next_version: 0,
    };
    for (ordinal, group) in (0..).zip(groups) {
        staging.package(ordinal, group.head);
        for document in &group.documents {
            for version in &document.parsed.versions {
                staging.version(ordinal, &document.parsed, version);
                staging.dependencies(&document.parsed, version);
                staging.next_version += 1;
                staging.versions.send(connection, false).await?;
                staging.dependencies.send(connection, false).await?;
            }
        }
    }
    let Staging { packages, versions, dependencies, licences, keywords, categories, maintainers, .. } =
        staging;
    for mut table in [packages, versions, dependencies, licences, keywords, categories, maintainers] {
        table.send(connection, true).await?;
    }
    sqlx::raw_sql(sql::ANALYZE).execute(connection).await?;
    Ok(())
}

impl<'a> Staging<'a> {
    fn package(&mut self, ordinal: i32, package: &'a Package) {
        let none = Details::default();
        let details = package.details.as_ref().unwrap_or(&none);
        let repository = details.repository.as_ref();
        let (listing, forms) = match &package.extent {
            Extent::Listing { forms } => ("", &forms[..]),
            Extent::Version { listings } => (listings.first().map_or("", String::as_str), &[][..]),
        };
        let rows = &mut self.packages.rows;
        rows.row(21)
            .integer(ordinal)
            .text(&package.name.namespace)
            .text(&package.name.name)
            .text(&package.name.normalized)
            .text(&package.purl)
            .boolean(package.is_complete)
            .optional(package.revision, CopyRows::bigint)
            .optional(package.status.map(|status| status.to_value()), |rows, status| rows.text(&status))
            .text(listing)
            .text_array(forms)
            .boolean(false)
            .boolean(package.details.is_some())
            .text(&details.description)
            .text(&details.homepage_url)
            .text(&details.documentation_url)
            .optional(repository.map(|found| &found.url), |rows, text| rows.text(text))
            .optional(repository.map(|found| &found.host), |rows, text| rows.text(text))
            .optional(repository.map(|found| &found.path), |rows, text| rows.text(text))
            .boolean(package.keywords.is_some())
            .boolean(package.categories.is_some())
            .boolean(package.maintainers.is_some());
        for keyword in package.keywords.iter().flatten() {
            self.keywords.rows.row(2).integer(ordinal).text(keyword);
        }
        for category in package.categories.iter().flatten() {
            self.categories.rows.row(3).integer(ordinal).text(&category.slug).text(&category.name);
        }
        for maintainer in package.maintainers.iter().flatten() {
            let kind = maintainer.kind.to_value();
            self.maintainers.rows.row(3).integer(ordinal).text(&kind).text(&maintainer.login);
        }
    }

    fn version(&mut self, ordinal: i32, package: &'a Package, version: &'a Version) {
        if let Some(Published { text, licence: Some(licence) }) = &version.licence
            && self.seen.insert(text)
        {
            self.licences.rows.row(3).text(text).text(&licence.expression).boolean(licence.is_spdx);
        }
        let rivals = match &package.extent {
            Extent::Listing { .. } if !self.registry.has_documents_of_versions => Vec::new(),
            Extent::Listing { .. } => vec![format!("{}/{}", package.name.normalized, version.number)],
            Extent::Version { listings } => listings.clone(),
        };
        let order = version.order.as_ref();
        let json = |map: &serde_json::Map<_, _>| serde_json::to_string(map).expect("a map of JSON is JSON");
        let requires = version.requires.as_ref();
        let rows = &mut self.versions.rows;
        rows.row(19)
            .integer(ordinal)
            .integer(self.next_version)
            .text(&version.number)
            .optional(order.map(|order| &order.key[..]), CopyRows::bytea)
            .boolean(order.is_some_and(|order| order.is_prerelease))
            .boolean(version.is_yanked)
            .optional(version.yanked_reason.as_deref(), CopyRows::text)
            .optional(version.checksum_sha256.as_ref(), |rows, sum| rows.bytea(sum))
            .jsonb(&json(&version.checksums))
            .optional(version.size_bytes, CopyRows::bigint)
            .optional(version.published_at, CopyRows::timestamptz)
            .optional(version.licence.as_ref().map(|licence| &*licence.text), CopyRows::text)
            .jsonb(&json(&version.attributes))
            .boolean(version.is_described)
            .boolean(requires.is_some())
            .boolean(requires.is_some_and(|requires| requires.is_complete))
            .optional(package.revision, CopyRows::bigint)
            .text_array(&rivals)
            .boolean(false);
    }

    fn dependencies(&mut self, package: &Package, version: &Version) {
        let Some(requires) = &version.requires else { return };
        for dependency in package.dependencies.get(requires.range.clone()) {
            let package = name::split(self.registry.ecosystem, dependency.name);
            let features = dependency.features.split(',').filter(|feature| !feature.is_empty());
            let features: Vec<String> = features.map(str::to_owned).collect();
            self.dependencies
                .rows
                .row(11)
                .integer(self.next_version)
                .text(&package.namespace)
                .text(&package.name)
                .text(&package.normalized)
                .text(dependency.alias)
                .text(dependency.requirement)
                .text(&dependency.kind.to_value())
                .boolean(dependency.is_optional)
                .text_array(&features)
                .text(dependency.target)
                .text(dependency.origin.as_str());
        }
    }
}
