//! From documents to the tables, in the transaction of a batch.
//!
//! A package can have several documents in a batch. They are merged one after the other, in rounds: of each package one
//! listing, then the next, then the documents of its versions together.
//!
//! What a document no longer has is deleted before what it has is written, so that a first import, where there is nothing
//! to delete, does not look through what it has just written.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveEnum as _,
    sqlx::{self, PgConnection},
};

use super::{
    super::{
        pipeline::{Document, Tally},
        report::Rows,
        statement::{deleted, documents, upserted},
    },
    Extent, Package, Registry, sql,
    stage::{self, Group},
};
use crate::{Error, Result};

/// Writes a batch of documents.
pub(in super::super) async fn merge(
    connection: &mut PgConnection,
    registry: Registry,
    batch: &[Document<Package>],
    now: DateTime<Utc>,
) -> Result<Tally> {
    let select = "select id from ecosystems where name = $1 and deleted_at is null";
    let found = sqlx::query_scalar(select).bind(registry.ecosystem).fetch_optional(&mut *connection).await?;
    let ecosystem_id: i64 =
        found.ok_or_else(|| Error::NotFound { what: "ecosystem", key: registry.ecosystem.into() })?;
    let mut tally = Tally::default();
    for (number, round) in rounds(batch).into_iter().enumerate() {
        let statement = if number == 0 { sql::STAGE } else { sql::CLEAR };
        sqlx::raw_sql(statement).execute(&mut *connection).await?;
        let merged = Round { registry, ecosystem_id, now }.merge(connection, round).await?;
        tally.new += merged.new;
        tally.changed += merged.changed;
        tally.unchanged += merged.unchanged;
        tally.outdated += merged.outdated;
        tally.rows.extend(merged.rows);
    }
    Ok(tally)
}

/// The documents of `batch`, such that no round has two groups of one package.
fn rounds(batch: &[Document<Package>]) -> Vec<Vec<Vec<&Document<Package>>>> {
    let mut packages = BTreeMap::<_, (Vec<_>, Vec<_>)>::new();
    for document in batch {
        let name = &document.parsed.name;
        let (listings, versions) = packages.entry((&name.namespace, &name.normalized)).or_default();
        match document.parsed.extent {
            Extent::Listing { .. } => listings.push(vec![document]),
            Extent::Version { .. } => versions.push(document),
        }
    }
    let mut rounds = Vec::new();
    for (mut groups, versions) in packages.into_values() {
        if !versions.is_empty() {
            groups.push(versions);
        }
        for (number, group) in groups.into_iter().enumerate() {
            if number == rounds.len() {
                rounds.push(Vec::new());
            }
            rounds[number].push(group);
        }
    }
    rounds
}

struct Round {
    registry: Registry,
    ecosystem_id: i64,
    now: DateTime<Utc>,
}

impl Round {
    async fn merge(
        &self,
        connection: &mut PgConnection,
        groups: Vec<Vec<&Document<Package>>>,
    ) -> Result<Tally> {
        let (kind, now) = (self.registry.kind, self.now);
        let outdated = self.outdated(connection, &groups.concat()).await?;
        let groups: Vec<Group<'_>> = groups
            .into_iter()
            .filter_map(|mut documents| {
                documents.retain(|document| !outdated.contains(document.locator.as_str()));
                let head = documents.iter().max_by_key(|document| newest(&document.parsed))?;
                Some(Group { head: &head.parsed, documents })
            })
            .collect();
        let current: Vec<_> = groups.iter().flat_map(|group| group.documents.iter().copied()).collect();
        let mut tally = documents(connection, kind, &current, now).await?;
        tally.outdated = outdated.len() as u64;
        if current.is_empty() {
            return Ok(tally);
        }
        sqlx::query(sql::REVISIONS)
            .bind(kind.to_value())
            .bind(current.iter().map(|document| document.locator.as_str()).collect::<Vec<_>>())
            .bind(current.iter().map(|document| document.parsed.revision).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
        stage::stage(connection, self.registry, &groups).await?;
        self.packages(connection, &mut tally.rows).await?;
        self.versions(connection, &mut tally.rows).await?;
        Ok(tally)
    }

    /// The locators of those documents that are older than what is stored, and have nothing to add to it.
    async fn outdated<'a>(
        &self,
        connection: &mut PgConnection,
        documents: &[&'a Document<Package>],
    ) -> Result<HashSet<&'a str>> {
        let (mut positions, mut locators, mut revisions, mut are_themselves) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (position, document) in (0_i64..).zip(documents) {
            let Some(revision) = document.parsed.revision else { continue };
            let (Extent::Listing { forms: others } | Extent::Version { listings: others }) =
                &document.parsed.extent;
            for other in others.iter().chain([&document.locator]) {
                positions.push(position);
                locators.push(other.as_str());
                revisions.push(revision);
                are_themselves.push(*other == document.locator);
            }
        }
        let older: Vec<(i64, bool)> = sqlx::query_as(sql::OUTDATED)
            .bind(self.registry.kind.to_value())
            .bind(positions)
            .bind(locators)
            .bind(revisions)
            .bind(are_themselves)
            .fetch_all(&mut *connection)
            .await?;
        // One that is older than another can still have to add to what is stored.
        let (mut outdated, mut versions) = (Vec::new(), Vec::new());
        for (at, is_itself) in older {
            let package = &documents[at as usize].parsed;
            match &package.extent {
                _ if is_itself => outdated.push(at),
                Extent::Version { .. } => versions.push(at),
                Extent::Listing { .. } if package.details.is_none() => outdated.push(at),
                Extent::Listing { .. } => {}
            }
        }
        let of = |text: fn(&Package) -> &str| {
            versions.iter().map(|at| text(&documents[*at as usize].parsed)).collect::<Vec<_>>()
        };
        let unknown: Vec<i64> = sqlx::query_scalar(sql::UNKNOWN_VERSIONS)
            .bind(self.ecosystem_id)
            .bind(&versions)
            .bind(of(|package| &package.name.namespace))
            .bind(of(|package| &package.name.normalized))
            .bind(of(|package| package.versions.first().map_or("", |version| &version.number)))
            .fetch_all(connection)
            .await?;
        outdated.extend(unknown);
        Ok(outdated.into_iter().map(|at| documents[at as usize].locator.as_str()).collect())
    }

