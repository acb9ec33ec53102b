//! What is known against an inventory.
//!
//! The database finds the entries of advisories about packages of the inventory, and the components that are those
//! packages; whether a component's version is affected is decided here, by [`Interval::contains`] as everywhere. A join
//! by keys in the database finds the same in the same time, but has to send every component as often as it is affected.

use std::collections::{BTreeMap, BTreeSet};

use entity_ardb::InventoryId;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use serde::Serialize;

use crate::{
    Result,
    ardb::{inventory::CRATES_IO, version::range::Interval},
};

/// A component of an inventory that an advisory affects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The component's; empty: none.
    pub namespace: String,
    /// The component's, as the inventory has it.
    pub name: String,
    /// The component's version.
    pub number: String,
    /// The advisory's own id, such as RUSTSEC-2021-0001.
    pub advisory: String,
    /// `vulnerability`, `unmaintained`, `unsound`, `notice`, …
    pub kind: String,
    /// One line; empty: the advisory has none.
    pub summary: String,
    /// The CVSS vector as published; `None`: not given.
    pub severity: Option<String>,
    /// Other ids of the advisory, sorted.
    pub aliases: Vec<String>,
    /// Versions that end the affected stretches the component lies in, lowest first; empty: no fix is known. Where the
    /// advisory enumerates the component's version and no stretch holds it, every fix that the advisory names. Of a
    /// component that advisories know by its source package, versions of that.
    pub fixed: Vec<String>,
}

/// What an advisory says of a package, or of one release of it.
#[derive(FromQueryResult)]
struct Entry {
    ecosystem_id: i64,
    namespace: String,
    normalized_name: String,
    release: String,
    source: String,
    has_both_names: bool,
    advisory: String,
    kind: String,
    summary: String,
    severity: Option<String>,
    aliases: Vec<String>,
    lower_keys: Vec<Vec<u8>>,
    upper_keys: Vec<Vec<u8>>,
    are_upper_inclusive: Vec<bool>,
    fixed: Vec<String>,
    fixes: Vec<String>,
    numbers: Vec<String>,
}

impl Entry {
    fn intervals(&self) -> Vec<Interval> {
        let some = |fixed: &String| Some(fixed.clone()).filter(|fixed| !fixed.is_empty());
        let keys = self.lower_keys.iter().zip(&self.upper_keys);
        let ends = self.are_upper_inclusive.iter().zip(&self.fixed);
        let interval = |((lower, upper), (is_upper_inclusive, fixed)): (_, (&bool, &String))| Interval {
            fixed: some(fixed),
            lower_key: Some(Vec::clone(lower)),
            upper_key: Some(Vec::clone(upper)).filter(|upper| !upper.is_empty()),
            is_upper_inclusive: *is_upper_inclusive,
            ..Interval::default()
        };
        keys.zip(ends).map(interval).collect()
    }
}

/// Components that are one package, or are built from it, in lists.
#[derive(FromQueryResult)]
struct Components {
    place: i64,
    is_upstream: bool,
    ids: Vec<i64>,
    names: Vec<String>,
    numbers: Vec<String>,
    sort_keys: Vec<Vec<u8>>,
    releases: Vec<String>,
    /// Empty for those that are built from the package, as the last two are for those that are it.
    has_upstream: Vec<bool>,
    upstream_numbers: Vec<String>,
    upstream_sort_keys: Vec<Vec<u8>>,
}

impl Components {
    /// Whether what `entry` says can be held against the component at `at`.
    fn are_meant(&self, at: usize, entry: &Entry) -> bool {
        let is_release = entry.release.is_empty() || entry.release == self.releases[at];
        // Of RPMs, some distributions name source packages and some what is installed.
        let is_name = entry.has_both_names || self.is_upstream || !self.has_upstream[at];
        is_release && is_name
    }

    /// The number and key that advisories know the component at `at` by.
    fn version(&self, at: usize) -> (&String, &[u8]) {
        if self.is_upstream {
            (&self.upstream_numbers[at], &self.upstream_sort_keys[at])
        } else {
            (&self.numbers[at], &self.sort_keys[at])
        }
    }
}

/// An entry that affects a component.
struct Hit<'a> {
    components: &'a Components,
    at: usize,
    entry: &'a Entry,
    fixed: Vec<&'a str>,
    is_by_range: bool,
}

impl<'a> Hit<'a> {
    fn component_id(&self) -> i64 {
        self.components.ids[self.at]
    }

