//! What the queries have in common: which events they look at.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// Which events a query looks at. `None` is the default of the parameter in the query's catalogue entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose events; by default those of the tenant `default`.
    pub tenant: Option<String>,
    /// The beginning of the period; by default that of all time.
    pub from: Option<DateTime<Utc>>,
    /// The end of the period, itself excluded; by default that of all time.
    pub until: Option<DateTime<Utc>>,
    /// Only events of this repository (`owner/name`).
    pub repository: Option<String>,
    /// Only events by this person.
    pub actor: Option<String>,
    /// Only events of this kind (`pull_request.opened`) or family (`pull_request`).
    pub kind: Option<String>,
}

impl Filter {
    /// The values that are set, as texts by parameter name.
    pub(super) fn values(&self) -> BTreeMap<String, String> {
        let time = |time: Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339());
        collect([
            ("tenant", self.tenant.clone()),
            ("from", time(self.from)),
            ("until", time(self.until)),
            ("repository", self.repository.clone()),
            ("actor", self.actor.clone()),
            ("kind", self.kind.clone()),
        ])
    }

    /// [`Self::values`] with a query's own.
    pub(super) fn values_and<const N: usize>(
        &self,
        own: [(&str, Option<String>); N],
    ) -> BTreeMap<String, String> {
        let mut values = self.values();
        values.extend(collect(own));
        values
    }
}

fn collect<const N: usize>(values: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
