//! Git history: one event per commit that any ref of a repository reaches.
//!
//! The `git` program reads the repository (`rev-list --all` piped into `cat-file --batch`): plumbing whose
//! output no configuration changes, with the length before each object, so that no message can be mistaken for
//! structure. Nothing goes through a shell.
//!
//! An ordinary commit is a `commit`, one with more than one parent a `commit.merge`. The actor is the author's
//! name as written in the commit; addresses are not stored. The time is the committer's: when the commit got
//! its place in history. The identity is the repository and the commit's id, so another clone of the same
//! repository gives the same events.

mod commit;
mod process;
mod remote;

use std::path::Path;

use chrono::DateTime;

use crate::envelope::{Attributes, Event, EventId, Intake, Normalised, Rejection, clean_line, limit, time};
use crate::error::Result;

use commit::Commit;
use process::{Objects, Record};

/// The `source` of these events.
pub const SOURCE: &str = "git";

/// What is known about a repository before its commits are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name` of the remote `origin`, else the folder's name; the `repository` of its events.
    pub name: String,
    /// Whether history is cut off (`git clone --depth`). Then the events are only those of the kept part;
    /// `git fetch --unshallow` and reading again adds the rest.
    pub is_shallow: bool,
}

/// Opens the repository at `path` (its folder, one inside of it, or a bare one).
///
/// The iterator yields an event or rejection per commit as `git` lists them, newest first, one at a time in
/// memory. If `git` stops early, the last item is a rejection with its words. A repository without commits
/// yields nothing.
///
/// # Errors
///
/// [`crate::Error::Input`] if there is no `git`, `path` is no repository, or `git` refuses it because it
/// belongs to another user; each says the way out.
pub fn read(intake: Intake, path: &Path) -> Result<Commits> {
    let repository = process::inspect(path)?;
    let objects = Objects::start(path)?;
    Ok(Commits { intake, repository, objects })
}

/// The commits of a repository; see [`read`].
pub struct Commits {
    intake: Intake,
    repository: Repository,
    objects: Objects,
}

impl Commits {
    /// The repository that is read.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }
}

impl Iterator for Commits {
    type Item = Normalised;

    fn next(&mut self) -> Option<Normalised> {
        let reject = |intake: &Intake, place: &str, reason: &str, raw: &[u8]| {
            Err(Rejection::new(intake, SOURCE, &format!("{} {place}", self.repository.name), reason, raw))
        };
        Some(match self.objects.next()? {
            Record::Commit { id, raw } => match commit::parse(&raw) {
                Ok(commit) => event(&self.intake, &self.repository.name, &id, &commit)
                    .or_else(|reason| reject(&self.intake, &id, &reason, b"")),
                Err(reason) => reject(&self.intake, &id, reason, &raw),
            },
            Record::Missing { id } => {
                reject(&self.intake, &id, "the commit is missing from the repository; see `git fsck`", b"")
            }
            Record::Stopped { reason } => reject(&self.intake, "history", &reason, b""),
        })
    }
}

/// What becomes of a commit object, and that the name of a remote is no worse than what it is taken from.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(intake: &Intake, raw: &[u8]) -> Normalised {
    let id = "0".repeat(40);
    let name = str::from_utf8(raw).ok().and_then(remote::name);
    assert!(
        name.as_ref().is_none_or(|name| !name.is_empty() && !name.starts_with('/') && !name.ends_with('/'))
    );
    let commit = commit::parse(raw).map_err(str::to_owned);
    let event = commit.and_then(|commit| event(intake, "acme/rocket", &id, &commit));
    event.map_err(|reason| Rejection::new(intake, SOURCE, &id, &reason, raw))
}

fn event(intake: &Intake, repository: &str, id: &str, commit: &Commit) -> std::result::Result<Event, String> {
    let committed_at = DateTime::from_timestamp(commit.committed_seconds, 0).map(time::accept);
    let Some(time::Reading::Time(occurred_at)) = committed_at else {
        return Err(format!(
            "its time ({} s since 1970) is out of range: expected one from 1900-01-01 to before 2299-12-31",
            commit.committed_seconds
        ));
    };
    let is_merge = commit.parents.len() > 1;
    let mut attributes = Attributes::new();
    attributes.set("sha", id);
    attributes.set("parents", &commit.parents.join(" "));
    attributes.set("author_date", &commit.author_date);
    if commit.committer != commit.author {
        attributes.set("committer", &commit.committer);
    }
    Ok(Event {
        tenant: intake.tenant.clone(),
        event_id: EventId::of(&intake.tenant, SOURCE, &[b"commit", repository.as_bytes(), id.as_bytes()]),
        source: SOURCE.to_owned(),
        kind: if is_merge { "commit.merge" } else { "commit" }.to_owned(),
        action: if is_merge { "merge" } else { "" }.to_owned(),
        repository: repository.to_owned(),
        actor: clean_line(&commit.author, limit::REFERENCE),
        occurred_at,
        received_at: intake.received_at,
        subject: id[..id.len().min(12)].to_owned(),
        title: clean_line(&commit.title, limit::TITLE),
        url: String::new(),
        attributes,
    })
}

#[cfg(test)]
mod tests;
