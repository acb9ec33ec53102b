//! From parsed advisories to rows: COPY into temporary tables, then, from the advisory down to the interval, what is no
//! longer there is deleted and what is there is written.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use entity_ardb::DocumentKind;
use sea_orm::{
    ActiveEnum as _,
    sqlx::{self, PgConnection},
};

use super::{
    super::{
        copy::CopyRows,
        pipeline::{Document, Tally},
        report::Rows,
        statement::{deleted, documents, upserted},
    },
    record::{Advisory, Affected},
    sql,
};
use crate::Result;

/// Writes a batch of advisories in the transaction that `connection` is in.
pub(super) async fn merge(
    connection: &mut PgConnection,
    batch: &[Document<Advisory>],
    now: DateTime<Utc>,
) -> Result<Tally> {
    let outdated = outdated(connection, batch).await?;
    let current: Vec<_> =
        batch.iter().filter(|document| !outdated.contains(&document.parsed.identifier)).collect();
    let mut tally = documents(connection, DocumentKind::Osv, &current, now).await?;
    tally.outdated = outdated.len() as u64;
    if current.is_empty() {
        return Ok(tally);
    }
    tally.rows.push(("ecosystems", ecosystems(connection, &current).await?));
    stage(connection, &current).await?;

    let advisories = upserted(connection, sqlx::query_as(sql::ADVISORIES)).await?;
    sqlx::query(sql::ADVISORY_IDS).execute(&mut *connection).await?;
    let mut aliases = deleted(connection, sqlx::query(sql::DELETE_ALIASES).bind(now)).await?;
    aliases += upserted(connection, sqlx::query_as(sql::ALIASES)).await?;
    let mut severities = deleted(connection, sqlx::query(sql::DELETE_SEVERITIES).bind(now)).await?;
    severities += upserted(connection, sqlx::query_as(sql::SEVERITIES)).await?;
    let mut references = deleted(connection, sqlx::query(sql::DELETE_REFERENCES).bind(now)).await?;
    references += upserted(connection, sqlx::query_as(sql::REFERENCES)).await?;
    let mut packages = deleted(connection, sqlx::query(sql::DELETE_PACKAGES).bind(now)).await?;
    packages += upserted(connection, sqlx::query_as(sql::PACKAGES)).await?;
    sqlx::query(sql::PACKAGE_IDS).execute(&mut *connection).await?;
    let mut versions = deleted(connection, sqlx::query(sql::DELETE_VERSIONS).bind(now)).await?;
    versions += upserted(connection, sqlx::query_as(sql::VERSIONS)).await?;
    let mut ranges = deleted(connection, sqlx::query(sql::DELETE_RANGES).bind(now)).await?;
    ranges += upserted(connection, sqlx::query_as(sql::RANGES)).await?;
    sqlx::query(sql::RANGE_IDS).execute(&mut *connection).await?;
    let mut intervals = deleted(connection, sqlx::query(sql::DELETE_INTERVALS).bind(now)).await?;
    intervals += upserted(connection, sqlx::query_as(sql::INTERVALS)).await?;

    tally.rows.extend([
        ("advisories", advisories),
        ("advisory_aliases", aliases),
        ("advisory_severities", severities),
        ("advisory_references", references),
        ("affected_packages", packages),
        ("affected_versions", versions),
        ("affected_ranges", ranges),
        ("affected_intervals", intervals),
    ]);
    Ok(tally)
}

