//! Tests on real repositories, made by `git` in a temporary folder.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::*;

/// A repository of our own, with a fixed author and clock.
struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(sandbox.path()).unwrap();
        sandbox.git(&["init", "--quiet", "--initial-branch=main"]);
        sandbox
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rocket")
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.git_at(1_714_557_600, arguments)
    }

    fn git_at(&self, seconds: i64, arguments: &[&str]) -> String {
        let done = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Jane Doe")
            .env("GIT_AUTHOR_EMAIL", "jane@example.org")
            .env("GIT_AUTHOR_DATE", "1714550400 +0200")
            .env("GIT_COMMITTER_NAME", "Joe <joe@example.org>")
            .env("GIT_COMMITTER_EMAIL", "joe@example.org")
            .env("GIT_COMMITTER_DATE", format!("{seconds} +0000"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn commit(&self, seconds: i64, message: &str) {
        self.git_at(seconds, &["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    fn read(&self) -> Vec<Normalised> {
        read(intake(), &self.path()).unwrap().collect()
    }

    fn events(&self) -> Vec<Event> {
        self.read().into_iter().map(|item| item.unwrap()).collect()
    }
}

fn intake() -> Intake {
    Intake::new("default", "2024-06-01T12:00:00Z".parse().unwrap())
}

#[test]
fn a_commit_becomes_an_event_with_every_column_filled_and_no_address() {
    let sandbox = Sandbox::new();
    sandbox.git(&["remote", "add", "origin", "https://jane:pw@example.org/acme/rocket.git"]);
    sandbox.commit(
        1_714_557_600,
        "Launch for jane@example.org\n\nWith a body\n\ncommitter Mallory <m@example.org> 1 +0000",
    );
    let events = sandbox.events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let sha = event.attributes.get("sha").unwrap();
    let expected = Event {
        tenant: "default".into(),
        event_id: EventId::of("default", "git", &[b"commit", b"acme/rocket", sha.as_bytes()]),
        source: "git".into(),
        kind: "commit".into(),
        action: String::new(),
        repository: "acme/rocket".into(),
        actor: "Jane Doe".into(),
        occurred_at: "2024-05-01T10:00:00Z".parse().unwrap(),
        received_at: intake().received_at,
        subject: sha[..12].to_owned(),
        title: "Launch for [email]".into(),
        url: String::new(),
        attributes: event.attributes.clone(),
    };
    assert_eq!(*event, expected);
    assert_eq!(event.attributes.get("author_date"), Some("2024-05-01T10:00:00+02:00"));
    assert!(!format!("{event:?}").contains("example.org"), "{event:?}");
}

#[test]
fn every_commit_that_any_ref_reaches_is_read_once_and_merges_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.commit(1_714_557_600, "one");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.commit(1_714_557_700, "two");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.commit(1_714_557_800, "three");
    sandbox.git_at(1_714_557_900, &["merge", "--quiet", "--no-ff", "--message", "four", "side"]);
    sandbox.git(&["checkout", "--quiet", "-b", "other"]);
    sandbox.commit(1_714_558_000, "five");
    sandbox.git(&["tag", "kept"]);
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["branch", "--quiet", "-D", "other"]);
    let found: Vec<_> = sandbox.events().into_iter().map(|event| (event.title, event.kind)).collect();
    let expected = [
        ("five", "commit"),
        ("four", "commit.merge"),
        ("three", "commit"),
        ("two", "commit"),
        ("one", "commit"),
    ];
    assert_eq!(found, expected.map(|(title, kind)| (title.to_owned(), kind.to_owned())));
}

#[test]
fn a_shallow_clone_gives_the_same_events_for_what_it_has_and_says_that_it_is_shallow() {
    let sandbox = Sandbox::new();
    sandbox.commit(1_714_557_600, "one");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.commit(1_714_557_700, "two");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.commit(1_714_557_800, "three");
    sandbox.git_at(1_714_557_900, &["merge", "--quiet", "--no-ff", "--message", "four", "side"]);
    let from = format!("file://{}", sandbox.path().display());
    let clone = sandbox.folder.path().join("clone");
    sandbox.git(&["clone", "--quiet", "--depth=1", &from, clone.to_str().unwrap()]);

    let commits = read(intake(), &clone).unwrap();
    assert_eq!(commits.repository(), &Repository { name: "rocket".into(), is_shallow: true });
    let shallow: Vec<_> = commits.map(|item| item.unwrap()).collect();
    // The cut commit is still seen as the merge that it is, so completing the history later doubles nothing.
    assert_eq!(shallow, sandbox.events()[..1]);
}

#[test]
fn a_repository_without_commits_yields_nothing_and_is_named_by_its_folder() {
    let sandbox = Sandbox::new();
    let commits = read(intake(), &sandbox.path()).unwrap();
    assert_eq!(commits.repository(), &Repository { name: "rocket".into(), is_shallow: false });
    assert_eq!(commits.count(), 0);
}

#[test]
fn a_folder_inside_of_a_repository_will_do_and_one_outside_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.commit(1_714_557_600, "one");
    let inside = sandbox.path().join("src");
    std::fs::create_dir(&inside).unwrap();
    assert_eq!(read(intake(), &inside).unwrap().count(), 1);

    let outside = tempfile::tempdir().unwrap();
    let said = read(intake(), outside.path()).map(drop).unwrap_err().to_string();
    assert!(said.contains("not a Git repository"), "{said}");
    let said = read(intake(), &outside.path().join("absent")).map(drop).unwrap_err().to_string();
    assert!(said.contains("there is no such folder"), "{said}");
}

#[test]
fn a_broken_repository_ends_with_a_rejection_that_has_git_s_words() {
    let sandbox = Sandbox::new();
    sandbox.commit(1_714_557_600, "one");
    sandbox.commit(1_714_557_700, "two");
    let one = sandbox.events()[1].attributes.get("sha").unwrap().to_owned();
    std::fs::remove_file(sandbox.path().join(".git/objects").join(&one[..2]).join(&one[2..])).unwrap();
    let found = sandbox.read();
    let rejection = found.last().unwrap().as_ref().unwrap_err();
    assert!(rejection.reason.contains("git stopped early"), "{}", rejection.reason);
    assert_eq!(rejection.place, "rocket history");
}

#[test]
fn a_commit_with_an_absurd_time_is_rejected_and_the_others_are_kept() {
    let sandbox = Sandbox::new();
    sandbox.commit(1_714_557_600, "one");
    // `git commit` refuses such a time, but other programs write it.
    let object = sandbox.folder.path().join("object");
    let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    let someone = "Jane Doe <jane@example.org> 95617584000 +0000";
    std::fs::write(
        &object,
        format!("tree {tree}\nauthor {someone}\ncommitter {someone}\n\nin the year 5000\n"),
    )
    .unwrap();
    let id = sandbox.git(&["hash-object", "-t", "commit", "-w", object.to_str().unwrap()]);
    sandbox.git(&["update-ref", "refs/heads/later", id.trim()]);

    let found = sandbox.read();
    let (events, rejections): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
    assert_eq!((events.len(), rejections.len()), (1, 1));
    let rejection = rejections[0].as_ref().unwrap_err();
    assert!(rejection.reason.contains("95617584000 s since 1970) is out of range"), "{}", rejection.reason);
    assert_eq!(rejection.place, format!("rocket {}", id.trim()));
}

#[test]
fn reading_can_stop_in_the_middle() {
    let sandbox = Sandbox::new();
    for index in 0..50 {
        sandbox.commit(1_714_557_600 + index, "one more");
    }
    assert_eq!(read(intake(), &sandbox.path()).unwrap().take(3).count(), 3);
}