    /// By name, then lowest version first, what does not parse last, then by advisory.
    fn place(&self) -> impl Ord + use<'a> {
        let Self { components, at, entry, .. } = *self;
        let key = &components.sort_keys[at];
        let component =
            (&entry.namespace, &components.names[at], key.is_empty(), key, &components.numbers[at]);
        (component, components.ids[at], &entry.advisory)
    }
}

/// What is known against the components of `inventory`: by component's name and version, then by advisory. Two
/// statements.
///
/// Components that are not from a registry that advisories speak of (local paths, git, another registry) are not held
/// against them, nor are those of a Linux distribution whose release is unknown against what is about one release.
/// Empty when nothing is known, or the inventory does not exist.
///
/// # Errors
///
/// [`Error::Database`](crate::Error::Database) if a query does not run.
pub async fn exposure(db: &impl ConnectionTrait, inventory: InventoryId) -> Result<Vec<Exposure>> {
    let values = [inventory.0.into(), CRATES_IO.into()];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("entries.sql"), values);
    let entries = Entry::find_by_statement(select).all(db).await?;
    let mut packages = BTreeMap::<_, Vec<(&Entry, Vec<Interval>)>>::new();
    for entry in &entries {
        let package = (entry.ecosystem_id, &entry.namespace, &entry.normalized_name, &entry.source);
        packages.entry(package).or_default().push((entry, entry.intervals()));
    }

    let column = |of: fn(&Entry) -> &String| -> Value {
        packages.values().map(|entries| of(entries[0].0).clone()).collect::<Vec<_>>().into()
    };
    let values: [Value; 5] = [
        inventory.0.into(),
        packages.keys().map(|package| package.0).collect::<Vec<_>>().into(),
        column(|entry| &entry.namespace),
        column(|entry| &entry.normalized_name),
        column(|entry| &entry.source),
    ];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, include_str!("components.sql"), values);
    let components = Components::find_by_statement(select).all(db).await?;

    let entries: Vec<_> = packages.values().collect();
    let mut hits = Vec::new();
    for components in &components {
        let place = usize::try_from(components.place - 1).ok();
        for (entry, intervals) in place.and_then(|place| entries.get(place)).into_iter().copied().flatten() {
            hits.extend(hits_of(components, entry, intervals));
        }
    }
    // First what is cheap to compare, so that the rest is nearly sorted.
    hits.sort_unstable_by_key(Hit::component_id);
    hits.sort_by(|a, b| a.place().cmp(&b.place()));
    let is_one = |a: &Hit<'_>, b: &Hit<'_>| {
        a.component_id() == b.component_id() && a.entry.advisory == b.entry.advisory
    };
    Ok(hits.chunk_by(is_one).map(exposed).collect())
}

/// The components that `entry` affects: their version lies in one of `intervals` or is enumerated.
fn hits_of<'a>(
    components: &'a Components,
    entry: &'a Entry,
    intervals: &'a [Interval],
) -> impl Iterator<Item = Hit<'a>> {
    let meant = (0..components.ids.len()).filter(|at| components.are_meant(*at, entry));
    meant.filter_map(|at| {
        let (number, key) = components.version(at);
        let held = intervals.iter().filter(|interval| !key.is_empty() && interval.contains(key));
        let mut held = held.peekable();
        let is_by_range = held.peek().is_some();
        let fixed = if is_by_range {
            held.filter_map(|interval| interval.fixed.as_deref()).collect()
        } else if entry.numbers.binary_search(number).is_ok() {
            // An enumeration does not say which fix is meant.
            entry.fixes.iter().map(String::as_str).collect()
        } else {
            return None;
        };
        Some(Hit { components, at, entry, fixed, is_by_range })
    })
}

/// One component and one advisory; `hits` is not empty.
fn exposed(hits: &[Hit<'_>]) -> Exposure {
    let Hit { components, at, entry, .. } = hits[0];
    // What enumerates the component counts only where no stretch holds it.
    let is_by_range = hits.iter().any(|hit| hit.is_by_range);
    let counted = hits.iter().filter(|hit| hit.is_by_range == is_by_range).flat_map(|hit| &hit.fixed);
    let mut seen = BTreeSet::new();
    Exposure {
        namespace: entry.namespace.clone(),
        name: components.names[at].clone(),
        number: components.numbers[at].clone(),
        advisory: entry.advisory.clone(),
        kind: entry.kind.clone(),
        summary: entry.summary.clone(),
        severity: entry.severity.clone(),
        aliases: entry.aliases.clone(),
        fixed: counted.filter(|fixed| seen.insert(**fixed)).map(|fixed| (*fixed).to_owned()).collect(),
    }
}
