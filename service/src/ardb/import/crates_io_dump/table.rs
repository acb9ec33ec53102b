//! The tables of the dump: which columns are read, and how a record becomes a row of the staging table.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, SubsecRound as _, Utc};
use entity_ardb::VersionScheme;

use super::{
    super::{
        check::{self, MAX_NAME_BYTES},
        copy::CopyRows,
    },
    ECOSYSTEM,
    direct::{Dependency, Direct, Moves},
    field::Fields,
};
use crate::ardb::{licence, name, repository, version::order};

const MAX_TARGET_BYTES: usize = 1024;

/// A table of the dump that is read.
pub(super) struct Table {
    /// Its file is `data/<name>.csv`.
    pub(super) name: &'static str,
    /// Whether dumps of some years ago do without it.
    pub(super) is_recent: bool,
    /// The columns that it must have.
    pub(super) columns: &'static [&'static str],
    pub(super) copy: &'static str,
    /// Writes a record, which begins on a line, as a row; `Err` with the reason why it is none.
    pub(super) row: fn(&Fields<'_>, i64, &mut CopyRows, &mut Seen) -> Result<(), String>,
}

/// What is gathered over all records of a chunk.
pub(super) struct Seen {
    /// Licences as published and what they are, each once as long as it is remembered.
    pub(super) licences: CopyRows,
    remembered: HashSet<String>,
    /// The first days of the months that downloads were counted in.
    pub(super) months: BTreeSet<NaiveDate>,
    /// Only of a first import.
    pub(super) direct: Option<Direct>,
}

pub(super) const COPY_LICENCES: &str = "copy dump_licences from stdin (format binary)";
/// Distinct licences that are remembered; what comes again after that many is staged again.
const MAX_REMEMBERED: usize = 10_000;

impl Seen {
    pub(super) fn new(moves: Option<Moves>) -> Self {
        Self {
            licences: CopyRows::new(),
            remembered: HashSet::new(),
            months: BTreeSet::new(),
            direct: moves.map(Direct::new),
        }
    }

    /// Bytes gathered so far.
    pub(super) fn size(&self) -> usize {
        self.licences.size() + self.direct.as_ref().map_or(0, |direct| direct.rows.size())
    }

    fn licence(&mut self, published: &str) {
        if self.remembered.contains(published) {
            return;
        }
        if self.remembered.len() >= MAX_REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(published.to_owned());
        if let Some(found) = licence::normalize(published) {
            self.licences.row(3).text(published).text(&found.expression).boolean(found.is_spdx);
        }
    }
}

/// Every table that is read. What is not here (readmes, what crates.io counts for itself) is not.
pub(super) const TABLES: [Table; 13] = [
    Table {
        name: "crates",
        is_recent: false,
        columns: &["id", "name", "description", "homepage", "documentation", "repository"],
        copy: "copy dump_crates (line, id, name, normalized_name, purl, description, homepage_url, documentation_url,
            repository_url, repository_host, repository_path) from stdin (format binary)",
        row: crates,
    },
    Table {
        name: "versions",
        is_recent: false,
        columns: &[
            "id", "crate_id", "num", "checksum", "crate_size", "created_at", "features", "license", "links",
            "rust_version", "yanked",
        ],
        copy: "copy dump_versions from stdin (format binary)",
        row: versions,
    },
    Table {
        name: "dependencies",
        is_recent: false,
        columns: &[
            "version_id", "crate_id", "explicit_name", "req", "kind", "optional", "default_features", "features",
            "target",
        ],
        copy: "copy dump_dependencies from stdin (format binary)",
        row: dependencies,
    },
    Table {
        name: "users",
        is_recent: false,
        columns: &["id", "gh_login", "name"],
        copy: "copy dump_accounts from stdin (format binary)",
        row: |fields, line, rows, _| account(fields, line, rows, "user", "gh_login"),
    },
    Table {
        name: "teams",
        is_recent: false,
        columns: &["id", "login", "name"],
        copy: "copy dump_accounts from stdin (format binary)",
        row: |fields, line, rows, _| account(fields, line, rows, "team", "login"),
    },
    Table {
        name: "crate_owners",
        is_recent: false,
        columns: &["crate_id", "owner_id", "owner_kind"],
        copy: "copy dump_owners from stdin (format binary)",
        row: owners,
    },
    Table {
        name: "keywords",
        is_recent: false,
        columns: &["id", "keyword"],
        copy: "copy dump_keywords from stdin (format binary)",
        row: keywords,
    },
    Table {
        name: "crates_keywords",
        is_recent: false,
        columns: &["crate_id", "keyword_id"],
        copy: "copy dump_crates_keywords from stdin (format binary)",
        row: |fields, line, rows, _| pair(fields, line, rows, "keyword_id"),
    },
    Table {
        name: "categories",
        is_recent: false,
        columns: &["id", "slug", "category", "description"],
        copy: "copy dump_categories from stdin (format binary)",
        row: categories,
    },
    Table {
        name: "crates_categories",
        is_recent: false,
        columns: &["crate_id", "category_id"],
        copy: "copy dump_crates_categories from stdin (format binary)",
        row: |fields, line, rows, _| pair(fields, line, rows, "category_id"),
    },
    Table {
        name: "version_downloads",
        is_recent: false,
        columns: &["version_id", "date", "downloads"],
        copy: "copy dump_downloads from stdin (format binary)",
        row: downloads,
    },
    Table {
        name: "default_versions",
        is_recent: true,
        columns: &["crate_id", "version_id"],
        copy: "copy dump_default_versions from stdin (format binary)",
        row: |fields, line, rows, _| pair(fields, line, rows, "version_id"),
    },
    Table {
        name: "crate_downloads",
        is_recent: true,
        columns: &["crate_id", "downloads"],
        copy: "copy dump_crate_downloads from stdin (format binary)",
        row: crate_downloads,
    },
];

