//! Carrying a command out on open connections.

use sea_orm::DatabaseConnection;

use super::args::{Command, Repair};
use super::report::{self, Report};
use crate::{Direction, Extent, Result, Runner, Settled, State};

/// Carries out `command` on one database. It asks nothing: see [`confirm_loss`](super::confirm_loss).
///
/// `runner` is as [`Command::prepare`] made it. What goes wrong is in the report.
pub async fn carry_out(runner: &Runner, db: &DatabaseConnection, command: &Command) -> Report {
    let mut reports = carry_out_in_one(&[(runner, db)], command).await;
    reports.pop().unwrap_or_else(|| Report::new(runner.name()))
}

/// [`carry_out`] on sets of migrations that share one database, each after the other; a report for each, in the
/// order in which they are given.
///
/// They go up in that order, down in the opposite one. Before `fresh` or `refresh` applies anything, all of
/// them are taken away.
pub async fn carry_out_in_one(targets: &[(&Runner, &DatabaseConnection)], command: &Command) -> Vec<Report> {
    let mut reports: Vec<Report> = targets.iter().map(|(runner, _)| Report::new(runner.name())).collect();
    let numbered = || targets.iter().copied().enumerate();
    if command.goes_backwards() {
        for (at, (runner, db)) in numbered().rev() {
            step(&mut reports[at], async |report| execute(runner, db, command, report).await).await;
        }
        return reports;
    }
    match command {
        Command::Fresh(_) => drop_once(targets, &mut reports).await,
        Command::Refresh(_) => {
            for (at, (runner, db)) in numbered().rev() {
                let revert = async |report| Ok(revert(runner, db, &Extent::All, report).await?);
                step(&mut reports[at], revert).await;
            }
        }
        _ => {}
    }
    for (at, (runner, db)) in numbered() {
        if reports[at].error.is_none() {
            step(&mut reports[at], async |report| execute(runner, db, command, report).await).await;
        }
    }
    reports
}

/// What there is goes in one sweep, whoever made it; if it can't, nothing is applied to any of them.
async fn drop_once(targets: &[(&Runner, &DatabaseConnection)], reports: &mut [Report]) {
    let Some((runner, db)) = targets.first() else { return };
    let all: Vec<&Runner> = targets.iter().map(|(runner, _)| *runner).collect();
    let dropped = runner.drop_everything(db, &all).await.map_err(|error| error.to_string());
    for report in reports {
        match &dropped {
            Ok(()) => {
                let line = report::rows(&[report::Row::new("dropped", report::WARN).column("everything")]);
                *report = Report::new(&report.database).with("dropped", &true).saying(line);
            }
            Err(error) => report.error = Some(error.clone()),
        }
    }
}

/// Puts an error of `work` beside what was done before it.
async fn step(report: &mut Report, work: impl AsyncFnOnce(Report) -> Result<Report>) {
    let before = report.clone();
    *report = match work(before.clone()).await {
        Ok(after) => after,
        Err(error) => Report { error: Some(error.to_string()), ..before },
    };
}

async fn execute(
    runner: &Runner,
    db: &DatabaseConnection,
    command: &Command,
    report: Report,
) -> Result<Report> {
    Ok(match command {
        Command::Status => {
            let status = runner.status(db).await?;
            let is_no = status.is_pending()
                || status.first(State::Changed).is_some()
                || status.first(State::Interrupted).is_some();
            Report { is_no, ..report.with_all(&status).saying(report::status(&status)) }
        }
        Command::Up(up) if up.dry_run => dry_run(runner, db, Direction::Up, &up.extent(), report).await?,
        Command::Up(up) => report.listing("applied", &runner.up_by(db, &up.extent()).await?),
        Command::Down(down) if down.dry_run => {
            dry_run(runner, db, Direction::Down, &down.extent(), report).await?
        }
        Command::Down(down) => revert(runner, db, &down.extent(), report).await?,
        Command::Reset(_) => revert(runner, db, &Extent::All, report).await?,
        Command::Fresh(_) | Command::Refresh(_) => report.listing("applied", &runner.up(db).await?),
        Command::Plan(plan) => {
            let plan = runner.plan(db, &plan.extent()).await?;
            let migrations = plan.migrations.iter().map(ToString::to_string);
            let text = migrations.collect::<Vec<_>>().join("\n");
            let text = if text.is_empty() { report::nothing("nothing to do") } else { text };
            let is_no = plan.migrations.iter().any(|migration| migration.error.is_some());
            Report { is_no, ..report.with_all(&plan).saying(text) }
        }
        Command::Verify => {
            let verification = runner.verify(db).await?;
            let is_no = !verification.is_sound();
            Report { is_no, ..report.with_all(&verification).saying(report::verification(&verification)) }
        }
        Command::History(history) => {
            let entries = runner.history(db, history.num.into()).await?;
            report.with("entries", &entries).saying(report::history(&entries))
        }
        Command::Repair(options) => repair(runner, db, options, report).await?,
        Command::Baseline(baseline) => {
            report.listing("marked", &runner.baseline(db, &baseline.name, baseline.unchecked).await?)
        }
        Command::New(_) => report,
    })
}

async fn revert(runner: &Runner, db: &DatabaseConnection, extent: &Extent, report: Report) -> Result<Report> {
    Ok(report.listing("reverted", &runner.down(db, extent).await?))
}

async fn dry_run(
    runner: &Runner,
    db: &DatabaseConnection,
    direction: Direction,
    extent: &Extent,
    report: Report,
) -> Result<Report> {
    let runs = runner.dry_run(db, direction, extent).await?;
    Ok(report.with("dry_run", &runs).saying(report::sql(&runs)))
}

async fn repair(
    runner: &Runner,
    db: &DatabaseConnection,
    options: &Repair,
    report: Report,
) -> Result<Report> {
    let settle = match options {
        Repair { applied: Some(name), .. } => Some((name, Settled::Applied, "applied")),
        Repair { pending: Some(name), .. } => Some((name, Settled::Pending, "pending")),
        _ => None,
    };
    if let Some((name, settled, word)) = settle {
        runner.settle(db, name, settled).await?;
        return Ok(report.listing(&format!("settled_{word}"), std::slice::from_ref(name)));
    }
    let differences = |changes: &[crate::Accepted]| {
        report::differences(changes.iter().map(|one| (one.migration.as_str(), one.difference.as_str())))
    };
    if options.dry_run {
        let changes = runner.changes(db).await?;
        let is_no = !changes.is_empty();
        return Ok(Report { is_no, ..report.with("changes", &changes).saying(differences(&changes)) });
    }
    let accepted = runner.repair(db).await?;
    let mut lines: Vec<_> = accepted
        .iter()
        .map(|one| {
            let note = if one.difference.is_empty() { "had no checksum" } else { "" };
            report::Row::new("accepted", report::GOOD).column(&one.migration).column(note)
        })
        .collect();
    let left = runner.status(db).await?.migrations.into_iter().filter(|one| one.state == State::Interrupted);
    let left: Vec<String> = left.map(|one| one.name).collect();
    lines.extend(left.iter().map(|name| {
        let way_out = format!("see what it has left, then --applied {name} or --pending {name}");
        report::Row::new("interrupted", report::BAD).column(name).column(way_out)
    }));
    let text = if lines.is_empty() { report::nothing("nothing has changed") } else { report::rows(&lines) };
    let is_no = !left.is_empty();
    Ok(Report { is_no, ..report.with("accepted", &accepted).with("interrupted", &left).saying(text) })
}
