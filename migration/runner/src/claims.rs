//! What a migration says of itself beyond what its code can show.

/// What a migration claims; [`Runner::claim`](crate::Runner::claim) ties it to the migration's name.
///
/// Without a claim a migration is held to the strictest reading: its `down` works and keeps every row that
/// was there before its `up`, and it can't be run twice.
///
/// ```
/// use migration_runner::Claims;
///
/// const DROP_NICKNAMES: Claims = Claims::new().down_loses(&["users.nickname"]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    rerunnable: bool,
    depends_on_data: bool,
    irreversible: bool,
    down_loses: &'static [&'static str],
    rows_before: Option<&'static str>,
}

impl Claims {
    /// Nothing beyond what the code shows.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rerunnable: false,
            depends_on_data: false,
            irreversible: false,
            down_loses: &[],
            rows_before: None,
        }
    }

    /// `up` can be run again where it was run before, wholly or in part, with the same result. `verify` runs
    /// it twice; an interrupted one outside a transaction is run again without a question.
    #[must_use]
    pub const fn rerunnable(self) -> Self {
        Self { rerunnable: true, ..self }
    }

    /// The SQL is made from what the database holds, or from the clock or the environment, so it has no
    /// checksum. What a migration reads through its connection is noticed without this claim.
    #[must_use]
    pub const fn depends_on_data(self) -> Self {
        Self { depends_on_data: true, ..self }
    }

    /// `down` returns an error that says why there is no way back.
    #[must_use]
    pub const fn irreversible(self) -> Self {
        Self { irreversible: true, ..self }
    }

    /// What `down` does not bring back of what was there before `up`: `table`, or `table.column`.
    #[must_use]
    pub const fn down_loses(self, what: &'static [&'static str]) -> Self {
        Self { down_loses: what, ..self }
    }

    /// SQL that `verify` runs before `up`, for rows whose meaning no constraint tells: those that a data
    /// migration is about.
    #[must_use]
    pub const fn rows_before(self, sql: &'static str) -> Self {
        Self { rows_before: Some(sql), ..self }
    }

    /// Whether [`Claims::rerunnable`] was said.
    #[must_use]
    pub const fn is_rerunnable(&self) -> bool {
        self.rerunnable
    }

    /// Whether [`Claims::depends_on_data`] was said.
    #[must_use]
    pub const fn is_dependent_on_data(&self) -> bool {
        self.depends_on_data
    }

    /// Whether [`Claims::irreversible`] was said.
    #[must_use]
    pub const fn is_irreversible(&self) -> bool {
        self.irreversible
    }

    /// What [`Claims::rows_before`] was given.
    #[must_use]
    pub const fn sql_of_rows_before(&self) -> Option<&'static str> {
        self.rows_before
    }

    /// Whether [`Claims::down_loses`] named the table, or the column of it.
    #[must_use]
    pub fn loses(&self, table: &str, column: &str) -> bool {
        self.down_loses.iter().any(|lost| {
            *lost == table
                || lost.strip_suffix(column).is_some_and(|rest| rest.strip_suffix('.') == Some(table))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_table_loses_every_column_and_a_lost_column_only_itself() {
        let claims = Claims::new().down_loses(&["drafts", "users.nickname"]);
        assert!(claims.loses("drafts", "id") && claims.loses("users", "nickname"));
        assert!(!claims.loses("users", "id") && !claims.loses("nickname", "users"));
    }
}
