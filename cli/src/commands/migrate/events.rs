//! The commands on ClickHouse, which has migrations of its own kind.

use chrono::TimeDelta;
use events::migration::{
    Action, Direction, EffectKind, Extent, HistoryEntry, PlannedMigration, PlannedStatement, Runner, State,
    Status, Verification,
};
use migration_runner::Accepted;
use migration_runner::cli::{
    self, BAD, Command, FAINT, GOOD, Repair, Report, Row, Stake, WARN, how_long, nothing, paint, rows, when,
};

use crate::output::count;

/// What the database is called.
const NAME: &str = "events";

/// ClickHouse and its migrations.
pub(super) struct Target {
    runner: Runner,
}

impl Target {
    pub(super) fn new(runner: Runner) -> Self {
        Self { runner }
    }

    /// What `command` would lose, if that is to be asked about.
    pub(super) async fn stake(&self, command: &Command) -> Option<Stake> {
        match command {
            Command::Down(down) if !down.dry_run => {
                let planned = self.runner.plan(Direction::Down, &extent(&down.extent())).await.ok()?;
                Stake::migrations(NAME, planned.len())
            }
            command => command.loses_data().then(|| Stake::everything(NAME)),
        }
    }

    /// Whether it is marked as production; where it can't be told, the command says why.
    pub(super) async fn is_production(&self) -> bool {
        self.runner.is_production().await.unwrap_or(false)
    }

    /// The applied migrations whose SQL has changed since, each with the difference.
    pub(super) async fn changes(&self) -> events::Result<Vec<Accepted>> {
        let changed = self.runner.changes().await?.into_iter();
        Ok(changed
            .filter_map(|one| Some(Accepted { migration: one.migration, difference: one.difference? }))
            .collect())
    }

    /// Carries out `command`, without a question. What goes wrong is in the report.
    pub(super) async fn carry_out(&self, command: &Command) -> Report {
        let mut report = Report::new(NAME);
        if let Err(error) = self.execute(command, &mut report).await {
            report.error = Some(format!("{NAME}: {error:#}"));
        }
        report
    }

    async fn execute(&self, command: &Command, report: &mut Report) -> anyhow::Result<()> {
        let runner = &self.runner;
        let so_far = report.clone();
        *report = match command {
            Command::Status => {
                let status = runner.status().await?;
                let is_no =
                    status.is_pending() || status.migrations.iter().any(|one| one.state == State::Changed);
                Report { is_no, ..so_far.with_all(&status).saying(describe_status(&status)) }
            }
            Command::Up(up) if up.dry_run => {
                let planned = runner.plan(Direction::Up, &extent(&up.extent())).await?;
                so_far.with("dry_run", &planned).saying(describe_sql(&planned))
            }
            Command::Up(up) => so_far.listing("applied", &runner.up(&extent(&up.extent())).await?.migrations),
            Command::Down(down) if down.dry_run => {
                let planned = runner.plan(Direction::Down, &extent(&down.extent())).await?;
                so_far.with("dry_run", &planned).saying(describe_sql(&planned))
            }
            Command::Down(down) => {
                so_far.listing("reverted", &runner.down(&extent(&down.extent())).await?.migrations)
            }
            Command::Reset(_) => so_far.listing("reverted", &runner.down(&Extent::All).await?.migrations),
            Command::Refresh(_) => {
                *report = so_far.listing("reverted", &runner.down(&Extent::All).await?.migrations);
                report.clone().listing("applied", &runner.up(&Extent::All).await?.migrations)
            }
            Command::Fresh(_) => {
                self.runner.drop_everything().await?;
                let dropped = rows(&[Row::new("dropped", WARN).column("everything")]);
                *report = so_far.with("dropped", &true).saying(dropped);
                report.clone().listing("applied", &runner.up(&Extent::All).await?.migrations)
            }
            Command::Plan(plan) => {
                let planned = runner.plan(Direction::Up, &extent(&plan.extent())).await?;
                so_far.with("migrations", &planned).saying(describe_plan(&planned))
            }
            Command::Verify => {
                let found = runner.verify().await?;
                let is_no = !found.findings.is_empty();
                Report { is_no, ..so_far.with_all(&found).saying(describe_findings(&found)) }
            }
            Command::History(history) => {
                let entries = runner.history(history.num.into()).await?;
                so_far.with("entries", &entries).saying(describe_history(&entries))
            }
            Command::Repair(repair) => self.repair(repair, so_far).await?,
            Command::Baseline(baseline) => {
                let to = Extent::To(baseline.name.clone());
                let marked = if baseline.unchecked {
                    runner.baseline_unchecked(&to).await?
                } else {
                    runner.baseline(&to).await?
                };
                so_far.listing("marked", &marked.migrations)
            }
            Command::New(_) => so_far,
        };
        Ok(())
    }

    async fn repair(&self, options: &Repair, report: Report) -> anyhow::Result<Report> {
        match options {
            Repair { applied: Some(name), .. } => {
                self.runner.applied(name).await?;
                Ok(report.listing("settled_applied", std::slice::from_ref(name)))
            }
            Repair { pending: Some(name), .. } => {
                self.runner.reverted(name).await?;
                Ok(report.listing("settled_pending", std::slice::from_ref(name)))
            }
            Repair { dry_run: true, .. } => {
                let changes = self.changes().await?;
                let is_no = !changes.is_empty();
                let listed = changes.iter().map(|one| (one.migration.as_str(), one.difference.as_str()));
                let text = cli::differences(listed);
                Ok(Report { is_no, ..report.with("changes", &changes).saying(text) })
            }
            _ => {
                let accepted = self.runner.repair().await?;
                let lines = accepted.iter().map(|one| {
                    let note = if one.difference.is_none() { "had no checksum" } else { "" };
                    Row::new("accepted", GOOD).column(&one.migration).column(note)
                });
                let text = if accepted.is_empty() {
                    nothing("nothing has changed")
                } else {
                    rows(&lines.collect::<Vec<_>>())
                };
                Ok(report.with("accepted", &accepted).saying(text))
            }
        }
    }
}