/// The identifiers of those advisories that are stored as of a later time than `batch` has them.
async fn outdated(connection: &mut PgConnection, batch: &[Document<Advisory>]) -> Result<HashSet<String>> {
    let outdated: Vec<String> = sqlx::query_scalar(sql::OUTDATED)
        .bind(batch.iter().map(|document| document.parsed.identifier.as_str()).collect::<Vec<_>>())
        .bind(batch.iter().map(|document| document.parsed.modified_at).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    Ok(outdated.into_iter().collect())
}

/// Adds the ecosystems that are not there yet.
async fn ecosystems(connection: &mut PgConnection, batch: &[&Document<Advisory>]) -> Result<Rows> {
    let packages = batch.iter().flat_map(|document| &document.parsed.affected);
    let named: BTreeMap<&str, &Affected> =
        packages.map(|(package, affected)| (package.ecosystem.as_str(), affected)).collect();
    let added = sqlx::query(sql::ECOSYSTEMS)
        .bind(named.keys().copied().collect::<Vec<_>>())
        .bind(named.values().map(|affected| affected.osv_name.as_str()).collect::<Vec<_>>())
        .bind(named.values().map(|affected| affected.scheme.to_value()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(Rows { inserted: added.rows_affected(), ..Rows::default() })
}

/// The rows of a batch, an ordinal standing in for each id until there is one.
struct Staging {
    advisories: CopyRows,
    aliases: CopyRows,
    severities: CopyRows,
    references: CopyRows,
    packages: CopyRows,
    versions: CopyRows,
    ranges: CopyRows,
    intervals: CopyRows,
    next_package: i32,
    next_range: i32,
}

async fn stage(connection: &mut PgConnection, batch: &[&Document<Advisory>]) -> Result<()> {
    let mut staging = Staging {
        advisories: CopyRows::new(),
        aliases: CopyRows::new(),
        severities: CopyRows::new(),
        references: CopyRows::new(),
        packages: CopyRows::new(),
        versions: CopyRows::new(),
        ranges: CopyRows::new(),
        intervals: CopyRows::new(),
        next_package: 0,
        next_range: 0,
    };
    for (ordinal, document) in (0..).zip(batch) {
        staging.advisory(ordinal, &document.locator, &document.parsed);
    }
    sqlx::raw_sql(sql::STAGE).execute(&mut *connection).await?;
    staging.advisories.send(connection, sql::COPY_ADVISORIES).await?;
    staging.aliases.send(connection, sql::COPY_ALIASES).await?;
    staging.severities.send(connection, sql::COPY_SEVERITIES).await?;
    staging.references.send(connection, sql::COPY_REFERENCES).await?;
    staging.packages.send(connection, sql::COPY_PACKAGES).await?;
    staging.versions.send(connection, sql::COPY_VERSIONS).await?;
    staging.ranges.send(connection, sql::COPY_RANGES).await?;
    staging.intervals.send(connection, sql::COPY_INTERVALS).await?;
    sqlx::raw_sql(sql::ANALYZE).execute(connection).await?;
    Ok(())
}

impl Staging {
    fn advisory(&mut self, ordinal: i32, locator: &str, advisory: &Advisory) {
        self.advisories
            .row(10)
            .integer(ordinal)
            .text(locator)
            .text(&advisory.identifier)
            .text(&advisory.kind)
            .text(&advisory.summary)
            .text(&advisory.details)
            .optional(advisory.severity.as_deref(), CopyRows::text)
            .optional(advisory.published_at, CopyRows::timestamptz)
            .timestamptz(advisory.modified_at)
            .optional(advisory.withdrawn_at, CopyRows::timestamptz);
        for alias in &advisory.aliases {
            self.aliases.row(2).integer(ordinal).text(alias);
        }
        for severity in &advisory.severities {
            self.severities
                .row(5)
                .integer(ordinal)
                .text(&severity.kind)
                .text(&severity.vector)
                .optional(severity.score_tenths, CopyRows::integer)
                .optional(severity.rating.map(|rating| rating.to_value()), |rows, rating| rows.text(&rating));
        }
        for (kind, url) in &advisory.references {
            self.references.row(3).integer(ordinal).text(kind).text(url);
        }
        for (package, affected) in &advisory.affected {
            self.packages
                .row(7)
                .integer(ordinal)
                .integer(self.next_package)
                .text(&package.ecosystem)
                .text(&package.namespace)
                .text(&affected.name)
                .text(&package.normalized_name)
                .text(&package.release);
            self.affected(affected);
            self.next_package += 1;
        }
    }

    fn affected(&mut self, affected: &Affected) {
        for number in &affected.versions {
            self.versions.row(2).integer(self.next_package).text(number);
        }
        for (position, range) in (0..).zip(&affected.ranges) {
            self.ranges
                .row(6)
                .integer(self.next_package)
                .integer(self.next_range)
                .integer(position)
                .text(&range.kind.to_value())
                .text(&range.repository)
                .jsonb(&range.events);
            for (position, interval) in (0..).zip(&range.intervals) {
                self.intervals
                    .row(8)
                    .integer(self.next_range)
                    .integer(position)
                    .text(&interval.introduced)
                    .optional(interval.fixed.as_deref(), CopyRows::text)
                    .optional(interval.last_affected.as_deref(), CopyRows::text)
                    .optional(interval.lower_key.as_deref(), CopyRows::bytea)
                    .optional(interval.upper_key.as_deref(), CopyRows::bytea)
                    .boolean(interval.is_upper_inclusive);
            }
            self.next_range += 1;
        }
    }
}