    /// Everything but what belongs to versions.
    async fn packages(
        &self,
        connection: &mut PgConnection,
        counts: &mut Vec<(&'static str, Rows)>,
    ) -> Result<()> {
        let ecosystem_id = self.ecosystem_id;
        let kind = self.registry.kind.to_value();
        sqlx::query(sql::PACKAGE_IDS).bind(ecosystem_id).execute(&mut *connection).await?;
        let lesser = sqlx::query(sql::LESSER_LISTINGS).bind(&kind).execute(&mut *connection).await?;
        if lesser.rows_affected() > 0 {
            sqlx::query(sql::VERSIONS_OF_LESSER_LISTINGS).execute(&mut *connection).await?;
        }
        if self.registry.has_documents_of_versions {
            sqlx::query(sql::OLDER).bind(&kind).execute(&mut *connection).await?;
            sqlx::query(sql::LESSER).bind(&kind).execute(&mut *connection).await?;
        }
        counts.push(("repositories", upserted(connection, sqlx::query_as(sql::REPOSITORIES)).await?));
        let packages = sqlx::query_as(sql::PACKAGES).bind(ecosystem_id);
        counts.push(("packages", upserted(connection, packages).await?));
        sqlx::query(sql::PACKAGE_IDS).bind(ecosystem_id).execute(&mut *connection).await?;
        counts.push(("keywords", upserted(connection, sqlx::query_as(sql::KEYWORDS)).await?));
        let categories = sqlx::query_as(sql::CATEGORIES).bind(ecosystem_id);
        counts.push(("categories", upserted(connection, categories).await?));
        let maintainers = sqlx::query_as(sql::MAINTAINERS).bind(ecosystem_id);
        counts.push(("maintainers", upserted(connection, maintainers).await?));
        for pairs in sql::PAIRS {
            let delete = sqlx::query(pairs.delete).bind(self.now).bind(ecosystem_id);
            counts.push((pairs.table, deleted(connection, delete).await?));
            let upsert = sqlx::query_as(pairs.upsert).bind(self.now).bind(ecosystem_id);
            counts.push((pairs.table, upserted(connection, upsert).await?));
        }
        Ok(())
    }

    /// Versions and their dependencies.
    async fn versions(
        &self,
        connection: &mut PgConnection,
        counts: &mut Vec<(&'static str, Rows)>,
    ) -> Result<()> {
        let (kind, now) = (self.registry.kind.to_value(), self.now);
        counts.push(("licences", upserted(connection, sqlx::query_as(sql::LICENCES)).await?));
        let mut versions =
            deleted(connection, sqlx::query(sql::DELETE_VERSIONS).bind(now).bind(&kind)).await?;
        let mut dependencies =
            deleted(connection, sqlx::query(sql::DELETE_DEPENDENCIES_OF_DELETED).bind(now)).await?;
        if self.registry.has_documents_of_versions && versions.deleted > 0 {
            let forget = sqlx::query(sql::FORGET_DOCUMENTS).bind(now).bind(&kind);
            counts.push(("source_documents", deleted(connection, forget).await?));
        }
        versions += upserted(connection, sqlx::query_as(sql::VERSIONS)).await?;
        sqlx::query(sql::VERSION_IDS).execute(&mut *connection).await?;
        sqlx::query("analyze staged_version_ids").execute(&mut *connection).await?;
        dependencies += deleted(connection, sqlx::query(sql::DELETE_DEPENDENCIES).bind(now)).await?;
        let upsert = sqlx::query_as(sql::DEPENDENCIES).bind(self.ecosystem_id);
        dependencies += upserted(connection, upsert).await?;
        counts.extend([("versions", versions), ("dependencies", dependencies)]);
        Ok(())
    }
}

/// By which documents of versions are compared: a release over a prerelease, a newer one over an older one.
fn newest(package: &Package) -> Option<(bool, &[u8])> {
    let order = package.versions.first()?.order.as_ref()?;
    Some((!order.is_prerelease, &order.key))
}