fn extent(extent: &migration_runner::Extent) -> Extent {
    match extent {
        migration_runner::Extent::All => Extent::All,
        migration_runner::Extent::Count(count) => Extent::Count(*count),
        migration_runner::Extent::To(name) => Extent::To(name.clone()),
    }
}

fn describe_status(status: &Status) -> String {
    let known = status.migrations.iter().map(|migration| {
        let style = match migration.state {
            State::Applied => GOOD,
            State::Partial => BAD,
            State::Pending | State::Changed => WARN,
        };
        let at = migration.applied_at.map(when).unwrap_or_default();
        let took = match (migration.started_at, migration.finished_at) {
            (Some(start), Some(end)) if migration.applied => how_long(end - start),
            _ => String::new(),
        };
        let steps = format!("{} of {} steps are done", migration.steps_done, migration.steps);
        let note = if migration.state == State::Partial { steps } else { String::new() };
        Row::new(migration.state.as_str(), style)
            .column(&migration.name)
            .column(at)
            .column(took)
            .column(note)
            .below(migration.error.as_deref())
    });
    let unknown = status.unknown.iter().map(|name| Row::new("unknown", WARN).column(name));
    rows(&known.chain(unknown).collect::<Vec<_>>())
}

fn describe_sql(planned: &[PlannedMigration]) -> String {
    if planned.is_empty() {
        return nothing("nothing to do");
    }
    let mut text = String::new();
    for migration in planned {
        text.push_str(&format!("{}\n", paint(FAINT, format!("-- {}", migration.name))));
        for statement in &migration.statements {
            text.push_str(&format!("{};\n", statement.sql.trim().trim_end_matches(';')));
        }
    }
    text
}

fn describe_plan(planned: &[PlannedMigration]) -> String {
    if planned.is_empty() {
        return nothing("nothing to do");
    }
    let mut text = String::new();
    for migration in planned {
        let done = match migration.steps_done {
            0 => String::new(),
            steps => format!(", after {steps} steps that are done"),
        };
        let back = if migration.reversible { "" } else { ", can't be reverted" };
        text.push_str(&format!("{}{done}{back}\n", migration.name));
        let statements: Vec<Row> = migration.statements.iter().map(describe_statement).collect();
        text.push_str(&rows(&statements));
    }
    text
}

fn describe_statement(statement: &PlannedStatement) -> Row {
    let kind = statement.kind();
    let style = match kind {
        EffectKind::Metadata => GOOD,
        EffectKind::Copies | EffectKind::Rewrites => WARN,
        EffectKind::Loses | EffectKind::Unknown => BAD,
    };
    let notes = statement.effects.iter().map(|effect| {
        if effect.note.is_empty() {
            effect.command.clone()
        } else {
            format!("{}: {}", effect.command, effect.note)
        }
    });
    let existing = statement.existing.as_ref().map(|existing| {
        format!("{} has {} rows in {} bytes", existing.table, count(existing.rows), count(existing.bytes))
    });
    Row::new(kind.to_string(), style)
        .column(statement.about)
        .column(notes.collect::<Vec<_>>().join("; "))
        .column(existing.unwrap_or_default())
}

fn describe_findings(found: &Verification) -> String {
    let mut lines: Vec<Row> = found
        .findings
        .iter()
        .map(|one| Row::new("found", BAD).column("").below(Some(&one.to_string())))
        .collect();
    lines.extend(
        found.unfilled.iter().map(|one| Row::new("no rows", WARN).column(&one.table).column(&one.reason)),
    );
    if found.findings.is_empty() {
        lines.extend(found.tried.iter().map(|name| Row::new("sound", GOOD).column(name)));
    }
    rows(&lines)
}

fn describe_history(entries: &[HistoryEntry]) -> String {
    let lines: Vec<Row> = entries.iter().map(describe_entry).collect();
    if lines.is_empty() { nothing("nothing was run yet") } else { rows(&lines) }
}

fn describe_entry(entry: &HistoryEntry) -> Row {
    let (word, style) = match (entry.success, entry.duration_ms) {
        (true, _) => ("done", GOOD),
        (false, Some(_)) => ("failed", BAD),
        (false, None) => ("open", WARN),
    };
    let action = match entry.action {
        Action::Up => "up",
        Action::Down => "down",
        Action::Baseline => "baseline",
        Action::Repair => "repair",
    };
    let took = entry.duration_ms.and_then(|ms| TimeDelta::try_milliseconds(i64::try_from(ms).ok()?));
    let took = took.map(how_long);
    let who = match entry.program.as_str() {
        "" => String::new(),
        program => format!("{program} on {} as {}", entry.host, entry.user),
    };
    let failed = match (&entry.error, &entry.failed_statement) {
        (Some(error), Some(statement)) => Some(format!("{error}\n{statement}")),
        (error, _) => error.clone(),
    };
    Row::new(word, style)
        .column(when(entry.started_at))
        .column(action)
        .column(&entry.migration)
        .column(took.unwrap_or_default())
        .column(who)
        .below(failed.as_deref())
}
