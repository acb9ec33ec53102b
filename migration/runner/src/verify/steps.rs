//! What is done with each migration, and with all of them in turn.

use std::time::Instant;

use sea_orm::DbErr;

use super::bench::Bench;
use super::lost::{lost, unmoved};
use super::{Finding, VerifiedMigration};
use crate::catalog::Catalog;
use crate::run::is_transactional;
use crate::{Direction, driver};

impl Bench<'_> {
    pub(super) async fn verify(&mut self) -> Result<Vec<VerifiedMigration>, DbErr> {
        let mut verified = Vec::new();
        // The catalog before the first migration, then after each.
        let mut catalogs = vec![self.catalog().await?];
        for at in 0..self.runner.migrations.len() {
            let began = Instant::now();
            let mut migration = VerifiedMigration {
                name: self.migration(at).name().to_owned(),
                rows: 0,
                tables_without_rows: Vec::new(),
                findings: Vec::new(),
                took_ms: 0,
            };
            let after = self.verify_one(at, &mut migration).await?;
            migration.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            verified.push(migration);
            match after {
                Some(catalog) => catalogs.push(catalog),
                None => return Ok(verified),
            }
        }
        self.verify_in_turn(&catalogs, &mut verified).await?;
        Ok(verified)
    }

    /// The catalog after `up`, and the database in that state; `None` if there is no such state.
    async fn verify_one(
        &mut self,
        at: usize,
        migration: &mut VerifiedMigration,
    ) -> Result<Option<Catalog>, DbErr> {
        let claims = self.claims(at);
        if let Some(sql) = claims.sql_of_rows_before()
            && let Err(error) = self.execute(sql).await
        {
            migration.findings.push(Finding::RowsBeforeFailed { error: error.to_string() });
        }
        migration.tables_without_rows = self.fill().await?;
        let before = self.catalog().await?;
        let rows = self.rows().await?;
        let keys = self.keys().await?;
        migration.rows = rows.values().map(Vec::len).sum();
        if let Err(error) = self.run(at, Direction::Up).await {
            migration.findings.push(Finding::UpFailed { error: error.to_string() });
            return Ok(None);
        }
        let after = self.catalog().await?;
        let migrated = self.rows().await?;
        for skipped in self.fill().await? {
            if !migration.tables_without_rows.contains(&skipped) {
                migration.tables_without_rows.push(skipped);
            }
        }
        let rows = unmoved(rows, &migrated, &self.rows().await?, &keys);
        let down = self.run(at, Direction::Down).await;
        let mut found = Vec::new();
        match down {
            Ok(()) if claims.is_irreversible() => found.push(Finding::DownSucceeded),
            Err(_) if claims.is_irreversible() => {}
            Err(error) if driver::is_not_written(&error) => found.push(Finding::DownNotWritten),
            Err(error) => found.push(Finding::DownFailed { error: error.to_string() }),
            Ok(()) => {
                let difference = before.difference(&self.catalog().await?);
                if !difference.is_empty() {
                    found.push(Finding::DownLeaves { difference });
                }
                let lost = lost(&rows, &self.rows().await?, &keys, claims);
                found.extend(lost.into_iter().map(|(table, lost)| Finding::RowsLost { table, lost }));
                if found.is_empty() {
                    found.extend(self.up_again(at, &after).await?);
                }
            }
        }
        // A refused `down` outside a transaction may have done a part of its work.
        let partly = claims.is_irreversible() && !is_transactional(self.migration(at));
        if (partly || !found.is_empty()) && !self.rebuilt(at, &mut found).await? {
            migration.findings.extend(found);
            return Ok(None);
        }
        migration.findings.extend(found);
        if claims.is_rerunnable() {
            let mut found = self.rerun(at, &after).await?;
            let stands = found.is_empty() || self.rebuilt(at, &mut found).await?;
            migration.findings.extend(found);
            if !stands {
                return Ok(None);
            }
        }
        Ok(Some(after))
    }

    async fn up_again(&self, at: usize, after: &Catalog) -> Result<Option<Finding>, DbErr> {
        if let Err(error) = self.run(at, Direction::Up).await {
            return Ok(Some(Finding::UpAgainFailed { error: error.to_string() }));
        }
        let difference = after.difference(&self.catalog().await?);
        Ok((!difference.is_empty()).then_some(Finding::UpAgainDiffers { difference }))
    }

    async fn rerun(&self, at: usize, after: &Catalog) -> Result<Vec<Finding>, DbErr> {
        let (before, keys) = (self.rows().await?, self.keys().await?);
        if let Err(error) = self.run(at, Direction::Up).await {
            return Ok(vec![Finding::RerunFailed { error: error.to_string() }]);
        }
        let difference = after.difference(&self.catalog().await?);
        if !difference.is_empty() {
            return Ok(vec![Finding::RerunDiffers { difference }]);
        }
        let (now, claims) = (self.rows().await?, self.claims(at));
        let mut changed = lost(&before, &now, &keys, claims);
        for (table, new) in lost(&now, &before, &keys, claims) {
            // A row that is different is in both, and told already.
            let new = new
                .into_iter()
                .filter_map(|row| row.strip_suffix(" is gone").map(|row| format!("{row} is new")));
            changed.entry(table).or_default().extend(new);
        }
        Ok(changed.into_iter().map(|(table, changed)| Finding::RerunChangesRows { table, changed }).collect())
    }

    /// Begins anew after the migration at `at`; false, and a finding, if an `up` fails without rows.
    async fn rebuilt(&mut self, at: usize, found: &mut Vec<Finding>) -> Result<bool, DbErr> {
        match self.rebuild(at + 1).await? {
            Ok(()) => Ok(true),
            Err((failed, error)) => {
                let name = self.migration(failed).name();
                found.push(Finding::UpFailed {
                    error: format!("{name}, in a database without rows: {error}"),
                });
                Ok(false)
            }
        }
    }

    /// With rows in, everything down, newest first, as far as there is a way, and up again.
    async fn verify_in_turn(
        &mut self,
        catalogs: &[Catalog],
        verified: &mut [VerifiedMigration],
    ) -> Result<(), DbErr> {
        let mut reverted = verified.len();
        self.fill().await?;
        while let Some(at) = reverted.checked_sub(1) {
            if self.claims(at).is_irreversible() || !verified[at].findings.is_empty() {
                break;
            }
            if let Err(error) = self.run(at, Direction::Down).await {
                verified[at].findings.push(Finding::DownInTurnFailed { error: error.to_string() });
                return Ok(());
            }
            let difference = catalogs[at].difference(&self.catalog().await?);
            if !difference.is_empty() {
                verified[at].findings.push(Finding::DownInTurnLeaves { difference });
                return Ok(());
            }
            reverted = at;
        }
        for at in reverted..verified.len() {
            if let Some(sql) = self.claims(at).sql_of_rows_before()
                && let Err(error) = self.execute(sql).await
            {
                verified[at].findings.push(Finding::RowsBeforeFailed { error: error.to_string() });
                return Ok(());
            }
            if let Err(error) = self.run(at, Direction::Up).await {
                verified[at].findings.push(Finding::UpInTurnFailed { error: error.to_string() });
                return Ok(());
            }
            let difference = catalogs[at + 1].difference(&self.catalog().await?);
            if !difference.is_empty() {
                verified[at].findings.push(Finding::UpInTurnDiffers { difference });
                return Ok(());
            }
        }
        Ok(())
    }
}