fn crates(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, seen: &mut Seen) -> Result<(), String> {
    let (id, name) = (fields.id("id")?, fields.text("name")?);
    check::length("name", name, MAX_NAME_BYTES)?;
    let known = name::split(ECOSYSTEM, name);
    let purl = known.purl(ECOSYSTEM).map_err(|error| format!("name {name:?}: {error}"))?;
    let description = fields.text("description")?;
    let (homepage, documentation) = (fields.text("homepage")?, fields.text("documentation")?);
    let repository = repository::normalize(fields.text("repository")?);
    let part = |part: fn(&repository::Repository) -> &str| repository.as_ref().map(part);
    rows.row(11).bigint(line).bigint(id).text(name).text(&known.normalized).text(&purl.to_string());
    rows.text(description).text(homepage).text(documentation);
    rows.optional(part(|found| &found.url), CopyRows::text);
    rows.optional(part(|found| &found.host), CopyRows::text);
    rows.optional(part(|found| &found.path), CopyRows::text);
    if let Some(direct) = &mut seen.direct {
        direct.see_crate(id, name, &known.normalized);
    }
    Ok(())
}

fn versions(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, seen: &mut Seen) -> Result<(), String> {
    let (id, crate_id, number) = (fields.id("id")?, fields.id("crate_id")?, fields.text("num")?);
    check::length("num", number, MAX_NAME_BYTES)?;
    cargo_lock::Version::parse(number)
        .map_err(|error| format!("num {number:?} is none that cargo could select: {error}"))?;
    let order = order::parse(VersionScheme::Semver, number)
        .ok_or_else(|| format!("num {number:?} has no place in the order of SemVer 2.0.0"))?;
    let checksum = match fields.text("checksum")? {
        "" => None,
        checksum => Some(check::sha256("checksum", checksum)?),
    };
    let size = fields.optional_count("crate_size")?;
    let published_at = time("created_at", fields.text("created_at")?)?;
    let attributes = attributes(fields)?;
    let is_yanked = fields.boolean("yanked")?;
    let licence = fields.text("license")?;
    seen.licence(licence);
    rows.row(12).bigint(line).bigint(id).bigint(crate_id).text(number).bytea(&order.key);
    rows.boolean(order.is_prerelease).boolean(is_yanked);
    rows.optional(checksum.as_ref(), |rows, sum| rows.bytea(sum)).timestamptz(published_at);
    rows.jsonb(&attributes).text(licence).optional(size, CopyRows::bigint);
    if let Some(direct) = &mut seen.direct {
        direct.see_version(id);
    }
    Ok(())
}

/// The same object that the index gives.
fn attributes(fields: &Fields<'_>) -> Result<String, String> {
    let features = fields.text("features")?;
    let mut attributes = serde_json::Map::new();
    if !matches!(features, "" | "{}") {
        let features: serde_json::Map<String, serde_json::Value> =
            check::json(features.as_bytes()).map_err(|bad| format!("features {}", String::from(bad)))?;
        if !features.is_empty() {
            attributes.insert("features".into(), features.into());
        }
    }
    for column in ["links", "rust_version"] {
        let text = fields.text(column)?;
        if !text.is_empty() {
            attributes.insert(column.into(), text.into());
        }
    }
    Ok(serde_json::Value::Object(attributes).to_string())
}

