//! Who owns a server: decided by a lock that the kernel releases with its holder.
//!
//! In a server's folder
//! - `lock` is locked by the owner for its life and holds the owner's process id,
//! - `state.json` says where the server is, once it is ready,
//! - `users` is locked (shared) by every process that uses the server without owning it,
//! - `alive` is locked by the server itself and whatever processes it starts.
//!
//! All changes happen behind the `gate`, a lock held for an instant. Behind it, a `lock` that is
//! held belongs to the process whose id it holds, and `state.json` is that owner's: a dead owner's
//! leavings can never be taken for a live one's, whatever happened to its process id since.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::error::{Doing, Error, Result};
use crate::secret::{SecretUrl, write_private};

/// How often a lock or a file that another process changes is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// What kind of process owns a server, and so when it stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holder {
    /// `archer dev hold`: until it is told to stop.
    Hold,
    /// A command that needed the server: until the command ends and nobody else uses it.
    Command,
}

/// A server that is ready.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// How to connect; for PostgreSQL the database is `postgres`.
    #[serde(with = "exposed")]
    pub url: SecretUrl,
    /// The server's process.
    pub server_pid: u32,
    /// As the server says, `15.18` or `26.7.3.1`.
    pub version: String,
    /// When it became ready (UTC).
    pub since: DateTime<Utc>,
}

/// Whole URLs in `state.json`, which only the owner may read.
mod exposed {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::secret::SecretUrl;

    pub(super) fn serialize<S: Serializer>(url: &SecretUrl, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(url.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretUrl, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(SecretUrl::new).map_err(D::Error::custom)
    }
}

/// The owner of a server that is owned.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Its process; alive when it was read.
    pub pid: u32,
    /// When it will stop the server.
    pub holder: Holder,
    /// `None` while the server starts or stops.
    pub state: Option<State>,
}

/// The right to start, and the duty to stop, the server of one folder.
#[derive(Debug)]
pub(crate) struct Claim {
    folder: PathBuf,
    /// Held for as long as the claim lives.
    _lock: File,
}

/// Keeps an owner from stopping its server: held by those who use what they do not own.
#[derive(Debug)]
pub(crate) struct Guest {
    _users: File,
}

pub(crate) enum Claimed {
    Mine(Claim),
    Another(State, Guest),
}

/// Takes the server of `folder`, or finds the one that already runs there, waiting while another
/// process starts or stops it. `product` names the server in what is said about the wait.
pub(crate) async fn claim(folder: &Path, holder: Holder, product: &str) -> Result<Claimed> {
    let started = Instant::now();
    let mut told = false;
    loop {
        match attempt(folder, holder).await? {
            Attempt::Claimed(claimed) => return Ok(claimed),
            Attempt::InMotion(pid) if !told && started.elapsed() > Duration::from_secs(2) => {
                eprintln!("waiting for process {pid}, which has {product} for itself for now");
                told = true;
            }
            Attempt::InMotion(_) => {}
        }
        sleep(POLL).await;
    }
}

enum Attempt {
    Claimed(Claimed),
    InMotion(u32),
}

async fn attempt(folder: &Path, holder: Holder) -> Result<Attempt> {
    let _gate = gate(folder).await?;
    let path = folder.join("lock");
    let mut lock = open(&path)?;
    if try_lock(&lock, &path)? {
        remove(&folder.join("state.json"))?;
        write_owner(&mut lock, holder).doing("write", &path)?;
        return Ok(Attempt::Claimed(Claimed::Mine(Claim { folder: folder.to_owned(), _lock: lock })));
    }
    let owner = read_owner(folder, &mut lock)?;
    let Some(state) = owner.state else { return Ok(Attempt::InMotion(owner.pid)) };
    // A command stops its server when it is done, so nobody can hold on to it: wait for that.
    if holder == Holder::Hold && owner.holder == Holder::Command {
        return Ok(Attempt::InMotion(owner.pid));
    }
    let path = folder.join("users");
    let users = open(&path)?;
    users.lock_shared().doing("lock", &path)?;
    Ok(Attempt::Claimed(Claimed::Another(state, Guest { _users: users })))
}

/// Who owns the server of `folder` now; `None` if nobody does.
pub(crate) async fn owner(folder: &Path) -> Result<Option<Owner>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let _gate = gate(folder).await?;
    let path = folder.join("lock");
    let mut lock = open(&path)?;
    if try_lock(&lock, &path)? {
        return Ok(None);
    }
    read_owner(folder, &mut lock).map(Some)
}

/// Asks the owner of the server of `folder` to end, if it is a `hold`. Who was asked, if anybody.
pub(crate) async fn ask_to_end(folder: &Path, signal: rustix::process::Signal) -> Result<Option<Owner>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    // The gate is held until the signal is sent, so that the id cannot have come from an earlier owner.
    let _gate = gate(folder).await?;
    let path = folder.join("lock");
    let mut lock = open(&path)?;
    if try_lock(&lock, &path)? {
        return Ok(None);
    }
    let owner = read_owner(folder, &mut lock)?;
    if owner.holder == Holder::Hold
        && let Some(pid) = i32::try_from(owner.pid).ok().and_then(rustix::process::Pid::from_raw)
    {
        rustix::process::kill_process(pid, signal)
            .map_err(std::io::Error::from)
            .map_err(|source| Error::Io { doing: format!("cannot signal process {}", owner.pid), source })?;
    }
    Ok(Some(owner))
}

impl Claim {
    /// Says where the server is: from now on others find it.
    pub(crate) async fn publish(&self, state: &State) -> Result<()> {
        let _gate = gate(&self.folder).await?;
        let text = serde_json::to_string_pretty(state).expect("a state has string keys only");
        write_private(&self.folder.join("state.json"), &text)
    }