fn dependencies(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, seen: &mut Seen) -> Result<(), String> {
    let (version_id, crate_id) = (fields.id("version_id")?, fields.id("crate_id")?);
    let kind = match fields.text("kind")? {
        "0" => "normal",
        "1" => "build",
        "2" => "dev",
        other => return Err(format!("kind {other:?} is none of 0 (normal), 1 (build), 2 (dev)")),
    };
    let (alias, target) = (fields.text("explicit_name")?, fields.text("target")?);
    check::length_or_empty("explicit_name", alias, MAX_NAME_BYTES)?;
    check::length_or_empty("target", target, MAX_TARGET_BYTES)?;
    let requirement = match fields.text("req")? {
        "" => "*",
        requirement => requirement,
    };
    let (is_optional, uses_default_features) =
        (fields.boolean("optional")?, fields.boolean("default_features")?);
    let features = fields.texts("features")?;
    let dependency = Dependency {
        version_id,
        crate_id,
        alias,
        requirement,
        kind,
        is_optional,
        uses_default_features,
        features,
        target,
    };
    if seen.direct.as_mut().is_some_and(|direct| direct.write(&dependency)) {
        return Ok(());
    }
    rows.row(10).bigint(line).bigint(version_id).bigint(crate_id).text(alias).text(requirement).text(kind);
    rows.boolean(is_optional).boolean(uses_default_features).text_array(&dependency.features).text(target);
    Ok(())
}

fn account(
    fields: &Fields<'_>,
    line: i64,
    rows: &mut CopyRows,
    kind: &str,
    column: &str,
) -> Result<(), String> {
    let (id, login, name) = (fields.id("id")?, fields.text(column)?, fields.text("name")?);
    check::length(column, login, MAX_NAME_BYTES)?;
    check::length_or_empty("name", name, 1024)?;
    rows.row(5).bigint(line).text(kind).bigint(id).text(login).text(name);
    Ok(())
}

fn owners(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, _: &mut Seen) -> Result<(), String> {
    let (crate_id, owner_id) = (fields.id("crate_id")?, fields.id("owner_id")?);
    let kind = match fields.text("owner_kind")? {
        "0" => "user",
        "1" => "team",
        other => return Err(format!("owner_kind {other:?} is none of 0 (user), 1 (team)")),
    };
    rows.row(4).bigint(line).bigint(crate_id).text(kind).bigint(owner_id);
    Ok(())
}

fn keywords(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, _: &mut Seen) -> Result<(), String> {
    let (id, keyword) = (fields.id("id")?, fields.text("keyword")?.to_ascii_lowercase());
    check::length("keyword", &keyword, MAX_NAME_BYTES)?;
    // Of others, lower case is a matter of opinion: the database's need not be ours.
    if !keyword.is_ascii() {
        return Err(format!("keyword {keyword:?} is not ASCII, as crates.io's are"));
    }
    rows.row(3).bigint(line).bigint(id).text(&keyword);
    Ok(())
}

fn categories(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, _: &mut Seen) -> Result<(), String> {
    let (id, slug, name) = (fields.id("id")?, fields.text("slug")?, fields.text("category")?);
    let description = fields.text("description")?;
    check::length("slug", slug, MAX_NAME_BYTES)?;
    check::length("category", name, MAX_NAME_BYTES)?;
    rows.row(5).bigint(line).bigint(id).text(slug).text(name).text(description);
    Ok(())
}

fn pair(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, column: &str) -> Result<(), String> {
    let (crate_id, other_id) = (fields.id("crate_id")?, fields.id(column)?);
    rows.row(3).bigint(line).bigint(crate_id).bigint(other_id);
    Ok(())
}

fn downloads(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, seen: &mut Seen) -> Result<(), String> {
    let version_id = fields.id("version_id")?;
    let date = fields.text("date")?;
    let day =
        NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|day| (2014..=9999).contains(&day.year()));
    let day =
        day.ok_or_else(|| format!("date {date:?} is no day, such as 2024-02-29, since crates.io opened"))?;
    let downloads = fields.optional_count("downloads")?.ok_or("downloads is empty")?;
    seen.months.extend(day.with_day(1));
    rows.row(4).bigint(line).bigint(version_id).date(day).bigint(downloads);
    Ok(())
}

fn crate_downloads(fields: &Fields<'_>, line: i64, rows: &mut CopyRows, _: &mut Seen) -> Result<(), String> {
    let crate_id = fields.id("crate_id")?;
    let downloads = fields.optional_count("downloads")?.ok_or("downloads is empty")?;
    rows.row(3).bigint(line).bigint(crate_id).bigint(downloads);
    Ok(())
}

/// A time as PostgreSQL writes it, with or without its offset (UTC), or RFC 3339. In whole seconds, as the index has
/// it, so that a version is the same from either.
pub(super) fn time(field: &str, value: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f%#z")
        .map(|time| time.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc()))
        .or_else(|_| check::time(field, value))
        .map_err(|_| format!("{field} {value:?} is not a time such as 2024-02-29 12:00:00.5+00"))?;
    if (1..=9999).contains(&time.year()) {
        Ok(time.trunc_subsecs(0))
    } else {
        Err(format!("{field} {value:?} is out of range"))
    }
}