    /// Withdraws what was published, so that nobody new comes to use a server about to stop.
    pub(crate) async fn withdraw(&self) -> Result<()> {
        let _gate = gate(&self.folder).await?;
        remove(&self.folder.join("state.json"))
    }

    /// Waits until nobody else uses the server, then withdraws it. `product` is told in the wait.
    pub(crate) async fn withdraw_when_unused(&self, product: &str) -> Result<()> {
        let path = self.folder.join("users");
        let mut told = false;
        loop {
            {
                let _gate = gate(&self.folder).await?;
                if try_lock(&open(&path)?, &path)? {
                    return remove(&self.folder.join("state.json"));
                }
            }
            if !told {
                eprintln!("waiting for another command that uses this {product}");
                told = true;
            }
            sleep(POLL).await;
        }
    }
}

/// Waits until no process of a server runs in `folder`; false if `within` passed first.
pub(crate) async fn no_server_alive(folder: &Path, within: Duration) -> Result<bool> {
    let deadline = Instant::now() + within;
    while server_alive(folder)? {
        if Instant::now() > deadline {
            return Ok(false);
        }
        sleep(POLL).await;
    }
    Ok(true)
}

/// Whether a server, or a process that it started, still runs in `folder`.
pub(crate) fn server_alive(folder: &Path) -> Result<bool> {
    if !folder.is_dir() {
        return Ok(false);
    }
    let path = folder.join("alive");
    Ok(!try_lock(&open(&path)?, &path)?)
}

/// The process that locked `alive` in `folder`, as it says itself.
pub(crate) fn server_pid(folder: &Path) -> Option<rustix::process::Pid> {
    let text = std::fs::read_to_string(folder.join("alive")).ok()?;
    rustix::process::Pid::from_raw(text.trim().parse().ok()?)
}

/// Enters the gate beside `folder`; whoever holds it is done in an instant.
pub(crate) async fn gate(folder: &Path) -> Result<File> {
    let path = folder.join("gate");
    let file = open(&path)?;
    while !try_lock(&file, &path)? {
        sleep(Duration::from_millis(2)).await;
    }
    Ok(file)
}

/// Opens a lock file, created where it is absent, readable by its owner only.
pub(crate) fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .doing("open", path)
}

/// Whether `file` was free and is locked now. The lock goes with the file.
pub(crate) fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error).doing("lock", path),
    }
}

#[derive(Serialize, Deserialize)]
struct OwnerLine {
    pid: u32,
    holder: Holder,
}

fn write_owner(lock: &mut File, holder: Holder) -> std::io::Result<()> {
    let line = OwnerLine { pid: std::process::id(), holder };
    let text = serde_json::to_string(&line).expect("an owner has string keys only");
    lock.set_len(0)?;
    lock.rewind()?;
    lock.write_all(text.as_bytes())
}

fn read_owner(folder: &Path, lock: &mut File) -> Result<Owner> {
    let path = folder.join("lock");
    let mut text = String::new();
    lock.rewind().and_then(|()| lock.read_to_string(&mut text)).doing("read", &path)?;
    let line: OwnerLine =
        serde_json::from_str(&text).map_err(std::io::Error::from).doing("understand", &path)?;
    let path = folder.join("state.json");
    let state: Option<State> = match std::fs::read_to_string(&path) {
        Ok(text) => {
            Some(serde_json::from_str(&text).map_err(std::io::Error::from).doing("understand", &path)?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).doing("read", &path),
    };
    // A server that ended by itself is nowhere, until its owner has started it again or has ended, too.
    let state = state.filter(|state| is_running(state.server_pid));
    Ok(Owner { pid: line.pid, holder: line.holder, state })
}

/// Whether there is a process with this id, whoever's it is.
fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Removes a file that may be absent.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).doing("remove", path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            url: SecretUrl::new("postgres://archer:pw@127.0.0.1:5432/postgres".parse().unwrap()),
            server_pid: 1,
            version: "15.18".into(),
            since: DateTime::UNIX_EPOCH,
        }
    }

    async fn mine(folder: &Path) -> Claim {
        match claim(folder, Holder::Hold, "a server").await.unwrap() {
            Claimed::Mine(claim) => claim,
            Claimed::Another(..) => panic!("somebody else owns it"),
        }
    }

    #[tokio::test]
    async fn a_second_claimant_finds_what_the_first_published() {
        let folder = tempfile::tempdir().unwrap();
        let first = mine(folder.path()).await;
        first.publish(&state()).await.unwrap();
        let Claimed::Another(found, _guest) =
            claim(folder.path(), Holder::Command, "a server").await.unwrap()
        else {
            panic!("claimed twice")
        };
        assert_eq!(found.url, state().url);
    }

    #[tokio::test]
    async fn what_a_dead_owner_published_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let first = mine(folder.path()).await;
        first.publish(&state()).await.unwrap();
        drop(first);
        assert!(owner(folder.path()).await.unwrap().is_none());
        let _second = mine(folder.path()).await;
        assert!(owner(folder.path()).await.unwrap().unwrap().state.is_none());
    }

    #[tokio::test]
    async fn an_owner_waits_for_those_who_use_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let first = mine(folder.path()).await;
        first.publish(&state()).await.unwrap();
        let Claimed::Another(_, guest) = claim(folder.path(), Holder::Command, "a server").await.unwrap()
        else {
            panic!("claimed twice")
        };
        let waiting = first.withdraw_when_unused("server");
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut waiting).await.is_err());
        drop(guest);
        waiting.await.unwrap();
        assert!(owner(folder.path()).await.unwrap().unwrap().state.is_none());
    }
}
